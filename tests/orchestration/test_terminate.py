"""Terminate ends the run, whatever the step's retry policy says."""

import dagster as dg
import pytest


@pytest.mark.parametrize("interrupt", [dg.DagsterExecutionInterruptedError, KeyboardInterrupt])
def test_an_interrupted_step_is_not_tried_again(
    make_step, materialize, fake_refresh, instance, interrupt
):
    """With a retry policy Dagster would try once more; the run ends and says what goes on."""
    fake_refresh.interrupt_after = "orders"
    fake_refresh.interrupt = interrupt
    policy = dg.RetryPolicy(max_retries=2)
    with pytest.raises(dg.DagsterExecutionInterruptedError, match="a retry of this run picks"):
        materialize(make_step("orders", "users", retry_policy=policy), raise_on_error=True)
    assert len(fake_refresh.calls) == 1
    [run] = instance.get_runs()
    kinds = [e.dagster_event_type for e in instance.all_logs(run.run_id)]
    assert dg.DagsterEventType.STEP_UP_FOR_RETRY not in kinds
    assert dg.DagsterEventType.STEP_FAILURE in kinds


def test_what_was_published_before_the_end_stays_materialized(
    make_step, materialize, fake_refresh, instance
):
    """The first table landed before Terminate: its materialization is in the event log."""
    fake_refresh.interrupt_after = "orders"
    with pytest.raises(dg.DagsterExecutionInterruptedError):
        materialize(make_step("orders", "users"), raise_on_error=True)
    assert instance.get_latest_materialization_event(dg.AssetKey(["athena", "raw", "orders"]))
    assert not instance.get_latest_materialization_event(dg.AssetKey(["athena", "raw", "users"]))
