"""Tables, exports and what an export writes: data files, manifests and what may be wrong."""

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ddb_assets.core.export import Export
from ddb_assets.core.request import ExportRequest

from .objects import S3, md5_base64, multipart_etag
from .virtual_time import BEGINNING

REGION, ACCOUNT = "us-east-1", "123456789012"

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


def write_export(export: SimulatedExport, s3: S3) -> None:
    """Make the objects and store the data files; the manifests are left to be shown later."""
    _write_data(export)
    _write_manifests(export)
    damage = export.ending.damage
    put = s3.put
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
