"""Written tables are refreshed, each once, between min_interval and max_staleness."""

from datetime import timedelta

import dagster as dg
import pytest

from ddb_assets.errors import AccessDeniedError, DeclarationError, ThrottledError
from ddb_assets.orchestration.sensors.table_changes import TableChanges, table_changes_sensor

HOUR = 3600.0


@pytest.fixture
def changes(daemon):
    """A daemon for the table changes of these tables."""

    def build(tables, **settings):
        given = TableChanges(**{"min_interval": HOUR, "max_staleness": 24 * HOUR, **settings})
        return daemon(tables, lambda sensed: table_changes_sensor(sensed, given))

    return build


def test_only_tables_written_to_since_their_export_are_refreshed(
    account, publish, sensed, changes, tables_of
):
    """One run for both written tables; the idle one and the one written before stay."""
    for name in ("carts", "idle", "orders", "users"):
        publish(name, ago=2 * HOUR)
    now = account.clock.now()
    account.writes = {
        "orders": now - timedelta(minutes=1),
        "users": now - timedelta(minutes=119),
        "carts": now - timedelta(hours=3),
    }
    ticker = changes(sensed("carts", "idle", "orders", "users"))
    requests = ticker.tick()
    assert len(requests) == 1
    assert tables_of(requests) == ["orders", "users"]
    assert account.calls["get_metric_data"] == 1


def test_a_request_leads_to_a_run_and_then_there_is_no_more(account, publish, sensed, changes):
    """The run refreshes the tables; the next tick finds nothing to do."""
    publish("orders", ago=2 * HOUR)
    account.writes = {"orders": account.clock.now()}
    account.clock.sleep(600)
    ticker = changes(sensed("orders"))
    (request,) = ticker.tick()
    assert ticker.run(request).success
    assert ticker.tick() == []
    account.clock.sleep(2 * HOUR)
    assert ticker.tick() == []
    account.writes = {"orders": account.clock.now()}
    assert len(ticker.tick()) == 1


def test_a_repeated_tick_has_the_same_run_key(account, publish, sensed, changes):
    """The daemon died before it stored anything: Dagster sees the same request again."""
    publish("orders", ago=2 * HOUR)
    account.writes = {"orders": account.clock.now()}
    ticker = changes(sensed("orders"))
    (first,) = ticker.tick(keep_cursor=False)
    account.clock.sleep(30)
    (second,) = ticker.tick(keep_cursor=False)
    assert first.run_key == second.run_key


def test_no_table_is_requested_while_a_run_for_it_is_under_way(
    account, publish, sensed, changes, tables_of
):
    """Queued or started, by whomever: others are requested, this one is not."""
    for name in ("orders", "users"):
        publish(name, ago=2 * HOUR)
    account.writes = dict.fromkeys(("orders", "users"), account.clock.now())
    ticker = changes(sensed("orders", "users"))
    orders = dg.RunRequest("other", asset_selection=[dg.AssetKey(["athena", "raw", "orders"])])
    _, older = ticker.submit(orders, status=dg.DagsterRunStatus.STARTED)
    _, newer = ticker.submit(orders, status=dg.DagsterRunStatus.NOT_STARTED)
    assert tables_of(ticker.tick()) == ["users"]
    ticker.instance.report_run_canceled(newer)
    account.clock.sleep(HOUR + 600)
    assert tables_of(ticker.tick()) == ["users"]
    ticker.instance.report_run_canceled(older)
    assert tables_of(ticker.tick()) == ["orders", "users"]


def test_a_run_that_failed_is_not_repeated_before_min_interval(account, publish, sensed, changes):
    """Neither by the next tick nor by one without its cursor; after min_interval it is."""
    publish("orders", ago=2 * HOUR)
    account.writes = {"orders": account.clock.now()}
    ticker = changes(sensed("orders", failing=("orders",)))
    (request,) = ticker.tick()
    assert not ticker.run(request).success
    assert ticker.tick() == []
    ticker.cursor = None
    assert ticker.tick() == []
    account.clock.sleep(HOUR + 600)
    (again,) = ticker.tick()
    assert again.run_key != request.run_key


