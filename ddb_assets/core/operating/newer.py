"""Completed exports that are newer than what a table shows, found with few calls."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from ddb_assets.core.export import Export
from ddb_assets.core.locations import ExportPlace, parse_location, place_of
from ddb_assets.core.ports import CatalogTable, Gateways
from ddb_assets.core.publishing.published import PublishedExport, look
from ddb_assets.core.spec import TableSpec

#: One page of ListExports (AWS page ListExports: MaxResults is 1 to 25).
MAX_LISTED = 25
#: So many of them are described, the newest first.
MAX_DESCRIBED = 10


@dataclass(frozen=True)
class Newer:
    """What may be published in place of what a table shows.

    Attributes:
        shown: What the table shows; None for nothing.
        exports: Completed full exports of a later moment, the latest first.
    """

    shown: PublishedExport | None
    exports: tuple[Export, ...]


def newer_exports(
    spec: TableSpec,
    *,
    gateways: Gateways,
    table_arn: str,
    known: ExportPlace | None,
    pace: Callable[[], None],
) -> Newer | None:
    """Look at one table: one call where there is nothing new, some more where there may be.

    Raises only what the gateways raise, and retries nothing: a sensor asks again soon.

    Args:
        spec: The table.
        gateways: The account.
        table_arn: Of the live table.
        known: The export it is known to show; older ones are not looked at.
        pace: Called before each call to DynamoDB, whose rate the whole account shares.

    Returns:
        None where nothing began after the known export and is completed.
    """
    dynamodb = gateways.dynamodb
    floor = known.started if known is not None else None
    pace()
    began = {
        summary.arn: _began(summary.arn)
        for summary in islice(dynamodb.list_exports(table_arn), MAX_LISTED)
        if summary.status == "COMPLETED" and summary.kind == "FULL_EXPORT"
    }
    if not any(floor is None or moment > floor for moment in began.values()):
        return None
    table = gateways.catalog.get_table(spec.database, spec.table)
    shown = look(gateways.objects, table) if table is not None else None
    floor = _floor(table, shown)
    candidates = [arn for arn, moment in began.items() if floor is None or moment > floor]
    if not candidates:
        return Newer(shown, ())
    usable: list[Export] = []
    for arn in candidates[:MAX_DESCRIBED]:
        pace()
        export = dynamodb.describe_export(arn)
        if _can_replace(shown, export):
            usable.append(export)
    if any(shown is None or export.table_id != shown.table_id for export in usable):
        # Exports of a table that was deleted since are listed under the name of the new one.
        pace()
        table_id = dynamodb.describe_table(spec.name).table_id
        usable = [export for export in usable if export.table_id == table_id]
    usable.sort(key=lambda export: (export.export_time or export.start_time, export.export_id))
    return Newer(shown, tuple(reversed(usable)))


def _floor(table: CatalogTable | None, shown: PublishedExport | None) -> datetime | None:
    """Exports that began before it are not news."""
    if table is None or shown is None:
        return None
    before = parse_location(shown.previous_location)
    if before is not None and before.started > shown.place.started:
        # A rollback: somebody wanted the older data. Only what began since goes forward again.
        return max(before.started, table.updated or before.started)
    return shown.place.started


def _can_replace(shown: PublishedExport | None, export: Export) -> bool:
    whole = export.status == "COMPLETED" and export.kind == "FULL_EXPORT"
    if not whole or export.export_format != "DYNAMODB_JSON" or export.export_time is None:
        return False
    return shown is None or export.export_time > shown.export_time


def _began(arn: str) -> datetime:
    return place_of("", None, arn.rpartition("/")[2]).started
