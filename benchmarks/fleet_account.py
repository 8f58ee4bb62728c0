"""An AWS account on disk for the fleet benchmark: answers at once, exports take five seconds.

Several processes share it, as several steps share an account. Every call is one line in a file, so
that calls are counted across processes; nothing else here costs time that AWS would not.
"""

import base64
import gzip
import hashlib
import json
import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from ddb_assets.core.export import Export, ExportSummary, Pitr, TableDescription
from ddb_assets.core.locations import place_of
from ddb_assets.core.ports import CatalogTable, Gateways, StoredObject
from ddb_assets.core.request import ExportRequest
from ddb_assets.errors import ExportNotFoundError, ManifestMissingError

EXPORT = timedelta(seconds=5)
BUCKET = "fleet"
ITEMS = 100
FILES = 4
#: SDK model of ListExports: at most 25 a page.
PAGE = 25
_ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/"


class Account:
    """What all services of the account share: a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for service in ("glue", "s3"):
            (folder / service).mkdir(parents=True, exist_ok=True)
        mode = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._calls = os.open(folder / "calls", mode, 0o600)
        self._exports = os.open(folder / "exports", mode, 0o600)

    def count(self, operation: str) -> None:
        """One call."""
        os.write(self._calls, f"{operation}\n".encode())

    def gateways(self) -> Gateways:
        """The four services."""
        return Gateways(Exports(self), Files(self), Tables(self), NoQueries())

    def add_export(self, line: str) -> None:
        """Remember an export for every process."""
        os.write(self._exports, f"{line}\n".encode())

    def exports(self) -> list[str]:
        """Every export that was started, oldest first."""
        return (self.folder / "exports").read_text().splitlines()


class Exports:
    """DynamoDB."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def describe_table(self, name: str) -> TableDescription:
        """Every table there may be exists."""
        self._account.count("DescribeTable")
        return TableDescription(
            name, _ARN + name, table_id(name), "ACTIVE", (("id", "S"),), ITEMS, 10_000
        )

    def describe_pitr(self, name: str) -> Pitr:
        """Always on."""
        self._account.count("DescribeContinuousBackups")
        now = datetime.now(UTC)
        return Pitr(True, now - timedelta(days=35), now)

    def start_export(self, request: ExportRequest) -> Export:
        """The token is the export: a repeated call is the same one."""
        self._account.count("ExportTableToPointInTime")
        digest = hashlib.sha256(request.client_token.encode()).hexdigest()[:8]
        now = datetime.now(UTC)
        arn = f"{request.table_arn}/export/{int(now.timestamp() * 1000):014d}-{digest}"
        self._account.add_export(arn)
        return self._export(arn)

    def describe_export(self, arn: str) -> Export:
        """In progress for five seconds."""
        self._account.count("DescribeExport")
        return self._export(arn)

    def list_exports(self, table_arn: str | None = None) -> Iterator[ExportSummary]:
        """The account's or a table's, newest first, each page a call; at least one."""
        below = _ARN if table_arn is None else f"{table_arn}/"
        found = [arn for arn in reversed(self._account.exports()) if arn.startswith(below)]
        for page in range(max(1, -(-len(found) // PAGE))):
            self._account.count("ListExports")
            for arn in found[page * PAGE : (page + 1) * PAGE]:
                yield ExportSummary(arn, self._export(arn).status)

    def _export(self, arn: str) -> Export:
        table_arn, _, export_id = arn.partition("/export/")
        if not export_id:
            raise ExportNotFoundError(f"{arn} is no export")
        name = table_arn.removeprefix(_ARN)
        place = place_of(BUCKET, name, export_id)
        ended = place.started + EXPORT
        done = datetime.now(UTC) >= ended
        return Export(
            arn=arn,
            status="COMPLETED" if done else "IN_PROGRESS",
            table_arn=table_arn,
            table_id=table_id(name),
            bucket=BUCKET,
            prefix=name,
            export_time=place.started,
            start_time=place.started,
            end_time=ended if done else None,
            manifest_key=place.summary_key if done else None,
            item_count=ITEMS if done else None,
            billed_bytes=10_000 if done else None,
        )


class Files:
    """S3: what an export writes is a function of its id."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._made: dict[str, dict[str, bytes]] = {}

    def read(self, bucket: str, key: str) -> bytes:
        """GetObject."""
        self._account.count("GetObject")
        if (found := self._folder(key).get(key)) is not None:
            return found
        try:
            return self._file(key).read_bytes()
        except FileNotFoundError as error:
            raise ManifestMissingError(f"{key} is not there", code="NoSuchKey") from error

    def tail(self, bucket: str, key: str, count: int) -> bytes:
        """GetObject with a range."""
        return self.read(bucket, key)[-count:]

    def stream(self, bucket: str, key: str, chunk_bytes: int = 1 << 20) -> Iterator[bytes]:
        """GetObject."""
        self._account.count("GetObject")
        yield self._folder(key)[key]

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """ListObjectsV2."""
        self._account.count("ListObjectsV2")
        for key, content in sorted(self._folder(prefix).items()):
            if key.startswith(prefix):
                yield StoredObject(key, len(content), _etag(content))

    def write(self, bucket: str, key: str, body: bytes, **_encryption: object) -> None:
        """PutObject: what the product adds to an export."""
        self._account.count("PutObject")
        self._file(key).write_bytes(body)

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        """A refresh deletes nothing."""
        raise AssertionError("a refresh deletes nothing")

    def _file(self, key: str) -> Path:
        return self._account.folder / "s3" / key.replace("/", "|")

    def _folder(self, key: str) -> dict[str, bytes]:
        name, _, rest = key.partition("/AWSDynamoDB/")
        export_id = rest.partition("/")[0]
        root = f"{name}/AWSDynamoDB/{export_id}/"
        if root not in self._made:
            self._made.clear()  # tables are read one after the other
            self._made[root] = _written(name, export_id, root)
        return self._made[root]


class Tables:
    """Glue: a file per table, a version per update."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def has_database(self, database: str) -> bool:
        """It was made by hand."""
        self._account.count("GetDatabase")
        return True

    def create_database(self, database: str) -> None:
        """It is there."""
        raise AssertionError("the database exists")

    def get_table(self, database: str, table: str) -> CatalogTable | None:
        """GetTable."""
        self._account.count("GetTable")
        file = self._file(database, table)
        if not file.exists():
            return None
        version, table_input = pickle.loads(file.read_bytes())
        return CatalogTable(database, table, table_input, str(version), datetime.now(UTC))

    def create_table(self, database: str, table_input: Mapping[str, Any]) -> None:
        """CreateTable."""
        self._account.count("CreateTable")
        self._file(database, table_input["Name"]).write_bytes(pickle.dumps((0, dict(table_input))))

    def update_table(
        self, database: str, table_input: Mapping[str, Any], *, version_id: str
    ) -> None:
        """UpdateTable; nobody else writes here."""
        self._account.count("UpdateTable")
        content = pickle.dumps((int(version_id) + 1, dict(table_input)))
        self._file(database, table_input["Name"]).write_bytes(content)

    def delete_table(self, database: str, table: str) -> None:
        """A refresh of good tables undoes nothing."""
        raise AssertionError("nothing is undone")

    def table_versions(self, database: str, table: str) -> Iterator[CatalogTable]:
        """Not kept."""
        return iter(())

    def _file(self, database: str, table: str) -> Path:
        return self._account.folder / "glue" / f"{database}.{table}"


class NoQueries:
    """Athena is not asked: the tables are published with Glue."""

    def start(self, sql: str, *, database: str, workgroup: str, token: str) -> NoReturn:
        """Not asked."""
        raise AssertionError("published with Glue")

    def statuses(self, query_ids: Sequence[str]) -> NoReturn:
        """Not asked."""
        raise AssertionError("published with Glue")

    def stop(self, query_id: str) -> NoReturn:
        """Not asked."""
        raise AssertionError("published with Glue")

    def rows(self, query_id: str) -> NoReturn:
        """Not asked."""
        raise AssertionError("published with Glue")


def table_id(name: str) -> str:
    """As DynamoDB writes it; of the name."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))


def _written(name: str, export_id: str, root: str) -> dict[str, bytes]:
    """Data files and manifests of one export."""
    made: dict[str, bytes] = {}
    entries: list[bytes] = []
    for part in range(FILES):
        lines = [
            b'{"Item":{"id":{"S":"%d"},"total":{"N":"%d.25"},"tags":{"SS":["a","b"]}}}\n' % (n, n)
            for n in range(part, ITEMS, FILES)
        ]
        content = gzip.compress(b"".join(lines), mtime=0)
        key = f"{root}data/{hashlib.sha256(f'{export_id}{part}'.encode()).hexdigest()[:26]}.json.gz"
        made[key] = content
        entry = {
            "itemCount": len(lines),
            "md5Checksum": _md5(content),
            "etag": _etag(content),
            "dataFileS3Key": key,
        }
        entries.append(json.dumps(entry).encode() + b"\n")
    started = place_of(BUCKET, name, export_id).started
    summary = {
        "version": "2020-06-30",
        "exportArn": f"{_ARN}{name}/export/{export_id}",
        "startTime": _iso(started),
        "endTime": _iso(started + EXPORT),
        "tableArn": _ARN + name,
        "tableId": table_id(name),
        "exportTime": _iso(started),
        "s3Bucket": BUCKET,
        "s3Prefix": name,
        "s3SseAlgorithm": "AES256",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"{root}manifest-files.json",
        "billedSizeBytes": 10_000,
        "itemCount": ITEMS,
        "outputFormat": "DYNAMODB_JSON",
    }
    for file, content in (
        ("manifest-summary", json.dumps(summary).encode()),
        ("manifest-files", b"".join(entries)),
    ):
        made[f"{root}{file}.json"] = content
        made[f"{root}{file}.md5"] = _md5(content).encode()
    return made


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def _etag(content: bytes) -> str:
    return hashlib.md5(hashlib.md5(content).digest()).hexdigest() + "-1"


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
