"""The clients' own environment, a local AWS for them, and the aws CLI."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ddb_assets.local.process import LocalProcess

ROOT = Path(__file__).parents[3]
EXPORT_SECONDS = 1.0


@pytest.fixture(scope="session")
def clients():
    """The folder of the clients' executables; made once and kept."""
    subprocess.run(
        ["make", "--no-print-directory", "clients", f"PYTHON={sys.executable}"],
        cwd=ROOT,
        check=True,
        timeout=900,
        stdout=subprocess.DEVNULL,
    )
    return ROOT / ".venv-clients" / "bin"


@pytest.fixture(scope="session")
def aws():
    """A local AWS with the sample tables."""
    with LocalProcess.start(export_seconds=EXPORT_SECONDS, sample=True) as process:
        yield process


@pytest.fixture(scope="session")
def env(aws):
    """A clean environment that leads to it, with no configuration file of whoever runs this."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        **aws.env,
        "AWS_PAGER": "",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@pytest.fixture
def cli(clients, env):
    """Runs one `aws` command; its parsed answer, or the finished process if it may fail."""

    def run(*arguments, may_fail=False):
        finished = subprocess.run(
            [clients / "aws", *arguments, "--output", "json"],
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if may_fail:
            return finished
        assert finished.returncode == 0, f"{arguments}: {finished.stderr}"
        return json.loads(finished.stdout) if finished.stdout.strip() else None

    return run


@pytest.fixture
def athena(cli):
    """Runs a statement through the aws CLI; its result rows, the header included."""

    def run(sql):
        started = cli(
            "athena", "start-query-execution", "--query-string", sql, "--work-group", "ddb"
        )["QueryExecutionId"]
        deadline = time.monotonic() + 60
        while True:
            execution = cli("athena", "get-query-execution", "--query-execution-id", started)
            status = execution["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                break
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert status["State"] == "SUCCEEDED", status
        results = cli("athena", "get-query-results", "--query-execution-id", started)
        return [
            tuple(cell.get("VarCharValue") for cell in row["Data"])
            for row in results["ResultSet"]["Rows"]
        ]

    return run
