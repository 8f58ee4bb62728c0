"""The sample tables, their bucket and their workgroup, put straight into the backends."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from moto.athena.models import athena_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

from ddb_assets.local.samples import article, shop_orders, users
from ddb_assets.local.samples.values import Item

REGION = "us-east-1"
BUCKET = "ddb-exports"
WORKGROUP = "ddb"
OUTPUT_LOCATION = f"s3://{BUCKET}/athena-results/"


@dataclass(frozen=True)
class SampleTable:
    """A table: its name, its key (attribute and type, in order) and its items."""

    name: str
    key: tuple[tuple[str, str], ...]
    items: Callable[[], Iterator[Item]]


def _none() -> Iterator[Item]:
    return iter(())


TABLES = (
    SampleTable("Article", (("userId", "S"), ("articleId", "S")), article.items),
    SampleTable("shop-orders", (("customer", "S"), ("order", "N")), shop_orders.items),
    SampleTable("legacy.Users", (("UserId", "S"),), users.items),
    SampleTable("waiting_list", (("list", "S"), ("position", "N")), _none),
)


def seed() -> tuple[str, ...]:
    """Create what is missing: bucket, workgroup and tables, with point-in-time recovery on.

    What exists is left as it is, a table's items included, so seeding twice or after a restore
    changes nothing.

    Returns:
        The names of what was created.
    """
    created: list[str] = []
    s3: Any = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    if BUCKET not in s3.buckets:
        s3.create_bucket(BUCKET, REGION)
        created.append(f"s3://{BUCKET}")
    athena: Any = athena_backends[DEFAULT_ACCOUNT_ID][REGION]
    if WORKGROUP not in athena.work_groups:
        athena.create_work_group(WORKGROUP, _workgroup(), "Sample queries", [])
        created.append(f"workgroup {WORKGROUP}")
    dynamodb: Any = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION]
    for table in TABLES:
        if table.name not in dynamodb.tables:
            _create(dynamodb, table)
            created.append(table.name)
    return tuple(created)


def _workgroup() -> dict[str, Any]:
    return {
        "ResultConfiguration": {"OutputLocation": OUTPUT_LOCATION},
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": False,
        "RequesterPaysEnabled": False,
        "EngineVersion": {
            "SelectedEngineVersion": "AUTO",
            "EffectiveEngineVersion": "Athena engine version 3",
        },
    }


def _create(dynamodb: Any, table: SampleTable) -> None:
    kinds = ("HASH", "RANGE")
    dynamodb.create_table(
        table.name,
        schema=[
            {"AttributeName": name, "KeyType": kind}
            for (name, _), kind in zip(table.key, kinds, strict=False)
        ],
        attr=[{"AttributeName": name, "AttributeType": letter} for name, letter in table.key],
        throughput=None,
        global_indexes=[],
        indexes=[],
        streams=None,
        billing_mode="PAY_PER_REQUEST",
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )
    dynamodb.update_continuous_backups(table.name, {"PointInTimeRecoveryEnabled": True})
    for item in table.items():
        dynamodb.put_item(table.name, cast("dict[str, Any]", item))
