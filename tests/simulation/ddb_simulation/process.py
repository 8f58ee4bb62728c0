"""One operating-system process: everything it asks of the world is one counted call."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ddb_assets.core.export import Export, ExportSummary, Pitr, TableDescription
from ddb_assets.core.operating.retention import RetentionPolicy
from ddb_assets.core.ports import (
    CatalogTable,
    ExportNote,
    Gateways,
    PastExport,
    QueryStatus,
    RefreshEvent,
    StoredObject,
)
from ddb_assets.core.request import ExportRequest

from .faults import Killed
from .promises import BrokenPromise

if TYPE_CHECKING:
    from .world import World

Answer = TypeVar("Answer")
PAGE = 25


class Process:
    """One attempt of one actor.

    Attributes:
        actor: Which actor of the case it belongs to.
        attempt: 0 for the first process of the actor.
        intent_id: The root run's id; None for what is no run (rollback, prune).
        seen_tables: DynamoDB table -> the id this process was last told.
        proofs: Keys (or listed prefixes) this process has read.
        faulted: The table of each call that was refused; None where it concerned several.
        policy: What a prune has to keep.
    """

    def __init__(
        self,
        world: "World",
        actor: int,
        attempt: int,
        *,
        intent_id: str | None = None,
        may_go_back: bool = False,
        consistent: bool = False,
    ) -> None:
        self.world = world
        self.actor = actor
        self.attempt = attempt
        self.intent_id = intent_id
        self.may_go_back = may_go_back
        self.consistent = consistent
        self.dead = False
        self.calls = 0
        self.began = world.clock.monotonic()
        self.seen_tables: dict[str, str] = {}
        self.proofs: set[str] = set()
        self.faulted: list[str | None] = []
        self.policy: RetentionPolicy | None = None
        self.gateways = Gateways(_DynamoDB(self), _Objects(self), _Catalog(self), _Queries(self))
        self.ledger = _Ledger(self)
        self.history = _History(self)
        self.clock = _Clock(self)

    def call(
        self, operation: str, subject: str, effect: Callable[[], Answer], *, seconds: float = 0.0
    ) -> Answer:
        """One call: it may be the one that goes wrong."""
        if self.dead:
            raise Killed
        return self.world.call(self, operation, subject, effect, seconds)

    def listener(self, event: RefreshEvent) -> None:
        """What a person would read; a dead process says nothing."""
        if not self.dead:
            self.world.audit.heard(self, event)

    def die(self) -> None:
        """SIGKILL."""
        self.dead = True


class _Clock:
    def __init__(self, process: Process) -> None:
        self._process = process

    def now(self) -> datetime:
        return self._process.world.clock.now()

    def monotonic(self) -> float:
        return self._process.world.clock.monotonic()

    def sleep(self, seconds: float) -> None:
        if seconds < 0:
            raise BrokenPromise("contract", "a negative sleep")
        self._process.call("clock.sleep", f"{seconds:.1f} s", lambda: None, seconds=seconds)


class _DynamoDB:
    def __init__(self, process: Process) -> None:
        self._process = process
        self._aws = process.world.dynamodb

    def describe_table(self, name: str) -> TableDescription:
        def effect() -> TableDescription:
            described = self._aws.describe_table(name)
            self._process.seen_tables[name] = described.table_id
            return described

        return self._process.call("dynamodb.describe_table", name, effect)

    def describe_pitr(self, name: str) -> Pitr:
        return self._process.call(
            "dynamodb.describe_pitr", name, lambda: self._aws.describe_pitr(name)
        )

    def start_export(self, request: ExportRequest) -> Export:
        process = self._process

        def effect() -> Export:
            export, new = self._aws.start_export(request, process.intent_id or "?")
            if new:
                process.world.audit.export_started(process, export)
            return export.described()

        table = request.table_arn.rpartition("/")[2]
        return process.call("dynamodb.start_export", table, effect)

    def describe_export(self, arn: str) -> Export:
        return self._process.call(
            "dynamodb.describe_export", arn, lambda: self._aws.describe_export(arn)
        )

    def list_exports(self, table_arn: str | None = None) -> Iterator[ExportSummary]:
        start = 0
        while True:
            found = self._process.call(
                "dynamodb.list_exports", table_arn or "*", lambda: self._aws.list_exports(table_arn)
            )
            yield from found[start : start + PAGE]
            start += PAGE
            if start >= len(found):
                return


class _Objects:
    def __init__(self, process: Process) -> None:
        self._process = process
        self._aws = process.world.s3

    def read(self, bucket: str, key: str) -> bytes:
        def effect() -> bytes:
            content = self._aws.read(bucket, key)
            self._process.proofs.add(key)
            return content

        return self._process.call("objects.read", key, effect)

    def stream(self, bucket: str, key: str, chunk_bytes: int = 1 << 20) -> Iterator[bytes]:
        content = self._process.call("objects.open", key, lambda: self._aws.open(bucket, key))
        half = (len(content) + 1) // 2
        yield content[:half]
        yield self._process.call("objects.read_on", key, lambda: content[half:])

    def tail(self, bucket: str, key: str, count: int) -> bytes:
        return self._process.call("objects.tail", key, lambda: self._aws.open(bucket, key)[-count:])

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        def effect() -> Sequence[StoredObject]:
            found = self._aws.list(bucket, prefix)
            self._process.proofs.add(prefix)
            return found

        yield from self._process.call("objects.list", prefix, effect)

    def write(self, bucket: str, key: str, body: bytes, **_encryption: object) -> None:
        self._process.call("objects.write", key, lambda: self._aws.put(bucket, key, body))

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        def effect() -> None:
            self._process.world.audit.deleting(self._process, keys)
            self._aws.delete(bucket, keys)

        self._process.call("objects.delete", keys[0] if keys else "", effect)


class _Catalog:
    def __init__(self, process: Process) -> None:
        self._process = process
        self._aws = process.world.glue

    def has_database(self, database: str) -> bool:
        return self._process.call(
            "catalog.has_database", database, lambda: database in self._aws.databases
        )

    def create_database(self, database: str) -> None:
        self._process.call(
            "catalog.create_database", database, lambda: self._aws.databases.add(database)
        )

    def get_table(self, database: str, table: str) -> CatalogTable | None:
        return self._process.call(
            "catalog.get_table", table, lambda: self._aws.get_table(database, table)
        )

    def create_table(self, database: str, table_input: Mapping[str, Any]) -> None:
        self._process.call(
            "catalog.create_table",
            str(table_input["Name"]),
            lambda: self._aws.create_table(database, table_input),
        )

    def update_table(
        self, database: str, table_input: Mapping[str, Any], *, version_id: str
    ) -> None:
        self._process.call(
            "catalog.update_table",
            str(table_input["Name"]),
            lambda: self._aws.update_table(database, table_input, version_id=version_id),
        )

    def delete_table(self, database: str, table: str) -> None:
        self._process.call(
            "catalog.delete_table", table, lambda: self._aws.delete_table(database, table)
        )

    def table_versions(self, database: str, table: str) -> Iterator[CatalogTable]:
        yield from self._process.call(
            "catalog.table_versions", table, lambda: self._aws.table_versions(database, table)
        )


class _Queries:
    def __init__(self, process: Process) -> None:
        self._process = process
        self._aws = process.world.athena

    def start(self, sql: str, *, database: str, workgroup: str, token: str) -> str:
        return self._process.call(
            "queries.start", sql, lambda: self._aws.start(sql, token, self._process)
        )

    def statuses(self, query_ids: Sequence[str]) -> dict[str, QueryStatus]:
        return self._process.call(
            "queries.statuses", ",".join(query_ids), lambda: self._aws.statuses(query_ids)
        )

    def stop(self, query_id: str) -> None:
        self._process.call("queries.stop", query_id, lambda: self._aws.stop(query_id))

    def rows(self, query_id: str) -> Iterator[tuple[str | None, ...]]:
        raise BrokenPromise("contract", "a refresh reads no rows")


class _Ledger:
    def __init__(self, process: Process) -> None:
        self._process = process

    def find(self, table: str) -> ExportNote | None:
        process = self._process
        notes = process.world.storage.notes
        return process.call(
            "dagster.find_note", table, lambda: notes.get((process.intent_id, table))
        )

    def record(self, table: str, note: ExportNote) -> None:
        process = self._process

        def effect() -> None:
            process.world.storage.notes[process.intent_id, table] = note

        process.call("dagster.note", table, effect)


class _History:
    def __init__(self, process: Process) -> None:
        self._process = process

    def durations(self, table: str) -> Sequence[PastExport]:
        past = self._process.world.storage.past
        return self._process.call(
            "dagster.history", table, lambda: tuple(reversed(past.get(table, ())))[:20]
        )

    def peers(self, table: str) -> Sequence[PastExport]:
        # No call of its own: a crash here is one in `durations`.
        past = self._process.world.storage.past
        return tuple(known[-1] for name, known in past.items() if name != table and known)
