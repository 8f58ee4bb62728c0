"""Moves the typed copy's Athena table to the export its raw table shows, once it is proved whole.

The copy follows the raw table and nothing else. Each attempt reads the copy's table, then the raw
one, and swaps against the version read first: whoever moves the raw table afterwards reads a later
version of the copy's and has the last word. So the copy ends where the raw table ended, also after
a rollback, and never goes backwards where that did not.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ddb_assets.core.locations import CopyPlace, ExportPlace, parse_copy_location, place_of
from ddb_assets.core.ports import CatalogTable
from ddb_assets.core.publication import PublicationAction, PublishedCopy, PublishedView
from ddb_assets.core.publishing.catalog import Offer, provenance
from ddb_assets.core.publishing.copy_files import CopyFiles, counted, listed_copies
from ddb_assets.core.publishing.publish import (
    MAX_SWAPS,
    read_named,
    read_table,
    version_of,
)
from ddb_assets.core.publishing.published import (
    PREVIOUS_LOCATION,
    TABLE_ARN,
    PublishedExport,
    published_export,
    sealed,
)
from ddb_assets.core.publishing.unload import Unloads, layout_of
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Pause, Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import (
    CatalogConflictError,
    CopyIncompleteError,
    DdbAssetsError,
    ExportObjectsGoneError,
    OlderExportError,
    VersionConflictError,
)
from ddb_assets.schema.ddl import PARQUET_INPUT_FORMAT, PARQUET_OUTPUT_FORMAT, PARQUET_SERDE

#: Parameters of the copy's Glue table, besides the provenance that every table of ours has.
COPY_OF = "ddb_assets.copy_of"
QUERY_ID = "ddb_assets.query_execution_id"
SCANNED_BYTES = "ddb_assets.scanned_bytes"


def read_copy(run: RunContext, spec: TableSpec) -> Task[CatalogTable | None]:
    """The copy's Glue table as it is; None also where none is wanted."""
    return (yield from read_named(run, spec, spec.typed_copy))


def check_copy(run: RunContext, spec: TableSpec, table_arn: str) -> Task[None]:
    """Refuse a name that is taken, before an export costs anything.

    Raises:
        CatalogConflictError: Something of that name is not our copy of this table.
    """
    found = yield from read_copy(run, spec)
    if found is not None:
        refuse_foreign_copy(spec, table_arn, found)


def refuse_foreign_copy(spec: TableSpec, table_arn: str, found: CatalogTable) -> None:
    """Make sure that the table is ours to move.

    Raises:
        CatalogConflictError: It is no typed copy of ours, or another DynamoDB table's.
    """
    owner = found.parameters.get(TABLE_ARN)
    if not is_copy(found):
        cause = "is no typed copy made by ddb_assets"
    elif owner != table_arn:
        cause = f"is a copy of another DynamoDB table ({owner})"
    else:
        return
    raise CatalogConflictError(
        f"the name of its typed copy is taken: {spec.database}.{spec.typed_copy} {cause}",
        table=spec.name,
        remedy="set `typed_copy` to another name or to false, or drop what is there",
    )


def is_copy(table: CatalogTable) -> bool:
    """Whether this package made the table as a typed copy."""
    return COPY_OF in table.parameters


def copied_export(
    run: RunContext, name: str, table: CatalogTable | None
) -> Task[PublishedExport | None]:
    """The export a copy's table shows; None for no table or one that lies at no copy."""
    return (yield from published_export(run, name, at_its_export(table)))


def at_its_export(table: CatalogTable | None) -> CatalogTable | None:
    """The copy's table as if it lay at its export's own data: how it is told which one that is."""
    if table is None:
        return None
    place = parse_copy_location(table.location)
    location = place.export.location if place is not None else None
    storage = {**table.table_input.get("StorageDescriptor", {}), "Location": location}
    parameters = table.parameters
    previous = parse_copy_location(parameters.pop(PREVIOUS_LOCATION, None))
    if previous is not None:
        parameters[PREVIOUS_LOCATION] = previous.export.location
    body = {**table.table_input, "StorageDescriptor": storage, "Parameters": parameters}
    return replace(table, table_input=body)


