"""AWS goes away during a wait and comes back: the waiting run goes on."""

import os
import signal

import pytest
from real_dagster import until

pytestmark = pytest.mark.e2e


def _until_missed(dagster, run_id):
    """Until the run has asked in vain and says so."""
    missed = "could not ask for the export yet: "
    until(lambda: any(missed in line for line in dagster.story(run_id)), 90, missed)


def test_a_run_outlasts_a_restart_of_aws(dagster, aws):
    """SIGTERM, which saves the state, and a start on the same port: the same run succeeds."""
    tables = ["stopped-1", "stopped-2"]
    run_id = dagster.launch("one_step", tables)
    until(lambda: aws.all_running(tables), 90, f"exports of {tables} in progress")
    assert aws.process.stop() == 0
    _until_missed(dagster, run_id)
    aws.come_back()
    assert dagster.ended(run_id, 180) == "SUCCESS", dagster.story(run_id)
    aws.assert_exported_once_and_published(tables)
    assert sorted(dagster.materialized(run_id)) == ["stopped_1", "stopped_2"]


def test_a_run_outlasts_a_crash_of_aws(dagster, aws):
    """SIGKILL after a snapshot, and a start on the same port: the same run succeeds."""
    tables = ["crashed-1", "crashed-2"]
    run_id = dagster.launch("one_step", tables)
    until(lambda: aws.all_running(tables), 90, f"exports of {tables} in progress")
    aws.control("snapshot", {})
    os.kill(aws.process.pid, signal.SIGKILL)
    aws.process.stop()
    _until_missed(dagster, run_id)
    aws.come_back()
    assert dagster.ended(run_id, 180) == "SUCCESS", dagster.story(run_id)
    aws.assert_exported_once_and_published(tables)
