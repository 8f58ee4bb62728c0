"""The shop's definitions against the local AWS."""

import dagster as dg
from shop_translator.definitions import defs

ORDERS = [
    {"orderId": "o-1", "userId": "u-1", "total": 10},
    {"orderId": "o-2", "userId": "u-1", "total": 5},
    {"orderId": "o-3", "userId": "u-2", "total": 7},
]
USERS = [{"userId": "u-1", "country": "DE"}, {"userId": "u-2", "country": "FR"}]


def test_the_translator_names_groups_and_owners():
    """The dependency follows the live table's own key."""
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    orders = specs["athena/raw/orders"]
    assert orders.group_name == "lake"
    assert orders.owners == ["team:sales"]
    assert orders.tags["layer"] == "raw"
    assert [dep.asset_key for dep in orders.deps] == [dg.AssetKey(["shop", "orders"])]


def test_one_run_refreshes_the_tables_and_then_the_report(local_aws):
    """The report is computed from what was just exported."""
    local_aws.create_table("orders", {"orderId": "S"}, items=ORDERS)
    local_aws.create_table("legacy.Users", {"userId": "S"}, items=USERS)
    result = local_aws.refresh(defs)
    assert result.success
    (report,) = result.asset_materializations_for_node("revenue_by_country")
    records = [record.data for record in report.metadata["revenue"].records]
    assert records == [{"country": "DE", "revenue": 15.0}, {"country": "FR", "revenue": 7.0}]
