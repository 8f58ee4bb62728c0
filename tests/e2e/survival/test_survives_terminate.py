"""Terminate in the UI during the wait: the run ends, the export does not, a retry adopts it."""

import time

import pytest
from real_dagster import until

pytestmark = pytest.mark.e2e


def test_terminate_ends_steps_that_wait_side_by_side(dagster, aws):
    """The run is over in seconds, its log names each export; a retry publishes with no second.

    For a single step dev/test_failures.py shows the same.
    """
    tables = ["ended-1", "ended-2"]
    first = dagster.launch("side_by_side", tables)
    until(lambda: aws.all_running(tables), 90, f"exports of {tables} in progress")
    dagster.terminate(first)
    began = time.monotonic()
    assert dagster.ended(first, 15) == "CANCELED", dagster.story(first)
    assert time.monotonic() - began < 8
    story = dagster.story(first)
    for table in tables:
        [(arn, _)] = aws.exports(table)
        told = f"{table}: export {arn.rpartition('/')[2]} goes on in AWS; a retry of this run"
        assert any(line.startswith(told) for line in story), story
    assert dagster.materialized(first) == []
    second = dagster.retry(first)
    assert dagster.ended(second) == "SUCCESS", dagster.story(second)
    aws.assert_exported_once_and_published(tables)
