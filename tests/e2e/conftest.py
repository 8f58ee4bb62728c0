"""What the end-to-end tests share: clean environments, process bookkeeping and the UI's GraphQL."""

import json
import os
import time
import urllib.request
import uuid
from pathlib import Path

import pytest

MARK = "DDB_ASSETS_TEST_MARK"


class Marked:
    """An environment of a new user, with a mark by which every process started from it is found."""

    def __init__(self) -> None:
        self.value = uuid.uuid4().hex
        kept = {n: os.environ[n] for n in ("PATH", "HOME", "LANG", "TMPDIR") if n in os.environ}
        self.env = {**kept, MARK: self.value, "COLUMNS": "160", "DAGSTER_DISABLE_TELEMETRY": "1"}

    def processes(self) -> dict[int, str]:
        """Pid and command line of every running process that inherited the mark."""
        found: dict[int, str] = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                if f"{MARK}={self.value}".encode() in (folder / "environ").read_bytes():
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if command:
                        found[int(folder.name)] = command
            except (OSError, ValueError):
                continue
        return found

    def gone(self, seconds: float = 10.0) -> dict[int, str]:
        """What is still running after this long; empty when all ended."""
        deadline = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return left


class DagsterUi:
    """The GraphQL the UI itself speaks."""

    def __init__(self, url: str, location: str = "ddb_assets") -> None:
        self.url = url
        self.selector = {"repositoryLocationName": location, "repositoryName": "__repository__"}

    def query(self, text: str, **variables):
        """One GraphQL call; its data."""
        body = json.dumps({"query": text, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            document = json.load(answer)
        assert "errors" not in document, document["errors"]
        return document["data"]

    def asset_nodes(self):
        """Every asset the code location defines, once it is loaded."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            nodes = self.query(
                "{ assetNodes { assetKey { path } isMaterializable groupName kinds } }"
            )["assetNodes"]
            if nodes:
                return nodes
            time.sleep(0.5)
        raise AssertionError("the code location did not load in 90 s")

    def materialize(self, keys, run_config=None) -> str:
        """Launch what the Materialize button launches; the run id."""
        data = self.query(
            """mutation($params: ExecutionParams!) {
                 launchPipelineExecution(executionParams: $params) {
                 __typename ... on LaunchRunSuccess { run { runId } }
                 ... on PythonError { message }
                 ... on RunConfigValidationInvalid { errors { message } } } }""",
            params={
                "selector": {
                    **self.selector,
                    "pipelineName": "__ASSET_JOB",
                    "assetSelection": [{"path": list(key)} for key in keys],
                },
                "runConfigData": json.dumps(run_config or {}),
            },
        )["launchPipelineExecution"]
        assert data["__typename"] == "LaunchRunSuccess", data
        return data["run"]["runId"]

    def newest_run(self, seconds: float = 60) -> str:
        """The id of the newest run; waits until there is one."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            runs = self.query("{ runsOrError { ... on Runs { results { runId } } } }")
            if found := runs["runsOrError"]["results"]:
                return found[0]["runId"]
            time.sleep(0.5)
        raise AssertionError(f"no run was started in {seconds} s")

    def errors(self, run_id: str) -> list[str]:
        """What the run's log says at level ERROR."""
        events = self.query(
            """query($id: ID!) { runOrError(runId: $id) { ... on Run {
                 eventConnection { events { ... on MessageEvent { message level } } } } } }""",
            id=run_id,
        )["runOrError"]["eventConnection"]["events"]
        return [event["message"] for event in events if event.get("level") == "ERROR"]

    def wait(self, run_id: str, seconds: float = 180) -> str:
        """The run's final status."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.query(
                "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run_id
            )["runOrError"]["status"]
            if status in ("SUCCESS", "FAILURE", "CANCELED"):
                return status
            time.sleep(0.5)
        raise AssertionError(f"run {run_id} did not end in {seconds} s")


@pytest.fixture
def marked():
    """A new user's environment; the test fails if it leaves a process behind."""
    environment = Marked()
    yield environment
    left = environment.gone()
    for pid in left:
        os.kill(pid, 9)
    assert not left, f"left running: {left}"


@pytest.fixture
def ui():
    """Builds a client for a UI's URL."""
    return DagsterUi
