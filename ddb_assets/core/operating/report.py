"""Statuses, plans and outcomes as plain documents and sentences: for `--json`, metadata and logs.

The documents are an interface (docs/operating.md): keys are added, never renamed or removed.
Moments are ISO 8601 in UTC, ages are seconds, sizes are bytes; what is not known is null.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from ddb_assets.core.export import Export
from ddb_assets.core.locations import parse_location
from ddb_assets.core.manifest import Manifest
from ddb_assets.core.operating.retention import Kept, Pruned, PrunePlan, StoredExport
from ddb_assets.core.operating.rollback import RollbackTarget
from ddb_assets.core.operating.status import TableStatus
from ddb_assets.core.outcome import Refreshed
from ddb_assets.core.publishing.published import PublishedExport
from ddb_assets.core.spec import TableSpec
from ddb_assets.core.waiting.waiting import spoken
from ddb_assets.errors import DdbAssetsError

Document = dict[str, Any]
State = Literal["published", "missing", "error"]


def state_of(status: TableStatus) -> State:
    """`missing` is a table that does not exist in Athena, or shows no export."""
    if status.error is not None:
        return "error"
    return "missing" if status.published is None else "published"


def status_document(status: TableStatus) -> Document:
    """One table of `status`."""
    return {
        **_names(status.spec),
        "state": state_of(status),
        "published": _published(status.published),
        "age_seconds": None if status.age_seconds is None else round(status.age_seconds, 3),
        "items": status.items,
        "copy": _copy_status(status),
        "running": [_export(export) for export in status.running],
        "newer": [_export(export) for export in status.newer],
        "error": error_document(status.error),
    }


def error_document(error: DdbAssetsError | None) -> Document | None:
    """What went wrong, in parts."""
    if error is None:
        return None
    return {
        "type": type(error).__name__,
        "cause": error.cause,
        "code": error.code,
        "remedy": error.remedy,
        "retryable": error.retryable,
    }


def published_document(outcome: Refreshed) -> Document:
    """The end of an adoption or a rollback."""
    publication, manifest = outcome.publication, outcome.manifest
    return {
        **_names(outcome.spec),
        "dry_run": False,
        "action": publication.action,
        "export": _manifest(manifest),
        "previous": _place(publication.previous_location),
        "copy": _copy_outcome(outcome),
        "notes": list(publication.notes),
        "error": None,
    }


def target_document(spec: TableSpec, target: RollbackTarget, manifest: Manifest) -> Document:
    """Where a rollback would go; the same shape as its end."""
    now = target.published
    there = now is not None and now.place.location == manifest.location
    return {
        **_names(spec),
        "dry_run": True,
        "action": "unchanged" if there else "moved",
        "export": _manifest(manifest),
        "previous": None if now is None else _place(now.place.location),
        "copy": None,
        "notes": [],
        "error": None,
    }


def failed_document(spec: TableSpec, error: DdbAssetsError, *, dry_run: bool = False) -> Document:
    """An adoption or a rollback that left the table where it was."""
    return {
        **_names(spec),
        "dry_run": dry_run,
        "action": None,
        "export": None,
        "previous": None,
        "copy": None,
        "notes": [],
        "error": error_document(error),
    }


def prune_document(
    spec: TableSpec,
    plan: PrunePlan | None = None,
    pruned: Pruned | None = None,
    error: DdbAssetsError | None = None,
) -> Document:
    """One table of `prune`: what is to go and to stay, and what went."""
    return {
        **_names(spec),
        "delete": [_stored(export) for export in plan.delete] if plan else [],
        "keep": [_kept(kept) for kept in plan.keep] if plan else [],
        "freed_bytes": plan.freed_bytes if plan else 0,
        "deleted": [export.export_id for export in pruned.deleted] if pruned else [],
        "spared": [export.export_id for export in pruned.spared] if pruned else [],
        "error": error_document(error),
    }


def status_sentence(status: TableStatus) -> str:
    """One line for a log."""
    name = status.spec.name
    if status.error is not None:
        return str(status.error)
    published = status.published
    parts = [f"{status.spec.athena_name} shows no export"]
    if published is not None and status.age_seconds is not None:
        items = "" if published.items is None else f"{published.items:,} items, "
        age = spoken(status.age_seconds)
        parts = [f"{status.spec.athena_name} shows {published.export_id}, {items}{age} old"]
    if status.copy_differs:
        shows = status.copied.export_id if status.copied is not None else "no export"
        parts.append(f"its typed copy {status.spec.typed_copy} shows {shows}")
    parts += [f"export {export.export_id} runs" for export in status.running]
    if status.newer:
        newest = status.newer[0].arn
        parts.append(f"{len(status.newer)} newer not published, the newest is {newest}")
    return f"{name}: {'; '.join(parts)}"


def target_sentence(spec: TableSpec, target: RollbackTarget, manifest: Manifest) -> str:
    """One line for a log."""
    now = "no export" if target.published is None else target.published.export_id
    return (
        f"{spec.name}: {spec.athena_name} would go from {now} to {manifest.export_id} of "
        f"{manifest.export_time:%Y-%m-%d %H:%M:%S} UTC; its {manifest.items:,} items in "
        f"{len(manifest.files)} files are there"
    )


def plan_sentence(plan: PrunePlan) -> str:
    """One line for a log."""
    name, count = plan.spec.name, len(plan.delete)
    if not plan.delete:
        return f"{name}: nothing to delete; {len(plan.keep)} exports are kept"
    ids = _ids(plan.delete)
    size = sized(plan.freed_bytes)
    return f"{name}: {count} of {count + len(plan.keep)} exports may go, {size}: {ids}"


def pruned_sentence(plan: PrunePlan, pruned: Pruned) -> str:
    """One line for a log."""
    freed = sized(sum(export.stored_bytes for export in pruned.deleted))
    spared = f"; spared, since the table came to it: {_ids(pruned.spared)}" if pruned.spared else ""
    return f"{plan.spec.name}: deleted {len(pruned.deleted)} exports, {freed}{spared}"


def sized(count: int) -> str:
    """Bytes for a reader, e.g. `1.4 GB`; in powers of 1000."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _names(spec: TableSpec) -> Document:
    return {"table": spec.name, "athena_table": spec.athena_name}


