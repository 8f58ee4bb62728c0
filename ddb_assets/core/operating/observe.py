"""The live tables as they are now: what DescribeTable, PITR and the tags say, table by table."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ddb_assets.core.clock import Clock, SystemClock
from ddb_assets.core.export import Pitr, TableDescription
from ddb_assets.core.operating.operator import finish, ignore, operator_context
from ddb_assets.core.ports import Gateways, Listener
from ddb_assets.core.scheduling.calls import Rate
from ddb_assets.core.scheduling.context import RunContext, defect
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.errors import AccessDeniedError, DdbAssetsError, UnsupportedError

#: API pages ListTagsOfResource and DescribeContinuousBackups: ten calls a second per account each.
TABLES_PER_SECOND = 10.0
#: DescribeTable leaves BillingModeSummary out for tables that always were PROVISIONED.
_PROVISIONED = "PROVISIONED"


@dataclass(frozen=True)
class Index:
    """The table itself or one of its secondary indexes.

    Attributes:
        kind: `table`, `global index` or `local index`.
        keys: Partition key and, if there is one, sort key: (attribute name, type).
        projection: `ALL`, `KEYS_ONLY`, or the included attributes; empty for the table.
    """

    name: str
    kind: str
    keys: tuple[tuple[str, str], ...]
    projection: str = ""
    status: str = ""
    item_count: int | None = None
    size_bytes: int | None = None


@dataclass(frozen=True)
class Observation:
    """One live table.

    Attributes:
        pitr: None where asking is not permitted.
        tags: DynamoDB's own; None where asking is not permitted.
        unseen: What could not be asked, as sentences with the permission that is missing.
    """

    table: str
    description: TableDescription
    pitr: Pitr | None
    tags: Mapping[str, str] | None
    unseen: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """Moves when AWS's figures of the table do: another table, other count, other size.

        AWS renews both figures about every six hours, and an item that is overwritten by one of
        the same size changes neither: an equal version does not prove that nothing was written.
        Settings (status, stream, billing, indexes) are left out, since they change no item.
        """
        described = self.description
        return f"{described.item_count}-{described.size_bytes}-{described.table_id}"

    @property
    def billing_mode(self) -> str:
        """`PAY_PER_REQUEST` or `PROVISIONED`."""
        return self.description.raw.get("BillingModeSummary", {}).get("BillingMode", _PROVISIONED)

    @property
    def stream(self) -> str:
        """What the table's stream carries, e.g. `NEW_AND_OLD_IMAGES`; `off` without one."""
        stream: dict[str, Any] = self.description.raw.get("StreamSpecification") or {}
        return str(stream.get("StreamViewType", "on")) if stream.get("StreamEnabled") else "off"

    @property
    def stream_label(self) -> str | None:
        """When the stream was switched on last; AWS gives no more of it."""
        return self.description.raw.get("LatestStreamLabel")

    @property
    def table_class(self) -> str:
        """`STANDARD` or `STANDARD_INFREQUENT_ACCESS`."""
        summary: dict[str, Any] = self.description.raw.get("TableClassSummary") or {}
        return str(summary.get("TableClass", "STANDARD"))

    @property
    def indexes(self) -> tuple[Index, ...]:
        """The table first, then its global and local secondary indexes."""
        described = self.description
        types = {
            one["AttributeName"]: one["AttributeType"]
            for one in described.raw.get("AttributeDefinitions", ())
        }
        table = Index(
            described.name,
            "table",
            described.keys,
            status=described.status,
            item_count=described.item_count,
            size_bytes=described.size_bytes,
        )
        kinds = (("GlobalSecondaryIndexes", "global"), ("LocalSecondaryIndexes", "local"))
        return (
            table,
            *(
                _index(one, f"{kind} index", types)
                for field, kind in kinds
                for one in described.raw.get(field) or ()
            ),
        )


@dataclass(frozen=True)
class Unobserved:
    """A live table that could not be looked at, and why."""

    table: str
    error: DdbAssetsError


def observe(
    tables: Sequence[str],
    *,
    gateways: Gateways,
    listener: Listener = ignore,
    clock: Clock | None = None,
    patience_seconds: float = math.inf,
) -> Iterator[Observation | Unobserved]:
    """Look at each live table, in order; one table's trouble is that table's alone.

    Without dynamodb:DescribeContinuousBackups or dynamodb:ListTagsOfResource the rest is observed
    all the same.

    Args:
        tables: Names of DynamoDB tables.
        gateways: The account.
        listener: Hears of calls that are tried again.
        clock: Time and sleep.
        patience_seconds: How long one call is tried again at most.
    """
    clock = clock or SystemClock()
    run = operator_context(gateways, clock, listener=listener, patience_seconds=patience_seconds)
    rate = Rate(clock, per_second=TABLES_PER_SECOND, burst=1)
    for table in tables:
        try:
            yield finish(_observation(run, rate, table), clock)
        except DdbAssetsError as error:
            yield Unobserved(table, error.for_table(table))
        except Exception as error:  # noqa: BLE001 - a defect in one table must not stop the others
            yield Unobserved(table, defect(error, table))


def _observation(run: RunContext, rate: Rate, table: str) -> Task[Observation]:
    dynamodb = run.gateways.dynamodb
    described = yield from run.call(
        table, "describe the table", lambda: dynamodb.describe_table(table)
    )
    unseen: list[str] = []
    pitr: Pitr | None = None
    tags: dict[str, str] | None = None
    yield from rate.take()
    try:
        pitr = yield from run.call(
            table, "ask for point-in-time recovery", lambda: dynamodb.describe_pitr(table)
        )
    except AccessDeniedError as error:
        unseen.append(_without_table(error))
    try:
        tags = yield from run.call(
            table, "list the table's tags", lambda: dynamodb.tags(described.arn)
        )
    except (AccessDeniedError, UnsupportedError) as error:
        unseen.append(_without_table(error))
    return Observation(table, described, pitr, tags, tuple(unseen))


def _index(found: dict[str, Any], kind: str, types: Mapping[str, str]) -> Index:
    schema = sorted(found["KeySchema"], key=lambda key: key["KeyType"] != "HASH")
    projection: dict[str, Any] = found.get("Projection") or {}
    included = projection.get("NonKeyAttributes") or ()
    return Index(
        found["IndexName"],
        kind,
        tuple((key["AttributeName"], types.get(key["AttributeName"], "")) for key in schema),
        projection=", ".join(included) or str(projection.get("ProjectionType", "")),
        status=str(found.get("IndexStatus", "")),
        item_count=found.get("ItemCount"),
        size_bytes=found.get("IndexSizeBytes"),
    )


def _without_table(error: DdbAssetsError) -> str:
    return str(error).removeprefix(f"{error.table}: ")
