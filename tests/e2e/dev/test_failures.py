"""A failing table among good ones, who is told of it, and a run that is terminated."""

import time

import pytest
from deployment import EXPORT_SECONDS, key, view
from processes import until

pytestmark = pytest.mark.e2e

TABLES = ("returns", "coupons", "vouchers")
CHECKS = ("newest_export", "schema", "pitr", "drift")
FAILED_SENSOR = "refresh_shop_failed_refreshes"


@pytest.fixture(scope="module")
def mixed(ui, aws, everything):
    """A run in which one table's export fails, that table, and where each stood before."""
    before = {table: ui.asset(key(table))["metadata"]["ddb_assets/export_arn"] for table in TABLES}
    aws.process.control(
        "faults",
        {
            "service": "dynamodb",
            "operation": "ExportJob",
            "code": "S3AccessDenied",
            "message": "Access Denied (Service: Amazon S3; Status Code: 403)",
        },
    )
    run_id = ui.materialize([key(table) for table in TABLES])
    assert ui.wait(run_id) == "FAILURE"
    (bad,) = set(map(key, TABLES)) - set(ui.materialized(run_id))
    return run_id, next(table for table in TABLES if key(table) == bad), before


def test_a_failing_table_stops_no_other(ui, aws, mixed):
    """The good tables are published and their checks are made; the bad one stays where it was."""
    run_id, bad, before = mixed
    good = set(TABLES) - {bad}
    landed = ui.materialized(run_id)
    assert set(landed) == {asset for table in good for asset in (key(table), view(table))}
    for table in good:
        assert landed[key(table)]["ddb_assets/export_arn"] == aws.exports(table)[-1]
    assert ui.checked(run_id) == {(key(table), name): True for table in good for name in CHECKS}
    assert ui.asset(key(bad))["metadata"]["ddb_assets/export_arn"] == before[bad]
    assert before[bad].rpartition("/")[2] in aws.published(bad)["StorageDescriptor"]["Location"]


def test_its_error_says_cause_and_remedy(ui, mixed):
    """In the failed step's event: in words, and field by field for the table."""
    run_id, bad, _ = mixed
    message, metadata = ui.failure(run_id)
    assert f"{bad}: " in message
    assert "S3AccessDenied" in message
    assert "(1 of 3 tables failed)" in message
    entry = metadata[bad]
    assert entry["error"] == "ExportFailedError"
    assert "Access Denied" in entry["cause"]
    assert "s3:PutObject" in entry["remedy"]
    assert "shop-exports" in entry["remedy"]
    assert f":table/{bad}/export/" in entry["export_arn"]
    assert set(metadata) == {bad}


def test_somebody_is_told_once(deployment, ui, mixed):
    """One message, for the failed table, with cause and remedy; later ticks tell nothing."""
    run_id, bad, _ = mixed

    def told():
        return [message for message in deployment.alerts() if message["run_id"] == run_id]

    until(told, 120, lambda: f"a message: {ui.ticks(FAILED_SENSOR)[:3]}")
    last = int(ui.ticks(FAILED_SENSOR)[0]["tickId"])
    until(
        lambda: int(ui.ticks(FAILED_SENSOR)[0]["tickId"]) >= last + 2,
        120,
        "two ticks of the sensor",
    )
    (message,) = told()
    assert message["table"] == bad
    assert "Access Denied" in message["cause"]
    assert "s3:PutObject" in message["remedy"]
    assert message["text"].startswith(f"{bad} was not refreshed: ")


def test_its_retry_refreshes_it_and_touches_no_good_table(ui, aws, mixed):
    """Re-execute from failure: the failed table has a new export, the good ones keep theirs."""
    run_id, bad, _ = mixed
    before = {table: aws.exports(table) for table in TABLES}
    retry = ui.retry(run_id)
    assert ui.wait(retry) == "SUCCESS", ui.errors(retry)
    (made,) = set(aws.exports(bad)) - set(before[bad])
    assert ui.asset(key(bad))["metadata"]["ddb_assets/export_arn"] == made
    for table in set(TABLES) - {bad}:
        assert aws.exports(table) == before[table]
        shown = ui.asset(key(table))["metadata"]
        assert shown["ddb_assets/export_arn"] == before[table][-1]


def test_terminate_ends_a_run_at_once_and_its_retry_pays_nothing(ui, aws, everything):
    """The log says that the export goes on; the retry publishes it, and there is no second one."""
    before = aws.exports("visits")
    aws.process.control("settings", {"export_seconds": 15})
    try:
        run_id = ui.materialize([key("visits")])
        until(lambda: set(aws.exports("visits")) > set(before), 120, "the export was started")
    finally:
        aws.process.control("settings", {"export_seconds": EXPORT_SECONDS})
    (made,) = set(aws.exports("visits")) - set(before)
    ui.terminate(run_id)
    began = time.monotonic()
    assert ui.wait(run_id, 15) == "CANCELED", ui.story(run_id)
    assert time.monotonic() - began < 8
    told = f"visits: export {made.rpartition('/')[2]} goes on in AWS; a retry of this run"
    assert any(line.startswith(told) for line in ui.story(run_id)), ui.story(run_id)
    assert ui.materialized(run_id) == {}
    retry = ui.retry(run_id)
    assert ui.wait(retry) == "SUCCESS", ui.errors(retry)
    assert aws.exports("visits") == [*before, made]
    assert ui.asset(key("visits"))["metadata"]["ddb_assets/export_arn"] == made
