"""Moves the Athena table to a verified export: a compare-and-swap on Glue's table version.

One loop reads the table, judges it and swaps it; a lost answer, a conflict and a competing run all
end in the next reading. The loop ends when the table, as read, lies at this export: that is the
proof, and also how a repeated publication changes nothing.
"""

from typing import Any

from ddb_assets.core.locations import parse_location
from ddb_assets.core.ports import CatalogTable
from ddb_assets.core.publication import Publication, PublicationAction
from ddb_assets.core.publishing.catalog import (
    Offer,
    Shaping,
    moved_table,
    new_table,
    refuse_conflict,
    refuse_older,
    shaping,
)
from ddb_assets.core.publishing.published import PREVIOUS_LOCATION, published_export, sealed
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Pause, Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import CatalogConflictError, UnsupportedError, VersionConflictError
from ddb_assets.schema.attributes import Attribute
from ddb_assets.schema.hive_types import parse
from ddb_assets.schema.layout import written_attributes
from ddb_assets.schema.paths import ValuePath, field_names, value_paths

#: Swaps lost to others in a row; each was somebody else's successful change of the same table.
MAX_SWAPS = 20


def read_table(run: RunContext, spec: TableSpec) -> Task[CatalogTable | None]:
    """The Glue table as it is."""
    return (yield from read_named(run, spec, spec.table))


def read_named(
    run: RunContext, spec: TableSpec, name: str | None, kind: str = "Glue table"
) -> Task[CatalogTable | None]:
    """What Glue has by this name in the table's database; None also where none is wanted."""
    if name is None:
        return None
    catalog = run.gateways.catalog
    return (
        yield from run.call(
            spec.name,
            f"read the {kind} {spec.database}.{name}",
            lambda: catalog.get_table(spec.database, name),
        )
    )


def judged_table(run: RunContext, offer: Offer) -> Task[CatalogTable | None]:
    """The Glue table, if this export may be published there.

    Raises:
        CatalogConflictError: The table cannot be ours.
        OlderExportError: It shows something newer.
    """
    table = yield from read_table(run, offer.spec)
    if table is not None and not offer.is_at(table):
        published = yield from published_export(run, offer.name, table)
        refuse_conflict(offer.spec, offer.description.arn, table, published)
        refuse_older(offer, published)
    return table


def publish_with_glue(run: RunContext, offer: Offer) -> Task[Publication]:
    """Create the table, or move it with UpdateTable and the version that was read.

    Raises:
        CatalogConflictError: The table cannot be ours.
        OlderExportError: It shows something newer, or does so by the time this one is published.
        VersionConflictError: Others changed the table again and again, or moved it right after.
    """
    swap = Swap(run, offer)
    while True:
        table = yield from judged_table(run, offer)
        swap.seen(table)
        if offer.is_at(table):
            assert table is not None
            return swap.publication(table)
        shape = shaping(offer, table)
        if table is None:
            yield from swap.create(shape)
        else:
            yield from swap.update(table, shape)


class Swap:
    """One publication's attempts to change one Glue table."""

    def __init__(self, run: RunContext, offer: Offer) -> None:
        self._run = run
        self._offer = offer
        self._readings = 0
        self._before: CatalogTable | None = None
        self._landed = False
        self._shape: Shaping | None = None
        self.touched = False
        self.query_execution_id: str | None = None

    def seen(self, table: CatalogTable | None) -> None:
        """Take note of a reading; the first one is what the table was before.

        Raises:
            VersionConflictError: There were too many, or somebody moved the table right after us.
        """
        if self._readings == 0:
            self._before = table
        self._readings += 1
        spec = self._offer.spec
        if self._landed and not self._offer.is_at(table):
            raise VersionConflictError(
                f"{spec.athena_name} was moved away again right after it was published",
                table=spec.name,
                remedy="somebody else moves this table, too; run the refresh again if this export "
                "is the wanted one",
                found=table.location if table is not None else None,
            )
        if self._readings > MAX_SWAPS:
            raise VersionConflictError(
                f"{spec.athena_name} was changed by others {MAX_SWAPS} times in a row",
                table=spec.name,
                remedy="find out who else changes this table, then run the refresh again",
            )

    def create(self, shape: Shaping) -> Task[None]:
        """Create the table at this export, and its database if need be."""
        run, spec = self._run, self._offer.spec
        catalog = run.gateways.catalog
        self.announce()
        self._shape = shape
        known = yield from run.call(
            spec.name,
            f"look for the Glue database {spec.database}",
            lambda: catalog.has_database(spec.database),
        )
        if not known:
            yield from run.call(
                spec.name,
                f"create the Glue database {spec.database}",
                lambda: catalog.create_database(spec.database),
            )
        wanted = new_table(self._offer, shape)
        yield from self._try(
            run.call(
                spec.name,
                f"create the Glue table {spec.athena_name}",
                lambda: catalog.create_table(spec.database, wanted),
            ),
            lands=True,
        )

    def update(self, table: CatalogTable, shape: Shaping) -> Task[None]:
        """Move the table to this export: columns, location and provenance in one update."""
        self.announce()
        self._shape = shape
        yield from self.write(table, moved_table(self._offer, table, shape), lands=True)

    def write(self, table: CatalogTable, wanted: dict[str, object], *, lands: bool) -> Task[None]:
        """Replace the version that was read; a conflict ends in the caller's next reading."""
        run, spec = self._run, self._offer.spec
        version = version_of(spec, table)
        yield from self._try(
            run.call(
                spec.name,
                f"update the Glue table {spec.athena_name}",
                lambda: run.gateways.catalog.update_table(
                    spec.database, wanted, version_id=version
                ),
            ),
            lands=lands,
        )

    def publication(self, table: CatalogTable) -> Publication:
        """What the table is now, as read back.

        Raises:
            CatalogConflictError: A column's type, as read back, is none that Hive knows.
        """
        for _, text, _ in table.columns:
            parse(text)
        action: PublicationAction = "unchanged"
        previous = table.parameters.get(PREVIOUS_LOCATION)
        if self.touched:
            action = "created" if self._before is None else "moved"
            previous = None if self._before is None else self._before.location
        manifest = self._offer.manifest
        attributes, paths = _known_paths(table)
        return Publication(
            database=self._offer.spec.database,
            table=self._offer.spec.table,
            location=manifest.location,
            export_arn=manifest.export_arn,
            export_time=manifest.export_time,
            action=action,
            previous_location=previous,
            version_id=table.version_id,
            query_execution_id=self.query_execution_id,
            columns=table.columns,
            notes=self._shape.notes if self._shape is not None else (),
            attributes=attributes,
            paths=paths,
        )

    def noted(self, shape: Shaping) -> None:
        """Keep the notes of a shaping that was applied."""
        self._shape = shape

    def announce(self) -> None:
        """Say once that the table is about to change."""
        if not self.touched:
            manifest = self._offer.manifest
            self._run.emit(
                self._offer.name,
                "publishing",
                f"publishing export {manifest.export_id} as {self._offer.spec.athena_name}",
                location=manifest.location,
            )
        self.touched = True

    def _try(self, change: Task[None], *, lands: bool) -> Task[None]:
        run = self._run
        try:
            yield from change
            self._landed = lands
        except VersionConflictError:
            yield Pause(until=run.clock.monotonic() + run.rng.uniform(0.05, 0.5))