class CopyPublisher:
    """Makes the typed copies of one refresh and moves their tables."""

    def __init__(self, run: RunContext, unloads: Unloads) -> None:
        self._run = run
        self._unloads = unloads

    def publish(self, offer: Offer, view: PublishedView) -> Task[PublishedCopy]:
        """Let the copy show the export that its raw table and view show.

        Args:
            offer: The export.
            view: Its columns are the copy's.

        Raises:
            DdbAssetsError: It could not be made; says that the raw table shows the export.
        """
        try:
            return (yield from self._publish(offer, view))
        except DdbAssetsError as error:
            spec = offer.spec
            failed = type(error)(
                f"{spec.athena_name} shows export {offer.manifest.export_id}, but its typed copy "
                f"{spec.typed_copy} was left where it was: {error.cause}",
                table=spec.name,
                code=error.code,
                remedy=error.remedy or "retry this run: it goes on with the copy",
                **error.details,
            )
            raise failed from error

    def _publish(self, offer: Offer, view: PublishedView) -> Task[PublishedCopy]:
        run, spec = self._run, offer.spec
        began = run.clock.monotonic()
        layout = layout_of(view.select)
        before = yield from self._ours(offer)
        made: dict[str, str] = {}
        files = yield from self._still_whole(offer, before, layout)
        if files is None:
            unloaded = yield from self._unloads.unloaded(
                offer, view.select, layout, lambda: self._still_shown(offer)
            )
            files = unloaded.files
            if unloaded.status is not None:
                made[QUERY_ID] = unloaded.status.query_id
                if unloaded.status.scanned_bytes is not None:
                    made[SCANNED_BYTES] = str(unloaded.status.scanned_bytes)
        table, touched = yield from self._moved(offer, view, files, made)
        action: PublicationAction = "unchanged"
        previous = table.parameters.get(PREVIOUS_LOCATION)
        if touched:
            action = "created" if before is None else "moved"
            previous = None if before is None else before.location
        scanned = table.parameters.get(SCANNED_BYTES, "")
        return PublishedCopy(
            database=spec.database,
            name=table.name,
            location=files.place.location,
            action=action,
            previous_location=previous,
            version_id=table.version_id,
            columns=view.columns,
            rows=files.rows,
            files=files.files,
            stored_bytes=files.stored_bytes,
            query_execution_id=table.parameters.get(QUERY_ID),
            scanned_bytes=int(scanned) if scanned.isdecimal() else None,
            seconds=run.clock.monotonic() - began,
        )

    def _still_whole(
        self, offer: Offer, table: CatalogTable | None, layout: str
    ) -> Task[CopyFiles | None]:
        """The files the table lies at, if they are this export's, of these columns, and whole."""
        run, manifest = self._run, offer.manifest
        place = parse_copy_location(table.location) if table is not None else None
        if place is None or place.layout != layout or place.export != _place(offer):
            return None
        found = yield from listed_copies(run, offer.name, place.export, layout)
        try:
            files = yield from counted(run, offer.name, place, found.get(place, ()))
        except (CopyIncompleteError, ExportObjectsGoneError):
            return None
        return files if files.rows == manifest.items else None

    def _moved(
        self, offer: Offer, view: PublishedView, files: CopyFiles, made: Mapping[str, str]
    ) -> Task[tuple[CatalogTable, bool]]:
        """Swap until the table, as read back, is what is wanted; whether anything was changed."""
        run, spec, catalog = self._run, offer.spec, self._run.gateways.catalog
        touched = False
        for _ in range(MAX_SWAPS):
            table = yield from self._ours(offer)
            # After the copy's version was read: see the module's docstring.
            yield from self._still_shown(offer)
            wanted = copy_table(offer, view, files.place, table, made)
            if table is not None and _is(table, wanted):
                return table, touched
            touched = True
            try:
                if table is None:
                    yield from run.call(
                        spec.name,
                        f"create the Glue table {spec.database}.{spec.typed_copy}",
                        lambda w=wanted: catalog.create_table(spec.database, w),
                    )
                else:
                    version = version_of(spec, table)
                    yield from run.call(
                        spec.name,
                        f"update the Glue table {spec.database}.{spec.typed_copy}",
                        lambda w=wanted, v=version: catalog.update_table(
                            spec.database, w, version_id=v
                        ),
                    )
            except VersionConflictError:
                yield Pause(until=run.clock.monotonic() + run.rng.uniform(0.05, 0.5))
        raise VersionConflictError(
            f"{spec.database}.{spec.typed_copy} was changed by others {MAX_SWAPS} times in a row",
            table=spec.name,
            remedy="find out who else changes this table, then run the refresh again",
        )

    def _ours(self, offer: Offer) -> Task[CatalogTable | None]:
        found = yield from read_copy(self._run, offer.spec)
        if found is not None:
            refuse_foreign_copy(offer.spec, offer.description.arn, found)
        return found

    def _still_shown(self, offer: Offer) -> Task[None]:
        """Stop where the raw table has gone on: whoever moved it makes the copy, too."""
        raw = yield from read_table(self._run, offer.spec)
        if offer.is_at(raw):
            return
        raise OlderExportError(
            f"{offer.spec.athena_name} no longer shows this export",
            table=offer.name,
            remedy="nothing has to be done: what moved the table makes its copy, too",
            found=raw.location if raw is not None else None,
        )


