"""What is seen of the live tables, and that one table's trouble is its own."""

from dataclasses import replace

import pytest

from ddb_assets.core.operating.observe import Observation, Unobserved, observe
from ddb_assets.errors import AccessDeniedError, TableNotFoundError, ThrottledError

RAW = {
    "AttributeDefinitions": [
        {"AttributeName": "userId", "AttributeType": "S"},
        {"AttributeName": "at", "AttributeType": "N"},
    ],
    "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    "LatestStreamLabel": "2026-01-01T00:00:00.000",
    "TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-time",
            "KeySchema": [
                {"AttributeName": "userId", "KeyType": "RANGE"},
                {"AttributeName": "at", "KeyType": "HASH"},
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a", "b"]},
            "IndexStatus": "ACTIVE",
            "ItemCount": 3,
            "IndexSizeBytes": 30,
        }
    ],
}


@pytest.fixture
def look(world):
    """Observes tables of the fake AWS."""

    def run(*tables):
        return list(observe(tables, gateways=world.aws.gateways, clock=world.clock))

    return run


def test_settings_and_indexes_are_read(world, look):
    """Billing, stream, class, and each index with its keys in order."""
    world.aws.create("orders")
    world.aws.tables["orders"] = replace(world.aws.tables["orders"], raw=RAW)
    (seen,) = look("orders")
    assert (seen.billing_mode, seen.stream, seen.table_class) == (
        "PAY_PER_REQUEST",
        "NEW_IMAGE",
        "STANDARD_INFREQUENT_ACCESS",
    )
    assert seen.stream_label == "2026-01-01T00:00:00.000"
    table, index = seen.indexes
    assert (table.kind, table.keys) == ("table", (("userId", "S"),))
    assert (index.name, index.kind) == ("by-time", "global index")
    assert index.keys == (("at", "N"), ("userId", "S"))
    assert (index.projection, index.item_count, index.size_bytes) == ("a, b", 3, 30)
    assert seen.tags == {"table": "orders"}
    assert seen.pitr.enabled


def test_what_aws_leaves_out_has_its_meaning(world, look):
    """No BillingModeSummary is PROVISIONED, no StreamSpecification is off."""
    world.aws.create("orders")
    (seen,) = look("orders")
    assert (seen.billing_mode, seen.stream, seen.stream_label) == ("PROVISIONED", "off", None)
    assert seen.table_class == "STANDARD"


@pytest.mark.parametrize("change", [{"item_count": 1}, {"size_bytes": 1}, {"table_id": "other"}])
def test_the_version_moves_with_the_table(world, look, change):
    """Count, size and identity."""
    world.aws.create("orders")
    (before,) = look("orders")
    world.aws.tables["orders"] = replace(world.aws.tables["orders"], **change)
    (after,) = look("orders")
    assert after.version != before.version


def test_the_version_stays_when_only_settings_change(world, look):
    """A new index, a stream or an update in progress writes no item."""
    world.aws.create("orders")
    (before,) = look("orders")
    world.aws.tables["orders"] = replace(world.aws.tables["orders"], raw=RAW, status="UPDATING")
    (after,) = look("orders")
    assert after.version == before.version


def test_a_missing_table_does_not_hide_the_others(world, look):
    """Each table has its own result, in order."""
    world.aws.create("orders")
    world.aws.create("users")
    first, gone, last = look("orders", "gone", "users")
    assert isinstance(first, Observation)
    assert isinstance(last, Observation)
    assert isinstance(gone, Unobserved)
    assert isinstance(gone.error, TableNotFoundError)
    assert gone.error.table == "gone"


def test_without_further_permissions_the_rest_is_seen(world, look):
    """Tags and PITR are None, and the missing permission is said."""
    world.aws.create("orders")
    refusal = AccessDeniedError("refused", table="orders", remedy="allow dynamodb:X")
    world.aws.faults["tags"].append(refusal)
    world.aws.faults["describe_pitr"].append(refusal)
    (seen,) = look("orders")
    assert (seen.tags, seen.pitr) == (None, None)
    assert seen.unseen == ("refused — allow dynamodb:X",) * 2


def test_throttling_is_waited_out_and_the_rate_is_kept(world, look):
    """Twenty tables take two seconds: ListTagsOfResource allows ten calls a second."""
    names = [f"table{number}" for number in range(20)]
    for name in names:
        world.aws.create(name)
    world.aws.faults["tags table7"].append(ThrottledError("slow down"))
    assert all(isinstance(seen, Observation) for seen in look(*names))
    assert world.clock.seconds >= 1.9
