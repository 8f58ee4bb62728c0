"""kill -9 of a step's process, or of the process above it, where steps wait side by side."""

import os
import signal

import pytest
from real_dagster import until

pytestmark = pytest.mark.e2e


def test_a_killed_step_is_retried_and_goes_on_with_its_export(dagster, aws):
    """SIGKILL of one step's child: the step's own retry ends it; the other never notices."""
    tables = ["step-1", "step-2"]
    run_id = dagster.launch("side_by_side", tables)
    until(lambda: aws.all_running(tables), 90, f"exports of {tables} in progress")
    pids = dagster.step_pids(run_id)
    victim = next(step for step in pids if step.endswith("step_1"))
    assert len(set(pids.values())) == 2, pids
    os.kill(pids[victim], signal.SIGKILL)
    assert dagster.ended(run_id) == "SUCCESS", dagster.story(run_id)
    aws.assert_exported_once_and_published(tables)
    assert dagster.step_pids(run_id)[victim] != pids[victim]
    story = dagster.story(run_id)
    assert any("step-1: going on with export" in line for line in story), story
    assert not any("step-2: going on with export" in line for line in story), story


def test_steps_that_outlive_their_run_and_its_retry_share_one_export(dagster, aws):
    """SIGKILL of the run's process alone: orphaned steps and the retry race to one publication."""
    tables = ["orphan-1", "orphan-2"]
    first = dagster.launch("side_by_side", tables)
    until(lambda: aws.all_running(tables), 90, f"exports of {tables} in progress")
    os.kill(dagster.run_pid(first), signal.SIGKILL)
    assert dagster.ended(first, 30) == "FAILURE"
    second = dagster.retry(first)
    assert dagster.ended(second) == "SUCCESS", dagster.story(second)
    aws.assert_exported_once_and_published(tables)
