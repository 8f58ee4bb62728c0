"""Typed copies in real Dagster runs on the local AWS: subsets, retries, failures, rollback."""

from decimal import Decimal

import boto3
import dagster as dg
import pytest

import ddb_assets

pytestmark = pytest.mark.slow

ITEMS = [
    {
        "orderId": f"o-{n}",
        "total": Decimal("9.95") * n,
        "tags": {"a", "b"},
        "data": bytes([n, 255]),
        "lines": [{"sku": f"s{n}", "n": n}] if n % 3 else [],
        "open": n % 2 == 0,
        **({"note": None} if n % 5 == 0 else {}),
    }
    for n in range(40)
]
RAW, VIEW, COPY = (
    dg.AssetKey(["athena", "raw", name]) for name in ("orders", "orders_typed", "orders_parquet")
)


def build(**given):
    """One table with a copy."""
    table = ddb_assets.Table("orders", typed_copy=True)
    return ddb_assets.build_dynamodb_assets(
        **{"database": "raw", "bucket": "exports", "tables": [table], "workgroup": "etl", **given}
    )


def rows(aws, table):
    """Every row as Athena prints it."""
    return sorted(map(str, aws.query(f'SELECT * FROM raw."{table}"')))


def recorded(aws, key):
    """How often an asset was materialized, and its newest metadata."""
    records = aws.instance.fetch_materializations(key, limit=20).records
    newest = records[0].asset_materialization.metadata if records else {}
    return len(records), {name: value.value for name, value in newest.items()}


def exports(aws):
    """Export ARNs that were started."""
    with aws.environ():
        return len(boto3.client("dynamodb").list_exports()["ExportSummaries"])


def test_the_copy_holds_the_views_rows_and_says_what_it_cost(local_aws):
    """Value for value; lineage to the view; nothing twice in a second run of the same export."""
    local_aws.create_table("orders", {"orderId": "S"}, items=ITEMS)
    definitions = build()
    assert local_aws.refresh(definitions).success
    assert rows(local_aws, "orders_parquet") == rows(local_aws, "orders_typed")
    assert len(rows(local_aws, "orders_parquet")) == 40
    count, metadata = recorded(local_aws, COPY)
    assert count == 1
    assert metadata["ddb_assets/items"] == metadata["dagster/row_count"] == 40
    assert metadata["ddb_assets/files"] >= 1
    assert metadata["ddb_assets/scanned_bytes"] > 0
    assert metadata["dagster/uri"] == metadata["ddb_assets/location"]
    assert metadata["dagster/table_name"] == "raw.orders_parquet"
    lineage = metadata["dagster/column_lineage"].deps_by_column
    assert lineage["total"] == [dg.TableColumnDep(VIEW, "total")]


def test_a_run_without_the_copy_leaves_it_and_the_copy_alone_starts_no_export(local_aws):
    """The raw table moves on; the copy is then made of what it shows."""
    local_aws.create_table("orders", {"orderId": "S"}, items=ITEMS)
    definitions = build()
    local_aws.refresh(definitions)
    local_aws.put_items("orders", [{"orderId": "new", "extra": 1}])
    local_aws.refresh(definitions, [RAW])
    assert len(rows(local_aws, "orders")) == 41
    assert len(rows(local_aws, "orders_parquet")) == 40
    assert recorded(local_aws, COPY)[0] == 1
    assert recorded(local_aws, RAW)[0] == 2
    before = exports(local_aws)
    assert local_aws.refresh(definitions, [COPY]).success
    assert exports(local_aws) == before
    assert rows(local_aws, "orders_parquet") == rows(local_aws, "orders_typed")
    assert recorded(local_aws, COPY)[0] == 2
    assert recorded(local_aws, RAW)[0] == 2


def test_a_copy_of_nothing_says_so(local_aws):
    """Before the table was ever refreshed."""
    local_aws.create_table("orders", {"orderId": "S"}, items=ITEMS)
    result = local_aws.refresh(build(), [COPY], raise_on_error=False)
    assert not result.success
    assert exports(local_aws) == 0


def test_a_copy_that_fails_leaves_the_table_materialized(local_aws):
    """The workgroup does not exist: the run fails and says so, the raw table stands."""
    local_aws.create_table("orders", {"orderId": "S"}, items=ITEMS)
    with local_aws.environ():
        definitions = build(retry_policy=None)
    local_aws.refresh(definitions, [RAW])
    with local_aws.environ():
        boto3.client("athena").update_work_group(WorkGroup="etl", State="DISABLED")
    result = local_aws.refresh(definitions, raise_on_error=False)
    assert not result.success
    assert recorded(local_aws, RAW)[0] == 2
    assert recorded(local_aws, COPY)[0] == 0
    (failure,) = result.get_step_failure_events()
    entry = failure.step_failure_data.user_failure_data.metadata["orders"].value
    assert entry["typed_copy"] == "orders_parquet"
