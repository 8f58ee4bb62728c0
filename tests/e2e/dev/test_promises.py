"""Checks and freshness turn red when a promise is broken, and green when it is mended."""

import pytest
from deployment import key
from processes import until

pytestmark = pytest.mark.e2e

TABLES = ("returns", "coupons", "vouchers")
CHECKS = ("newest_export", "schema", "pitr", "drift")


def _statuses(ui):
    """(table, check) -> its latest evaluation, as the table's page shows it."""
    return {(t, n): made for t in TABLES for n, made in ui.asset(key(t))["checks"].items()}


def _red(ui):
    return {which for which, made in _statuses(ui).items() if made["status"] != "SUCCEEDED"}


def _check(ui) -> str:
    run_id = ui.check([(key(table), name) for table in TABLES for name in CHECKS])
    assert ui.wait(run_id) == "SUCCESS", ui.errors(run_id)
    assert ui.materialized(run_id) == {}
    assert {made["runId"] for made in _statuses(ui).values()} == {run_id}
    return run_id


def test_checks_turn_red_and_green_again(ui, aws, everything):
    """Recovery off, the location moved by hand, a field lost: each is seen, mended and green."""
    older = aws.published("coupons")["StorageDescriptor"]["Location"]
    run_id = ui.materialize([key(table) for table in TABLES])
    assert ui.wait(run_id) == "SUCCESS", ui.errors(run_id)
    assert _red(ui) == set()

    aws.recovery("returns", on=False)
    moved = aws.published("coupons")
    moved["StorageDescriptor"]["Location"] = older
    aws.edit("coupons", moved)
    drifted = aws.published("vouchers")
    drifted["StorageDescriptor"]["Columns"][0]["Type"] = "struct<id:struct<s:string>>"
    aws.edit("vouchers", drifted)
    _check(ui)
    made = _statuses(ui)
    assert _red(ui) == {("returns", "pitr"), ("coupons", "newest_export"), ("vouchers", "schema")}
    pitr, newest, schema = (
        made["returns", "pitr"]["evaluation"],
        made["coupons", "newest_export"]["evaluation"],
        made["vouchers", "schema"]["evaluation"],
    )
    assert pitr["severity"] == newest["severity"] == "ERROR"
    assert "update-continuous-backups --table-name returns" in pitr["description"]
    assert aws.exports("coupons")[-1].rpartition("/")[2] in newest["description"]
    assert schema["severity"] == "WARN"
    assert "total" in schema["description"]

    aws.recovery("returns", on=True)
    run_id = ui.materialize([key("coupons"), key("vouchers")])
    assert ui.wait(run_id) == "SUCCESS", ui.errors(run_id)
    _check(ui)
    assert _red(ui) == set()


def test_freshness_turns_red_and_green_again(ui, everything):
    """After the promised minute (Dagster's shortest) the table fails; a refresh heals it."""

    def freshness(state):
        return lambda: ui.asset(key("prices"))["freshness"] == state

    until(freshness("DEGRADED"), 120, "the promise of a minute was broken")
    run_id = ui.materialize([key("prices")])
    assert ui.wait(run_id) == "SUCCESS", ui.errors(run_id)
    until(freshness("HEALTHY"), 30, "the promise is kept again")
