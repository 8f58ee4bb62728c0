"""An export as a frame: exact values in pandas, polars and DuckDB."""

from decimal import Decimal

import duckdb
import pytest

from ddb_assets import read_export_duckdb, read_export_pandas, read_export_polars
from ddb_assets.errors import UnsupportedError
from ddb_assets.reading import frames

ITEMS = [
    {
        "id": {"S": f"user-{n}"},
        "n": {"N": str(2**62 + n)},
        "price": {"N": f"{n}.05"},
        "wide": {"N": f"{10**39 + n}.5"},
        "blob": {"B": "AAE="},
        "tags": {"SS": ["a", "b"]},
        "address": {"M": {"zip": {"S": "8001"}}},
    }
    for n in range(50)
]


def test_pandas_gets_exact_numbers(exports):
    """No floats, no objects."""
    export = exports.stored(ITEMS)
    frame = read_export_pandas(export.location, gateways=export.gateways).sort_values("n")
    assert frame["n"].tolist() == [2**62 + n for n in range(50)]
    assert frame["price"].tolist() == [Decimal(f"{n}.05") for n in range(50)]
    assert frame["wide"].tolist() == [Decimal(f"{10**39 + n}.5") for n in range(50)]


def test_polars_gets_exact_numbers(exports):
    """Those it has no type for as text."""
    export = exports.stored(ITEMS)
    frame = read_export_polars(export.location, gateways=export.gateways).sort("n")
    assert frame["price"].to_list() == [Decimal(f"{n}.05") for n in range(50)]
    assert frame["wide"].to_list() == [f"{10**39 + n}.5" for n in range(50)]
    assert frame["blob"].to_list() == [b"\x00\x01"] * 50
    assert frame["address"].to_list() == [{"zip": "8001"}] * 50


def test_duckdb_queries_the_stream(exports):
    """Without a table in between."""
    export = exports.stored(ITEMS)
    with duckdb.connect() as database:
        relation = read_export_duckdb(export.location, database, gateways=export.gateways)
        found = relation.aggregate("count(*), sum(price), max(wide), min(address.zip)").fetchall()
    total = sum(Decimal(f"{n}.05") for n in range(50))
    assert found == [(50, total, f"{10**39 + 49}.5", "8001")]


def test_a_frame_library_that_is_missing_is_named(exports, monkeypatch):
    """With the way to get it, before anything is read."""
    export = exports.stored(ITEMS)
    real = frames.load_frame_library
    monkeypatch.setattr(frames, "load_frame_library", lambda module: real(f"no_{module}"))
    for read in (read_export_pandas, read_export_polars, read_export_duckdb):
        with pytest.raises(UnsupportedError, match="pip install no_"):
            read(export.location, gateways=export.gateways)
    assert not export.streamed
