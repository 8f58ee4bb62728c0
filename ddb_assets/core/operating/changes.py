"""Which live tables were written to: from CloudWatch's write metrics, or from DescribeTable."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ddb_assets.core.export import TableDescription

#: AWS page GetMetricData: at most 500 queries and 100,800 data points in one call.
QUERIES_PER_CALL = 500
DATA_POINTS_PER_CALL = 100_800
#: Writes by clients, and deletions by TTL, which consume no capacity (AWS page "DynamoDB metrics").
WRITE_METRICS = ("ConsumedWriteCapacityUnits", "TimeToLiveDeletedItemCount")
TABLES_PER_CALL = QUERIES_PER_CALL // len(WRITE_METRICS)

#: A period is one of these or, for windows of months, whole days.
_PERIODS = (60, 300, 900, 3600, 21600, 86400)
_DAY = 86400
#: AWS page GetMetricData: metrics are kept for 455 days.
MAX_WINDOW = timedelta(days=455)


class WriteMetrics(Protocol):
    """CloudWatch's metrics of writes to DynamoDB tables."""

    def last_writes(
        self, tables: Sequence[str], *, start: datetime, end: datetime, period_seconds: int
    ) -> Mapping[str, datetime]:
        """The end of the last period with a write, for each table that had one.

        At most `TABLES_PER_CALL` tables.
        """
        ...


@dataclass(frozen=True)
class Batch:
    """Tables that are asked for in one call."""

    tables: tuple[str, ...]
    start: datetime
    end: datetime
    period_seconds: int


def batches(since: Mapping[str, datetime], now: datetime) -> Iterator[Batch]:
    """As few calls as AWS allows; tables of about the same age together.

    Args:
        since: From when on each table's writes count.
        now: The wall time.
    """
    ordered = sorted(since, key=lambda table: (since[table], table))
    for first in range(0, len(ordered), TABLES_PER_CALL):
        tables = tuple(ordered[first : first + TABLES_PER_CALL])
        start = max(since[tables[0]], now - MAX_WINDOW)
        points = DATA_POINTS_PER_CALL // (len(tables) * len(WRITE_METRICS)) - 2
        yield Batch(tables, *_whole_periods(start, now, points))


def written(metrics: WriteMetrics, since: Mapping[str, datetime], batch: Batch) -> frozenset[str]:
    """The tables of a batch that were written to.

    The period in which a table was exported counts as written if anything was written in it: before
    or after the export cannot be told apart, and a needless refresh is better than a lost write.
    """
    last = metrics.last_writes(
        batch.tables, start=batch.start, end=batch.end, period_seconds=batch.period_seconds
    )
    return frozenset(
        table for table in batch.tables if table in last and last[table] > since[table]
    )


def differs(
    description: TableDescription,
    *,
    items: int | None,
    live_items: int | None,
    live_size_bytes: int | None,
) -> bool:
    """Whether DescribeTable's numbers say that a table changed since it was exported.

    AWS brings them up to date about every six hours. Numbers that catch up with the exported
    number of items are no change; a change that leaves both numbers as they were is not seen.

    Args:
        description: The live table now.
        items: The exported items.
        live_items: DescribeTable's number when the table was exported.
        live_size_bytes: Likewise.
    """
    if live_items is None or live_size_bytes is None:
        return True
    count, size = description.item_count, description.size_bytes
    if (count, size) == (live_items, live_size_bytes):
        return False
    return count == live_items or count != items


def _whole_periods(start: datetime, end: datetime, points: int) -> tuple[datetime, datetime, int]:
    """Start and end on whole periods, and the shortest period that fits and is kept so long."""
    window = (end - start).total_seconds()
    # AWS page GetMetricData: after 15 days only multiples of 300 are kept, after 63 of 3600.
    kept = 60 if window < 15 * _DAY else 300 if window < 63 * _DAY else 3600
    fitting = (p for p in _PERIODS if p >= kept and window / p <= points)
    period = next(fitting, math.ceil(window / points / _DAY) * _DAY)
    first = math.floor(start.timestamp() / period) * period
    last = math.ceil(end.timestamp() / period) * period
    return (
        datetime.fromtimestamp(first, start.tzinfo),
        datetime.fromtimestamp(last, end.tzinfo),
        period,
    )
