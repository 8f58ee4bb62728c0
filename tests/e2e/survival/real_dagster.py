"""A real Dagster deployment: daemon, webserver, code servers, run processes.

Runs are launched, retried and ended through the UI's own GraphQL, and processes by signals.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
from real_aws import RealAws, key

from ddb_assets.cli.environment import offline_aws_environment

INSTANCE_YAML = """\
telemetry: {enabled: false}
run_queue: {dequeue_interval_seconds: 1}
run_retries: {enabled: true, max_retries: 0}
run_monitoring: {enabled: true, poll_interval_seconds: 2}
"""

_ANSWER = """{ __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } }"""
LAUNCH = (
    "mutation($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) "
    f"{_ANSWER} }}"
)
RETRY = (
    "mutation($params: ReexecutionParams!) { launchPipelineReexecution(reexecutionParams: $params) "
    f"{_ANSWER} }}"
)
LOADED = """{ workspaceOrError { ... on Workspace { locationEntries { name
  locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
TERMINATE = """mutation($id: String!) { terminateRun(runId: $id) {
  __typename ... on TerminateRunFailure { message } ... on PythonError { message } } }"""


def until(condition, seconds, what):
    """The condition's first true value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


def descendants(pid):
    """The process and everything it started that still hangs on it."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int(
                    (folder / "stat").read_text().rpartition(")")[2].split()[1]
                )
            except OSError:
                continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _group_alive(group) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


class RealDagster:
    """`dagster dev` with the test's code locations, an instance on disk and its own AWS."""

    def __init__(self, folder: Path, aws: RealAws, port: int) -> None:
        self.home = folder / "dagster_home"
        self.home.mkdir()
        (self.home / "dagster.yaml").write_text(INSTANCE_YAML)
        workspace = folder / "workspace.yaml"
        locations = Path(__file__).parent / "locations"
        workspace.write_text(
            "load_from:\n"
            + "".join(
                f"  - python_file: {{relative_path: {path}, location_name: {path.stem}}}\n"
                for path in sorted(locations.glob("*.py"))
            )
        )
        # Before Dagster starts: two processes must not create the same databases at once.
        self.instance = dg.DagsterInstance.from_config(str(self.home))
        self.url = f"http://127.0.0.1:{port}"
        self.output = (folder / "dagster.log").open("wb")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "dagster", "dev", "--host", "127.0.0.1"),
                *("--port", str(port), "--workspace", str(workspace), "--log-level", "warning"),
            ],
            env={
                **offline_aws_environment(os.environ),
                **aws.env,
                "DAGSTER_HOME": str(self.home),
                "DAGSTER_DISABLE_TELEMETRY": "1",
            },
            cwd=folder,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._names = [path.stem for path in locations.glob("*.py")]
        self._locations = {}

    def speak(self, client) -> None:
        """Use this client of the UI's GraphQL, once every code location is loaded."""
        if not self._locations:
            self._locations = {name: client(self.url, name) for name in self._names}
            until(self._loaded, 120, "code locations loaded")

    def launch(self, location, tables, *, tags=None) -> str:
        """Press Materialize with these tables selected; the run's id."""
        client = self._locations[location]
        return self._launched(
            client.query(
                LAUNCH,
                params={
                    "selector": {
                        **client.selector,
                        "pipelineName": "__ASSET_JOB",
                        "assetSelection": [{"path": key(table)} for table in tables],
                    },
                    "executionMetadata": {
                        "tags": [{"key": k, "value": v} for k, v in (tags or {}).items()]
                    },
                },
            )["launchPipelineExecution"]
        )

    def retry(self, run_id, strategy="FROM_FAILURE") -> str:
        """Press "Re-execute from failure"; the new run's id."""
        data = self._any.query(RETRY, params={"parentRunId": run_id, "strategy": strategy})
        return self._launched(data["launchPipelineReexecution"])

    def terminate(self, run_id) -> None:
        """Press Terminate."""
        data = self._any.query(TERMINATE, id=run_id)["terminateRun"]
        assert data["__typename"] == "TerminateRunSuccess", data

    def ended(self, run_id, seconds=120) -> str:
        """The run's final status."""
        return self._any.wait(run_id, seconds)

    def retried_by(self, run_id):
        """The runs that retry this one."""
        runs = self.instance.get_runs()
        return [run.run_id for run in runs if run.parent_run_id == run_id]

    @property
    def _any(self):
        return next(iter(self._locations.values()))

    def _loaded(self) -> bool:
        assert self.process.poll() is None, self.server_log()
        try:
            answer = self._any.query(LOADED)["workspaceOrError"]["locationEntries"]
        except OSError:
            return False
        found = {e["name"]: e["locationOrLoadError"] or {} for e in answer}
        broken = [e["message"] for e in found.values() if e.get("__typename") == "PythonError"]
        assert not broken, broken
        return all(found.get(name) for name in self._names)

    @staticmethod
    def _launched(answer) -> str:
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return answer["run"]["runId"]

    def stop(self) -> None:
        """End Dagster as Ctrl-C does."""
        self.instance.dispose()
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)
        self.output.close()
        until(lambda: not _group_alive(self.process.pid), 15, "all of Dagster's processes ended")

    def events(self, run_id):
        """The run's event log."""
        return self.instance.all_logs(run_id)

    def story(self, run_id):
        """What the run's log says in words, in order."""
        return [e.user_message for e in self.events(run_id) if e.dagster_event is None]

    def failure(self, run_id) -> str:
        """The error a person reads first: that of the step that failed."""
        errors = [
            e.dagster_event.step_failure_data.error
            for e in self.events(run_id)
            if e.dagster_event is not None and e.dagster_event.is_step_failure
        ]
        assert errors, self.story(run_id)
        return errors[-1].message

    def materialized(self, run_id):
        """The Athena tables this run materialized, in the order they landed; not their views."""
        names = [
            e.dagster_event.asset_key.path[-1]
            for e in self.events(run_id)
            if e.dagster_event is not None and e.dagster_event.is_step_materialization
        ]
        return [name for name in names if not name.endswith("_typed")]

    def run_pid(self, run_id) -> int:
        """The process that executes the run."""
        return self._pids(run_id, "PIPELINE_START")[None]

    def step_pids(self, run_id) -> dict[str, int]:
        """Step -> the process of its newest attempt."""
        return self._pids(run_id, "STEP_START", "STEP_RESTARTED")

    def _pids(self, run_id, *kinds):
        return {
            event.step_key: event.dagster_event.pid
            for event in self.events(run_id)
            if event.dagster_event is not None and event.dagster_event.event_type_value in kinds
        }

    def server_log(self) -> str:
        """What `dagster dev` printed, without colours."""
        return re.sub(r"\x1b\[\d+m", "", Path(self.output.name).read_text(errors="replace"))
