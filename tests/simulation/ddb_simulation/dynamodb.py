"""DynamoDB: tables that change and may be replaced, exports with tokens, and what they write."""

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from ddb_assets.core.export import Export, ExportSummary, Pitr, TableDescription
from ddb_assets.core.request import ExportRequest
from ddb_assets.errors import (
    ExportNotFoundError,
    ExportNotRestorableYetError,
    ExportTimeError,
    LimitExceededError,
    PitrDisabledError,
    RequestInvalidError,
    TableNotFoundError,
)

from .objects import S3, md5_base64, multipart_etag
from .virtual_time import BEGINNING, VirtualClock

REGION, ACCOUNT = "us-east-1", "123456789012"
#: A token answers with its export until this long after that one completed (SDK model).
TOKEN_LIFE = timedelta(hours=8)
#: LatestRestorableDateTime is typically this far behind (AWS docs).
RESTORE_LAG = timedelta(minutes=5)
PITR_WINDOW = timedelta(days=35)
MAX_IN_FLIGHT = 300

#: How an export can end other than well. The first ones are AWS's FailureCodes; the others leave a
#: COMPLETED export whose objects are not what its manifests say.
Damage = Literal[
    "summary-md5",
    "files-md5",
    "summary-count",
    "file-missing",
    "file-truncated",
    "file-altered",
    "file-altered-silently",
    "line-missing",
    "stray-object",
    "other-table",
    "no-manifest",
]


@dataclass(frozen=True)
class Ending:
    """What is going to happen to one export.

    Attributes:
        seconds: How long it runs.
        failure: AWS's FailureCode, or None for COMPLETED.
        damage: What is wrong with the objects of a completed one.
        manifest_delay: Seconds from COMPLETED until the manifests can be read.
    """

    seconds: float = 420.0
    failure: str | None = None
    damage: Damage | None = None
    manifest_delay: float = 0.0


