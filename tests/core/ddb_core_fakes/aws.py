"""The fake AWS: DynamoDB, and calls that can be counted, refused or lose their answers."""

# ruff: noqa: D102 - the methods do what the protocols they implement say

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ddb_assets.core.export import Export, ExportSummary, Pitr, TableDescription
from ddb_assets.core.ports import (
    Gateways,
)
from ddb_assets.core.request import ExportRequest
from ddb_assets.errors import (
    ExportNotFoundError,
    RequestInvalidError,
    TableNotFoundError,
)
from ddb_core_fakes.clock import ACCOUNT, ITEMS, START, FakeClock
from ddb_core_fakes.stores import FakeStores


@dataclass
class Running:
    request: ExportRequest
    export: Export
    done_at: float
    items: list[dict[str, Any]]
    failure: tuple[str, str] | None = None
    written: bool = False


@dataclass
class FakeAws(FakeStores):
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