def test_a_table_is_left_alone_until_min_interval(account, publish, sensed, changes):
    """However much is written; and nobody pays for its metrics."""
    publish("orders", ago=0.5 * HOUR)
    account.writes = {"orders": account.clock.now()}
    ticker = changes(sensed("orders"))
    assert ticker.tick() == []
    assert not account.calls
    account.clock.sleep(0.5 * HOUR)
    assert len(ticker.tick()) == 1


def test_an_idle_table_is_refreshed_after_max_staleness(account, publish, sensed, changes):
    """Without asking AWS; with None never."""
    publish("orders", ago=24 * HOUR)
    assert len(changes(sensed("orders")).tick()) == 1
    assert not account.calls
    assert changes(sensed("orders"), max_staleness=None).tick() == []


def test_a_table_that_was_never_refreshed_is(account, sensed, changes, tables_of):
    """The first refresh after a deployment needs no write."""
    ticker = changes(sensed("orders"))
    requests = ticker.tick()
    assert tables_of(requests) == ["orders"]
    assert ticker.run(requests[0]).success


def test_a_consistent_group_is_refreshed_together(account, publish, sensed, changes, tables_of):
    """One member was written to: all of them are requested, or the cut would be torn."""
    for name in ("a", "b", "other"):
        publish(name, ago=2 * HOUR)
    account.writes = {"b": account.clock.now()}
    assert tables_of(changes(sensed("other", g=("a", "b"))).tick()) == ["a", "b"]


def test_a_group_nobody_waits_for_is_only_started(account, publish, sensed, changes):
    """`wait: false` reaches the run's config of its step."""
    publish("orders", ago=2 * HOUR)
    account.writes = {"orders": account.clock.now()}
    (request,) = changes(sensed("orders", unattended=("default",))).tick()
    assert request.run_config == {"ops": {"refresh_0": {"config": {"wait": False}}}}


def test_a_rollback_is_not_undone_by_what_was_written_before(account, publish, sensed, changes):
    """Only writes after the rollback go forward again."""
    old = account.export("orders", ago=5 * HOUR)
    publish("orders", export=old, **{"ddb_assets/operation": "rollback"})
    account.writes = {"orders": account.clock.now() - timedelta(hours=1)}
    ticker = changes(sensed("orders"), max_staleness=None)
    account.clock.sleep(2 * HOUR)
    assert ticker.tick() == []
    account.writes = {"orders": account.clock.now()}
    assert len(ticker.tick()) == 1


@pytest.mark.slow
def test_a_thousand_tables_cost_four_calls(account, publish, sensed, changes, tables_of):
    """250 tables per GetMetricData, two metrics each; one run for all that were written to."""
    names = [f"t{number:04d}" for number in range(1000)]
    for name in names:
        publish(name, ago=2 * HOUR)
    account.writes = dict.fromkeys(names[::10], account.clock.now())
    ticker = changes(sensed(*names, steps=10))
    requests = ticker.tick()
    assert len(requests) == 1
    assert tables_of(requests) == names[::10]
    assert dict(account.calls) == {"get_metric_data": 4}


def test_without_permission_for_metrics_the_tables_are_described(
    account, publish, sensed, changes, tables_of
):
    """Item count or size differ from what they were at the export."""
    account.errors["get_metric_data"] = AccessDeniedError("cloudwatch is not allowed")
    account.sizes = {"orders": (10, 100), "users": (5, 50), "carts": (3, 30)}
    for name in account.sizes:
        publish(name, ago=2 * HOUR)
    account.sizes = {"orders": (11, 100), "users": (5, 50), "carts": (3, 31)}
    assert tables_of(changes(sensed("orders", "users", "carts")).tick()) == ["carts", "orders"]
    assert account.calls["describe_table"] == 3
    with pytest.raises(AccessDeniedError):
        changes(sensed("orders"), source="metrics").tick()


