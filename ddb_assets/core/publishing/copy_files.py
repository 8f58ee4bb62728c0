"""What lies in S3 of an export's typed copies, and how many rows that is.

UNLOAD has no commit: its files appear one by one, and a query that fails leaves those it wrote (AWS
page "unload", "Orphaned data not deleted"). A file itself is there as a whole or not at all. So a
copy is complete when the rows in its footers add up to the export's items; as only one query ever
writes into a place, no row can be there twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ddb_assets.core.locations import CopyPlace, ExportPlace, parse_copy_location
from ddb_assets.core.ports import ObjectStore, StoredObject
from ddb_assets.core.publishing.parquet_footer import (
    SMALLEST_FILE,
    footer_length,
    rows_in,
)
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Pause, Task
from ddb_assets.errors import CopyIncompleteError, ExportObjectsGoneError

#: Most footers are smaller; a longer one costs a second request.
_FIRST_READ_BYTES = 1 << 16


@dataclass(frozen=True)
class CopyFiles:
    """The Parquet files of one attempt at a typed copy.

    Attributes:
        rows: What their footers add up to.
    """

    place: CopyPlace
    files: int = 0
    stored_bytes: int = 0
    rows: int = 0


def listed_copies(
    run: RunContext, name: str, export: ExportPlace, layout: str | None = None
) -> Task[dict[CopyPlace, tuple[StoredObject, ...]]]:
    """The attempts that have written anything, with what Athena reads of each.

    Args:
        run: The refresh.
        name: The DynamoDB table, for messages.
        export: Whose copies.
        layout: Only those with these columns.
    """
    prefix = export.copies if layout is None else f"{export.copies}{layout}-"
    objects = run.gateways.objects
    return (
        yield from run.call(
            name,
            f"list s3://{export.bucket}/{prefix}",
            lambda: _by_place(export, objects.list(export.bucket, prefix)),
        )
    )


def counted(
    run: RunContext, name: str, place: CopyPlace, stored: Iterable[StoredObject]
) -> Task[CopyFiles]:
    """Read the footer of each file.

    Raises:
        CopyIncompleteError: One is no Parquet file; says which.
        ExportObjectsGoneError: One was deleted meanwhile.
    """
    files = size = rows = 0
    bucket = place.export.bucket
    for file in stored:
        try:
            rows += yield from run.call(
                name,
                f"read the footer of s3://{bucket}/{file.key}",
                lambda f=file: _rows(run.gateways.objects, bucket, f),
            )
        except CopyIncompleteError as error:
            raise CopyIncompleteError(
                f"s3://{bucket}/{file.key} is no Parquet file that could be read: {error.cause}",
                table=name,
                remedy="look at what else writes below the exports' prefix",
            ) from error
        files += 1
        size += file.size
        # There may be hundreds of files: let others have their turn.
        yield Pause(until=run.clock.monotonic())
    return CopyFiles(place, files, size, rows)


def complete_copy(
    run: RunContext, name: str, export: ExportPlace, layout: str, items: int
) -> Task[CopyFiles | None]:
    """An attempt with these columns that holds all items, whoever made it; None if none does."""
    found = yield from listed_copies(run, name, export, layout)
    for place, stored in sorted(found.items(), key=lambda entry: entry[0].attempt):
        try:
            files = yield from counted(run, name, place, stored)
        except (CopyIncompleteError, ExportObjectsGoneError):
            # Of a query that was cut off, or being deleted; the place is not used again.
            continue
        if files.rows == items:
            return files
    return None


def _rows(objects: ObjectStore, bucket: str, file: StoredObject) -> int:
    if file.size < SMALLEST_FILE:
        raise CopyIncompleteError(f"it has {file.size} bytes")
    end = objects.tail(bucket, file.key, min(file.size, _FIRST_READ_BYTES))
    length = footer_length(end)
    if len(end) < length < file.size:
        end = objects.tail(bucket, file.key, length)
    return rows_in(end)


def _by_place(
    export: ExportPlace, listing: Iterable[StoredObject]
) -> dict[CopyPlace, tuple[StoredObject, ...]]:
    found: dict[CopyPlace, list[StoredObject]] = {}
    for stored in listing:
        folder, _, name = stored.key.removeprefix(export.copies).partition("/")
        place = parse_copy_location(f"s3://{export.bucket}/{export.copies}{folder}/")
        # Athena reads neither hidden files nor folder markers (AWS page "create-table", LOCATION).
        if place is None or not name or name.endswith("/") or name.startswith(("_", ".")):
            continue
        found.setdefault(place, []).append(stored)
    return {place: tuple(objects) for place, objects in found.items()}
