"""What the Glue table should be, and whether the one that is there may become it.

Nothing is asked of AWS here. What people set themselves (other parameters, descriptions, comments
of columns, columns this export does not need) survives; what cannot be ours is refused.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ddb_assets.core.export import TableDescription
from ddb_assets.core.manifest import Manifest
from ddb_assets.core.ports import CatalogTable
from ddb_assets.core.publishing.published import (
    EXPORT_ARN,
    EXPORT_TIME,
    ITEM_COUNT,
    PREVIOUS_LOCATION,
    TABLE_ARN,
    TABLE_ID,
    PublishedExport,
    made_by_us,
)
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import CatalogConflictError, OlderExportError, VersionConflictError
from ddb_assets.schema.attributes import Attribute
from ddb_assets.schema.ddl import TEXT_INPUT_FORMAT, TEXT_OUTPUT_FORMAT
from ddb_assets.schema.evolution import extend, union
from ddb_assets.schema.layout import table_layout

Columns = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Offer:
    """A verified export that wants to be published.

    Attributes:
        attributes: What its items hold, declared and inferred; None leaves the existing columns
            as they are (the table already lies at this export).
        allow_older: It may replace a newer one: the rollback.
        notes: What a reader should know of the attributes, for the publication.
    """

    spec: TableSpec
    description: TableDescription
    manifest: Manifest
    attributes: tuple[Attribute, ...] | None = None
    allow_older: bool = False
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The DynamoDB table's name."""
        return self.spec.name

    def is_at(self, table: CatalogTable | None) -> bool:
        """Whether the Glue table already lies at this export."""
        return table is not None and _slashed(table.location) == self.manifest.location


@dataclass(frozen=True)
class Shaping:
    """The columns and the SerDe the table is to have."""

    columns: Columns
    serde_library: str
    serde_parameters: Mapping[str, str]
    table_parameters: Mapping[str, str]
    changed: bool
    notes: tuple[str, ...] = ()


def refuse_conflict(
    spec: TableSpec,
    table_arn: str,
    existing: CatalogTable,
    published: PublishedExport | None,
) -> None:
    """Make sure that the existing Glue table may hold this DynamoDB table's exports.

    Raises:
        CatalogConflictError: It is a view, an Iceberg or partitioned table, another DynamoDB
            table's, or neither made by us nor over a DynamoDB export.
    """
    body = existing.table_input
    parameters = existing.parameters
    kind = str(body.get("TableType") or "")
    if "VIEW" in kind.upper() or body.get("ViewOriginalText"):
        raise _conflict(spec, "is a view")
    if parameters.get("table_type", "").upper() == "ICEBERG":
        raise _conflict(spec, "is an Iceberg table, whose location cannot be set")
    if body.get("PartitionKeys"):
        raise _conflict(spec, "has partition keys; an export has none")
    if made_by_us(existing):
        owner = parameters[TABLE_ARN]
    elif published is None:
        raise _conflict(spec, "was not made by ddb_assets and does not lie at a DynamoDB export")
    else:
        owner = published.table_arn or table_arn
    if owner != table_arn:
        raise _conflict(spec, f"shows another DynamoDB table ({owner})")


def refuse_older(offer: Offer, published: PublishedExport | None) -> None:
    """Never backwards, unless asked for.

    Raises:
        OlderExportError: The published export is of a later moment.
    """
    if published is None or offer.allow_older:
        return
    if published.export_time > offer.manifest.export_time:
        raise OlderExportError(
            f"export {offer.manifest.export_id} is of {_utc(offer.manifest.export_time)}, but "
            f"{offer.spec.athena_name} already shows {published.export_id} of "
            f"{_utc(published.export_time)}",
            table=offer.name,
            remedy="nothing has to be done; to go back on purpose use `ddb-assets rollback`",
            published_location=published.place.location,
            export_arn=offer.manifest.export_arn,
        )


def shaping(offer: Offer, existing: CatalogTable | None) -> Shaping:
    """The table's columns after publication: those it has, and what this export needs besides.

    Attributes that vanished keep their column (they read as NULL). A column whose type has to
    change is changed where this package made the table, since every row is replaced.

    Raises:
        CatalogConflictError: Somebody else's table cannot hold the export.
        VersionConflictError: The table was there when it was looked at first, and is gone.
    """
    if existing is None:
        if offer.attributes is None:
            raise VersionConflictError(
                f"{offer.spec.athena_name} was dropped while it was being published",
                table=offer.name,
                remedy="run the refresh again; it creates the table anew",
            )
        layout = table_layout(offer.attributes, serde=offer.spec.serde)
        return Shaping(
            layout.columns,
            layout.serde_library,
            layout.serde_parameters,
            layout.table_parameters,
            changed=True,
            notes=(*offer.notes, *layout.notes),
        )
    library, parameters = _serde(existing)
    if offer.attributes is None:
        return Shaping(existing.columns, library, parameters, {}, changed=False)
    layout = extend(
        offer.attributes,
        serde=offer.spec.serde,
        table_parameters=existing.parameters,
        serde_library=library,
        serde_parameters=parameters,
    )
    columns, changes = _united(existing.columns, layout.columns)
    same_serde = library == layout.serde_library
    if not same_serde:
        changes.append(f"SerDe {library or 'none'} -> {layout.serde_library}")
    if changes and not made_by_us(existing):
        raise _conflict(
            offer.spec, f"was made by others and cannot hold this export: {'; '.join(changes)}"
        )
    serde_parameters = (
        {**parameters, **layout.serde_parameters} if same_serde else layout.serde_parameters
    )
    return Shaping(
        columns,
        layout.serde_library,
        serde_parameters,
        layout.table_parameters,
        changed=columns != existing.columns
        or not same_serde
        or serde_parameters != parameters
        or not layout.table_parameters.items() <= existing.parameters.items(),
        notes=(*offer.notes, *layout.notes, *(f"changed: {change}" for change in changes)),
    )


