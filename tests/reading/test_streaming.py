"""Blocks come one by one, in one order, and never more of them than there are workers for."""

import gc
import gzip
import threading
import time
from itertools import islice

import pyarrow as pa
import pytest

from ddb_assets import read_export, read_export_table
from ddb_assets.core.clock import SystemClock
from ddb_assets.errors import DeclarationError
from ddb_assets.reading import native
from ddb_assets.reading.pipeline import converted
from ddb_assets.reading.source import resolve


def many(count=3000):
    """Items with a value of some length."""
    return [{"id": {"N": str(n)}, "text": {"S": "x" * 50}} for n in range(count)]


def test_every_number_of_workers_reads_the_same_rows(exports):
    """Each row once; for one number of workers always in the same order."""
    export = exports.stored(many(), files=5)
    how = {"gateways": export.gateways, "batch_bytes": 5_000}
    for workers in (1, 2, 3, 8):
        first, second = (
            read_export_table(export.location, workers=workers, **how) for _ in range(2)
        )
        assert first.equals(second)
        assert sorted(first["id"].to_pylist()) == list(range(3000))


def test_an_export_is_found_by_arn_location_root_or_manifest(exports):
    """All the ways in lead to the same rows."""
    export = exports.stored(many(10))
    manifest = resolve(export.arn, export.gateways, SystemClock())
    root = export.location.removesuffix("data/")
    for way in (export.arn, export.location, export.location.rstrip("/"), root, manifest):
        assert read_export_table(way, gateways=export.gateways).num_rows == 10


def test_an_empty_export_is_an_empty_table(exports):
    """With the declared columns, or with none."""
    export = exports.StoredExport()
    export.write([gzip.compress(b"")] * 4)
    table = read_export_table(export.location, gateways=export.gateways, columns={"id": "N"})
    assert (table.num_rows, table.column_names) == (0, ["id"])
    for form in ("typed", "raw", "item"):
        assert read_export_table(export.location, gateways=export.gateways, form=form).num_rows == 0


def test_empty_files_between_others_are_passed_over(exports):
    """Real exports have files without items, often the first one."""
    export = exports.StoredExport()
    line = b'{"Item":{"id":{"N":"1"}}}\n'
    empty = gzip.compress(b"")
    export.write(
        [empty, gzip.compress(line), empty, gzip.compress(line[:-1]) + gzip.compress(b"\n")]
    )
    assert read_export_table(export.location, gateways=export.gateways).num_rows == 2


def test_declared_columns_are_all_that_is_read(exports):
    """In the declared order, at every depth; what no item has is null."""
    items = [{"id": {"S": "a"}, "b": {"M": {"x": {"S": "1"}, "y": {"S": "2"}}}, "c": {"S": "-"}}]
    export = exports.stored(items)
    columns = {"none": "S", "b": {"M": {"y": "S"}}, "id": "S"}
    table = read_export_table(export.location, gateways=export.gateways, columns=columns)
    assert table.to_pylist() == [{"none": None, "b": {"y": "2"}, "id": "a"}]


def test_a_null_that_was_not_declared_is_null(exports):
    """`S` reads what is NULL as null; declared with NULL, it is told from absent."""
    items = [{"a": {"S": "x"}}, {"a": {"NULL": True}}, {"b": {"S": "y"}}]
    export = exports.stored(items, files=1)
    how = {"gateways": export.gateways}
    table = read_export_table(export.location, columns={"a": "S"}, **how)
    assert table.to_pylist() == [{"a": "x"}, {"a": None}, {"a": None}]
    table = read_export_table(export.location, columns={"a": ["S", "NULL"]}, **how)
    assert table["a_NULL"].to_pylist() == [None, True, None]
    table = read_export_table(export.location, null_flags=False, **how)
    assert table.column_names == ["a", "b"]


def test_one_declared_pass_is_enough_when_digits_are_given(exports):
    """Each data file is opened once; without `numbers`, twice."""
    export = exports.stored(many(10), files=2)
    how = {"gateways": export.gateways, "columns": {"id": "N"}}
    read_export_table(export.location, **how)
    assert len(export.streamed) == 4
    export.streamed.clear()
    read_export_table(export.location, numbers=pa.string(), **how)
    assert len(export.streamed) == 2


