"""The project loads, and the buttons that materialize do what they say."""

import pytest
from deployment import TABLES, key, view

pytestmark = pytest.mark.e2e

CHECKS = {"newest_export", "schema", "pitr", "drift"}


def test_the_project_loads_without_an_error(ui, switched_on):
    """Its assets, schedules and sensors are there; what runs by itself is what was declared so."""
    assert ui.locations() == {"shop": None}
    nodes = {tuple(node["assetKey"]["path"]): node for node in ui.asset_nodes()}
    for tables in TABLES.values():
        for table in tables:
            exported = nodes[key(table)]
            assert exported["isMaterializable"]
            assert {"athena", "s3"} <= set(exported["kinds"])
            assert not nodes["dynamodb", table]["isMaterializable"]
    assert switched_on == {
        "refresh_shop_nightly_schedule": "STOPPED",
        "refresh_shop_huge_schedule": "STOPPED",
        "refresh_shop_export_watch": "RUNNING",
        "refresh_shop_failed_refreshes": "RUNNING",
        "refresh_feeds_table_changes": "STOPPED",
    }


def test_materialize_all_publishes_every_table(aws, ui, everything):
    """One run for all tables and views of both components; every check is green."""
    landed, checked = ui.materialized(everything), ui.checked(everything)
    tables = [table for tables in TABLES.values() for table in tables]
    assert set(landed) == {asset for table in tables for asset in (key(table), view(table))}
    standing = {(key(table), name) for table in tables for name in CHECKS}
    assert checked == dict.fromkeys({*standing, (key("prices"), "data_age")}, True)
    for table in tables:
        assert landed[key(table)]["dagster/row_count"] == 3
        assert landed[key(table)]["ddb_assets/export_arn"] == aws.exports(table)[0]
    assert aws.rows("waybills") == 3


def test_materialize_publishes_one_table_and_no_other(aws, ui, everything):
    """The new item is in the table and in no other export; the others stay where they are."""
    others = {table: aws.exports(table) for table in ("Orders", "coupons")}
    aws.write("searches", "new")
    run_id = ui.materialize([key("searches")])
    assert ui.wait(run_id) == "SUCCESS", ui.errors(run_id)
    assert set(ui.materialized(run_id)) == {key("searches"), view("searches")}
    shown = ui.asset(key("searches"))
    assert shown["metadata"]["dagster/row_count"] == aws.rows("searches") == 4
    first, second = aws.exports("searches")
    assert shown["metadata"]["ddb_assets/export_arn"] == second
    assert first.rpartition("/")[2] in shown["metadata"]["ddb_assets/previous_location"]
    assert {table: aws.exports(table) for table in others} == others
