"""kill -9 of a run of a real Dagster instance during the wait: the next attempt goes on."""

import os
import signal

import pytest
from real_dagster import descendants, until

pytestmark = pytest.mark.e2e


def _kill_during_the_wait(dagster, aws, run_id, tables):
    until(lambda: aws.all_running(tables), 90, f"exports of {tables} in progress")
    for pid in descendants(dagster.run_pid(run_id)):
        os.kill(pid, signal.SIGKILL)
    assert dagster.ended(run_id, 30) == "FAILURE"


def test_a_killed_run_retried_from_failure_goes_on_with_its_exports(dagster, aws):
    """SIGKILL of the run's process, "Re-execute from failure": one export per table, published."""
    tables = ["killed-1", "killed-2"]
    first = dagster.launch("one_step", tables)
    _kill_during_the_wait(dagster, aws, first, tables)
    second = dagster.retry(first)
    assert dagster.ended(second) == "SUCCESS", dagster.story(second)
    aws.assert_exported_once_and_published(tables)
    story = dagster.story(second)
    for table in tables:
        assert any(f"{table}: going on with export" in line for line in story), story
    assert sorted(dagster.materialized(second)) == ["killed_1", "killed_2"]


def test_a_killed_run_restarted_by_the_daemon_goes_on_with_its_exports(dagster, aws):
    """SIGKILL of the run's process; Dagster's own run retry ends it: one export per table."""
    tables = ["restarted-1", "restarted-2"]
    first = dagster.launch("one_step", tables, tags={"dagster/max_retries": "1"})
    _kill_during_the_wait(dagster, aws, first, tables)
    [second] = until(lambda: dagster.retried_by(first), 60, f"a retry of run {first}")
    assert dagster.ended(second) == "SUCCESS", dagster.story(second)
    aws.assert_exported_once_and_published(tables)