@dataclass
class SimulatedTable:
    """One incarnation of a table; a re-created one is another."""

    name: str
    table_id: str
    created: datetime
    pitr: bool = True
    deleted: datetime | None = None

    @property
    def arn(self) -> str:
        """Without the id: the same for every incarnation."""
        return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self.name}"

    def items_at(self, moment: datetime) -> list[bytes]:
        """The table's lines at a moment: it grows and changes every ten minutes."""
        age = int((moment - BEGINNING).total_seconds() // 600)
        count = 3 + age % 7
        return [
            json.dumps(
                {"Item": {"id": {"S": f"{self.table_id[:8]}-{n}"}, "seen": {"N": str(age)}}}
            ).encode()
            for n in range(count)
        ]


@dataclass
class SimulatedExport:
    """One export: the bill, the moment it is of and the objects it has to consist of."""

    request: ExportRequest
    table: SimulatedTable
    export_id: str
    started: datetime
    export_time: datetime
    ending: Ending
    paid_by: str
    status: Literal["IN_PROGRESS", "COMPLETED", "FAILED"] = "IN_PROGRESS"
    ended: datetime | None = None
    lines: list[bytes] = field(default_factory=list)
    data: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """As AWS writes it."""
        return f"{self.table.arn}/export/{self.export_id}"

    @property
    def root(self) -> str:
        """Key prefix of everything it writes."""
        prefix = f"{self.request.prefix}/" if self.request.prefix else ""
        return f"{prefix}AWSDynamoDB/{self.export_id}/"

    @property
    def location(self) -> str:
        """Where a table that reads it has to lie."""
        return f"s3://{self.request.bucket}/{self.root}data/"

    def described(self) -> Export:
        """What DescribeExport answers."""
        done = self.status == "COMPLETED"
        failure = self.ending.failure if self.status == "FAILED" else None
        return Export(
            arn=self.arn,
            status=self.status,
            table_arn=self.table.arn,
            table_id=self.table.table_id,
            bucket=self.request.bucket,
            prefix=self.request.prefix or None,
            export_time=self.export_time,
            start_time=self.started,
            end_time=self.ended,
            client_token=self.request.client_token,
            manifest_key=f"{self.root}manifest-summary.json" if done else None,
            item_count=len(self.lines) if done else None,
            billed_bytes=sum(map(len, self.lines)) if done else None,
            failure_code=failure,
            failure_message=f"The export ended with {failure}" if failure else None,
        )


class SimulatedDynamoDB:
    """Tables and exports of one account."""

    def __init__(self, clock: VirtualClock, s3: S3) -> None:
        self._clock = clock
        self._s3 = s3
        self._incarnations = 0
        self.tables: dict[str, SimulatedTable] = {}
        self.exports: dict[str, SimulatedExport] = {}
        self.by_location: dict[str, SimulatedExport] = {}
        self._tokens: dict[str, tuple[ExportRequest, SimulatedExport]] = {}
        #: How the next exports of a table end, by the number of exports it had; else `usual`.
        self.endings: dict[str, dict[int, Ending]] = {}
        self.usual = Ending()
        #: LatestRestorableDateTime is this far behind now.
        self.restore_lag = RESTORE_LAG
        #: Exports of somebody else in the account, until these moments.
        self.others: list[datetime] = []

    # -- what people do ---------------------------------------------------------------------

    def create(self, name: str) -> SimulatedTable:
        """Create a table, or re-create it with another id."""
        self._incarnations += 1
        digest = hashlib.md5(f"{name}#{self._incarnations}".encode()).hexdigest()
        table_id = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))
        self.tables[name] = SimulatedTable(name, table_id, self._clock.now())
        return self.tables[name]

    def drop(self, name: str) -> None:
        """Delete a table; its exports go on."""
        if (table := self.tables.pop(name, None)) is not None:
            table.deleted = self._clock.now()

    # -- what AWS answers -------------------------------------------------------------------

    def describe_table(self, name: str) -> TableDescription:
        """DescribeTable."""
        table = self._table(name)
        return TableDescription(table.name, table.arn, table.table_id, "ACTIVE", (("id", "S"),))

    def describe_pitr(self, name: str) -> Pitr:
        """DescribeContinuousBackups."""
        table = self._table(name)
        if not table.pitr:
            return Pitr(enabled=False)
        latest = (self._clock.now() - self.restore_lag).replace(microsecond=0)
        return Pitr(enabled=True, earliest=latest - PITR_WINDOW, latest=latest)

    def start_export(self, request: ExportRequest, paid_by: str) -> tuple[SimulatedExport, bool]:
        """ExportTableToPointInTime: the export, and whether it is a new one."""
        table = self._table(request.table_arn.rpartition("/")[2])
        now = self._clock.now()
        if (known := self._tokens.get(request.client_token)) is not None:
            asked, export = known
            if export.ended is None or now <= export.ended + TOKEN_LIFE:
                if _parameters(asked) != _parameters(request):
                    raise RequestInvalidError(
                        "Duplicate request detected",
                        code="ExportConflictException",
                        remedy="Send the parameters the token was first used with.",
                    )
                return export, False
        self._refuse(table, request, now)
        running = sum(e.status == "IN_PROGRESS" for e in self.exports.values())
        if running + sum(end > now for end in self.others) >= MAX_IN_FLIGHT:
            raise LimitExceededError(
                "300 exports are running",
                code="LimitExceededException",
                remedy="Wait until some have ended.",
            )
        export = self._begin(table, request, now, paid_by)
        self._tokens[request.client_token] = (request, export)
        return export, True

    def describe_export(self, arn: str) -> Export:
        """DescribeExport; it goes on answering after its table was deleted."""
        if (export := self.exports.get(arn)) is None:
            raise ExportNotFoundError(
                f"there is no export {arn}",
                code="ExportNotFoundException",
                remedy="List the table's exports.",
            )
        return export.described()

    def list_exports(self, table_arn: str | None) -> list[ExportSummary]:
        """Newest first within a table; by ARN only those of the incarnation that lives."""
        living = {id(table) for table in self.tables.values()}
        found = [
            export
            for export in self.exports.values()
            if table_arn is None or (export.table.arn == table_arn and id(export.table) in living)
        ]
        found.sort(key=lambda export: export.export_id, reverse=True)
        return [ExportSummary(export.arn, export.status) for export in found]

    # -- what AWS does ----------------------------------------------------------------------

    def _table(self, name: str) -> SimulatedTable:
        if (table := self.tables.get(name)) is None:
            raise TableNotFoundError(
                f"Table not found: {name}",
                code="TableNotFoundException",
                remedy="Create the table or take it out of the declaration.",
            )
        return table

    def _refuse(self, table: SimulatedTable, request: ExportRequest, now: datetime) -> None:
        if not table.pitr:
            raise PitrDisabledError(
                f"Point in time recovery is not enabled for table '{table.name}'",
                code="PointInTimeRecoveryUnavailableException",
                remedy=f"aws dynamodb update-continuous-backups --table-name {table.name} …",
            )
        if (moment := request.export_time) is None:
            return
        if moment.microsecond:
            raise AssertionError("an export time is a whole second")
        if moment > now - self.restore_lag:
            raise ExportNotRestorableYetError(
                "the export time cannot be restored yet",
                code="InvalidExportTimeException",
                remedy="Wait a few minutes.",
            )
        if moment < now - self.restore_lag - PITR_WINDOW:
            raise ExportTimeError(
                "the export time is before the earliest restorable time",
                code="InvalidExportTimeException",
                remedy="Choose a later one.",
            )

    def _begin(
        self, table: SimulatedTable, request: ExportRequest, now: datetime, paid_by: str
    ) -> SimulatedExport:
        millis = int(now.timestamp() * 1000)
        suffix = hashlib.md5(f"{len(self.exports)}".encode()).hexdigest()[:8]
        of_table = sum(e.table.name == table.name for e in self.exports.values())
        ending = self.endings.get(table.name, {}).get(of_table, self.usual)
        if request.bucket not in self._s3.buckets:
            ending = Ending(seconds=5.0, failure="S3NoSuchBucket")
        whole = now.replace(microsecond=now.microsecond // 1000 * 1000)
        export = SimulatedExport(
            request=request,
            table=table,
            export_id=f"{millis:014d}-{suffix}",
            started=now,
            export_time=request.export_time or whole,
            ending=ending,
            paid_by=paid_by,
        )
        export.lines = table.items_at(export.export_time)
        self.exports[export.arn] = export
        self.by_location[export.location] = export
        self._clock.after(ending.seconds, lambda: self._end(export))
        return export

    def _end(self, export: SimulatedExport) -> None:
        export.ended = self._clock.now()
        gone = export.request.bucket not in self._s3.buckets
        if export.ending.failure or gone:
            export.status = "FAILED"
            if gone:
                export.ending = replace(export.ending, failure="S3NoSuchBucket")
            return
        export.status = "COMPLETED"
        _write_data(export)
        damage = export.ending.damage
        put = self._s3.put
        bucket = export.request.bucket
        put(bucket, f"{export.root}_started", b"")
        for index, (key, content) in enumerate(export.data.items()):
            if index != len(export.data) - 1:
                put(bucket, key, content)
            elif damage == "file-truncated":
                put(bucket, key, content[:-1])
            elif damage == "file-altered":
                put(bucket, key, content[:-1] + bytes([content[-1] ^ 1]))
            elif damage == "file-altered-silently":
                changed = content[:-1] + bytes([content[-1] ^ 1])
                put(bucket, key, changed, etag=multipart_etag(content))
            elif damage != "file-missing":
                put(bucket, key, content)
        if damage == "stray-object":
            put(bucket, f"{export.root}data/copy-of-a-file.json.gz", gzip.compress(b"{}", mtime=0))
        if damage != "no-manifest":
            _write_manifests(export)
            self._clock.after(export.ending.manifest_delay, lambda: self._show_manifests(export))

    def _show_manifests(self, export: SimulatedExport) -> None:
        if export.request.bucket in self._s3.buckets:
            for key, content in export.manifests.items():
                self._s3.put(export.request.bucket, key, content)


def _parameters(request: ExportRequest) -> tuple[Any, ...]:
    """What AWS compares when a token comes again: everything that is sent."""
    return (
        request.table_arn,
        request.bucket,
        request.prefix,
        request.export_time,
        request.bucket_owner,
        request.sse_algorithm,
        request.kms_key_id,
        request.filter,
        request.kind,
    )


def _write_data(export: SimulatedExport) -> None:
    """An empty partition first (real exports), then the items over two partitions."""
    for part, lines in enumerate(([], export.lines[0::2], export.lines[1::2])):
        digest = hashlib.sha256(f"{export.export_id}/{part}".encode()).digest()
        name = base64.b32encode(digest)[:26].lower().decode()
        body = b"".join(line + b"\n" for line in lines)
        export.data[f"{export.root}data/{name}.json.gz"] = gzip.compress(body, mtime=0)


def _write_manifests(export: SimulatedExport) -> None:
    damage = export.ending.damage
    entries = [
        {
            "itemCount": gzip.decompress(content).count(b"\n"),
            "md5Checksum": md5_base64(content),
            "etag": multipart_etag(content),
            "dataFileS3Key": key,
        }
        for key, content in export.data.items()
    ]
    items = sum(int(entry["itemCount"]) for entry in entries)
    if damage == "line-missing":
        entries.pop()
    files = b"".join(json.dumps(e, separators=(",", ":")).encode() + b"\n" for e in entries)
    other = "0000000a-0000-4000-8000-000000000000"
    summary = json.dumps(
        {
            "version": "2020-06-30",
            "exportArn": export.arn,
            "startTime": _iso(export.started),
            "endTime": _iso(export.ended or export.started),
            "tableArn": export.table.arn,
            "tableId": other if damage == "other-table" else export.table.table_id,
            "exportTime": _iso(export.export_time),
            "s3Bucket": export.request.bucket,
            "s3Prefix": export.request.prefix or None,
            "s3SseAlgorithm": export.request.sse_algorithm or "AES256",
            "s3SseKmsKeyId": export.request.kms_key_id,
            "manifestFilesS3Key": f"{export.root}manifest-files.json",
            "billedSizeBytes": sum(map(len, export.lines)),
            "itemCount": items + 1 if damage == "summary-count" else items,
            "outputFormat": "DYNAMODB_JSON",
        },
        separators=(",", ":"),
    ).encode()
    root = export.root
    export.manifests = {
        f"{root}manifest-files.json": files,
        f"{root}manifest-files.md5": _checksum(files, wrong=damage == "files-md5"),
        f"{root}manifest-summary.json": summary,
        f"{root}manifest-summary.md5": _checksum(summary, wrong=damage == "summary-md5"),
    }


def _checksum(content: bytes, *, wrong: bool) -> bytes:
    return md5_base64(content + b"?" if wrong else content).encode()


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
