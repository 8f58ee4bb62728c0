"""The good tables of a run are checked in that run, however many others fail in it."""

import dagster as dg
import pytest

from ddb_assets import Table, build_dynamodb_assets
from ddb_assets.core.export import Pitr
from ddb_assets.errors import AccessDeniedError, ThrottledError
from ddb_assets.orchestration.check_settings import Checks
from ddb_assets.orchestration.checks import IMPATIENCE_SECONDS, PATIENCE_SECONDS

USUALLY_ON = {"newest_export", "schema", "drift", "pitr"}


def key_of(table):
    """The exported asset."""
    return dg.AssetKey(["athena", "raw", table])


@pytest.fixture
def run(world_resource, instance):
    """Refreshes tables in one run, checks included, or runs another job; the result."""

    def refresh(*tables, selection=None, job=None):
        definitions = build_dynamodb_assets(
            tables=list(tables),
            database="raw",
            bucket="exports",
            aws=world_resource,
            retry_policy=None,
        )
        implicit = definitions.resolve_implicit_global_asset_job_def
        job = definitions.resolve_job_def(job) if job else implicit()
        return job.execute_in_process(
            instance=instance, raise_on_error=False, asset_selection=selection
        )

    return refresh


@pytest.fixture
def good_and_bad(world):
    """Three tables, of which `bad` cannot be exported."""
    for name in ("orders", "bad", "users"):
        world.aws.create(name)
    world.aws.pitr["bad"] = Pitr(enabled=False)


@pytest.fixture
def evaluations(instance):
    """The evaluations of a run, as its event log has them."""

    def read(result):
        of_type = dg.DagsterEventType.ASSET_CHECK_EVALUATION
        records = instance.get_records_for_run(result.run_id, of_type=of_type).records
        return [r.event_log_entry.dagster_event.asset_check_evaluation_data for r in records]

    return read


@pytest.fixture
def evaluated(evaluations):
    """(table, check) -> whether it passed."""
    return lambda result: {
        (e.asset_key.path[-1], e.check_name): e.passed for e in evaluations(result)
    }


def test_the_good_tables_of_a_failed_step_are_checked(run, good_and_bad, evaluated, instance):
    """In the same run; the bad table's checks stay unmade, and the UI knows what was judged."""
    result = run("orders", "bad", "users")
    assert not result.success
    assert "check_raw" not in {e.step_key for e in result.all_events if e.is_step_start}
    assert evaluated(result) == {(t, c): True for t in ("orders", "users") for c in USUALLY_ON}
    check = dg.AssetCheckKey(key_of("orders"), "pitr")
    storage = instance.event_log_storage
    (record,) = storage.get_asset_check_execution_history(check, limit=9)
    assert record.status.value == "SUCCEEDED"
    (judged,) = instance.fetch_materializations(key_of("orders"), limit=9).records
    target = record.event.dagster_event.asset_check_evaluation_data.target_materialization_data
    assert target.storage_id == judged.storage_id
    (unmade,) = storage.get_asset_check_execution_history(
        dg.AssetCheckKey(key_of("bad"), "pitr"), limit=9
    )
    assert unmade.status.value == "PLANNED"


def test_a_broken_promise_is_told_with_its_severity(run, good_and_bad, evaluations, world):
    """As by the step that is skipped: reason and facts."""
    world.aws.pitr["orders"] = Pitr(True, recovery_days=3)
    result = run(Table("orders", checks=Checks(pitr="warn", pitr_days=7)), "bad")
    (found,) = [e for e in evaluations(result) if not e.passed]
    assert (found.check_name, found.severity.value) == ("pitr", "WARN")
    assert found.description == "point-in-time recovery keeps 3 days, promised are 7"
    assert found.metadata["ddb_assets/pitr_recovery_days"].value == 3


def test_only_planned_checks_are_made(run, good_and_bad, evaluated):
    """A table the run has not selected is not checked either."""
    result = run("orders", "bad", "users", selection=[key_of("orders"), key_of("bad")])
    assert {table for table, _ in evaluated(result)} == {"orders"}


def test_what_cannot_be_checked_hides_neither_the_failure_nor_other_checks(
    run, good_and_bad, evaluated, world
):
    """The step's failure is the table's own; the rest is checked."""
    world.aws.faults["describe_pitr users"] += [
        None,
        None,
        AccessDeniedError("refused", remedy="allow"),
    ]
    result = run("orders", "bad", "users")
    made = evaluated(result)
    assert ("orders", "pitr") in made
    failure = next(e for e in result.all_events if e.is_step_failure).step_failure_data
    assert set(failure.user_failure_data.metadata) == {"bad"}


def test_a_good_run_leaves_the_checks_to_their_step(run, evaluations, world):
    """No check is made twice."""
    for name in ("orders", "users"):
        world.aws.create(name)
    result = run("orders", "users")
    assert result.success
    assert {e.step_key for e in result.all_events if e.is_step_start} >= {
        "refresh_raw",
        "check_raw",
    }
    assert len(evaluations(result)) == 2 * len(USUALLY_ON)


def test_an_aws_that_is_away_costs_patience_once(run, evaluated, world):
    """Not five minutes for each of many tables."""
    for number in range(10):
        world.aws.create(f"table-{number}")
    assert run(*world.aws.tables).success
    world.aws.faults["describe_pitr"] += [ThrottledError("slow down")] * 1000
    began = world.clock.seconds
    result = run(*world.aws.tables, job="check_raw_job")
    assert not result.success
    assert world.clock.seconds - began < PATIENCE_SECONDS + 10 * (IMPATIENCE_SECONDS + 30)
    assert {check for _, check in evaluated(result)} == USUALLY_ON - {"pitr"}
