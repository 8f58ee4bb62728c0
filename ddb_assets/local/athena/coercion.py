"""What a query answers as a table's columns: CTAS declares them, INSERT fits into them."""

from collections.abc import Mapping
from typing import Any

from ddb_assets.local.athena.errors import QueryFailedError
from ddb_assets.local.athena.scan import quoted
from ddb_assets.local.hive.types import (
    HiveTypeError,
    Primitive,
    duckdb_type,
    from_duckdb,
    parse,
)

_NUMBERS = ("tinyint", "smallint", "int", "bigint", "decimal", "float", "double")
_TEXTS = ("string", "varchar", "char")


def hive_columns(described: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    """The columns CTAS declares for what a query answered.

    Raises:
        QueryFailedError: Hive has no type for one of them.
    """
    try:
        return [{"Name": name, "Type": from_duckdb(of).text} for name, of in described]
    except HiveTypeError as error:
        raise QueryFailedError(f"NOT_SUPPORTED: {error}") from error


def check_types(
    wanted: list[str], every: list[dict[str, Any]], described: list[tuple[str, Any]]
) -> None:
    """Trino takes no text for a number, nor the other way round, and no other number of columns."""
    declared = {one["Name"].lower(): parse(one["Type"]) for one in every}
    for name in wanted:
        if name not in declared:
            raise QueryFailedError(
                f"COLUMN_NOT_FOUND: line 1:1: Insert column name does not exist: {name}"
            )
    given = [parse(one["Type"]) for one in hive_columns(described)]
    fits = len(wanted) == len(given) and all(
        _family(declared[name]) == _family(one) or _is_null(kind)
        for name, one, (_, kind) in zip(wanted, given, described, strict=True)
    )
    if not fits:
        table = ", ".join(declared[name].text for name in wanted)
        query = ", ".join(one.text for one in given)
        raise QueryFailedError(
            "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: "
            f"Table: [{table}], Query: [{query}]"
        )


def as_declared(column: dict[str, Any], sources: Mapping[str, str]) -> str:
    """A table's column from the query's, or NULL where the query has none for it."""
    name = column["Name"].lower()
    source = quoted(sources[name]) if name in sources else "NULL"
    return f"CAST({source} AS {duckdb_type(parse(column['Type']))}) AS {quoted(name)}"


def _is_null(of: Any) -> bool:
    return str(of.id) == "null"


def _family(of: Any) -> str:
    if not isinstance(of, Primitive):
        return type(of).__name__
    if of.name in _NUMBERS:
        return "number"
    return "text" if of.name in _TEXTS else of.name
