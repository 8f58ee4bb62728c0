"""What DynamoDB says of a table, its point-in-time recovery and its exports."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

ExportStatus = Literal["IN_PROGRESS", "COMPLETED", "FAILED"]
KeyType = Literal["S", "N", "B"]


@dataclass(frozen=True)
class TableDescription:
    """The live table, from DescribeTable.

    Attributes:
        keys: Partition key and, if there is one, sort key: (attribute name, type).
        item_count: Updated by AWS about every six hours.
        size_bytes: Likewise.
    """

    name: str
    arn: str
    table_id: str
    status: str
    keys: tuple[tuple[str, KeyType], ...]
    item_count: int = 0
    size_bytes: int = 0
    raw: dict[str, Any] = field(default_factory=dict[str, Any], compare=False, repr=False)


@dataclass(frozen=True)
class Pitr:
    """Point-in-time recovery, from DescribeContinuousBackups (`PointInTimeRecoveryStatus`).

    Attributes:
        earliest: The first moment that can be exported; None while it is off.
        latest: The last moment, some minutes ago.
        recovery_days: How far back it is kept once it has been on for so long; 1 to 35.
    """

    enabled: bool
    earliest: datetime | None = None
    latest: datetime | None = None
    recovery_days: int | None = None


@dataclass(frozen=True)
class Export:
    """One export as DescribeExport shows it.

    Attributes:
        arn: `…:table/NAME/export/ID`.
        manifest_key: S3 key of manifest-summary.json; there once the export is completed.
        export_time: The moment the data is of; None for incremental exports.
        billed_bytes: What AWS bills; known at the end.
    """

    arn: str
    status: ExportStatus
    table_arn: str
    table_id: str
    bucket: str
    prefix: str | None = None
    export_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    client_token: str | None = None
    manifest_key: str | None = None
    item_count: int | None = None
    billed_bytes: int | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    kind: str = "FULL_EXPORT"
    export_format: str = "DYNAMODB_JSON"
    raw: dict[str, Any] = field(default_factory=dict[str, Any], compare=False, repr=False)

    @property
    def export_id(self) -> str:
        """The ARN's last part: start time in milliseconds, a hyphen, eight hex digits."""
        return self.arn.rpartition("/")[2]

    @property
    def done(self) -> bool:
        """Whether AWS has ended it, well or badly."""
        return self.status != "IN_PROGRESS"


@dataclass(frozen=True)
class ExportSummary:
    """One line of ListExports."""

    arn: str
    status: ExportStatus
    kind: str = "FULL_EXPORT"
