"""One message per failed table, with its cause and its remedy, to whoever is named."""

import logging

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import DeclarationError, PitrDisabledError, ServiceUnavailableError
from ddb_assets.orchestration.sensors.declared import SensedTables
from ddb_assets.orchestration.sensors.failed_refreshes import (
    FailedRefreshes,
    LogNotifier,
    failed_refreshes_sensor,
)
from ddb_assets.orchestration.sensors.telling import Told


@pytest.fixture
def failing_run(make_step, fake_refresh, fake_aws, instance):
    """Runs a declaration of these tables; `failing` maps a table to its error."""

    def run(*names, failing=None, tags=None, config=None, broken=None):
        fake_refresh.failing = {name: [error] for name, error in (failing or {}).items()}
        fake_refresh.refusal = broken
        step = make_step(*names)
        definitions = dg.Definitions(
            assets=[step], resources={"aws": fake_aws}, executor=dg.in_process_executor
        )
        job = definitions.resolve_implicit_global_asset_job_def()
        run_config = {"ops": {"refresh_raw": {"config": config or {}}}}
        made = instance.create_run_for_job(job, run_config=run_config, tags=tags)
        result = execute_run(InMemoryJob(job), made, instance, raise_on_error=False)
        assert not result.success
        return step, result

    return run


@pytest.fixture
def errors():
    """What turned the tick red."""
    return []


@pytest.fixture
def told(instance, errors):
    """What the sensor tells of a failed run."""

    def evaluate(step, result, *, notifier=None):
        messages = []
        tables = {
            key: TableSpec(key.path[-1], "raw", key.path[-1], "exports", key.path[-1])
            for key in step.keys
        }
        sensed = SensedTables(
            name="refresh_raw", tables=tables, steps=dict.fromkeys(tables, "refresh_raw")
        )
        settings = FailedRefreshes(notifier=notifier or messages.append)
        sensor = failed_refreshes_sensor(sensed, settings)
        context = dg.build_sensor_context(instance=instance, cursor=Told(-1).dump())
        data = sensor.evaluate_tick(context)
        assert {r.dagster_run.run_id for r in data.dagster_run_reactions} <= {result.run_id}
        errors.extend(r.error for r in data.dagster_run_reactions if r.error)
        return messages

    return evaluate


def test_each_failed_table_is_one_message_with_cause_and_remedy(failing_run, told):
    """Two of three failed: two messages, nothing of the third."""
    step, result = failing_run(
        "carts",
        "orders",
        "users",
        failing={
            "orders": PitrDisabledError("PITR is off", remedy="switch it on", code="X"),
            "users": ServiceUnavailableError("AWS is away"),
        },
    )
    orders, users = sorted(told(step, result), key=lambda failure: failure.table)
    assert (orders.table, orders.athena_table) == ("orders", "raw.orders")
    assert (orders.cause, orders.remedy, orders.code) == ("PITR is off", "switch it on", "X")
    assert (orders.error, orders.retryable) == ("PitrDisabledError", False)
    assert orders.run_id == result.run_id
    assert "/export/" in orders.export_arn
    first, second, *_ = orders.text.split("\n")
    assert first == "orders was not refreshed: PITR is off (X)"
    assert second == "What to do: switch it on"
    assert (users.table, users.cause, users.retryable) == ("users", "AWS is away", True)


def test_a_refused_run_is_one_message(failing_run, told):
    """Its config was wrong: no table failed by itself."""
    step, result = failing_run("orders", "users", config={"adopt": "nonsense"})
    (failure,) = told(step, result)
    assert failure.table is None
    assert "adopt 'nonsense' is not allowed" in failure.cause
    assert "arn:aws:dynamodb" in failure.remedy
    assert failure.text.startswith("A refresh was refused: ")


def test_tables_of_a_step_that_died_are_told_of_too(failing_run, told):
    """Nobody said why: the step's own error is the cause, for each table."""
    step, result = failing_run("orders", "users", broken=RuntimeError("out of memory"))
    failures = sorted(told(step, result), key=lambda failure: failure.table)
    assert [failure.table for failure in failures] == ["orders", "users"]
    assert all("re-execute the run from failure" in failure.remedy for failure in failures)
    assert {failure.cause for failure in failures} == {"RuntimeError: out of memory"}


def test_a_table_that_had_no_news_is_not_told_of(failing_run, told, fake_refresh):
    """It was unchanged, so that no event was recorded; that is no failure."""
    fake_refresh.publication = {"users": {"action": "unchanged"}}
    step, result = failing_run("orders", "users", failing={"orders": PitrDisabledError("off")})
    assert [failure.table for failure in told(step, result)] == ["orders"]


def test_a_run_that_dagster_will_retry_is_not_told_of(failing_run, told):
    """Its last retry is."""
    tags = {"dagster/will_retry": "true"}
    step, result = failing_run("orders", failing={"orders": PitrDisabledError("off")}, tags=tags)
    assert told(step, result) == []


def test_a_notifier_that_fails_does_not_keep_the_other_messages(failing_run, told, errors):
    """Every message is tried, then the tick turns red."""
    step, result = failing_run(
        "orders",
        "users",
        failing={"orders": PitrDisabledError("off"), "users": PitrDisabledError("off")},
    )
    tried = []

    def broken(failure):
        tried.append(failure.table)
        raise ConnectionError("the chat is away")

    told(step, result, notifier=broken)
    assert sorted(tried) == ["orders", "users"]
    (error,) = errors
    assert error.message.startswith("2 messages could not be delivered")
    assert "the chat is away" in error.cause.message


def test_the_log_is_told_where_nobody_else_is(failing_run, told, caplog):
    """One record at level ERROR; the failure is its attribute."""
    step, result = failing_run("orders", failing={"orders": PitrDisabledError("PITR is off")})
    with caplog.at_level(logging.ERROR, logger="alerts"):
        told(step, result, notifier=LogNotifier("alerts"))
    (record,) = [record for record in caplog.records if record.name == "alerts"]
    assert record.getMessage().startswith("orders was not refreshed: PITR is off")
    assert record.failure.table == "orders"


def test_a_notifier_may_be_named():
    """Its function, or an error that says there is none."""
    assert FailedRefreshes(notifier="builtins.print").resolved() is print
    with pytest.raises(DeclarationError, match="it cannot be called"):
        FailedRefreshes(notifier="builtins.True").resolved()
