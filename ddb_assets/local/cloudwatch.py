"""CloudWatch as moto has it, with what DynamoDB publishes of each table's writes.

A minute is published once it is over and `metrics_lag_seconds` have passed. moto looks at every
data point again for every period of every query; here each table's minutes are looked at once, so
that five hundred queries over a day are answered in time.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import moto.cloudwatch.urls as stock_urls
from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import (
    CloudWatchBackend,
    MetricAggregatedDatum,
    MetricDatumBase,
    cloudwatch_backends,
)
from moto.dynamodb.models import dynamodb_backends

from ddb_assets.local import clock, settings
from ddb_assets.local.dynamodb.consumption import PERIOD_SECONDS, Minute
from ddb_assets.local.dynamodb.tables import WRITES, JournaledTable
from ddb_assets.local.plumbing import require_members

NAMESPACE = "AWS/DynamoDB"
METRIC = "ConsumedWriteCapacityUnits"
#: API page GetMetricData: "A single GetMetricData call can include up to 500 MetricDataQuery".
MAX_QUERIES = 500
_STATISTICS = ("Sum", "SampleCount", "Minimum", "Maximum", "Average")

require_members(CloudWatchBackend, "aws_metric_data", "get_metric_data")


def overrides() -> list[tuple[Any, type[Any]]]:
    """Moto's registry of CloudWatch backends and the class that goes there."""
    return [(cloudwatch_backends, LocalCloudWatch)]


class LocalCloudWatch(CloudWatchBackend):
    """moto's CloudWatch of one account and region, with DynamoDB's write metrics."""

    @property
    def _url_module(self) -> Any:
        return stock_urls

    @property
    def aws_metric_data(self) -> list[MetricDatumBase]:
        """Every published data point, for whatever else asks: ListMetrics, expressions."""
        return [*super().aws_metric_data, *self._written()]

    def get_metric_data(
        self,
        queries: list[dict[str, Any]],
        start_time: datetime,
        end_time: datetime,
        scan_by: str = "TimestampAscending",
    ) -> list[dict[str, Any]]:
        """GetMetricData; write metrics of tables by themselves, everything else by moto.

        Raises:
            ValidationError: Too many queries, or no time between start and end.
        """
        if len(queries) > MAX_QUERIES:
            raise ValidationError(
                f"The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}."
            )
        ours = {
            str(query["Id"]): table
            for query in queries
            if (table := _table_asked_for(query)) is not None
        }
        if len(ours) != len(queries) or start_time >= end_time:
            # An expression may need all of them; and moto says what is wrong with the times.
            return super().get_metric_data(queries, start_time, end_time, scan_by)
        newest_first = scan_by == "TimestampDescending"
        return [
            self._result(query, ours[str(query["Id"])], start_time, end_time, newest_first)
            for query in queries
            if query.get("ReturnData", True)
        ]

    def _result(
        self,
        query: dict[str, Any],
        table: str,
        start: datetime,
        end: datetime,
        newest_first: bool,
    ) -> dict[str, Any]:
        stat = query["MetricStat"]
        period = int(stat["Period"])
        first, last = _seconds(start), _seconds(end)
        first -= first % period
        points: dict[int, list[Minute]] = {}
        for minute in self._minutes(table):
            # Data points lie on multiples of their period.
            point = minute.start - minute.start % period
            if first <= point < last:
                points.setdefault(point, []).append(minute)
        ordered = sorted(points, reverse=newest_first)
        return {
            "id": query["Id"],
            "label": query.get("Label") or METRIC,
            "timestamps": [_moment(point) for point in ordered],
            "values": [_statistic(stat["Stat"], points[point]) for point in ordered],
            "status_code": "Complete",
        }

    def _minutes(self, table: str) -> list[Minute]:
        """What is published of a table that is there."""
        before = clock.now_micros() / clock.MICROS_PER_SECOND
        before -= settings.current().metrics_lag_seconds
        found = self._tables().get(table)
        if found is None:
            return []
        with WRITES:
            return list(found.consumption.minutes(before))

    def _tables(self) -> dict[str, JournaledTable]:
        """The account's tables; moto's own, where only CloudWatch is ours, tell nothing."""
        tables = dynamodb_backends[self.account_id][self.region_name].tables
        return {n: table for n, table in tables.items() if isinstance(table, JournaledTable)}

    def _written(self) -> Iterator[MetricDatumBase]:
        for name in list(self._tables()):
            for minute in self._minutes(name):
                datum: Any = MetricAggregatedDatum(
                    namespace=NAMESPACE,
                    name=METRIC,
                    min_stat=minute.least,
                    max_stat=minute.most,
                    sample_count=minute.writes,
                    sum_stat=minute.units,
                    dimensions=[{"Name": "TableName", "Value": name}],
                    timestamp=_moment(minute.start).replace(tzinfo=None),  # moto's are naive UTC
                    unit="Count",
                )
                yield datum


def _table_asked_for(query: dict[str, Any]) -> str | None:
    """The table whose metric of DynamoDB's is asked for, as a plain statistic of whole minutes."""
    stat: dict[str, Any] = query.get("MetricStat") or {}
    metric: dict[str, Any] = stat.get("Metric") or {}
    dimensions: list[dict[str, str]] = metric.get("Dimensions") or []
    plain = (
        metric.get("Namespace") == NAMESPACE
        and stat.get("Stat") in _STATISTICS
        and int(stat.get("Period") or 0) % PERIOD_SECONDS == 0
        and int(stat.get("Period") or 0) > 0
        and [one["Name"] for one in dimensions] == ["TableName"]
    )
    if not plain:
        return None
    # Of DynamoDB's other metrics nothing is ever published: as of a table that is not there.
    return dimensions[0]["Value"] if metric.get("MetricName") == METRIC else ""


def _moment(seconds: int) -> datetime:
    return clock.from_micros(seconds * clock.MICROS_PER_SECOND)


def _seconds(moment: datetime) -> float:
    """Since the epoch; what moto gives without a time zone is UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _statistic(name: str, minutes: list[Minute]) -> float:
    units = sum(minute.units for minute in minutes)
    writes = sum(minute.writes for minute in minutes)
    return {
        "Sum": units,
        "SampleCount": float(writes),
        "Minimum": min(minute.least for minute in minutes),
        "Maximum": max(minute.most for minute in minutes),
        "Average": units / writes,
    }[name]
