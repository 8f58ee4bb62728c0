"""What `reading.py` measures; each job runs in a process of its own and prints one JSON object.

python benchmarks/reading_jobs.py JOB FOLDER FILES
"""

# ruff: noqa: PLC0415, PLR0911 - a job imports what it measures; one return per type

import base64
import gzip
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ddb_assets.core.manifest import DataFile, Manifest
from ddb_assets.core.ports import Gateways
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.profile_node import Node

Files = list[Path]
Job = Callable[[Files], Any]


class Folder:
    """A folder as S3: keys are paths."""

    def stream(self, bucket: str, key: str, chunk_bytes: int = 1 << 20) -> Iterator[bytes]:
        """The file piece by piece."""
        with Path(key).open("rb") as file:
            while chunk := file.read(chunk_bytes):
                yield chunk


def files_of(folder: Path) -> Files:
    return sorted(folder.glob("*.json.gz"))


def counts_of(folder: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = json.loads((folder / "counts.json").read_text())
    return found


def manifest(where: Path | Files) -> Manifest:
    files = files_of(where) if isinstance(where, Path) else where
    counts = counts_of(files[0].parent)["items"]
    now = datetime.now(UTC)
    listed = tuple(DataFile(str(f), counts[f.name], "", "", f.stat().st_size) for f in files)
    items = sum(f.items for f in listed)
    return Manifest("a/b", "a/b", "id", now, now, now, "folder", None, "", listed, items, 0)


def profile_of(files: Files) -> Profile:
    return Profile.from_json((files[0].parent / "profile.json").read_text())


def lines(files: Files) -> Iterator[bytes]:
    for file in files:
        with gzip.open(file) as opened:
            yield from opened


# The limit


def zlib_alone(files: Files) -> None:
    import zlib

    inflate(files, lambda: zlib.decompressobj(31))


def isal_alone(files: Files) -> None:
    from isal import isal_zlib

    inflate(files, lambda: isal_zlib.decompressobj(31))


def inflate(files: Files, make: Callable[[], Any]) -> None:
    for file in files:
        member = make()
        for chunk in Folder().stream("", str(file)):
            member.decompress(chunk)


# Ours


def typed(workers: int, *, given: bool = True, **how: Any) -> Job:
    def job(files: Files) -> None:
        from ddb_assets import read_export

        gateways: Any = Gateways(None, Folder(), None, None)  # type: ignore[arg-type]
        profile = profile_of(files) if given else None
        how.update(profile=profile, gateways=gateways, workers=workers)
        for _ in read_export(manifest(files), **how):
            pass

    return job


def inference(workers: int) -> Job:
    def job(files: Files) -> None:
        from ddb_assets.reading.export import Scan

        Scan(Folder(), manifest(files), workers=workers).profile()  # type: ignore[arg-type]

    return job


def without_extension(job: Job) -> Job:
    def as_if_not_built(files: Files) -> None:
        from ddb_assets.reading import native

        native.extension = lambda: None
        job(files)

    return as_if_not_built


def item_by_item(files: Files) -> None:
    profile = Profile()
    for line in lines(files):
        profile.observe_line(line)


# What people do


def deserializer(files: Files) -> None:
    from boto3.dynamodb.types import TypeDeserializer

    class Deserializer(TypeDeserializer):
        """Binary is base64 in an export and bytes on the wire."""

        def _deserialize_b(self, value: str) -> bytes:
            return base64.b64decode(value)

    deserialize = Deserializer().deserialize
    for line in lines(files):
        item = json.loads(line)["Item"]
        _ = {name: deserialize(value) for name, value in item.items()}


def orjson_loop(files: Files) -> None:
    import orjson

    for line in lines(files):
        _ = {name: exact(value) for name, value in orjson.loads(line)["Item"].items()}


def msgspec_loop(files: Files) -> None:
    import msgspec

    record = msgspec.defstruct("Record", [("Item", dict[str, dict[str, Any]])])
    decode = msgspec.json.Decoder(record).decode
    for line in lines(files):
        _ = {name: exact(value) for name, value in decode(line).Item.items()}


def exact(typed: dict[str, Any]) -> Any:
    """The same values as boto3's deserializer, by the shortest loop."""
    ((code, value),) = typed.items()
    if code in {"S", "BOOL"}:
        return value
    if code == "N":
        return Decimal(value)
    if code == "NULL":
        return None
    if code == "M":
        return {name: exact(each) for name, each in value.items()}
    if code == "L":
        return [exact(each) for each in value]
    if code == "B":
        return base64.b64decode(value)
    if code == "SS":
        return set(value)
    return {Decimal(v) if code == "NS" else base64.b64decode(v) for v in value}


# Readers of JSON, told the shape; their numbers and binary stay text


def duckdb_reader(threads: int) -> Job:
    def job(files: Files) -> None:
        import duckdb

        kind = duck_item(profile_of(files).item)
        with duckdb.connect(config={"threads": threads}) as database:
            names = [str(file) for file in files]
            columns = f"columns={{'Item': '{kind}'}}"
            options = f"format='newline_delimited', compression='gzip', {columns}"
            query = f"SELECT Item.* FROM read_json({names}, {options})"
            for _ in database.sql(query).to_arrow_reader():
                pass

    return job


def duck_item(item: Node) -> str:
    inside = ", ".join(f'"{n}" {duck(c)}' for n, c in (item.children or {}).items())
    return f"STRUCT({inside})"


def duck(node: Node) -> str:
    members = []
    for code in node.counts:
        if code == "M":
            is_map = node.values is not None or "2026" in next(iter(node.children or {}), "")
            inner = f"MAP(VARCHAR, {duck(first(node))})" if is_map else duck_item(node)
        elif code == "L":
            inner = f"{duck(node.element)}[]" if node.element else "VARCHAR[]"
        elif code in {"BOOL", "NULL"}:
            inner = "BOOLEAN"
        else:
            inner = "VARCHAR[]" if len(code) == 2 else "VARCHAR"
        members.append(f'"{code}" {inner}')
    return f"STRUCT({', '.join(members)})"


def first(node: Node) -> Node:
    return node.values or next(iter((node.children or {}).values()))


def polars_reader(files: Files) -> None:
    import polars as pl

    for file in files:
        pl.read_ndjson(gzip.decompress(file.read_bytes()), infer_schema_length=1000)


def pyarrow_reader(files: Files) -> None:
    import pyarrow as pa
    import pyarrow.json as pajson

    options = pajson.ReadOptions(use_threads=False, block_size=8 << 20)
    for file in files:
        with pa.input_stream(str(file), compression="gzip") as stream:
            for _ in pajson.open_json(stream, read_options=options):
                pass


JOBS: dict[str, Job] = {
    "zlib alone": zlib_alone,
    "ISA-L alone": isal_alone,
    "read_export, 1 worker": typed(1),
    "read_export, 2 workers": typed(2),
    "read_export without profile, 1 worker": typed(1, given=False),
    "read_export without profile, 2 workers": typed(2, given=False),
    "read_export form='raw', 1 worker": typed(1, form="raw"),
    "read_export without the C extension, 1 worker": without_extension(typed(1)),
    "inference, 1 worker": inference(1),
    "inference, 2 workers": inference(2),
    "inference without the C extension, 1 worker": without_extension(inference(1)),
    "inference item by item": item_by_item,
    "boto3 TypeDeserializer loop": deserializer,
    "orjson loop": orjson_loop,
    "msgspec loop": msgspec_loop,
    "DuckDB read_json, 1 thread": duckdb_reader(1),
    "polars read_ndjson": polars_reader,
    "pyarrow.json": pyarrow_reader,
}
#: Jobs that take long per GB read so many of the files.
PARTS = {
    "read_export form='raw', 1 worker": 4,
    "read_export without the C extension, 1 worker": 2,
    "inference without the C extension, 1 worker": 2,
    "inference item by item": 1,
    "boto3 TypeDeserializer loop": 1,
    "orjson loop": 1,
    "msgspec loop": 1,
    "DuckDB read_json, 1 thread": 1,
    "polars read_ndjson": 2,
    "pyarrow.json": 1,
}
#: Jobs that take so long that they read a small export instead.
SMALL_DATA = {"polars read_ndjson"}
#: Jobs of the first round only: those whose place is known by then.
ONCE = {
    "read_export form='raw', 1 worker",
    "read_export without the C extension, 1 worker",
    "inference without the C extension, 1 worker",
    "inference item by item",
    "msgspec loop",
    "DuckDB read_json, 1 thread",
    "polars read_ndjson",
    "pyarrow.json",
}


def peak_megabytes() -> float:
    """Linux's own counter begins anew with each program; getrusage's remembers the parent."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    job, folder, count = JOBS[sys.argv[1]], Path(sys.argv[2]), int(sys.argv[3])
    files = files_of(folder)[:count]
    # Imports and first calls are not what is measured.
    job(files_of(folder.parent / "tiny" if folder.name == "small" else folder / "tiny"))
    cpu, wall = time.process_time(), time.perf_counter()
    job(files)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    counts = counts_of(folder)["bytes"]
    mb = sum(counts[file.name] for file in files) / 1e6
    print(json.dumps({"cpu": cpu, "wall": wall, "peak_mb": peak_megabytes(), "mb": mb}))


if __name__ == "__main__":
    main()
