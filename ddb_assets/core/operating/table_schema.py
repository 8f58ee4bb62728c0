"""What the items of a table hold, what queries read it as, and the declaration that says so."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ddb_assets.core.clock import Clock, SystemClock
from ddb_assets.core.export import Export, TableDescription
from ddb_assets.core.locations import ExportPlace, place_of
from ddb_assets.core.operating.operator import finish, ignore, operator_context
from ddb_assets.core.ports import CatalogTable, Gateways, Listener, Profiling
from ddb_assets.core.publishing.publish import read_table
from ddb_assets.core.publishing.publish_view import VIEW_PARAMETER, read_view
from ddb_assets.core.publishing.published import PublishedExport, made_by_us, published_export
from ddb_assets.core.refreshing.adopted import adopted_export
from ddb_assets.core.refreshing.inference import counted, left_out, table_attributes
from ddb_assets.core.refreshing.stored_profile import stored_profile
from ddb_assets.core.scheduling.context import RunContext, item_by_item
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.core.verifying.verify import verified_manifest
from ddb_assets.core.waiting.waiting import refuse_failed
from ddb_assets.errors import DdbAssetsError, ExportNotFoundError, TableNotFoundError
from ddb_assets.schema.attributes import Attribute
from ddb_assets.schema.evolution import extend
from ddb_assets.schema.layout import TableLayout, table_layout
from ddb_assets.schema.places import Place, places
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.typed_view import typed_view
from ddb_assets.schema.view_memory import ViewMemory


@dataclass(frozen=True)
class TableSchema:
    """What one export of a table holds.

    Attributes:
        place: Where the export lies.
        profile: Of all its items.
        stored: Whether the profile lay beside the export; else all items were read now.
        attributes: Declared ones, the keys, and all that was found: the declaration to paste.
        places: Each attribute path, with what queries read it as.
        notes: What a reader should know of the whole: what could not be represented.
    """

    spec: TableSpec
    place: ExportPlace
    profile: Profile
    stored: bool
    attributes: tuple[Attribute, ...]
    places: tuple[Place, ...]
    notes: tuple[str, ...] = ()


def table_schema(
    spec: TableSpec,
    *,
    gateways: Gateways,
    export_arn: str | None = None,
    listener: Listener = ignore,
    clock: Clock | None = None,
    patience_seconds: float = math.inf,
    profiling: Profiling = item_by_item,
) -> TableSchema:
    """Look what an export holds; changes nothing.

    Args:
        spec: The table.
        gateways: The account.
        export_arn: The export; None is the one that the Athena table shows.
        listener: Hears how far the reading got, and of calls that are tried again.
        clock: Time and sleep.
        patience_seconds: How long one call is tried again at most.
        profiling: How the items are read where no profile lies beside the export.

    Raises:
        ExportNotFoundError: The Athena table shows none, or it still runs.
        DdbAssetsError: The export is not whole, of another table, or AWS cannot be asked.
    """
    clock = clock or SystemClock()
    run = operator_context(
        gateways,
        clock,
        listener=listener,
        patience_seconds=patience_seconds,
        profiling=profiling,
    )
    try:
        return finish(_schema(run, spec, export_arn), clock)
    except DdbAssetsError as error:
        error.for_table(spec.name)
        raise


def _schema(run: RunContext, spec: TableSpec, export_arn: str | None) -> Task[TableSchema]:
    table = yield from read_table(run, spec)
    published = yield from published_export(run, spec.name, table)
    export: Export | None = None
    items: int | None = None
    if export_arn is not None:
        description, export = yield from adopted_export(run, spec, export_arn, allow_older=True)
        place = place_of(export.bucket, export.prefix, export.export_id)
    elif published is None:
        raise ExportNotFoundError(
            f"{spec.athena_name} shows no export",
            table=spec.name,
            remedy=f"refresh it, or name one: ddb-assets schema {spec.name} --export ARN",
        )
    else:
        description = yield from _described(run, spec, published)
        place, items = published.place, published.items
        export_arn = published.export_arn or f"{description.arn}/export/{place.export_id}"
    profile = yield from stored_profile(run, spec.name, place, items=items)
    stored = profile is not None
    if profile is None:
        if export is None:
            _, export = yield from adopted_export(run, spec, export_arn, allow_older=True)
        refuse_failed(spec, export)
        if not export.done:
            raise ExportNotFoundError(
                f"export {export.export_id} still runs",
                table=spec.name,
                remedy="wait until it is completed",
            )
        manifest = yield from verified_manifest(run, spec.name, export)
        profile = yield from counted(run, spec, manifest)
    attributes = table_attributes(spec, description, profile)
    layout = _layout(spec, table, attributes)
    memory = yield from _memory(run, spec)
    view = typed_view(layout, profile, memory=memory, mixed=spec.mixed_types)
    notes = (*left_out(attributes, profile), *layout.notes)
    found = places(profile, layout, view)
    return TableSchema(spec, place, profile, stored, attributes, found, notes)


def _described(
    run: RunContext, spec: TableSpec, published: PublishedExport
) -> Task[TableDescription]:
    """The live table, for its keys; of a table that is gone only what is published of it."""
    try:
        return (
            yield from run.call(
                spec.name,
                "describe the table",
                lambda: run.gateways.dynamodb.describe_table(spec.name),
            )
        )
    except TableNotFoundError:
        return TableDescription(
            name=spec.name,
            arn=published.table_arn or "",
            table_id=published.table_id or "",
            status="DELETED",
            keys=(),
        )


def _layout(
    spec: TableSpec, table: CatalogTable | None, attributes: Sequence[Attribute]
) -> TableLayout:
    """As the next refresh would lay out the raw table: it keeps what the table has."""
    if table is None or not made_by_us(table):
        return table_layout(attributes, serde=spec.serde)
    storage: Mapping[str, Any] = table.table_input.get("StorageDescriptor") or {}
    serde: Mapping[str, Any] = storage.get("SerdeInfo") or {}
    return extend(
        attributes,
        serde=spec.serde,
        table_parameters=table.parameters,
        serde_library=str(serde.get("SerializationLibrary") or ""),
        serde_parameters=serde.get("Parameters") or {},
    )


def _memory(run: RunContext, spec: TableSpec) -> Task[ViewMemory]:
    """The view's columns as they are; none where it is not there, or not ours."""
    found = yield from read_view(run, spec)
    try:
        return ViewMemory.from_json(found.parameters[VIEW_PARAMETER]) if found else ViewMemory()
    except (KeyError, ValueError):
        return ViewMemory()