def put_back(
    run: RunContext, spec: TableSpec, export_id: str, before: CatalogTable | None
) -> Task[bool]:
    """Undo the publication of an export, if the table still lies at it.

    Args:
        run: The refresh.
        spec: The table.
        export_id: The export to be undone.
        before: The Glue table as this process saw it earlier, for want of anything better: others
            may have moved it since.

    Returns:
        Whether anything was undone.
    """
    catalog = run.gateways.catalog
    for _ in range(MAX_SWAPS):
        table = yield from read_table(run, spec)
        place = parse_location(table.location) if table is not None else None
        if table is None or place is None or place.export_id != export_id:
            return False
        former = (yield from _former(run, spec, table)) or before
        try:
            if former is None:
                yield from run.call(
                    spec.name,
                    f"drop the Glue table {spec.athena_name} again",
                    lambda: catalog.delete_table(spec.database, spec.table),
                )
            else:
                wanted, version = dict(former.table_input), version_of(spec, table)
                yield from run.call(
                    spec.name,
                    f"put the Glue table {spec.athena_name} back",
                    lambda w=wanted, v=version: catalog.update_table(
                        spec.database, w, version_id=v
                    ),
                )
        except VersionConflictError:
            yield Pause(until=run.clock.monotonic() + run.rng.uniform(0.05, 0.5))
            continue
        return True
    raise VersionConflictError(
        f"{spec.athena_name} could not be put back: others changed it {MAX_SWAPS} times in a row",
        table=spec.name,
        remedy="look where the tables of this group point and roll back the one that is ahead",
    )


def _known_paths(
    table: CatalogTable,
) -> tuple[tuple[Attribute, ...], tuple[ValuePath, ...]]:
    """What the table's column holds; nothing for a table laid out by others."""
    try:
        attributes = written_attributes(table.parameters)
    except CatalogConflictError:
        # Somebody edited the parameter. The table is published all the same; only this is unknown.
        return (), ()
    serde: dict[str, Any] = table.table_input.get("StorageDescriptor", {}).get("SerdeInfo") or {}
    named = field_names(str(serde.get("SerializationLibrary", "")), serde.get("Parameters") or {})
    return attributes, tuple(value_paths(attributes, named))


def version_of(spec: TableSpec, table: CatalogTable) -> str:
    """The version to compare with.

    Raises:
        UnsupportedError: Glue's answer has none, so that no swap would be safe.
    """
    if table.version_id is None:
        raise UnsupportedError(
            "this endpoint's GetTable answers without VersionId, so a change by somebody else "
            "could not be noticed",
            table=spec.name,
            remedy="use AWS or `ddb-assets local`",
        )
    return table.version_id


def _former(run: RunContext, spec: TableSpec, table: CatalogTable) -> Task[CatalogTable | None]:
    """What the table was before it came to its location; None if it was created there.

    Provenance names what the swap replaced. The newest other version need not be that: it may be
    what another run moved the table to, and took back.
    """
    catalog = run.gateways.catalog
    previous = table.parameters.get(PREVIOUS_LOCATION) if sealed(table) else None

    def search() -> CatalogTable | None:
        versions = list(catalog.table_versions(spec.database, spec.table))
        others = [version for version in versions if version.location != table.location]
        if previous:
            return next((version for version in others if version.location == previous), None)
        created_here = bool(versions) and versions[-1].location == table.location
        return next(iter(others), None) if not (sealed(table) and created_here) else None

    version = yield from run.call(spec.name, f"read earlier versions of {spec.athena_name}", search)
    if version is not None or not previous:
        return version
    # Versions may have been pruned; the location is what matters, provenance is read from there.
    storage = {**table.table_input.get("StorageDescriptor", {}), "Location": previous}
    return CatalogTable(
        spec.database,
        spec.table,
        {**table.table_input, "StorageDescriptor": storage},
        table.version_id,
    )
