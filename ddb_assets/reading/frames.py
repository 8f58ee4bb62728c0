"""An export as a table or frame: Arrow, pandas, polars, DuckDB.

Each takes `read_export`'s arguments and its Arrow stream, so that values stay what they are: pandas
gets Arrow's own types (no float for a number, no object for a decimal).
"""

from typing import Any

from ddb_assets.reading.export import read_export
from ddb_assets.reading.extras import Table, load_frame_library


def read_export_table(location_or_arn: Any, **options: Any) -> Table:
    """The whole export as a pyarrow.Table; it has to fit into memory.

    Args:
        location_or_arn: As `read_export` takes it.
        **options: As `read_export` takes them.
    """
    with read_export(location_or_arn, **options) as reader:
        return reader.read_all()


def read_export_pandas(location_or_arn: Any, **options: Any) -> Any:
    """The whole export as a pandas.DataFrame with Arrow types.

    Args:
        location_or_arn: As `read_export` takes it.
        **options: As `read_export` takes them.

    Raises:
        UnsupportedError: pandas is not installed.
    """
    pandas = load_frame_library("pandas")
    table = read_export_table(location_or_arn, **options)
    return table.to_pandas(types_mapper=pandas.ArrowDtype)


def read_export_polars(location_or_arn: Any, **options: Any) -> Any:
    """The whole export as a polars.DataFrame; numbers of more than 38 digits are text.

    Args:
        location_or_arn: As `read_export` takes it.
        **options: As `read_export` takes them.

    Raises:
        UnsupportedError: polars is not installed.
    """
    polars = load_frame_library("polars")
    options.setdefault("wide_decimals", False)
    return polars.from_arrow(read_export_table(location_or_arn, **options))


def read_export_duckdb(location_or_arn: Any, database: Any = None, **options: Any) -> Any:
    """The export as a DuckDB relation that streams: it can be queried once.

    Numbers of more than 38 digits are text.

    Args:
        location_or_arn: As `read_export` takes it.
        database: A duckdb connection; None for DuckDB's default one.
        **options: As `read_export` takes them.

    Raises:
        UnsupportedError: duckdb is not installed.
    """
    duckdb = load_frame_library("duckdb")
    options.setdefault("wide_decimals", False)
    reader = read_export(location_or_arn, **options)
    return (database or duckdb).from_arrow(reader)
