"""The GraphQL the UI itself speaks: what its buttons send and what its pages show."""

import json
import time
import urllib.error
import urllib.request

from processes import until

_LAUNCHED = """{ __typename ... on LaunchRunSuccess { run { runId } }
  ... on PythonError { message } ... on InvalidSubsetError { message }
  ... on RunConfigValidationInvalid { errors { message } } }"""
LAUNCH = (
    "mutation($params: ExecutionParams!) "
    f"{{ launchPipelineExecution(executionParams: $params) {_LAUNCHED} }}"
)
RETRY = (
    "mutation($params: ReexecutionParams!) "
    f"{{ launchPipelineReexecution(reexecutionParams: $params) {_LAUNCHED} }}"
)
TERMINATE = """mutation($ids: [String!]!) { terminateRuns(runIds: $ids) {
  ... on TerminateRunsResult { terminateRunResults {
    __typename ... on TerminateRunFailure { message } ... on PythonError { message } } } } }"""
LOADED = """{ workspaceOrError { ... on Workspace { locationEntries { name
  locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
AUTOMATION = """query($repository: RepositorySelector!) {
  schedulesOrError(repositorySelector: $repository) { ... on Schedules { results {
    name scheduleState { id status } } } }
  sensorsOrError(repositorySelector: $repository) { ... on Sensors { results {
    name sensorState { id status } } } } }"""
START_SCHEDULE = """mutation($selector: ScheduleSelector!) {
  startSchedule(scheduleSelector: $selector) {
    ... on ScheduleStateResult { scheduleState { status } } ... on PythonError { message } } }"""
STOP_SCHEDULE = """mutation($id: String!) { stopRunningSchedule(id: $id) {
    ... on ScheduleStateResult { scheduleState { status } } ... on PythonError { message } } }"""
START_SENSOR = """mutation($selector: SensorSelector!) { startSensor(sensorSelector: $selector) {
    ... on Sensor { sensorState { status } } ... on PythonError { message } } }"""
SET_CURSOR = """mutation($selector: SensorSelector!, $cursor: String) {
  setSensorCursor(sensorSelector: $selector, cursor: $cursor) { __typename } }"""
TICKS = """query($selector: InstigationSelector!) {
  instigationStateOrError(instigationSelector: $selector) { ... on InstigationState {
    ticks(limit: 500) { tickId status timestamp runIds skipReason error { message } } } } }"""
RUNS = """query($filter: RunsFilter) { runsOrError(filter: $filter, limit: 500) { ... on Runs {
    results { runId status parentRunId assetSelection { path } tags { key value } } } } }"""
_ENTRIES = """metadataEntries { label ... on TextMetadataEntry { text } ... on IntMetadataEntry {
  intValue } ... on FloatMetadataEntry { floatValue } ... on JsonMetadataEntry { jsonString } }"""
EVENTS = f"""query($id: ID!, $after: String) {{ logsForRun(runId: $id, afterCursor: $after) {{
  ... on EventConnection {{ cursor hasMore events {{ __typename
    ... on MessageEvent {{ message level stepKey }}
    ... on MaterializationEvent {{ assetKey {{ path }} {_ENTRIES} }}
    ... on AssetCheckEvaluationEvent {{ evaluation {{ assetKey {{ path }} checkName success }} }}
    ... on ExecutionStepFailureEvent {{ error {{ message causes {{ message }} }}
      failureMetadata {{ {_ENTRIES} }} }} }} }} }} }}"""
ASSET = f"""query($key: AssetKeyInput!) {{ assetNodeOrError(assetKey: $key) {{ ... on AssetNode {{
  assetMaterializations(limit: 1) {{ runId timestamp {_ENTRIES} }}
  freshnessStatusInfo {{ freshnessStatus }}
  assetChecksOrError {{ ... on AssetChecks {{ checks {{ name
    executionForLatestMaterialization {{ runId status evaluation {{ severity description }} }} }} }}
  }} }} }} }}"""


class DagsterUi:
    """A running webserver and one of its code locations."""

    def __init__(self, url: str, location: str = "ddb_assets") -> None:
        self.url = url
        self.selector = {"repositoryLocationName": location, "repositoryName": "__repository__"}

    def query(self, text: str, **variables):
        """One GraphQL call; its data."""
        body = json.dumps({"query": text, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                document = json.load(answer)
        except urllib.error.HTTPError as error:
            # A failed query is a 500 whose body says why.
            with error:
                document = json.load(error)
        assert "errors" not in document, document["errors"]
        return document["data"]

    def locations(self) -> dict[str, str | None]:
        """Every loaded code location and what went wrong with it; empty while the server starts."""
        try:
            entries = self.query(LOADED)["workspaceOrError"]["locationEntries"]
        except OSError:
            return {}
        found = {entry["name"]: entry["locationOrLoadError"] for entry in entries}
        return {name: state.get("message") for name, state in found.items() if state}

    def asset_nodes(self):
        """Every asset the code location defines, once it is loaded."""
        text = "{ assetNodes { assetKey { path } isMaterializable groupName kinds } }"
        return until(lambda: self.query(text)["assetNodes"], 90, "the code location is loaded")

    def materialize(self, keys, run_config=None, tags=None) -> str:
        """Launch what the Materialize button launches; the run id."""
        selection = {"assetSelection": [{"path": list(key)} for key in keys]}
        return self._launch("__ASSET_JOB", selection, run_config, tags)

    def check(self, checks) -> str:
        """Launch what the Execute button beside a check launches; (key, name) of each check."""
        chosen = [{"assetKey": {"path": list(key)}, "name": name} for key, name in checks]
        return self._launch("__ASSET_JOB", {"assetSelection": [], "assetCheckSelection": chosen})

    def launch_job(self, job, run_config=None) -> str:
        """Launch a job from its launchpad; the run id."""
        return self._launch(job, {}, run_config)

    def retry(self, run_id, strategy="FROM_FAILURE") -> str:
        """Press "Re-execute from failure"; the new run's id."""
        params = {"parentRunId": run_id, "strategy": strategy}
        return _run_id(self.query(RETRY, params=params)["launchPipelineReexecution"])

    def terminate(self, run_id) -> None:
        """Press Terminate."""
        (answer,) = self.query(TERMINATE, ids=[run_id])["terminateRuns"]["terminateRunResults"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def _launch(self, job, selection, run_config=None, tags=None) -> str:
        params = {
            "selector": {**self.selector, "pipelineName": job, **selection},
            "runConfigData": json.dumps(run_config or {}),
            "executionMetadata": {
                "tags": [{"key": name, "value": value} for name, value in (tags or {}).items()]
            },
        }
        return _run_id(self.query(LAUNCH, params=params)["launchPipelineExecution"])

    def runs(self, **tags):
        """Runs with these tags (`sensor_name="…"` is Dagster's own), the newest first."""
        wanted = [{"key": f"dagster/{name}", "value": value} for name, value in tags.items()]
        return self.query(RUNS, filter={"tags": wanted})["runsOrError"]["results"]

    def newest_run(self, seconds: float = 60) -> str:
        """The id of the newest run; waits until there is one."""
        return until(self.runs, seconds, "a run was started")[0]["runId"]

    def wait(self, run_id: str, seconds: float = 300) -> str:
        """The run's final status."""
        text = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.query(text, id=run_id)["runOrError"]["status"]
            if status in ("SUCCESS", "FAILURE", "CANCELED"):
                return status
            time.sleep(0.25)
        raise AssertionError(f"run {run_id} did not end in {seconds} s")

    def events(self, run_id: str):
        """The run's event log."""
        found, page = [], {"cursor": None, "hasMore": True}
        while page["hasMore"]:
            page = self.query(EVENTS, id=run_id, after=page["cursor"])["logsForRun"]
            found += page["events"]
        return found

    def story(self, run_id: str) -> list[str]:
        """What the run's log says in words, in order."""
        return [e["message"] for e in self.events(run_id) if e["__typename"] == "LogMessageEvent"]

    def errors(self, run_id: str) -> list[str]:
        """What the run's log says at level ERROR."""
        return [e["message"] for e in self.events(run_id) if e.get("level") == "ERROR"]

    def materialized(self, run_id: str):
        """The assets this run materialized, each with its metadata, in the order they landed."""
        return {
            tuple(event["assetKey"]["path"]): _values(event["metadataEntries"])
            for event in self.events(run_id)
            if event["__typename"] == "MaterializationEvent"
        }

    def checked(self, run_id: str) -> dict[tuple[tuple[str, ...], str], bool]:
        """The checks this run made: (asset, check) -> whether it passed."""
        made = [e for e in self.events(run_id) if e["__typename"] == "AssetCheckEvaluationEvent"]
        found = [event["evaluation"] for event in made]
        return {(tuple(e["assetKey"]["path"]), e["checkName"]): e["success"] for e in found}

    def failure(self, run_id: str):
        """The error of the step that failed, and its metadata entry by entry."""
        failed = [e for e in self.events(run_id) if e["__typename"] == "ExecutionStepFailureEvent"]
        event = failed[-1]
        entries = (event["failureMetadata"] or {}).get("metadataEntries", [])
        return event["error"]["message"], _values(entries)

    def asset(self, key):
        """What an asset's page shows: freshness, checks by name, the newest materialization."""
        node = self.query(ASSET, key={"path": list(key)})["assetNodeOrError"]
        newest = node["assetMaterializations"]
        checks = node["assetChecksOrError"]["checks"]
        return {
            "freshness": (node["freshnessStatusInfo"] or {}).get("freshnessStatus"),
            "checks": {c["name"]: c["executionForLatestMaterialization"] for c in checks},
            "run_id": newest[0]["runId"] if newest else None,
            "metadata": _values(newest[0]["metadataEntries"]) if newest else {},
        }

    def automation(self) -> dict[str, str]:
        """Every schedule and sensor: RUNNING or STOPPED."""
        return {name: state["status"] for name, state in self._instigators().items()}

    def start_schedule(self, name) -> None:
        """Switch a schedule on."""
        answer = self.query(START_SCHEDULE, selector={**self.selector, "scheduleName": name})
        assert answer["startSchedule"]["scheduleState"]["status"] == "RUNNING", answer

    def stop_schedule(self, name) -> None:
        """Switch it off."""
        answer = self.query(STOP_SCHEDULE, id=self._instigators()[name]["id"])
        assert answer["stopRunningSchedule"]["scheduleState"]["status"] == "STOPPED", answer

    def ticked(self, name, seconds: float = 150):
        """The newest tick of a schedule or sensor that started a run, once it has ended."""

        def ended():
            return next((t for t in self.ticks(name) if t["status"] == "SUCCESS"), None)

        return until(ended, seconds, lambda: f"a tick of {name}: {self.ticks(name)[:3]}")

    def start_sensor(self, name) -> None:
        """Switch a sensor on."""
        answer = self.query(START_SENSOR, selector={**self.selector, "sensorName": name})
        assert answer["startSensor"]["sensorState"]["status"] == "RUNNING", answer

    def set_cursor(self, name, cursor) -> None:
        """Edit a sensor's cursor, as its page allows."""
        answer = self.query(
            SET_CURSOR, selector={**self.selector, "sensorName": name}, cursor=cursor
        )
        assert answer["setSensorCursor"]["__typename"] == "Sensor", answer

    def ticks(self, name):
        """The ticks of a schedule or sensor, the newest first."""
        answer = self.query(TICKS, selector={**self.selector, "name": name})
        return answer["instigationStateOrError"]["ticks"]

    def _instigators(self):
        answer = self.query(AUTOMATION, repository=self.selector)
        return {
            one["name"]: one[state]
            for field, state in (
                ("schedulesOrError", "scheduleState"),
                ("sensorsOrError", "sensorState"),
            )
            for one in answer[field]["results"]
        }


def _run_id(answer) -> str:
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return answer["run"]["runId"]


def _values(entries):
    """Label -> value."""
    found = {}
    for entry in entries:
        values = [value for name, value in entry.items() if name != "label"]
        value = values[0] if values else None
        found[entry["label"]] = json.loads(value) if "jsonString" in entry else value
    return found
