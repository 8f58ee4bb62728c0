"""Writes the typed view over a raw table that has been published: create or compare-and-swap.

The view is a Glue table in the form Athena itself gives views (`/* Presto View: BASE64 */`), also
where the raw table is moved with Athena's statements: `CREATE OR REPLACE VIEW` knows no version and
keeps no parameters, and in these the view remembers its columns. It comes last: whatever happens to
it, the raw table shows the export; the next attempt of the same run goes on here.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from ddb_assets.core.ports import CatalogTable
from ddb_assets.core.publication import PublishedView
from ddb_assets.core.publishing.catalog import Offer
from ddb_assets.core.publishing.publish import (
    MAX_SWAPS,
    read_named,
    read_table,
    version_of,
)
from ddb_assets.core.publishing.published import EXPORT_ARN, EXPORT_TIME, TABLE_ARN
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Pause, Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import (
    CatalogConflictError,
    DdbAssetsError,
    DeclarationError,
    VersionConflictError,
)
from ddb_assets.schema.evolution import extend
from ddb_assets.schema.layout import (
    ATTRIBUTES_PARAMETER,
    MAX_COMMENT_LENGTH,
    OPENX_SERDE,
    TableLayout,
)
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.typed_view import TypedView, typed_view
from ddb_assets.schema.view_memory import ViewMemory

#: The view's parameter that holds what it must not forget.
VIEW_PARAMETER = "ddb_assets.view"
#: Glue API, TableInput: length of ViewOriginalText.
MAX_VIEW_TEXT = 409_600
#: Glue API, TableInput: length of a parameter's value.
MAX_PARAMETER = 512_000
#: Athena's own name of the Glue Data Catalog.
_CATALOG = "awsdatacatalog"


def read_view(run: RunContext, spec: TableSpec) -> Task[CatalogTable | None]:
    """The view as it is; None also where none is wanted."""
    return (yield from read_named(run, spec, spec.typed_view, "view"))


def check_view(run: RunContext, spec: TableSpec, table_arn: str) -> Task[None]:
    """Refuse a name that is taken, before an export costs anything.

    Raises:
        CatalogConflictError: Something of that name is not our view of this table.
    """
    found = yield from read_view(run, spec)
    if found is not None:
        refuse_foreign(spec, table_arn, found)


def refuse_foreign(spec: TableSpec, table_arn: str, found: CatalogTable) -> None:
    """Make sure that the view is ours to replace.

    Raises:
        CatalogConflictError: It is not a view, not made by us, or another DynamoDB table's.
    """
    parameters = found.parameters
    owner = parameters.get(TABLE_ARN)
    if found.table_input.get("TableType") != "VIRTUAL_VIEW":
        cause = "is a table"
    elif VIEW_PARAMETER not in parameters or owner is None:
        cause = "was not made by ddb_assets"
    elif owner != table_arn:
        cause = f"shows another DynamoDB table ({owner})"
    else:
        return
    raise CatalogConflictError(
        f"the name of its typed view is taken: {spec.database}.{spec.typed_view} {cause}",
        table=spec.name,
        remedy="set `typed_view` to another name or to false, or drop what is there",
    )


def view_is_due(run: RunContext, offer: Offer) -> Task[bool]:
    """Whether a view is wanted and does not yet know of this export.

    Raises:
        CatalogConflictError: The name is taken.
    """
    if offer.spec.typed_view is None:
        return False
    found = yield from read_view(run, offer.spec)
    if found is None:
        return True
    refuse_foreign(offer.spec, offer.description.arn, found)
    return found.parameters.get(EXPORT_ARN) != offer.manifest.export_arn


def typed_view_of(
    run: RunContext, offer: Offer, profile: Profile | None, *, due: bool
) -> Task[PublishedView | None]:
    """The last step of a table's refresh: its view, if one is wanted.

    Args:
        run: The refresh.
        offer: The export that was published.
        profile: Of its items, where they were read.
        due: What `view_is_due` said before they would have been.

    Raises:
        DdbAssetsError: It could not be written; says that the raw table shows the export.
    """
    spec = offer.spec
    if spec.typed_view is None:
        return None
    if profile is None and (offer.manifest.items == 0 or not due):
        # There is nothing that the view does not know yet.
        profile = Profile()
    try:
        view = yield from publish_view(run, offer, profile, known=not due)
    except DdbAssetsError as error:
        failed = type(error)(
            f"{spec.athena_name} shows export {offer.manifest.export_id}, but its typed view "
            f"{spec.typed_view} could not be written: {error.cause}",
            table=spec.name,
            code=error.code,
            remedy=error.remedy or "retry this run: it goes on with the view",
            **error.details,
        )
        raise failed from error
    if view.action != "unchanged":
        run.emit(
            spec.name,
            "published",
            f"{spec.database}.{view.name} has {len(view.columns)} typed columns",
            view=view.name,
            version_id=view.version_id,
        )
    return view


def publish_view(
    run: RunContext, offer: Offer, profile: Profile | None, *, known: bool = False
) -> Task[PublishedView]:
    """Make the view fit the raw table as it is and the export's values.

    Args:
        run: The refresh.
        offer: The export the raw table was moved to.
        profile: Of its items; None where nobody read them.
        known: The view knows of this export already, so that the profile is empty.

    Raises:
        CatalogConflictError: The name is taken, or a parameter of ours was edited.
        DeclarationError: The view is larger than Glue takes.
        VersionConflictError: Others changed it again and again, or the raw table is gone.
    """
    spec, catalog = offer.spec, run.gateways.catalog
    assert spec.typed_view is not None, "asked for only where a view is wanted"
    first: CatalogTable | None = None
    notes: tuple[str, ...] | None = None
    for reading in range(MAX_SWAPS):
        layout = yield from _raw_layout(run, spec)
        found = yield from read_view(run, spec)
        first = found if reading == 0 else first
        if found is not None:
            refuse_foreign(spec, offer.description.arn, found)
        elif known:
            raise VersionConflictError(
                f"the view {spec.database}.{spec.typed_view} was dropped during the refresh",
                table=spec.name,
                remedy="run the refresh again; it creates the view anew",
            )
        view = typed_view(layout, profile, memory=_memory(spec, found), mixed=spec.mixed_types)
        notes = view.notes if notes is None else notes
        wanted = view_table(offer, view, found)
        if found is not None and _is(found, wanted):
            action = "created" if first is None else "unchanged" if reading == 0 else "moved"
            return PublishedView(
                database=spec.database,
                name=spec.typed_view,
                action=action,
                version_id=found.version_id,
                columns=tuple((c.name, c.type, c.path) for c in view.columns),
                sources=tuple((c.name, c.attribute) for c in view.columns),
                notes=notes,
                select=view.select(spec.database, spec.table),
                glue_columns=found.columns,
            )
        try:
            if found is None:
                yield from run.call(
                    spec.name,
                    f"create the view {spec.database}.{spec.typed_view}",
                    lambda w=wanted: catalog.create_table(spec.database, w),
                )
            else:
                version = version_of(spec, found)
                yield from run.call(
                    spec.name,
                    f"update the view {spec.database}.{spec.typed_view}",
                    lambda w=wanted, v=version: catalog.update_table(
                        spec.database, w, version_id=v
                    ),
                )
        except VersionConflictError:
            yield Pause(until=run.clock.monotonic() + run.rng.uniform(0.05, 0.5))
    raise VersionConflictError(
        f"{spec.database}.{spec.typed_view} was changed by others {MAX_SWAPS} times in a row",
        table=spec.name,
        remedy="find out who else changes this view, then run the refresh again",
    )


def view_table(offer: Offer, view: TypedView, found: CatalogTable | None) -> dict[str, Any]:
    """The TableInput of the view; what people added to an existing one stays.

    Raises:
        DeclarationError: It is larger than Glue takes.
    """
    spec = offer.spec
    text = presto_view(
        view.select(spec.database, spec.table),
        spec.database,
        [(c.name, c.type) for c in view.columns],
    )
    memory = view.memory.to_json()
    if len(text) > MAX_VIEW_TEXT or len(memory) > MAX_PARAMETER:
        raise DeclarationError(
            f"its typed view of {len(view.columns)} columns is larger than Glue takes "
            f"({len(text)} of {MAX_VIEW_TEXT} characters)",
            table=spec.name,
            remedy="set `typed_view: false`, or declare maps with open keys: {M: {'*': S}}",
        )
    existing: Mapping[str, Any] = found.table_input if found is not None else {}
    return {
        # No description of ours: Trino knows a view by its comment, and a Glue table's description
        # takes the comment's place (GlueConverter.fromGlueTable, ViewReaderUtil.isTrinoView).
        **existing,
        "Name": spec.typed_view,
        "TableType": "VIRTUAL_VIEW",
        "PartitionKeys": [],
        "ViewOriginalText": text,
        "ViewExpandedText": "/* Presto View */",
        "Parameters": {
            **(found.parameters if found is not None else {}),
            "presto_view": "true",
            "comment": "Presto View",
            TABLE_ARN: offer.manifest.table_arn,
            EXPORT_ARN: offer.manifest.export_arn,
            EXPORT_TIME: offer.manifest.export_time.isoformat(),
            VIEW_PARAMETER: memory,
        },
        "StorageDescriptor": {
            **existing.get("StorageDescriptor", {"Location": "", "SerdeInfo": {}}),
            "Columns": [
                {"Name": c.name, "Type": c.hive, "Comment": comment_of(c.path)}
                for c in view.columns
            ],
        },
    }


def presto_view(sql: str, database: str, columns: list[tuple[str, str]]) -> str:
    """`ViewOriginalText` as Athena writes and Trino reads it.

    Source: Trino, ViewReaderUtil.encodeViewData and decodeViewData (the comment around base64), and
    ConnectorViewDefinition (the document). What is optional there and empty is left out, as Trino's
    own encoder does; without an owner the query runs with the rights of whoever asks.
    """
    document = {
        "originalSql": sql,
        "catalog": _CATALOG,
        "schema": database,
        "columns": [{"name": name, "type": type_} for name, type_ in columns],
        "runAsInvoker": False,
    }
    encoded = base64.b64encode(json.dumps(document).encode()).decode()
    return f"/* Presto View: {encoded} */"


def comment_of(path: str) -> str:
    """The attribute's path as a Glue comment: one line, at most 255 characters."""
    shown = path if path.isprintable() else json.dumps(path)
    return shown if len(shown) <= MAX_COMMENT_LENGTH else f"{shown[: MAX_COMMENT_LENGTH - 1]}…"