def test_a_reader_that_is_dropped_ends_its_threads(exports):
    """Nobody has to read to the end."""
    export = exports.stored(many(), files=4)
    reader = read_export(
        export.location, gateways=export.gateways, workers=3, batch_bytes=500, form="item"
    )
    reader.read_next_batch()
    assert any(t.name.startswith("ddb-assets") for t in threading.enumerate())
    reader.close()
    del reader
    deadline = time.monotonic() + 10
    while any(t.name.startswith("ddb-assets") for t in threading.enumerate()):
        assert time.monotonic() < deadline, "its threads still run"
        time.sleep(0.01)


@pytest.mark.parametrize("workers", [2, 4])
def test_no_more_blocks_are_begun_than_workers_can_hold(workers):
    """A slow consumer stops the lanes: what lies between is bounded by the number of workers."""
    begun = 0

    def source():
        nonlocal begun
        for number in range(10_000):
            begun += 1
            yield number

    results = converted([source() for _ in range(workers)], lambda n: n, workers)
    taken = list(islice(results, 10))
    time.sleep(0.3)
    # Each lane holds one that waits and one in its hand; the pool, one more than it has workers.
    assert begun <= len(taken) + 2 * workers + workers + 1
    results.close()


def test_an_error_in_a_source_or_in_the_work_ends_the_stream(exports):
    """In the order of the blocks: what came before is handed out first."""

    def source():
        yield 1
        yield 2
        raise RuntimeError("the source broke")

    results = converted([source()], lambda n: n * 10, 2)
    assert [next(results), next(results)] == [10, 20]
    with pytest.raises(RuntimeError, match="the source broke"):
        next(results)
    with pytest.raises(ZeroDivisionError):
        list(converted([iter([1, 0])], lambda n: 1 / n, 2))


def bytes_held(pool):
    """By Arrow, and by the C extension for Arrow."""
    module = native.extension()
    return pool.bytes_allocated() + (module.bytes_held() if module else 0)


def peak_arrow_bytes(export, **how):
    """The most that Arrow held while the export was read and thrown away."""
    pool = pa.system_memory_pool()
    default = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        before, peak = bytes_held(pool), 0
        with read_export(export.location, gateways=export.gateways, **how) as reader:
            for _ in reader:
                peak = max(peak, bytes_held(pool) - before)
    finally:
        pa.set_memory_pool(default)
    return peak


@pytest.mark.parametrize("workers", [1, 2])
def test_arrow_memory_does_not_grow_with_the_export(exports, workers):
    """Eight times the items, the same peak."""
    small, large = (exports.stored(many(count), files=4) for count in (4_000, 32_000))
    how = {"workers": workers, "batch_bytes": 50_000, "numbers": pa.int64()}
    how["columns"] = {"id": "N", "text": "S"}
    assert peak_arrow_bytes(large, **how) <= 2 * peak_arrow_bytes(small, **how)


@pytest.mark.parametrize("reader", ["in C"], indirect=True)
def test_the_extension_lets_go_of_what_nobody_holds(exports):
    """A batch that is gone, a column kept alone, a block that was declined."""
    gc.collect()
    module = native.extension()
    before = module.bytes_held()
    how = {"gateways": exports.stored(many()).gateways, "columns": {"id": "N", "text": "S"}}
    table = read_export_table(exports.stored(many()).location, **how)
    whole = module.bytes_held() - before
    column = table["id"]
    del table
    gc.collect()
    kept = module.bytes_held() - before
    assert 0 < kept < whole / 2
    assert column[5].as_py() is not None
    del column
    gc.collect()
    assert module.bytes_held() == before
    wrong = exports.stored([{"id": {"S": "no number"}}])
    with pytest.raises(DeclarationError):
        read_export_table(wrong.location, **(how | {"gateways": wrong.gateways}))
    gc.collect()
    assert module.bytes_held() == before
