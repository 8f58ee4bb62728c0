"""Counting the rows of Parquet files from their ends."""

import io
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ddb_assets.core.publishing.parquet_footer import footer_length, rows_in
from ddb_assets.errors import CopyIncompleteError


def parquet(rows: int, **options: object) -> bytes:
    """A file with columns of every kind a typed view has."""
    table = pa.table(
        {
            "a": pa.array(range(rows), pa.int64()),
            "b": pa.array([{"x": i % 2 == 0, "y": [None, "é"]} for i in range(rows)]),
            "c": pa.array(
                [[(str(i), b"\x00")] for i in range(rows)], pa.map_(pa.string(), pa.binary())
            ),
            **{f"column_{n}": pa.nulls(rows, pa.decimal128(38, 9)) for n in range(20)},
        },
        metadata={"schema": "x" * 300},
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 5000])
@pytest.mark.parametrize(
    "options",
    [{"compression": "zstd"}, {"version": "1.0", "row_group_size": 7}, {"write_page_index": True}],
    ids=str,
)
def test_rows_are_what_the_writer_says(rows: int, options: dict[str, object]) -> None:
    """Written by pyarrow, with one row group and with many."""
    if rows == 5000 and "row_group_size" in options:
        options = {**options, "row_group_size": 500}
    assert rows_in(parquet(rows, **options)) == rows


def test_files_of_another_writer_are_read(tmp_path: Path) -> None:
    """DuckDB writes its footers by itself."""
    path = tmp_path / "file.parquet"
    duckdb.sql(
        f"COPY (SELECT i, [i, NULL] AS l, {{'k': i::varchar}} AS s FROM range(12345) t(i)) "
        f"TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
    )
    assert rows_in(path.read_bytes()) == 12345


def test_the_end_is_enough() -> None:
    """Only the footer is needed, wherever what is before it was cut off."""
    body = parquet(3000)
    assert rows_in(body[-footer_length(body[-8:]) :]) == 3000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"PAR1",
        b"no Parquet at all",
        b"PAR1" + b"\x15\x04" + (2).to_bytes(4, "little") + b"PARE",
        b"PAR1" + (10**9).to_bytes(4, "little") + b"PAR1",
        b"PAR1" + b"\x00" + (1).to_bytes(4, "little") + b"PAR1",
        b"PAR1" + b"\x19\xff\xff" + (3).to_bytes(4, "little") + b"PAR1",
        b"PAR1" + b"\x38\x01x" + (3).to_bytes(4, "little") + b"PAR1",
        b"PAR1" + b"\x1e" + (1).to_bytes(4, "little") + b"PAR1",
        b"PAR1" + b"\x1c" * 99 + (99).to_bytes(4, "little") + b"PAR1",
    ],
)
def test_what_is_no_parquet_is_refused(body: bytes) -> None:
    """Cut off, encrypted, foreign or with a broken footer: an error, never a number."""
    with pytest.raises(CopyIncompleteError):
        rows_in(body)


def test_every_cut_footer_is_refused() -> None:
    """Whatever is missing of a footer's beginning or end is noticed, or the number is right."""
    body = parquet(77)
    for cut in range(1, footer_length(body)):
        try:
            found = rows_in(body[:-cut])
        except CopyIncompleteError:
            continue
        pytest.fail(f"{cut} bytes less gave {found} rows")
