"""Which exports somebody may be reading: what a table and its typed copy show, and showed."""

from collections.abc import Iterable
from datetime import timedelta

from ddb_assets.core.locations import ExportPlace, parse_copy_location, parse_location
from ddb_assets.core.ports import CatalogTable
from ddb_assets.core.publishing.publish import read_table
from ddb_assets.core.publishing.publish_copy import COPY_OF
from ddb_assets.core.publishing.published import PREVIOUS_LOCATION
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.schema.typed_view import COPY_SUFFIX

#: Glue versions looked through for locations that are still needed.
MAX_VERSIONS = 1000


def recently_shown(
    run: RunContext,
    spec: TableSpec,
    tables: Iterable[CatalogTable | None],
    previous: str | None,
    *,
    window: timedelta,
) -> Task[set[str]]:
    """Locations of exports that these Glue tables have or had within the window, and before it.

    Args:
        run: The calls.
        spec: Whose tables they are.
        tables: The raw table and its copy. A copy lies below its export: the export counts.
        previous: Where the raw table was before.
        window: How far back.
    """
    locations = {previous or ""}
    for table in tables:
        if table is not None:
            locations |= yield from run.call(
                spec.name,
                f"read earlier versions of {table.database}.{table.name}",
                lambda t=table: _walk(run, t, window),
            )
    copies = (parse_copy_location(location) for location in locations)
    places = (
        *(parse_location(location) for location in locations),
        *(copied.export for copied in copies if copied is not None),
    )
    return {place.location for place in places if place is not None}


def is_shown(run: RunContext, spec: TableSpec, place: ExportPlace) -> Task[bool]:
    """Whether the table or its copy is at this export now."""
    table = yield from read_table(run, spec)
    if table is not None and parse_location(table.location) == place:
        return True
    return copied_place((yield from copy_of(run, spec))) == place


def copy_of(run: RunContext, spec: TableSpec) -> Task[CatalogTable | None]:
    """The typed copy's table; also one no longer declared but still there to be queried."""
    name, catalog = spec.typed_copy or f"{spec.table}{COPY_SUFFIX}", run.gateways.catalog
    found = yield from run.call(
        spec.name,
        f"read the Glue table {spec.database}.{name}",
        lambda: catalog.get_table(spec.database, name),
    )
    ours = found is not None and found.parameters.get(COPY_OF) == spec.athena_name
    return found if ours else None


def copied_place(copy: CatalogTable | None) -> ExportPlace | None:
    """The export a copy's table lies at."""
    place = parse_copy_location(copy.location) if copy is not None else None
    return place.export if place is not None else None


def _walk(run: RunContext, table: CatalogTable, window: timedelta) -> set[str]:
    now = run.clock.now()
    found = {table.location or "", table.parameters.get(PREVIOUS_LOCATION, "")}
    left_at = table.updated
    versions = run.gateways.catalog.table_versions(table.database, table.name)
    for number, version in enumerate(versions):
        # A version was left when the next newer one was written; unknown counts as just now.
        if number >= MAX_VERSIONS or (left_at is not None and now - left_at > window):
            break
        found.add(version.location or "")
        left_at = version.updated
    return found