def test_numbers_that_catch_up_with_the_export_are_no_change(account, publish, sensed, changes):
    """AWS updates them every six hours: the count arrives at what was exported."""
    account.sizes = {"orders": (10, 100)}
    publish("orders", ago=2 * HOUR, **{"ddb_assets/items": 12})
    account.sizes = {"orders": (12, 120)}
    assert changes(sensed("orders"), source="describe_table").tick() == []


@pytest.mark.slow
def test_describing_a_thousand_tables_takes_several_ticks_each_in_time(
    account, publish, sensed, changes, tables_of
):
    """40 s and 400 calls per tick; the next goes on, and every changed table is found once."""
    names = [f"t{number:04d}" for number in range(1000)]
    account.sizes = dict.fromkeys(names, (1, 1))
    for name in names:
        publish(name, ago=2 * HOUR)
    account.sizes |= dict.fromkeys(names[::100], (2, 2))
    ticker = changes(sensed(*names, steps=10), source="describe_table", max_staleness=None)
    found = []
    for _ in range(3):
        before, calls = account.clock.elapsed, account.calls["describe_table"]
        requests = ticker.tick()
        assert account.clock.elapsed - before <= 41
        assert account.calls["describe_table"] - calls <= 401
        for request in requests:
            found += tables_of([request])
            ticker.submit(request)
    assert found == names[::100]


def test_an_unreadable_cursor_begins_anew(account, publish, sensed, changes, tables_of):
    """Garbage, another version, a table that is gone: no error, nothing missed."""
    account.sizes = {"orders": (1, 1), "users": (1, 1)}
    for name in account.sizes:
        publish(name, ago=2 * HOUR)
    account.sizes = {"orders": (2, 2), "users": (2, 2)}
    for cursor in ("", "garbage", "[1]", '{"version": 99, "begin": "users"}', '{"version": 1}'):
        ticker = changes(sensed("orders", "users"), source="describe_table")
        ticker.cursor = cursor
        assert tables_of(ticker.tick()) == ["orders", "users"]
    ticker.cursor = '{"version": 1, "begin": "zebra"}'
    assert tables_of(ticker.tick()) == ["orders", "users"]


def test_one_tables_trouble_does_not_hide_the_others(account, publish, sensed, changes, tables_of):
    """A table that was deleted is logged; the other one is refreshed."""
    account.sizes = {"orders": (1, 1), "users": (1, 1)}
    for name in ("orders", "users"):
        publish(name, ago=2 * HOUR)
    account.sizes = {"users": (2, 2)}
    ticker = changes(sensed("orders", "users"), source="describe_table")
    assert tables_of(ticker.tick()) == ["users"]


def test_a_throttled_tick_ends_and_the_next_one_goes_on_there(
    account, publish, sensed, changes, tables_of
):
    """What was found is requested; at the very first call the tick turns red."""
    account.sizes = dict.fromkeys(("a", "b", "c"), (1, 1))
    for name in "abc":
        publish(name, ago=2 * HOUR)
    account.sizes = dict.fromkeys(("a", "b", "c"), (2, 2))
    account.errors["describe_table", "b"] = ThrottledError("Rate exceeded")
    ticker = changes(sensed("a", "b", "c"), source="describe_table")
    assert tables_of(ticker.tick()) == ["a"]
    assert '"b"' in ticker.cursor
    with pytest.raises(ThrottledError):
        ticker.tick()
    account.errors.clear()
    assert tables_of(ticker.tick()) == ["b", "c"]
    assert tables_of(ticker.tick()) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"min_interval": 0}, "min_interval 0"),
        ({"min_interval": 60, "max_staleness": 59}, "max_staleness 59"),
        ({"source": "guess"}, "source 'guess'"),
        ({"interval": 0}, "interval 0"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings, said):
    """With the setting, the value and what is allowed."""
    with pytest.raises(DeclarationError, match=said):
        TableChanges(**settings)


def test_the_sensor_is_off_unless_asked(sensed):
    """Its name is the declaration's."""
    tables = sensed("orders")
    sensor = table_changes_sensor(tables, TableChanges())
    assert sensor.name == "refresh_raw_table_changes"
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
    running = table_changes_sensor(tables, TableChanges(running=True))
    assert running.default_status is dg.DefaultSensorStatus.RUNNING
