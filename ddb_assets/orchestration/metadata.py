"""What every materialization records: under which key, in which unit, and how it is read back.

Ours are `ddb_assets/<field>`; beside them stand Dagster's standard keys, which have a place of
their own in the UI. Numbers are numbers, because the UI plots every integer and float and nothing
else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from ddb_assets.core import console
from ddb_assets.core.export import Export
from ddb_assets.core.operating.preview import plain
from ddb_assets.core.outcome import Refreshed
from ddb_assets.core.ports import ExportNote, PastExport
from ddb_assets.core.publication import Publication
from ddb_assets.orchestration.columns import column_lineage, raw_schema
from ddb_assets.orchestration.profiles import profile_metadata
from ddb_assets.schema.profile import Profile

PREFIX = "ddb_assets/"
NOTE_KEY = f"{PREFIX}export_note"

#: USD per exported GB in us-east-1: AWS's own "DynamoDB incremental export" sample counts
#: 11 GB x 0.10. Other regions differ; set the price of yours.
DEFAULT_PRICE_PER_GB = 0.10
#: AWS bills DynamoDB in binary gigabytes (page "Amazon DynamoDB pricing": 1 GB = 2^30 bytes).
BYTES_PER_GB = 2**30
#: Characters of one value in a preview; an item may have 400 KB.
MAX_CELL = 500

Metadata = dict[str, dg.MetadataValue[Any]]


def refreshed_metadata(
    outcome: Refreshed,
    *,
    now: datetime,
    price_per_gb: float = DEFAULT_PRICE_PER_GB,
    catalog_id: str | None = None,
    live: dg.AssetKey | None = None,
    preview: Sequence[Mapping[str, Any]] | None = None,
    previous: Profile | None = None,
    past: Sequence[PastExport] = (),
) -> Metadata:
    """The metadata of one materialization; docs/metadata.md lists every key.

    Args:
        outcome: A table that stands at a verified export.
        now: The moment of publishing, for the age of the data.
        price_per_gb: USD per exported GB in this region.
        catalog_id: Account of the Glue catalog where it is not the caller's, for the link.
        live: The live table's asset, for the column lineage.
        preview: The first items, as the export has them.
        previous: What the items held before, where the outcome does not know.
        past: Earlier exports of the table, newest first: what waiting learns from.
    """
    manifest, publication, timings = outcome.manifest, outcome.publication, outcome.timings
    seconds = (manifest.end_time - manifest.start_time).total_seconds()
    cost = manifest.billed_bytes / BYTES_PER_GB * price_per_gb
    ours: dict[str, dg.MetadataValue[Any] | None] = {
        "export_arn": _text(manifest.export_arn),
        "export_id": _text(manifest.export_id),
        "export_type": _text(outcome.export.kind),
        "export_format": _text(outcome.export.export_format),
        "export_started": dg.MetadataValue.timestamp(manifest.start_time),
        "export_ended": dg.MetadataValue.timestamp(manifest.end_time),
        "export_time": dg.MetadataValue.timestamp(manifest.export_time),
        "data_age_seconds": _float((now - manifest.export_time).total_seconds()),
        "location": _text(manifest.location),
        "previous_location": _text(publication.previous_location),
        "publication": _text(publication.action),
        "glue_version": _text(publication.version_id),
        "query_execution_id": _text(publication.query_execution_id),
        "items": dg.MetadataValue.int(manifest.items),
        "live_items": dg.MetadataValue.int(outcome.description.item_count),
        "live_size_bytes": dg.MetadataValue.int(outcome.description.size_bytes),
        "billed_bytes": dg.MetadataValue.int(manifest.billed_bytes),
        "stored_bytes": dg.MetadataValue.int(manifest.stored_bytes),
        "files": dg.MetadataValue.int(len(manifest.files)),
        "export_seconds": _float(seconds),
        "recent_exports": _recent(
            [PastExport(round(seconds, 3), manifest.items, manifest.billed_bytes), *past]
        ),
        "waiting_seconds": _float(timings.waited_seconds),
        "verifying_seconds": _float(timings.verified_seconds),
        "inferring_seconds": _float(timings.inferred_seconds),
        "publishing_seconds": _float(timings.published_seconds),
        "estimated_cost_usd": dg.MetadataValue.float(cost),
        "notes": _notes(publication),
        "preview": preview_table(preview) if preview else None,
    }
    dagster: Metadata = {
        "dagster/row_count": dg.MetadataValue.int(manifest.items),
        "dagster/size_bytes": dg.MetadataValue.int(manifest.stored_bytes),
        "dagster/uri": dg.MetadataValue.text(manifest.location),
        "dagster/table_name": dg.MetadataValue.text(f"{publication.database}.{publication.table}"),
        "dagster/column_schema": dg.MetadataValue.table_schema(
            raw_schema(publication, outcome.profile)
        ),
    }
    if live is not None and publication.paths:
        dagster["dagster/column_lineage"] = dg.MetadataValue.column_lineage(
            column_lineage(publication, live)
        )
    return {
        **dagster,
        **{f"{PREFIX}{name}": value for name, value in ours.items() if value is not None},
        **profile_metadata(outcome, previous),
        **_links(outcome, catalog_id),
    }


def preview_table(items: Sequence[Mapping[str, Any]]) -> dg.MetadataValue[Any]:
    """Items as a table; numbers are exact text, long values are cut."""
    columns = dict.fromkeys(name for item in items for name in item)
    records = [
        dg.TableRecord({name: _cell(item[name]) if name in item else None for name in columns})
        for item in items
    ]
    schema = dg.TableSchema(columns=[dg.TableColumn(name=name) for name in columns])
    return dg.MetadataValue.table(records=records, schema=schema)


def export_metadata(export: Export) -> Metadata:
    """What is known of an export the moment it was started: for notes and failures."""
    metadata: Metadata = {
        f"{PREFIX}export_arn": dg.MetadataValue.text(export.arn),
        f"{PREFIX}export_status": dg.MetadataValue.text(export.status),
    }
    return metadata | _link("export_console", lambda: console.export_url(export.arn))


def note_metadata(note: ExportNote) -> Metadata:
    """The ledger's entry, and the same for a reader in the UI."""
    entry: dict[str, Any] = {
        "table_arn": note.table_arn,
        "table_id": note.table_id,
        "export_arn": note.export_arn,
        "client_token": note.client_token,
        "launch": note.launch,
        "export_time": note.export_time.isoformat() if note.export_time else None,
    }
    return {
        f"{PREFIX}export_arn": dg.MetadataValue.text(note.export_arn),
        **_link("export_console", lambda: console.export_url(note.export_arn)),
        NOTE_KEY: dg.MetadataValue.json(entry),
    }


