"""Several steps in one run wait beside each other, in processes that start in no time."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from ddb_assets.local.process import LocalProcess

pytestmark = pytest.mark.e2e

DEFINITIONS = """
import os

import ddb_assets

with open("loaded", "a") as file:
    file.write(f"{os.getpid()}\\n")

defs = ddb_assets.build_dynamodb_assets(
    tables=["Article", "legacy.Users", "waiting_list"],
    database="ddb",
    bucket="ddb-exports",
    one_step_per_table=True,
)
"""


def test_steps_of_one_run_wait_side_by_side(marked, tmp_path, monkeypatch):
    """Three steps, three processes: all have started before the first one is done."""
    (tmp_path / "project.py").write_text(DEFINITIONS)
    (tmp_path / "dagster.yaml").touch()
    command = [str(Path(sys.executable).with_name("dagster")), "asset", "materialize"]
    with LocalProcess.start(export_seconds=2) as aws:
        done = subprocess.run(
            [*command, "-f", "project.py", "--select", 'key:"athena/*"'],
            cwd=tmp_path,
            env={**marked.env, **aws.env, "DAGSTER_HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        (run,) = instance.get_runs()
        events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_START)
        stats = instance.get_run_step_stats(run.run_id)
    # The checks of each step follow in steps of their own.
    steps = [step for step in stats if step.step_key.startswith("refresh_")]
    assert len(steps) == 3
    assert max(step.start_time for step in steps) < min(step.end_time for step in steps)
    started = [event.dagster_event for event in events]
    processes = {e.pid for e in started if e.step_key.startswith("refresh_")}
    assert len(processes) == 3
    # They were forked with the definitions resolved: no step loads the project anew.
    loaded = set(map(int, (tmp_path / "loaded").read_text().split()))
    assert loaded
    assert not loaded & {e.pid for e in started}
    assert not [file for file in tmp_path.iterdir() if file.suffix == ".job"]