def new_table(offer: Offer, shape: Shaping) -> dict[str, Any]:
    """The TableInput of a table that does not exist yet."""
    spec = offer.spec
    return {
        "Name": spec.table,
        "Description": f"Exports of the DynamoDB table {spec.name}",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [],
        "Parameters": {
            "EXTERNAL": "TRUE",
            "classification": "json",
            "compressionType": "gzip",
            **dict(spec.extra_parameters),
            **shape.table_parameters,
            **provenance(offer.manifest, None),
        },
        "StorageDescriptor": {
            "Columns": _glue_columns(shape.columns),
            "Location": offer.manifest.location,
            "InputFormat": TEXT_INPUT_FORMAT,
            "OutputFormat": TEXT_OUTPUT_FORMAT,
            "Compressed": True,
            "NumberOfBuckets": -1,
            "StoredAsSubDirectories": False,
            "SerdeInfo": {
                "SerializationLibrary": shape.serde_library,
                "Parameters": dict(shape.serde_parameters),
            },
        },
    }


def moved_table(
    offer: Offer, existing: CatalogTable, shape: Shaping, *, previous_location: str | None = None
) -> dict[str, Any]:
    """The existing TableInput with columns, location and provenance of this export.

    `previous_location` is where the table lay before, if that is not where it is now.
    """
    wanted = reshaped_table(existing, shape)
    wanted["StorageDescriptor"]["Location"] = offer.manifest.location
    if not offer.is_at(existing):
        previous_location = existing.location
    wanted["Parameters"] = {
        **wanted.get("Parameters", {}),
        **dict(offer.spec.extra_parameters),
        **provenance(offer.manifest, previous_location),
    }
    return wanted


def reshaped_table(existing: CatalogTable, shape: Shaping) -> dict[str, Any]:
    """The existing TableInput with other columns, still where it was."""
    wanted: dict[str, Any] = copy.deepcopy(dict(existing.table_input))
    storage = wanted.setdefault("StorageDescriptor", {})
    if shape.changed:
        kept = {c["Name"].lower(): c for c in storage.get("Columns", ())}
        storage["Columns"] = [
            {**kept.get(column["Name"].lower(), {}), **column}
            for column in _glue_columns(shape.columns)
        ]
        storage["SerdeInfo"] = {
            **(storage.get("SerdeInfo") or {}),
            "SerializationLibrary": shape.serde_library,
            "Parameters": dict(shape.serde_parameters),
        }
        wanted["Parameters"] = {**existing.parameters, **shape.table_parameters}
    return wanted


def provenance(manifest: Manifest, previous_location: str | None) -> dict[str, str]:
    """The parameters that say which export the location is."""
    facts = {
        EXPORT_ARN: manifest.export_arn,
        EXPORT_TIME: manifest.export_time.isoformat(),
        TABLE_ARN: manifest.table_arn,
        TABLE_ID: manifest.table_id,
        ITEM_COUNT: str(manifest.items),
    }
    if previous_location:
        facts[PREVIOUS_LOCATION] = previous_location
    return facts


def provenance_of(published: PublishedExport, table_arn: str) -> dict[str, str]:
    """The same for an export that somebody else published."""
    facts = {
        EXPORT_ARN: published.export_arn or f"{table_arn}/export/{published.export_id}",
        EXPORT_TIME: published.export_time.isoformat(),
        TABLE_ARN: published.table_arn or table_arn,
    }
    if published.table_id:
        facts[TABLE_ID] = published.table_id
    if published.items is not None:
        facts[ITEM_COUNT] = str(published.items)
    return facts


def _united(existing: Columns, wanted: Columns) -> tuple[Columns, list[str]]:
    """Existing columns in their order, each widened by what is wanted; then the new ones."""
    needed = {name.lower(): (name, text, comment) for name, text, comment in wanted}
    columns: list[tuple[str, str, str]] = []
    retyped: list[str] = []
    for name, text, comment in existing:
        need = needed.pop(name.lower(), None)
        if need is None:
            columns.append((name, text, comment))
            continue
        merged, evolution = union(text, need[1])
        retyped += [f"{name}.{change}" for change in evolution.retypings]
        # A type that is already right stays exactly as somebody wrote it.
        columns.append((name, text if evolution.same else merged, comment or need[2]))
    columns.extend(needed.values())
    return tuple(columns), retyped


def _serde(existing: CatalogTable) -> tuple[str, dict[str, str]]:
    storage: Mapping[str, Any] = existing.table_input.get("StorageDescriptor") or {}
    serde: Mapping[str, Any] = storage.get("SerdeInfo") or {}
    parameters: Mapping[str, str] = serde.get("Parameters") or {}
    return str(serde.get("SerializationLibrary") or ""), dict(parameters)


def _glue_columns(columns: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
    return [
        {"Name": name, "Type": text, **({"Comment": comment} if comment else {})}
        for name, text, comment in columns
    ]


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _slashed(location: str | None) -> str | None:
    return f"{location.rstrip('/')}/" if location else location


def _conflict(spec: TableSpec, cause: str) -> CatalogConflictError:
    return CatalogConflictError(
        f"the Glue table {spec.athena_name} {cause}",
        table=spec.name,
        remedy="give this table another athena_name or database, or drop the Glue table",
    )
