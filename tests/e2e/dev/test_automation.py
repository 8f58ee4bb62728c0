"""The daemon's ticks really start runs, and a tick that is repeated starts nothing twice."""

import pytest
from deployment import key, view
from processes import until

pytestmark = pytest.mark.e2e

NIGHTLY, HUGE = "refresh_shop_nightly_schedule", "refresh_shop_huge_schedule"
WATCH, CHANGES = "refresh_shop_export_watch", "refresh_feeds_table_changes"
GROUP = ("Orders", "customers")
NO_CURSOR = "no cursor anybody can read"


def _started(ui, sensor, known=()):
    """The newest run of a sensor, once there is another than these."""

    def another():
        return next((r for r in ui.runs(sensor_name=sensor) if r["runId"] not in known), None)

    run = until(another, 120, lambda: f"a run of {sensor}: {ui.ticks(sensor)[:3]}")
    assert ui.wait(run["runId"]) == "SUCCESS", ui.errors(run["runId"])
    return run


@pytest.fixture(scope="module")
def ticked(ui, aws, everything):
    """Both schedules after their tick at the full minute: schedule -> its tick."""
    for table in (*GROUP, "ledger"):
        aws.write(table, "since the last refresh")
    before = {table: aws.exports(table) for table in (*GROUP, "ledger")}
    for schedule in (NIGHTLY, HUGE):
        ui.start_schedule(schedule)
    # Ended before it is switched off: a tick under way writes the switch's old state back.
    ticks = {schedule: ui.ticked(schedule) for schedule in (NIGHTLY, HUGE)}
    for schedule in (NIGHTLY, HUGE):
        ui.stop_schedule(schedule)
    return ticks, before


def test_the_schedules_tick_refreshes_its_group(ui, aws, ticked):
    """At the full minute, one run for the group's tables and for no other."""
    ticks, before = ticked
    tick = ticks[NIGHTLY]
    assert (tick["status"], tick["error"]) == ("SUCCESS", None)
    assert tick["timestamp"] % 60 == 0
    (run_id,) = tick["runIds"]
    assert ui.wait(run_id) == "SUCCESS", ui.errors(run_id)
    (run,) = ui.runs(schedule_name=NIGHTLY)
    assert run["runId"] == run_id
    landed = set(ui.materialized(run_id))
    assert landed == {asset for table in GROUP for asset in (key(table), view(table))}
    for table in GROUP:
        (made,) = set(aws.exports(table)) - set(before[table])
        assert ui.asset(key(table))["metadata"]["ddb_assets/export_arn"] == made


def test_started_now_is_published_later_by_the_export_watch(ui, aws, ticked):
    """The schedule's run ends before the export does; the watch's own run publishes it."""
    ticks, before = ticked
    (run_id,) = ticks[HUGE]["runIds"]
    assert ui.wait(run_id) == "SUCCESS", ui.errors(run_id)
    assert ui.materialized(run_id) == {}
    (made,) = set(aws.exports("ledger")) - set(before["ledger"])

    def published():
        shown = ui.asset(key("ledger"))
        return shown if shown["metadata"]["ddb_assets/export_arn"] == made else None

    shown = until(published, 120, lambda: f"{made} published: {ui.ticks(WATCH)[:3]}")
    assert shown["run_id"] in {run["runId"] for run in ui.runs(sensor_name=WATCH)}
    assert shown["metadata"]["dagster/row_count"] == aws.rows("ledger") == 4
    assert set(aws.exports("ledger")) == {*before["ledger"], made}


def test_a_table_that_was_written_to_is_refreshed(ui, aws, everything):
    """The sensor is switched on; its run is for the table that changed, and for no other."""
    ui.start_sensor(CHANGES)
    aws.write("clicks", "new")
    run = _started(ui, CHANGES)
    assert set(ui.materialized(run["runId"])) == {key("clicks"), view("clicks")}
    assert len(aws.exports("clicks")) == 2
    assert ui.asset(key("clicks"))["metadata"]["dagster/row_count"] == aws.rows("clicks") == 4


def test_an_export_made_in_the_console_is_published(ui, aws, everything):
    """The watch's run adopts it by its ARN; nothing new is paid for."""
    known = {run["runId"] for run in ui.runs(sensor_name=WATCH)}
    aws.write("parcels", "new")
    made = aws.export_in_the_console("parcels")
    run = _started(ui, WATCH, known)
    assert set(ui.materialized(run["runId"])) == {key("parcels"), view("parcels")}
    assert ui.asset(key("parcels"))["metadata"]["ddb_assets/export_arn"] == made
    assert len(aws.exports("parcels")) == 2
    assert aws.rows("parcels") == 4


def test_a_repeated_tick_starts_nothing_twice(ui, aws):
    """Not even when the cursor is lost: the next ticks find nothing to do."""
    tables = {CHANGES: "clicks", WATCH: "parcels"}
    started = {
        sensor: (ui.runs(sensor_name=sensor), aws.exports(t)) for sensor, t in tables.items()
    }
    assert all(runs for runs, _ in started.values())
    last = {}
    for sensor in tables:
        ui.set_cursor(sensor, NO_CURSOR)
        last[sensor] = int(ui.ticks(sensor)[0]["tickId"])
    for sensor, table in tables.items():

        def since(sensor=sensor):
            ended = [tick for tick in ui.ticks(sensor) if tick["status"] != "STARTED"]
            return [tick for tick in ended if int(tick["tickId"]) > last[sensor]]

        until(lambda since=since: len(since()) >= 3, 120, f"three more ticks of {sensor}")
        assert {tick["status"] for tick in since()} == {"SKIPPED"}, since()
        assert (ui.runs(sensor_name=sensor), aws.exports(table)) == started[sensor]
