"""Asset checks: which there are, how they run alone, and what their failures look like."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from ddb_assets import Table, build_dynamodb_assets
from ddb_assets.core.export import Pitr
from ddb_assets.errors import AccessDeniedError, DeclarationError, ThrottledError
from ddb_assets.orchestration.check_settings import USUAL, Checks
from ddb_assets.orchestration.declared import declared_tables
from ddb_assets.orchestration.freshness import Freshness
from ddb_assets.orchestration.promises import oldest_allowed

ORDERS = dg.AssetKey(["athena", "raw", "orders"])
USERS = dg.AssetKey(["athena", "raw", "users"])
USUALLY_ON = {"newest_export", "schema", "drift", "pitr"}


@pytest.fixture
def build(world, world_resource):
    """Definitions over the fake AWS, their tables created and published."""

    def make(*tables, **settings):
        definitions = build_dynamodb_assets(
            tables=list(tables), database="raw", bucket="exports", aws=world_resource, **settings
        )
        specs = [table.spec for table in declared_tables(definitions)]
        for spec in specs:
            world.aws.create(spec.name)
        world.refresh(*specs)
        return definitions

    return make


@pytest.fixture
def check(instance):
    """Runs the checks alone, all of them or one; the result."""

    def run(definitions, *selected):
        job = definitions.resolve_job_def("check_raw_job")
        if selected:
            chosen = dg.AssetSelection.checks(*(dg.AssetCheckKey(*one) for one in selected))
            job = dg.define_asset_job("some", selection=chosen).resolve(
                asset_graph=definitions.resolve_asset_graph(),
                resource_defs=definitions.resources,
            )
        return job.execute_in_process(instance=instance, raise_on_error=False)

    return run


def checks_of(definitions):
    """Asset and check name of every check."""
    return {(key.asset_key, key.name) for key in definitions.resolve_asset_graph().asset_check_keys}


def evaluated(result):
    """(asset, check) -> whether it passed."""
    return {(e.asset_key, e.check_name): e.passed for e in result.get_asset_check_evaluations()}


def test_the_usual_checks_stand_at_every_table(build):
    """What scans, what needs a promise and what is a matter of taste is off."""
    definitions = build("orders", "users")
    dg.Definitions.validate_loadable(definitions)
    assert checks_of(definitions) == {(k, n) for k in (ORDERS, USERS) for n in USUALLY_ON}


def test_each_can_be_switched_on_and_off(build):
    """By table and by declaration; the nearest holds."""
    definitions = build(
        Table(
            "orders", checks=Checks(row_count=True, retention="error", schema=False, drift=False)
        ),
        Table("users", freshness=Freshness(fail_after=3600)),
        checks=Checks(newest_export=False, schema=False, drift=False, pitr=False),
    )
    assert checks_of(definitions) == {
        *((ORDERS, name) for name in ("newest_export", "pitr", "row_count", "retention")),
        (USERS, "data_age"),
    }


def test_without_any_check_there_is_no_step_and_no_job(build):
    """`Checks.none()` leaves nothing behind."""
    definitions = build("orders", checks=Checks.none())
    assert not checks_of(definitions)
    assert not [job for job in definitions.jobs if job.name.startswith("check")]


def test_they_run_alone_without_a_refresh(build, check, world):
    """No export is started, nothing is materialized."""
    definitions = build("orders", "users")
    exports = len(world.aws.exports)
    result = check(definitions)
    assert result.success
    assert evaluated(result) == {(k, n): True for k in (ORDERS, USERS) for n in USUALLY_ON}
    assert len(world.aws.exports) == exports
    assert not result.get_asset_materialization_events()


def test_one_check_of_one_table_asks_for_nothing_else(build, check, world):
    """The subset is honoured down to the calls."""
    definitions = build("orders", "users")
    world.aws.calls.clear()
    result = check(definitions, (ORDERS, "pitr"))
    assert evaluated(result) == {(ORDERS, "pitr"): True}
    assert world.aws.calls == [("describe_pitr", "orders")]


@pytest.mark.parametrize("severity", ["warn", "error"])
def test_severity_and_reason_are_shown(build, check, world, severity):
    """The description says why and what to do; numbers and moments are metadata."""
    definitions = build(Table("orders", checks=Checks(pitr=severity, pitr_days=7)))
    earliest = world.clock.now() - timedelta(days=3)
    world.aws.pitr["orders"] = Pitr(True, earliest, recovery_days=3)
    result = check(definitions, (ORDERS, "pitr"))
    (found,) = result.get_asset_check_evaluations()
    assert not found.passed
    assert found.severity.value == severity.upper()
    assert found.description == "point-in-time recovery keeps 3 days, promised are 7"
    assert found.metadata["ddb_assets/pitr_recovery_days"].value == 3
    assert found.metadata["ddb_assets/pitr_earliest"].value == earliest.timestamp()


def test_what_cannot_be_found_out_fails_the_step_and_hides_no_verdict(build, check, world):
    """A missing permission of one table: its other checks and all others are made."""
    definitions = build("orders", "users")
    world.aws.faults["describe_pitr orders"].append(AccessDeniedError("refused", remedy="allow x"))
    result = check(definitions)
    assert not result.success
    made = {(k, n): True for k in (ORDERS, USERS) for n in USUALLY_ON}
    del made[ORDERS, "pitr"]
    assert evaluated(result) == made
    failure = next(e for e in result.all_events if e.is_step_failure).step_failure_data
    assert failure.user_failure_data.metadata["orders"].value["remedy"] == "allow x"


def test_throttling_is_waited_out(build, check, world):
    """A verdict a little later."""
    definitions = build("orders")
    world.aws.faults["describe_pitr"] += [ThrottledError("slow down")] * 3
    assert all(evaluated(check(definitions)).values())


def test_the_checks_of_split_and_lonely_tables_have_legal_names(build):
    """One step of checks for each step of the refresh."""
    definitions = build("orders.v1", "users-v1", "legacy.Users", tables_per_step=2)
    names = {found.op.name for found in definitions.asset_checks}
    assert names == {"check_raw_part_1", "check_raw_part_2"}
    dg.Definitions.validate_loadable(definitions)


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        (Checks(pitr="fatal"), "orders: checks.pitr 'fatal' is not allowed — allowed: warn, error"),
        (Checks(pitr_days=36), "orders: checks.pitr_days 36 is not allowed — allowed: 1 to 35"),
        (Checks(keep_last=0), "orders: keep_last is 0"),
    ],
)
def test_nonsense_is_refused_at_load(build, checks, said):
    """With the table, the value and what is allowed."""
    with pytest.raises(DeclarationError) as refused:
        build(Table("orders", checks=checks))
    assert str(refused.value).startswith(said)


def test_every_check_has_a_severity_and_a_switch():
    """The settings and their defaults go together."""
    assert set(USUAL) <= set(Checks.__dataclass_fields__)


def test_a_deadline_wants_data_of_the_window_before_it():
    """At 07:59 yesterday's deadline holds, at 08:00 today's; in the deadline's timezone."""
    daily = Freshness(deadline_cron="0 8 * * *", lower_bound=10800, timezone="Europe/Berlin")
    before, after = (
        datetime(2026, 7, 2, 5, 59, tzinfo=UTC),
        datetime(2026, 7, 2, 6, 0, tzinfo=UTC),
    )
    assert oldest_allowed(daily, before)[0] == datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
    since, promise = oldest_allowed(daily, after)
    assert since == datetime(2026, 7, 2, 3, 0, tzinfo=UTC)
    assert promise == "data of 2026-07-02 03:00:00 UTC or later"


def test_a_window_wants_data_of_the_last_seconds():
    """As long as the promise."""
    now = datetime(2026, 7, 2, 6, 0, tzinfo=UTC)
    since, promise = oldest_allowed(Freshness(fail_after=93600), now)
    assert since == now - timedelta(hours=26)
    assert promise == "at most 26.0 h"
