"""Conditions that really fire, evaluated by Dagster's own evaluator over simulated days."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.automation import (
    automation_sensor,
    refresh_on_cron,
    refresh_when_missing,
    refresh_when_observed_changed,
)

# Observable source assets are beta in Dagster.
pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning")

ORDERS = dg.AssetKey(["athena", "raw", "orders"])
LIVE = dg.AssetKey(["dynamodb", "orders"])
START = datetime(2026, 3, 27, 0, 30, tzinfo=UTC)


class Days:
    """An exported table downstream of a live one, and an evaluator whose clock is moved by hand."""

    def __init__(self, instance, condition, *, observable=False):
        self.instance = instance
        self.cursor = None

        @dg.asset(key=ORDERS, deps=[LIVE], automation_condition=condition)
        def orders() -> dg.MaterializeResult:
            return dg.MaterializeResult(data_version=dg.DataVersion("x"))

        @dg.observable_source_asset(key=LIVE)
        def live():
            raise AssertionError("its versions are reported")

        self.live = live if observable else dg.AssetSpec(LIVE)
        self.asset = orders
        self.defs = dg.Definitions(assets=[self.live, orders])

    def requested(self, at: datetime, *, handle=True) -> int:
        """How many refreshes one evaluation requests; they succeed at once unless told not to."""
        result = dg.evaluate_automation_conditions(
            defs=self.defs, instance=self.instance, cursor=self.cursor, evaluation_time=at
        )
        self.cursor = result.cursor
        if result.total_requested and handle:
            self.refresh()
        return result.total_requested

    def refresh(self):
        """The table is materialized."""
        assert dg.materialize([self.asset], instance=self.instance).success

    def observe(self, version):
        """The live table is seen with this data version."""
        observation = dg.AssetObservation(LIVE, tags={"dagster/data_version": version})
        self.instance.report_runless_asset_event(observation)

    def over(self, hours: int, *, step_minutes=30, handle=True) -> list[datetime]:
        """The moments at which something was requested."""
        moments = [START + timedelta(minutes=m) for m in range(0, hours * 60, step_minutes)]
        return [at for at in moments if self.requested(at, handle=handle)]


def test_a_cron_condition_fires_once_a_day_although_the_upstream_is_external(instance):
    """Three simulated days, an evaluation every half hour: three requests, after six each day."""
    days = Days(instance, refresh_on_cron("0 6 * * *"))
    fired = days.over(72)
    assert [at.strftime("%d %H:%M") for at in fired] == ["27 06:00", "28 06:00", "29 06:00"]


def test_dagsters_own_conditions_would_never_fire(instance):
    """The reason for this module: on_cron and eager request nothing over two days."""
    for condition in (dg.AutomationCondition.on_cron("0 6 * * *"), dg.AutomationCondition.eager()):
        assert Days(instance, condition).over(48) == []


def test_the_cron_line_is_in_its_timezone(instance):
    """Six in Berlin is five UTC in winter and four from the 29th of March."""
    days = Days(instance, refresh_on_cron("0 6 * * *", timezone="Europe/Berlin"))
    fired = days.over(72)
    assert [at.strftime("%d %H:%M") for at in fired] == ["27 05:00", "28 05:00", "29 04:00"]


def test_a_deployment_refreshes_what_is_missing_once(instance):
    """With `missing` the first evaluation requests it, and no other does until the tick."""
    days = Days(instance, refresh_on_cron("0 6 * * *", missing=True))
    fired = days.over(24)
    assert [at.strftime("%H:%M") for at in fired] == ["00:30", "06:00"]


def test_a_first_refresh_that_fails_is_not_requested_in_a_loop(instance):
    """Nothing ever materializes: one request at deployment and one per day."""
    days = Days(instance, refresh_on_cron("0 6 * * *", missing=True))
    fired = days.over(48, handle=False)
    assert [at.strftime("%d %H:%M") for at in fired] == ["27 00:30", "27 06:00", "28 06:00"]


def test_ticks_missed_while_the_daemon_was_down_are_one_refresh(instance):
    """Five days without an evaluation are made up for once."""
    days = Days(instance, refresh_on_cron("0 6 * * *"))
    assert days.requested(START) == 0
    assert days.requested(START + timedelta(days=5)) == 1
    assert days.requested(START + timedelta(days=5, minutes=30)) == 0


def test_a_tick_during_a_run_is_made_up_for_when_it_has_ended(instance):
    """The run in progress is not doubled, and the tick is not lost."""
    days = Days(instance, refresh_on_cron("0 6 * * *"))
    days.requested(START)
    job = days.defs.resolve_implicit_global_asset_job_def()
    run = instance.create_run_for_job(
        job, asset_selection=frozenset({ORDERS}), status=dg.DagsterRunStatus.STARTED
    )
    six = START.replace(hour=6, minute=0)
    assert days.requested(six) == 0
    instance.report_run_failed(run)
    assert days.requested(six + timedelta(minutes=30)) == 1
    assert days.requested(six + timedelta(minutes=60)) == 0


def test_what_is_missing_is_requested_once_and_no_more(instance):
    """`refresh_when_missing` is no request loop, even if the refresh fails."""
    days = Days(instance, refresh_when_missing())
    assert len(days.over(24, handle=False)) == 1


def test_an_observed_change_of_the_live_table_is_refreshed(instance):
    """A new data version fires once, the same version never."""
    days = Days(instance, refresh_when_observed_changed(), observable=True)
    days.observe("1")
    days.refresh()
    assert days.requested(START) == 0
    days.observe("2")
    assert days.requested(START + timedelta(minutes=1)) == 1
    days.observe("2")
    assert days.requested(START + timedelta(minutes=2)) == 0
    days.observe("3")
    assert days.requested(START + timedelta(minutes=3)) == 1


@pytest.mark.parametrize(
    ("cron", "timezone"), [("6 o'clock", "UTC"), ("0 6 * *", "UTC"), ("0 6 * * *", "Mars/Crater")]
)
def test_a_wrong_cron_line_or_timezone_is_refused_when_it_is_declared(cron, timezone):
    """At load, in words, and not at the first tick."""
    with pytest.raises(DeclarationError, match="is not one"):
        refresh_on_cron(cron, timezone=timezone)


def test_the_sensor_runs_from_the_start_and_only_where_there_is_a_condition():
    """A condition without a running sensor is the commonest reason why nothing happens."""
    with_one = dg.AssetSpec(ORDERS, automation_condition=refresh_when_missing())
    sensor = automation_sensor([with_one, dg.AssetSpec("other")], name="refresh_raw-data")
    assert sensor.name == "refresh_raw_data_automation"
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert automation_sensor([dg.AssetSpec("other")], name="refresh_raw") is None
