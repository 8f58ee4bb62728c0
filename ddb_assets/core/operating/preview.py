"""The first items of an export, read from its data files: exact, and a few kilobytes of S3.

Athena would need a query, its permissions and at least ten billed megabytes for the same.
"""

import json
from collections.abc import Generator
from contextlib import closing
from typing import Any

from ddb_assets.core.manifest import DataFile, Manifest
from ddb_assets.core.ports import ObjectStore
from ddb_assets.core.verifying.data_files import Gunzip

#: More rows than this are no preview: they are kept in Dagster's database with every run.
MAX_ROWS = 100
_CHUNK_BYTES = 1 << 16


def first_items(objects: ObjectStore, manifest: Manifest, rows: int) -> list[dict[str, Any]]:
    """The first items as the export has them: attribute name -> `{type: value}`.

    Args:
        objects: S3.
        manifest: A verified export.
        rows: At most so many.

    Raises:
        ExportObjectsGoneError: A data file is no longer there.
        ManifestInvalidError, ValueError: A data file is not what the manifest says.
    """
    found: list[dict[str, Any]] = []
    for file in manifest.files:
        if len(found) >= rows:
            break
        if file.items:
            found += _head(objects, manifest, file, rows - len(found))
    return found


def plain(value: dict[str, Any]) -> Any:
    """A `{type: value}` as a cell of a table: text, a boolean, or JSON of what is nested.

    Numbers stay text, because a float would lose digits.
    """
    ((code, inner),) = value.items()
    match code:
        case "NULL":
            return None
        case "S" | "N" | "B" | "BOOL":
            return inner
        case _:
            return json.dumps(_nested(value), ensure_ascii=False)


def _nested(value: dict[str, Any]) -> Any:
    ((code, inner),) = value.items()
    match code:
        case "NULL":
            return None
        case "M":
            return {name: _nested(one) for name, one in inner.items()}
        case "L":
            return [_nested(one) for one in inner]
        case _:
            return inner


def _head(
    objects: ObjectStore, manifest: Manifest, file: DataFile, rows: int
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with closing(_lines(objects, manifest.bucket, file.key)) as lines:
        for line in lines:
            if not line.strip():
                continue
            found.append(json.loads(line)["Item"])
            if len(found) >= rows:
                break
    return found


def _lines(objects: ObjectStore, bucket: str, key: str) -> Generator[bytes]:
    gunzip, rest = Gunzip(), b""
    chunks = objects.stream(bucket, key, _CHUNK_BYTES)
    try:
        for chunk in chunks:
            for piece in gunzip.feed(chunk):
                *whole, rest = (rest + piece).split(b"\n")
                yield from whole
    finally:
        # Ends the download where the rows wanted are there before the file is.
        if isinstance(chunks, Generator):
            chunks.close()
    if rest:
        yield rest
