"""How each table stands: what it shows, how old that is, what runs and what waits."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ddb_assets.core.clock import Clock, SystemClock
from ddb_assets.core.export import Export, ExportSummary
from ddb_assets.core.locations import place_of
from ddb_assets.core.operating.operator import finish, ignore, operator_context
from ddb_assets.core.ports import Gateways, Listener
from ddb_assets.core.publishing.publish import read_table
from ddb_assets.core.publishing.publish_copy import copied_export, read_copy
from ddb_assets.core.publishing.published import PublishedExport, published_export
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import DdbAssetsError

#: Exports of one table looked at, newest first: ten pages of ListExports.
MAX_EXPORTS = 250


@dataclass(frozen=True)
class TableStatus:
    """One table.

    Attributes:
        published: The export the Athena table shows; None if it does not exist or shows none.
        age_seconds: How old the data it shows is.
        running: Exports in progress.
        copied: The export the typed copy shows; None where there is no copy.
        newer: Completed full exports of a later moment, not published, newest first.
        error: Why the table could not be looked at.
    """

    spec: TableSpec
    published: PublishedExport | None = None
    age_seconds: float | None = None
    running: tuple[Export, ...] = ()
    newer: tuple[Export, ...] = ()
    error: DdbAssetsError | None = None
    copied: PublishedExport | None = None

    @property
    def copy_differs(self) -> bool:
        """Whether a copy is wanted and does not show what the table shows."""
        if self.error is not None or self.published is None or self.spec.typed_copy is None:
            return False
        return self.copied is None or self.copied.place != self.published.place

    @property
    def items(self) -> int | None:
        """How many items it shows."""
        return self.published.items if self.published is not None else None


def statuses(
    specs: Sequence[TableSpec],
    *,
    gateways: Gateways,
    listener: Listener = ignore,
    clock: Clock | None = None,
    patience_seconds: float = math.inf,
) -> Iterator[TableStatus]:
    """The status of each table, in order; one table's trouble is in its status.

    Args:
        specs: The tables.
        gateways: The account.
        listener: Hears of calls that are tried again.
        clock: Time and sleep.
        patience_seconds: How long one call is tried again at most.
    """
    clock = clock or SystemClock()
    run = operator_context(gateways, clock, listener=listener, patience_seconds=patience_seconds)
    for spec in specs:
        try:
            yield finish(status_of(run, spec), clock)
        except DdbAssetsError as error:
            yield TableStatus(spec, error=error.for_table(spec.name))


def table_status(spec: TableSpec, *, gateways: Gateways, clock: Clock | None = None) -> TableStatus:
    """The status of one table."""
    (status,) = statuses([spec], gateways=gateways, clock=clock)
    return status


def status_of(run: RunContext, spec: TableSpec) -> Task[TableStatus]:
    """The status of one table; raises what could not be looked at."""
    dynamodb = run.gateways.dynamodb
    table = yield from read_table(run, spec)
    published = yield from published_export(run, spec.name, table)
    copied = yield from copied_export(run, spec.name, (yield from read_copy(run, spec)))
    description = yield from run.call(
        spec.name, "describe the table", lambda: dynamodb.describe_table(spec.name)
    )
    since = published.place.started if published is not None else None
    summaries = yield from run.call(
        spec.name,
        "list the table's exports",
        lambda: _worth_a_look(run, description.arn, since),
    )
    running: list[Export] = []
    newer: list[Export] = []
    for summary in summaries:
        export = yield from run.call(
            spec.name,
            f"look at export {summary.arn}",
            lambda arn=summary.arn: dynamodb.describe_export(arn),
        )
        if export.status == "IN_PROGRESS":
            running.append(export)
        elif export.status == "COMPLETED" and _is_newer(export, published):
            newer.append(export)
    newer.sort(key=lambda export: export.export_time or export.start_time or run.clock.now())
    age = (run.clock.now() - published.export_time).total_seconds() if published else None
    return TableStatus(spec, published, age, tuple(running), tuple(reversed(newer)), copied=copied)


def _worth_a_look(run: RunContext, table_arn: str, since: datetime | None) -> list[ExportSummary]:
    """Exports that run, or began after the published one."""
    found: list[ExportSummary] = []
    for number, summary in enumerate(run.gateways.dynamodb.list_exports(table_arn)):
        if number >= MAX_EXPORTS:
            break
        started = place_of("", None, summary.arn.rpartition("/")[2]).started
        full = summary.kind == "FULL_EXPORT" and summary.status == "COMPLETED"
        if summary.status == "IN_PROGRESS" or (full and (since is None or started > since)):
            found.append(summary)
    return found


def _is_newer(export: Export, published: PublishedExport | None) -> bool:
    if published is None:
        return True
    moment = export.export_time
    return moment is not None and moment > published.export_time
