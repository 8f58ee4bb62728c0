"""Completed exports are published once, whoever started them."""

import dagster as dg
import pytest

from ddb_assets.errors import DeclarationError, ServiceUnavailableError, TableNotFoundError
from ddb_assets.orchestration.sensors.export_watch import ExportWatch, export_watch_sensor

HOUR = 3600.0


@pytest.fixture
def watch(daemon):
    """A daemon for the export watch of these tables."""
    return lambda tables: daemon(tables, lambda sensed: export_watch_sensor(sensed, ExportWatch()))


def adopted(request):
    """The ARNs a request adopts."""
    configs = [op["config"]["adopt"] for op in request.run_config["ops"].values()]
    return sorted(arn for text in configs for arn in text.split())


def test_newer_exports_are_adopted_by_one_run(account, publish, sensed, watch, tables_of):
    """The newest of each table; what is shown, older, running or failed is left alone."""
    publish("idle", ago=2 * HOUR)
    shown = publish("orders", ago=2 * HOUR)
    publish("users", ago=2 * HOUR)
    account.export("orders", ago=1.5 * HOUR)
    orders = account.export("orders", ago=HOUR)
    account.export("orders", ago=0.5 * HOUR, status="IN_PROGRESS")
    account.export("orders", ago=0.4 * HOUR, status="FAILED")
    account.export("orders", ago=0.3 * HOUR, kind="INCREMENTAL_EXPORT")
    users = account.export("users", ago=HOUR)
    ticker = watch(sensed("idle", "orders", "users"))
    (request,) = ticker.tick()
    assert tables_of([request]) == ["orders", "users"]
    assert adopted(request) == [orders.arn, users.arn]
    assert account.shown["orders"].location.endswith(f"{shown.export_id}/data/")
    assert ticker.run(request).success
    assert account.shown["orders"].location.endswith(f"{orders.export_id}/data/")
    assert ticker.tick() == []


def test_each_step_is_told_the_exports_of_its_own_tables(account, publish, sensed, watch):
    """A step refuses ARNs of tables it was not asked for."""
    arns = {}
    for name in ("a", "b", "c"):
        publish(name, ago=2 * HOUR)
        arns[name] = account.export(name, ago=HOUR).arn
    (request,) = watch(sensed("a", "b", "c", steps=2)).tick()
    told = {step: op["config"]["adopt"] for step, op in request.run_config["ops"].items()}
    assert told == {"refresh_0": f"{arns['a']} {arns['c']}", "refresh_1": arns["b"]}


def test_a_repeated_tick_starts_nothing_twice(account, publish, sensed, watch):
    """Same run key before the run exists; nothing while it waits or runs."""
    publish("orders", ago=2 * HOUR)
    account.export("orders", ago=HOUR)
    ticker = watch(sensed("orders"))
    (first,) = ticker.tick(keep_cursor=False)
    (second,) = ticker.tick(keep_cursor=False)
    assert first.run_key == second.run_key
    _, run = ticker.submit(first, status=dg.DagsterRunStatus.NOT_STARTED)
    ticker.keys.clear()
    assert ticker.tick() == []
    ticker.instance.report_run_canceled(run)
    assert ticker.tick() == []


def test_an_adoption_that_failed_is_not_requested_again_but_a_newer_export_is(
    account, publish, sensed, watch
):
    """Neither with nor without a cursor; the export after it is a new chance."""
    publish("orders", ago=2 * HOUR)
    account.export("orders", ago=HOUR)
    ticker = watch(sensed("orders", failing=("orders",)))
    (request,) = ticker.tick()
    assert not ticker.run(request).success
    for cursor in (ticker.cursor, None, "garbage"):
        ticker.cursor = cursor
        assert ticker.tick() == []
    newer = account.export("orders", ago=0.5 * HOUR)
    (request,) = ticker.tick()
    assert adopted(request) == [newer.arn]


def test_a_run_that_only_started_its_exports_is_finished(account, publish, sensed, watch):
    """`wait: false`: nobody waits; the watch publishes when the export is done."""
    publish("orders", ago=2 * HOUR)
    tables = sensed("orders")
    ticker = watch(tables)
    start = dg.RunRequest(
        "start",
        asset_selection=list(tables.tables),
        run_config={"ops": {"refresh_0": {"config": {"wait": False}}}},
    )
    assert ticker.run(start).success
    export = account.export("orders", status="IN_PROGRESS")
    assert ticker.tick() == []
    account.exports[export.arn] = account.export("orders")
    (request,) = ticker.tick()
    assert ticker.run(request).success
    assert ticker.tick() == []


def test_a_table_that_shows_nothing_gets_its_first_export(account, sensed, watch):
    """No materialization, no Athena table: the newest export is adopted."""
    account.sizes = {"orders": (1, 1)}
    export = account.export("orders", ago=HOUR)
    (request,) = watch(sensed("orders")).tick()
    assert adopted(request) == [export.arn]


def test_what_athena_shows_counts_not_what_dagster_remembers(account, publish, sensed, watch):
    """Another tool published the newest export: there is nothing to adopt."""
    publish("orders", ago=2 * HOUR)
    newest = account.export("orders", ago=HOUR)
    account.show("orders", newest)
    assert watch(sensed("orders")).tick() == []