def read_note(metadata: Mapping[str, dg.MetadataValue[Any]]) -> ExportNote | None:
    """The inverse of `note_metadata`; None for what is no note, or one that cannot be read."""
    value = metadata.get(NOTE_KEY)
    entry: Any = value.value if value is not None else None
    try:
        cut = entry["export_time"]
        return ExportNote(
            table_arn=_str(entry["table_arn"]),
            table_id=_str(entry["table_id"]),
            export_arn=_str(entry["export_arn"]),
            client_token=_str(entry["client_token"]),
            launch=int(entry["launch"]),
            export_time=None if cut is None else datetime.fromisoformat(cut),
        )
    except (KeyError, TypeError, ValueError):
        return None


@dataclass(frozen=True)
class RecordedRefresh:
    """What a materialization's metadata says; None where it says nothing."""

    export_arn: str | None
    export_time: datetime | None
    location: str | None
    previous_location: str | None
    items: int | None
    billed_bytes: int | None
    stored_bytes: int | None
    export_seconds: float | None
    live_items: int | None = None
    live_size_bytes: int | None = None
    operation: str | None = None
    recent: tuple[PastExport, ...] | None = None

    @classmethod
    def read(cls, metadata: Mapping[str, dg.MetadataValue[Any]]) -> "RecordedRefresh":
        """Read it; a missing or foreign value is None."""

        def value(name: str, *types: type) -> Any:
            found = metadata.get(f"{PREFIX}{name}")
            return found.value if found is not None and isinstance(found.value, types) else None

        stamp = value("export_time", int, float)
        return cls(
            export_arn=value("export_arn", str),
            export_time=None if stamp is None else datetime.fromtimestamp(stamp, tz=UTC),
            location=value("location", str),
            previous_location=value("previous_location", str),
            items=value("items", int),
            billed_bytes=value("billed_bytes", int),
            stored_bytes=value("stored_bytes", int),
            export_seconds=value("export_seconds", int, float),
            live_items=value("live_items", int),
            live_size_bytes=value("live_size_bytes", int),
            operation=value("operation", str),
            recent=_read_recent(value("recent_exports", list)),
        )


def _recent(exports: Sequence[PastExport]) -> dg.MetadataValue[Any]:
    """One list instead of twenty materializations to read."""
    return dg.MetadataValue.json([[e.seconds, e.items, e.billed_bytes] for e in exports])


def _read_recent(written: list[Any] | None) -> tuple[PastExport, ...] | None:
    if written is None:
        return None
    try:
        return tuple(
            PastExport(float(seconds), items, billed) for seconds, items, billed in written
        )
    except (TypeError, ValueError):
        return None


def _links(outcome: Refreshed, catalog_id: str | None) -> Metadata:
    manifest, publication = outcome.manifest, outcome.publication
    links = _link("export_console", lambda: console.export_url(manifest.export_arn))
    links |= _link("table_console", lambda: console.table_url(manifest.table_arn))

    def region() -> str:
        return console.region_of(manifest.export_arn)

    links |= _link("s3_console", lambda: console.s3_url(manifest.location, region=region()))
    links |= _link(
        "glue_console",
        lambda: console.glue_table_url(
            publication.database, publication.table, region=region(), catalog_id=catalog_id
        ),
    )
    links |= _link("athena_console", lambda: console.athena_editor_url(region=region()))
    query = publication.query_execution_id
    if query is not None:
        links |= _link("query_console", lambda: console.athena_query_url(query, region=region()))
    return links


def _link(name: str, address: Callable[[], str]) -> Metadata:
    # An ARN no console knows (an emulator's, a future partition's) costs the link, not the refresh.
    try:
        return {f"{PREFIX}{name}": dg.MetadataValue.url(address())}
    except ValueError:
        return {}


def _cell(value: dict[str, Any]) -> str | bool | None:
    cell = plain(value)
    if isinstance(cell, str) and len(cell) > MAX_CELL:
        return f"{cell[: MAX_CELL - 1]}…"
    return cell


def _notes(publication: Publication) -> dg.MetadataValue[Any] | None:
    if not publication.notes:
        return None
    return dg.MetadataValue.md("\n".join(f"- {note}" for note in publication.notes))


def _text(value: str | None) -> dg.MetadataValue[Any] | None:
    return None if value is None else dg.MetadataValue.text(value)


def _float(seconds: float) -> dg.MetadataValue[Any]:
    return dg.MetadataValue.float(round(seconds, 3))


def _str(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
