"""An AWS of plain dictionaries for the core's tests: small, exact where it matters, scriptable."""

# ruff: noqa: D102 - the methods do what the protocols they implement say

import base64
import gzip
import hashlib
import io
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ddb_assets.core.export import Export, ExportSummary, Pitr, TableDescription
from ddb_assets.core.options import RefreshOptions
from ddb_assets.core.outcome import Outcome
from ddb_assets.core.ports import (
    CatalogTable,
    ExportNote,
    Gateways,
    PastExport,
    QueryStatus,
    RefreshEvent,
    StoredObject,
)
from ddb_assets.core.refreshing.refresh import refresh
from ddb_assets.core.request import ExportRequest
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import (
    ExportNotFoundError,
    ExportObjectsGoneError,
    ManifestMissingError,
    RequestInvalidError,
    TableNotFoundError,
    VersionConflictError,
)

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
ACCOUNT = "arn:aws:dynamodb:us-east-1:123456789012:table"
ITEMS = [{"userId": {"S": "a"}, "createAt": {"N": "1"}}, {"userId": {"S": "b"}}]


class FakeClock:
    """Time that only passes where somebody sleeps or a call takes time."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.alarms: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        end = self.seconds + seconds
        for alarm in sorted(self.alarms, key=lambda a: a[0]):
            if alarm[0] <= end:
                self.alarms.remove(alarm)
                self.seconds = max(self.seconds, alarm[0])
                alarm[1]()
        self.seconds = end

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something when the time comes."""
        self.alarms.append((seconds, action))


@dataclass
class Running:
    request: ExportRequest
    export: Export
    done_at: float
    items: list[dict[str, Any]]
    failure: tuple[str, str] | None = None
    written: bool = False