def _published(published: PublishedExport | None) -> Document | None:
    if published is None:
        return None
    return {
        "export_id": published.export_id,
        "export_arn": published.export_arn,
        "export_time": _moment(published.export_time),
        "location": published.place.location,
        "items": published.items,
        "previous": _place(published.previous_location),
    }


def _copy_status(status: TableStatus) -> Document | None:
    if status.spec.typed_copy is None or status.error is not None:
        return None
    return {
        "name": f"{status.spec.database}.{status.spec.typed_copy}",
        "published": None
        if status.copied is None
        else {
            "export_id": status.copied.export_id,
            "export_arn": status.copied.export_arn,
            "export_time": _moment(status.copied.export_time),
        },
        "same_export": not status.copy_differs,
    }


def _copy_outcome(outcome: Refreshed) -> Document | None:
    if outcome.spec.typed_copy is None:
        return None
    copy, error = outcome.copy, outcome.copy_error
    return {
        "name": f"{outcome.spec.database}.{outcome.spec.typed_copy}",
        "action": None if copy is None else copy.action,
        "location": None if copy is None else copy.location,
        "rows": None if copy is None else copy.rows,
        "error": error_document(error),
    }


def _export(export: Export) -> Document:
    return {
        "export_id": export.export_id,
        "export_arn": export.arn,
        "export_time": _moment(export.export_time),
        "started": _moment(export.start_time),
        "items": export.item_count,
    }


def _manifest(manifest: Manifest) -> Document:
    return {
        "export_id": manifest.export_id,
        "export_arn": manifest.export_arn,
        "export_time": _moment(manifest.export_time),
        "location": manifest.location,
        "items": manifest.items,
    }


def _place(location: str | None) -> Document | None:
    if location is None:
        return None
    place = parse_location(location)
    return {"export_id": place.export_id if place else None, "location": location}


def _stored(export: StoredExport) -> Document:
    return {
        "export_id": export.export_id,
        "location": export.place.location,
        "objects": len(export.keys),
        "bytes": export.stored_bytes,
    }


def _kept(kept: Kept) -> Document:
    return {**_stored(kept.export), "reason": kept.reason}


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _ids(exports: Sequence[StoredExport]) -> str:
    return ", ".join(export.export_id for export in exports)
