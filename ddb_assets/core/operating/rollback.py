"""The way back: publish an earlier export again, proving first that its objects are there."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ddb_assets.core.clock import Clock, SystemClock
from ddb_assets.core.locations import parse_location
from ddb_assets.core.manifest import Manifest
from ddb_assets.core.operating.adopt import adopt
from ddb_assets.core.operating.operator import finish, ignore, operator_context
from ddb_assets.core.outcome import Outcome
from ddb_assets.core.ports import CatalogTable, Gateways, Listener, Profiling
from ddb_assets.core.publishing.publish import read_table
from ddb_assets.core.publishing.published import PublishedExport, published_export
from ddb_assets.core.refreshing.adopted import adopted_export
from ddb_assets.core.scheduling.context import RunContext, item_by_item
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.core.spec import TableSpec, VerifyLevel
from ddb_assets.core.verifying.verify import verified_manifest
from ddb_assets.core.waiting.waiting import refuse_failed
from ddb_assets.errors import CatalogConflictError, DdbAssetsError, ExportNotFoundError

#: Glue versions looked through for an earlier location.
MAX_VERSIONS = 200


@dataclass(frozen=True)
class RollbackTarget:
    """Where a rollback would go.

    Attributes:
        published: What the table shows now; None if that is no export.
        export_arn: The export it would show.
        location: Its data, where known.
        export_time: Its moment, where known.
    """

    published: PublishedExport | None
    export_arn: str
    location: str | None = None
    export_time: datetime | None = None


def rollback_target(
    spec: TableSpec,
    *,
    gateways: Gateways,
    to: str | None = None,
    listener: Listener = ignore,
    clock: Clock | None = None,
) -> RollbackTarget:
    """Find the export to go back to; changes nothing.

    Args:
        spec: The table.
        gateways: The account.
        to: An export's ARN or id; None is the newest export the table showed before that is older
            than what it shows now.
        listener: Hears of calls that are tried again.
        clock: Time and sleep.

    Raises:
        CatalogConflictError: The Athena table does not exist.
        ExportNotFoundError: It never showed an older export.
    """
    clock = clock or SystemClock()
    run = operator_context(gateways, clock, listener=listener)
    return finish(_target(run, spec, to), clock)


def proved_target(
    spec: TableSpec,
    target: RollbackTarget,
    *,
    gateways: Gateways,
    listener: Listener = ignore,
    clock: Clock | None = None,
) -> Manifest:
    """Prove that a rollback could go there, as `rollback` does before it moves; changes nothing.

    Raises:
        DdbAssetsError: As `rollback` would end: the objects are gone, it is of another table.
    """
    clock = clock or SystemClock()
    run = operator_context(gateways, clock, listener=listener)

    def proof() -> Task[Manifest]:
        arn = target.export_arn
        _, export = yield from adopted_export(run, spec, arn, allow_older=True)
        refuse_failed(spec, export)
        if not export.done:
            raise ExportNotFoundError(
                f"export {export.export_id} still runs",
                table=spec.name,
                remedy="wait until it is completed",
            )
        return (yield from verified_manifest(run, spec.name, export))

    try:
        return finish(proof(), clock)
    except DdbAssetsError as error:
        error.for_table(spec.name)
        raise


def rollback(
    spec: TableSpec,
    *,
    gateways: Gateways,
    to: str | None = None,
    verify: VerifyLevel | None = None,
    listener: Listener = ignore,
    clock: Clock | None = None,
    rng: random.Random | None = None,
    profiling: Profiling = item_by_item,
) -> Outcome:
    """Go back to the previous or a given export; the next refresh goes forward again.

    Arguments as those of `adopt`; `to` as that of `rollback_target`.

    Raises:
        CatalogConflictError: The Athena table does not exist.
        ExportNotFoundError: It never showed an older export.
    """
    target = rollback_target(spec, gateways=gateways, to=to, listener=listener, clock=clock)
    return adopt(
        spec,
        target.export_arn,
        gateways=gateways,
        allow_older=True,
        verify=verify,
        listener=listener,
        clock=clock,
        rng=rng,
        profiling=profiling,
    )


def _target(run: RunContext, spec: TableSpec, to: str | None) -> Task[RollbackTarget]:
    table = yield from read_table(run, spec)
    if table is None:
        raise CatalogConflictError(
            f"the Athena table {spec.athena_name} does not exist",
            table=spec.name,
            remedy="refresh it, or adopt an export by its ARN",
        )
    now = yield from published_export(run, spec.name, table)
    if to is not None:
        arn = (
            to
            if to.startswith("arn:")
            else f"{(yield from _table_arn(run, spec, now))}/export/{to}"
        )
        return RollbackTarget(now, arn)
    best: PublishedExport | None = None
    for place_table in (yield from _former(run, spec, table, now)):
        former = yield from published_export(run, spec.name, place_table)
        if former is None or (now is not None and former.export_time >= now.export_time):
            continue
        if best is None or former.export_time > best.export_time:
            best = former
    if best is None:
        raise ExportNotFoundError(
            f"{spec.athena_name} never showed an older export",
            table=spec.name,
            remedy=f"name one: ddb-assets rollback {spec.name} --to EXPORT_ARN",
        )
    arn = best.export_arn
    if arn is None:
        arn = f"{(yield from _table_arn(run, spec, now))}/export/{best.export_id}"
    return RollbackTarget(now, arn, best.place.location, best.export_time)


def _former(
    run: RunContext, spec: TableSpec, table: CatalogTable, now: PublishedExport | None
) -> Task[list[CatalogTable]]:
    """One table version for each location it had before, and its noted previous location."""
    catalog = run.gateways.catalog

    def distinct() -> Iterator[CatalogTable]:
        seen = {table.location}
        for number, version in enumerate(catalog.table_versions(spec.database, spec.table)):
            if number >= MAX_VERSIONS:
                return
            if version.location not in seen and parse_location(version.location) is not None:
                seen.add(version.location)
                yield version
        previous = now.previous_location if now is not None else None
        if previous is not None and previous not in seen:
            yield CatalogTable(
                spec.database, spec.table, {"StorageDescriptor": {"Location": previous}}
            )

    return (
        yield from run.call(
            spec.name, f"read earlier versions of {spec.athena_name}", lambda: list(distinct())
        )
    )


def _table_arn(run: RunContext, spec: TableSpec, now: PublishedExport | None) -> Task[str]:
    if now is not None and now.table_arn is not None:
        return now.table_arn
    description = yield from run.call(
        spec.name, "describe the table", lambda: run.gateways.dynamodb.describe_table(spec.name)
    )
    return description.arn