def _raw_layout(run: RunContext, spec: TableSpec) -> Task[TableLayout]:
    """How the raw table is laid out now, as its own parameters say."""
    raw = yield from read_table(run, spec)
    if raw is None:
        raise VersionConflictError(
            f"{spec.athena_name} was dropped before its view was written",
            table=spec.name,
            remedy="run the refresh again; it creates the table anew",
        )
    if ATTRIBUTES_PARAMETER not in raw.parameters:
        raise CatalogConflictError(
            f"{spec.athena_name} was not laid out by ddb_assets, so no view fits it yet",
            table=spec.name,
            remedy="refresh it with a new export, or set `typed_view: false`",
        )
    storage: Mapping[str, Any] = raw.table_input.get("StorageDescriptor") or {}
    serde: Mapping[str, Any] = storage.get("SerdeInfo") or {}
    library = str(serde.get("SerializationLibrary") or "")
    return extend(
        (),
        serde="openx" if library == OPENX_SERDE else "auto",
        table_parameters=raw.parameters,
        serde_library=library,
        serde_parameters=dict(serde.get("Parameters") or {}),
    )


def _memory(spec: TableSpec, found: CatalogTable | None) -> ViewMemory:
    if found is None:
        return ViewMemory()
    try:
        return ViewMemory.from_json(found.parameters[VIEW_PARAMETER])
    except ValueError as error:
        raise CatalogConflictError(
            f"{VIEW_PARAMETER} of {spec.database}.{spec.typed_view} cannot be read: {error}",
            table=spec.name,
            remedy="drop the view; it is created again by the next refresh",
        ) from error


def _is(found: CatalogTable, wanted: Mapping[str, Any]) -> bool:
    """Whether the view, as read back, is what is wanted."""
    columns = tuple(
        (c["Name"], c["Type"], c["Comment"]) for c in wanted["StorageDescriptor"]["Columns"]
    )
    return (
        found.table_input.get("ViewOriginalText") == wanted["ViewOriginalText"]
        and found.columns == columns
        and wanted["Parameters"].items() <= found.parameters.items()
    )
