"""CloudWatch: when DynamoDB tables were last written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ddb_assets.aws.answers import impossible, required, utc
from ddb_assets.aws.errors import refused, translated
from ddb_assets.aws.subject import Subject
from ddb_assets.core.operating.changes import WRITE_METRICS
from ddb_assets.errors import ServiceUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


class CloudWatchGateway:
    """`core.operating.changes.WriteMetrics` over boto3."""

    def __init__(self, client: Callable[[], CloudWatchClient]) -> None:
        """Make the gateway; the client is asked for at each call and may be made then."""
        self._client = client

    def last_writes(
        self, tables: Sequence[str], *, start: datetime, end: datetime, period_seconds: int
    ) -> Mapping[str, datetime]:
        """The end of the last period with a write, for each table that had one.

        Raises:
            AccessDeniedError: cloudwatch:GetMetricData is not allowed.
            ServiceUnavailableError: CloudWatch gave only a part of the answer.
        """
        last: dict[str, datetime] = {}
        for result in self._results(tables, start, end, period_seconds):
            table = tables[int(result["Id"].rpartition("_")[2])]
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                begin = utc(moment)
                if value > 0 and begin is not None:
                    ended = begin + timedelta(seconds=period_seconds)
                    last[table] = max(ended, last.get(table, ended))
        return last

    def _results(
        self, tables: Sequence[str], start: datetime, end: datetime, period: int
    ) -> Iterator[dict[str, Any]]:
        request: dict[str, Any] = {
            "MetricDataQueries": queries(tables, period),
            "StartTime": start,
            "EndTime": end,
            "ScanBy": "TimestampDescending",
        }
        while True:
            with translated(Subject()):
                page: Any = self._client().get_metric_data(**request)
                for result in required(page, "MetricDataResults", "GetMetricData"):
                    _refuse_partial(result, more=bool(page.get("NextToken")))
                    yield result
            token = page.get("NextToken")
            if not token:
                return
            if token == request.get("NextToken"):
                raise impossible("GetMetricData gave the same NextToken twice")
            request["NextToken"] = token


def queries(tables: Sequence[str], period_seconds: int) -> list[dict[str, Any]]:
    """One query per table and metric; an id says which table it is of."""
    return [
        {
            # AWS page MetricDataQuery: an id begins with a lower-case letter.
            "Id": f"{name[0].lower()}_{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/DynamoDB",
                    "MetricName": name,
                    "Dimensions": [{"Name": "TableName", "Value": table}],
                },
                "Period": period_seconds,
                "Stat": "Sum",
            },
        }
        for number, table in enumerate(tables)
        for name in WRITE_METRICS
    ]


def _refuse_partial(result: dict[str, Any], *, more: bool) -> None:
    # AWS page MetricDataResult: PartialData is completed by the next page.
    status = result.get("StatusCode", "Complete")
    if status == "Forbidden":
        raise refused("Forbidden", "access to the metric is denied", "GetMetricData", Subject())
    if status == "InternalError" or (status == "PartialData" and not more):
        raise ServiceUnavailableError(
            f"GetMetricData answered {status}", code=status, remedy="it is asked again later"
        )