@dataclass
class FakeAws:
    """All four services; `calls` counts, `faults` raises, `before` runs a hook before a call."""

    clock: FakeClock
    export_seconds: float = 300.0
    calls: list[tuple[str, str]] = field(default_factory=list)
    faults: dict[str, list[BaseException | None]] = field(default_factory=lambda: defaultdict(list))
    lost: dict[str, list[BaseException]] = field(default_factory=lambda: defaultdict(list))
    tables: dict[str, TableDescription] = field(default_factory=dict)
    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    pitr: dict[str, Pitr] = field(default_factory=dict)
    exports: dict[str, Running] = field(default_factory=dict)
    failures: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    seconds: dict[str, float] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    encrypted: dict[str, dict[str, Any]] = field(default_factory=dict)
    databases: set[str] = field(default_factory=set)
    glue: dict[str, list[tuple[dict[str, Any], datetime]]] = field(default_factory=dict)
    queries: dict[str, dict[str, Any]] = field(default_factory=dict)
    query_ends: list[str] = field(default_factory=list)
    unloaded_rows: int | None = None
    tamper: Callable[[str, bytes], bytes] | None = None
    hooks: dict[str, list[Callable[[], None]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def gateways(self) -> Gateways:
        return Gateways(self, self, self, self)  # type: ignore[arg-type]

    def count(self, operation: str, subject: str | None = None) -> int:
        return sum(o == operation and subject in {None, s} for o, s in self.calls)

    def called(self, operation: str, subject: str) -> None:
        self.calls.append((operation, subject))
        for key in (f"{operation} {subject}", operation):
            if self.hooks[key]:
                self.hooks[key].pop(0)()
            if self.faults[key]:
                fault = self.faults[key].pop(0)
                if fault is not None:
                    raise fault

    def answered(self, operation: str) -> None:
        """The call took effect; its answer may be lost."""
        if self.lost[operation]:
            raise self.lost[operation].pop(0)

    # DynamoDB

    def create(self, name: str, items: list[dict[str, Any]] | None = None) -> None:
        number = len(self.exports) + len(self.tables) + 1
        self.tables[name] = TableDescription(
            name, f"{ACCOUNT}/{name}", f"id-{name}-{number}", "ACTIVE", (("userId", "S"),)
        )
        self.items[name] = ITEMS if items is None else items
        self.pitr[name] = Pitr(True, START - timedelta(days=30))

    def describe_table(self, name: str) -> TableDescription:
        self.called("describe_table", name)
        if name not in self.tables:
            raise TableNotFoundError("there is no such table")
        return self.tables[name]

    def describe_pitr(self, name: str) -> Pitr:
        self.called("describe_pitr", name)
        latest = self.clock.now() - timedelta(seconds=300)
        return replace(self.pitr[name], latest=self.pitr[name].latest or latest)

    def tags(self, table_arn: str) -> dict[str, str]:
        name = table_arn.rpartition("/")[2]
        self.called("tags", name)
        return {"table": name}

    def start_export(self, request: ExportRequest) -> Export:
        name = request.table_arn.rpartition("/")[2]
        self.called("start_export", name)
        for running in self.exports.values():
            if running.request.client_token == request.client_token:
                if running.request != request:
                    raise RequestInvalidError("Duplicate request detected")
                return self._now(running)
        now = self.clock.now()
        export_id = f"{int(now.timestamp() * 1000):014d}-{len(self.exports):08x}"
        moment = request.export_time or now
        export = Export(
            arn=f"{request.table_arn}/export/{export_id}",
            status="IN_PROGRESS",
            table_arn=request.table_arn,
            table_id=request.table_id,
            bucket=request.bucket,
            prefix=request.prefix,
            export_time=moment,
            start_time=now,
            client_token=request.client_token,
        )
        failure = self.failures[name].pop(0) if self.failures[name] else None
        done = self.clock.seconds + self.seconds.get(name, self.export_seconds)
        self.exports[export.arn] = Running(request, export, done, self.items[name], failure)
        self.answered("start_export")
        return export

    def describe_export(self, arn: str) -> Export:
        self.called("describe_export", arn)
        if arn not in self.exports:
            raise ExportNotFoundError("no such export")
        return self._now(self.exports[arn])

    def list_exports(self, table_arn: str | None = None) -> Iterator[ExportSummary]:
        found = [a for a in reversed(self.exports) if table_arn is None or a.startswith(table_arn)]
        for number, arn in enumerate(found):
            if number % 25 == 0:
                self.called("list_exports", table_arn or "")
            yield ExportSummary(arn, self._now(self.exports[arn]).status)

    def _now(self, running: Running) -> Export:
        if self.clock.seconds < running.done_at:
            return running.export
        end = START + timedelta(seconds=running.done_at)
        if running.failure:
            code, message = running.failure
            return replace(
                running.export,
                status="FAILED",
                end_time=end,
                failure_code=code,
                failure_message=message,
            )
        done = replace(
            running.export,
            status="COMPLETED",
            end_time=end,
            item_count=len(running.items),
            manifest_key=f"{self._root(running.export)}manifest-summary.json",
        )
        if not running.written:
            running.written = True
            self._write(done, running.items)
        return done

    # S3

    @staticmethod
    def _root(export: Export) -> str:
        return f"{export.prefix}/AWSDynamoDB/{export.export_id}/"

    def put(self, key: str, body: bytes) -> None:
        self.objects[key] = body
        self.etags[key] = f"{hashlib.md5(hashlib.md5(body).digest()).hexdigest()}-1"

    def _write(self, export: Export, items: list[dict[str, Any]]) -> None:
        root = self._root(export)
        lines: list[bytes] = []
        for number, part in enumerate((items[::2], items[1::2], [])):
            body = gzip.compress(b"".join(json.dumps({"Item": i}).encode() + b"\n" for i in part))
            key = f"{root}data/part{number}.json.gz"
            self.put(key, body)
            entry = {
                "itemCount": len(part),
                "md5Checksum": base64.b64encode(hashlib.md5(body).digest()).decode(),
                "etag": self.etags[key],
                "dataFileS3Key": key,
            }
            lines.append(json.dumps(entry).encode() + b"\n")
        assert export.end_time is not None
        assert export.start_time is not None
        assert export.export_time is not None
        summary = {
            "version": "2020-06-30",
            "exportArn": export.arn,
            "startTime": export.start_time.isoformat(),
            "endTime": export.end_time.isoformat(),
            "tableArn": export.table_arn,
            "tableId": export.table_id,
            "exportTime": export.export_time.isoformat(),
            "s3Bucket": export.bucket,
            "s3Prefix": export.prefix,
            "manifestFilesS3Key": f"{root}manifest-files.json",
            "billedSizeBytes": 0,
            "itemCount": len(items),
            "outputFormat": "DYNAMODB_JSON",
        }
        for name, body in (
            ("manifest-summary", json.dumps(summary).encode()),
            ("manifest-files", b"".join(lines)),
        ):
            self.put(f"{root}{name}.json", body)
            self.put(f"{root}{name}.md5", base64.b64encode(hashlib.md5(body).digest()))
        if self.tamper is not None:
            for key in [k for k in self.objects if k.startswith(root)]:
                self.objects[key] = self.tamper(key, self.objects[key])

    def read(self, bucket: str, key: str) -> bytes:
        self.called("read", key.rpartition("/")[2])
        if key not in self.objects:
            raise ManifestMissingError(f"s3://{bucket}/{key} is not there", code="NoSuchKey")
        return self.objects[key]

    def stream(self, bucket: str, key: str, chunk_bytes: int = 7) -> Iterator[bytes]:
        self.called("stream", key.rpartition("/")[2])
        if key not in self.objects:
            raise ExportObjectsGoneError(f"s3://{bucket}/{key} is not there")
        body = self.objects[key]
        for start in range(0, len(body), 7):
            self.called("chunk", key.rpartition("/")[2])
            yield body[start : start + 7]

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        self.called("list", prefix)
        for key in sorted(self.objects):
            if key.startswith(prefix):
                yield StoredObject(key, len(self.objects[key]), self.etags[key])

    def write(self, bucket: str, key: str, body: bytes, **encryption: Any) -> None:
        self.called("write", key.rpartition("/")[2])
        self.encrypted[key] = encryption
        self.put(key, body)
        self.answered("write")

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        for key in keys:
            self.called("delete", key)
            self.objects.pop(key, None)

    # Glue

    def has_database(self, database: str) -> bool:
        self.called("has_database", database)
        return database in self.databases

    def create_database(self, database: str) -> None:
        self.called("create_database", database)
        self.databases.add(database)

    def get_table(self, database: str, table: str) -> CatalogTable | None:
        self.called("get_table", table)
        versions = self.glue.get(table)
        return self._version(database, table, len(versions) - 1) if versions else None

    def _version(self, database: str, table: str, number: int) -> CatalogTable:
        body, updated = self.glue[table][number]
        return CatalogTable(database, table, deepcopy(body), str(number), updated)

    def create_table(self, database: str, table_input: Any) -> None:
        self.called("create_table", table_input["Name"])
        assert database in self.databases
        if table_input["Name"] in self.glue:
            raise VersionConflictError("it exists")
        self.glue[table_input["Name"]] = [(deepcopy(dict(table_input)), self.clock.now())]
        self.answered("create_table")

    def update_table(self, database: str, table_input: Any, *, version_id: str) -> None:
        name = table_input["Name"]
        self.called("update_table", name)
        if str(len(self.glue[name]) - 1) != version_id:
            raise VersionConflictError("it is another version")
        self.glue[name].append((deepcopy(dict(table_input)), self.clock.now()))
        self.answered("update_table")

    def delete_table(self, database: str, table: str) -> None:
        self.called("delete_table", table)
        self.glue.pop(table, None)

    def table_versions(self, database: str, table: str) -> Iterator[CatalogTable]:
        self.called("table_versions", table)
        for number in reversed(range(len(self.glue.get(table, ())))):
            yield self._version(database, table, number)

    def location(self, table: str) -> str | None:
        if table not in self.glue:
            return None
        return self.glue[table][-1][0]["StorageDescriptor"]["Location"]

    # Athena

    def start(self, sql: str, *, database: str, workgroup: str, token: str) -> str:
        self.called("start", sql)
        assert 32 <= len(token) <= 128
        for query_id, query in self.queries.items():
            if query["token"] == token:
                assert query["sql"] == sql
                return query_id
        query_id = f"query-{len(self.queries)}"
        end = self.query_ends.pop(0) if self.query_ends else "SUCCEEDED"
        self.queries[query_id] = {
            "token": token,
            "sql": sql,
            "end": end,
            "workgroup": workgroup,
            "at": self.clock.seconds + 1.0,
            "state": "QUEUED",
        }
        self.answered("start")
        return query_id

    @property
    def active_queries(self) -> int:
        return sum(q["state"] == "QUEUED" for q in self.queries.values())

    def statuses(self, query_ids: Sequence[str]) -> dict[str, QueryStatus]:
        self.called("statuses", ",".join(query_ids))
        for query in self.queries.values():
            if query["state"] == "QUEUED" and self.clock.seconds >= query["at"]:
                if query["end"] == "STUCK":
                    continue
                query["state"] = query["end"].partition(" ")[0]
                if query["state"] == "SUCCEEDED" and query["sql"].startswith("ALTER"):
                    self.set_location(query["sql"])
                if query["sql"].startswith("UNLOAD"):
                    self.unload(query)
        return {
            query_id: QueryStatus(
                query_id,
                self.queries[query_id]["state"],
                reason=self.queries[query_id]["end"],
                retryable="retryable" in self.queries[query_id]["end"],
            )
            for query_id in query_ids
        }

    def unload(self, query: dict[str, Any]) -> None:
        """Only rows of the files between the bounds are written; a failed query leaves a part."""
        _, first, _, after, _, target = query["sql"].split("'")[:6]
        folder = target.split("/", 3)[3]
        if any(key.startswith(folder) for key in self.objects):
            query.update(state="FAILED", end="FAILED HIVE_PATH_ALREADY_EXISTS")
            return
        table = query["sql"].split('FROM "')[1].split('"')[2]
        data = (self.location(table) or "").split("/", 3)[3]
        rows = [
            line
            for key, body in self.objects.items()
            if key.startswith(data) and first <= f"s3://exports/{key}" < after
            for line in gzip.decompress(body).splitlines()
        ]
        if query["state"] != "SUCCEEDED":
            rows = rows[: len(rows) // 2]
        rows = rows[: self.unloaded_rows]
        for number, part in enumerate((rows[::2], rows[1::2])):
            if part:
                sink = io.BytesIO()
                pq.write_table(pa.table({"line": part}), sink)
                self.put(f"{folder}2026_{number}", sink.getvalue())

    def tail(self, bucket: str, key: str, count: int) -> bytes:
        self.called("tail", key.rpartition("/")[2])
        if key not in self.objects:
            raise ExportObjectsGoneError(f"s3://{bucket}/{key} is not there")
        return self.objects[key][-count:]

    def set_location(self, sql: str) -> None:
        """What `ALTER TABLE … SET LOCATION` does to Glue: the location alone, no version asked."""
        table = sql.split("`")[3]
        body = deepcopy(self.glue[table][-1][0])
        body["StorageDescriptor"]["Location"] = sql.split("'")[1]
        self.glue[table].append((body, self.clock.now()))

    def rows(self, query_id: str) -> Iterator[tuple[str | None, ...]]:
        """Of `SELECT count(*) FROM "database"."table"`: what lies at the table's location."""
        self.called("rows", query_id)
        prefix = (self.location(self.queries[query_id]["sql"].split('"')[3]) or "").split("/", 3)[3]
        bodies = [gzip.decompress(b) for k, b in self.objects.items() if k.startswith(prefix)]
        yield ("_col0",)
        yield (str(sum(body.count(b"\n") for body in bodies)),)

    def stop(self, query_id: str) -> None:
        self.called("stop", query_id)
        self.queries[query_id]["state"] = "CANCELLED"


class FakeLedger:
    """Notes that survive the process."""

    def __init__(self) -> None:
        self.notes: dict[str, ExportNote] = {}

    def find(self, table: str) -> ExportNote | None:
        return self.notes.get(table)

    def record(self, table: str, note: ExportNote) -> None:
        self.notes[table] = note


class FakeHistory:
    def __init__(self) -> None:
        self.past: dict[str, list[PastExport]] = {}

    def durations(self, table: str) -> Sequence[PastExport]:
        return self.past.get(table, [])

    def peers(self, table: str) -> Sequence[PastExport]:
        return [past[0] for name, past in self.past.items() if name != table and past]


class World:
    """A fake AWS and the runs against it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.aws = FakeAws(self.clock)
        self.ledgers: dict[str, FakeLedger] = defaultdict(FakeLedger)
        self.history = FakeHistory()
        self.events: list[RefreshEvent] = []

    def table(self, name: str, items: list[dict[str, Any]] | None = None, **spec: Any) -> TableSpec:
        self.aws.create(name, items)
        return self.spec(name, **spec)

    def spec(self, name: str, **spec: Any) -> TableSpec:
        values = {"database": "ddb", "table": name.lower(), "bucket": "exports", "prefix": name}
        return TableSpec(name=name, **{**values, **spec})

    def landing(
        self,
        *specs: TableSpec,
        run: str = "run-1",
        started_at: datetime | None = None,
        **options: Any,
    ) -> Iterator[Outcome]:
        """Outcomes as they land."""
        return refresh(
            specs,
            intent_id=run,
            started_at=started_at or self.clock.now(),
            gateways=self.aws.gateways,
            ledger=self.ledgers[run],
            history=self.history,
            listener=self.events.append,
            clock=self.clock,
            options=RefreshOptions(**options),
            rng=random.Random(7),
        )

    def refresh(self, *specs: TableSpec, **options: Any) -> dict[str, Any]:
        """All outcomes by table."""
        return {o.spec.name: o for o in self.landing(*specs, **options)}

    def stages(self, table: str) -> list[str]:
        return [e.stage for e in self.events if e.table == table]


@pytest.fixture
def world() -> World:
    """A fresh AWS, clock and ledger."""
    return World()


@pytest.fixture
def errors() -> SimpleNamespace:
    """The error classes by name."""
    import ddb_assets.errors as module  # noqa: PLC0415 - all of it, for tests only

    return SimpleNamespace(**vars(module))