def copy_table(
    offer: Offer,
    view: PublishedView,
    place: CopyPlace,
    existing: CatalogTable | None,
    made: Mapping[str, str],
) -> dict[str, Any]:
    """The TableInput of the copy at this place; what people added to an existing one stays.

    Args:
        offer: The export.
        view: Its columns are the copy's.
        place: Where the files are.
        existing: The table as it is.
        made: What is known of the query that wrote the files; kept from the table itself where
            it lies there already.
    """
    spec = offer.spec
    body: Mapping[str, Any] = existing.table_input if existing is not None else {}
    parameters = existing.parameters if existing is not None else {}
    there = existing is not None and existing.location == place.location and sealed_copy(existing)
    previous = existing.location if existing is not None else None
    if there:
        previous = parameters.get(PREVIOUS_LOCATION)
    else:
        for outdated in (QUERY_ID, SCANNED_BYTES, PREVIOUS_LOCATION):
            parameters.pop(outdated, None)
    return {
        "Description": f"Typed copy of the exports of the DynamoDB table {spec.name}",
        **body,
        "Name": spec.typed_copy,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [],
        "Parameters": {
            **parameters,
            "EXTERNAL": "TRUE",
            "classification": "parquet",
            "parquet.compression": "ZSTD",
            COPY_OF: spec.athena_name,
            **provenance(offer.manifest, previous),
            **made,
        },
        "StorageDescriptor": {
            **body.get("StorageDescriptor", {}),
            "Columns": [
                {"Name": name, "Type": text, **({"Comment": comment} if comment else {})}
                for name, text, comment in view.glue_columns
            ],
            "Location": place.location,
            "InputFormat": PARQUET_INPUT_FORMAT,
            "OutputFormat": PARQUET_OUTPUT_FORMAT,
            "Compressed": True,
            "NumberOfBuckets": -1,
            "StoredAsSubDirectories": False,
            "SerdeInfo": {"SerializationLibrary": PARQUET_SERDE, "Parameters": {}},
        },
    }


def sealed_copy(table: CatalogTable) -> bool:
    """Whether the provenance of a copy's table names the export it lies at."""
    moved = at_its_export(table)
    return moved is not None and sealed(moved)


def _is(found: CatalogTable, wanted: Mapping[str, Any]) -> bool:
    """Whether the table, as read back, is what is wanted."""
    columns = tuple(
        (c["Name"], c["Type"], c.get("Comment", "")) for c in wanted["StorageDescriptor"]["Columns"]
    )
    return (
        found.location == wanted["StorageDescriptor"]["Location"]
        and found.columns == columns
        and wanted["Parameters"].items() <= found.parameters.items()
    )


def _place(offer: Offer) -> ExportPlace:
    manifest = offer.manifest
    return place_of(manifest.bucket, manifest.prefix, manifest.export_id)