def test_a_rollback_is_not_undone(account, publish, sensed, watch):
    """Exports older than the rollback stay where they are; one begun after it is adopted."""
    old, new = account.export("orders", ago=3 * HOUR), account.export("orders", ago=2 * HOUR)
    publish("orders", export=new)
    account.export("orders", ago=HOUR)
    account.show("orders", old, previous=new)
    ticker = watch(sensed("orders"))
    assert ticker.tick() == []
    account.clock.sleep(60)
    later = account.export("orders")
    (request,) = ticker.tick()
    assert adopted(request) == [later.arn]


def test_an_export_of_an_older_moment_is_not_adopted(account, publish, sensed, watch):
    """It began later but is of an earlier export time: never backwards."""
    shown = publish("orders", ago=2 * HOUR)
    account.export("orders", ago=HOUR, of=shown.export_time.replace(year=2020))
    account.export("orders", ago=HOUR, export_format="ION")
    assert watch(sensed("orders")).tick() == []


def test_exports_of_a_deleted_table_are_not_adopted(account, publish, sensed, watch):
    """The table was re-created under its name; its predecessor's exports are still listed."""
    account.sizes = {"orders": (1, 1)}
    publish("orders", ago=2 * HOUR)
    account.export("orders", ago=HOUR, table_id="id-0")
    assert watch(sensed("orders")).tick() == []


def test_a_consistent_group_is_adopted_together_and_of_one_second(
    account, publish, sensed, watch, tables_of
):
    """Not before each member has an export of the same second; then the newest such cut."""
    for name in ("a", "b"):
        publish(name, ago=5 * HOUR)
    first = account.clock.now()
    exports = [account.export("a", ago=3 * HOUR, of=first)]
    ticker = watch(sensed(g=("a", "b")))
    assert ticker.tick() == []
    account.export("b", ago=2 * HOUR, of=first.replace(year=first.year + 1))
    assert ticker.tick() == []
    exports.append(account.export("b", ago=HOUR, of=first))
    (request,) = ticker.tick()
    assert tables_of([request]) == ["a", "b"]
    assert adopted(request) == sorted(export.arn for export in exports)


@pytest.mark.slow
def test_a_thousand_tables_take_one_call_each_and_every_tick_ends_in_time(
    account, publish, sensed, watch, tables_of
):
    """400 calls and 40 s per tick; after three ticks each export is adopted once."""
    names = [f"t{number:04d}" for number in range(1000)]
    for name in names:
        publish(name, ago=2 * HOUR)
    for name in names[::100]:
        account.export(name, ago=HOUR)
    ticker = watch(sensed(*names, steps=10))
    found = []
    for _ in range(3):
        before, calls = account.clock.elapsed, account.calls.total()
        requests = ticker.tick()
        assert account.clock.elapsed - before <= 41
        assert account.calls.total() - calls <= 410
        for request in requests:
            found += tables_of([request])
            ticker.submit(request)
    assert found == names[::100]
    assert account.calls["list_exports"] == 1000
    assert account.calls["describe_table"] == 0


def test_the_cursor_survives_a_restart_and_an_unreadable_one(account, publish, sensed, watch):
    """A new daemon goes on where the old one ended; garbage begins anew."""
    names = [f"t{number:04d}" for number in range(500)]
    for name in names:
        publish(name, ago=2 * HOUR)
    ticker = watch(sensed(*names))
    ticker.tick()
    restarted = watch(sensed(*names))
    restarted.cursor = ticker.cursor
    restarted.tick()
    assert account.calls["list_exports"] >= 500
    account.export("t0000", ago=HOUR)
    restarted.cursor = "{not json"
    assert len(restarted.tick()) == 1


def test_one_tables_trouble_does_not_stop_the_watch(account, publish, sensed, watch):
    """It is logged; the other export is adopted. An account away ends the tick."""
    for name in ("orders", "users"):
        publish(name, ago=2 * HOUR)
    account.errors["list_exports", "orders"] = TableNotFoundError("it is gone")
    users = account.export("users", ago=HOUR)
    ticker = watch(sensed("orders", "users"))
    (request,) = ticker.tick()
    assert adopted(request) == [users.arn]
    account.errors["list_exports"] = ServiceUnavailableError("AWS is away")
    account.errors.pop(("list_exports", "orders"))
    with pytest.raises(ServiceUnavailableError):
        ticker.tick()


def test_a_group_too_large_for_a_tick_does_not_stop_the_others(
    account, publish, sensed, watch, monkeypatch
):
    """It is said so, and the tables after it are looked at."""
    monkeypatch.setenv("DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS", "21")
    members = [f"m{number:03d}" for number in range(100)]
    for name in (*members, "orders"):
        publish(name, ago=2 * HOUR)
        account.export(name, ago=HOUR)
    ticker = watch(sensed("orders", g=members))
    assert ticker.tick() == []
    assert ticker.tick()


def test_the_sensor_is_off_unless_asked(sensed):
    """Its name is the declaration's; an interval is a time."""
    sensor = export_watch_sensor(sensed("orders"), ExportWatch())
    assert sensor.name == "refresh_raw_export_watch"
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
    with pytest.raises(DeclarationError, match="interval 0"):
        ExportWatch(interval=0)
