"""Views in the form Presto gives them in Glue: JSON in base64 in a comment.

Sources: Trino's ViewReaderUtil and ConnectorViewDefinition for the form, its StatementAnalyzer for
what makes a view stale; that Athena says VIEW_IS_STALE was observed by others on Athena itself.
"""

import base64
import json
import re
from collections import deque
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from ddb_assets.local.athena.catalog import CATALOG_NAME
from ddb_assets.local.athena.errors import QueryFailedError
from ddb_assets.local.athena.router import parse_query
from ddb_assets.local.hive.types import HiveTypeError, from_duckdb

_TEXT = re.compile(r"/\* Presto View: (\S+) \*/")
#: Types that the field of a row may have, to tell them from its name.
_FIELD_TYPES = frozenset(
    {"boolean", "tinyint", "smallint", "integer", "int", "bigint", "real", "double", "decimal"}
    | {"varchar", "char", "varbinary", "json", "date", "time", "timestamp", "uuid", "ipaddress"}
    | {"array", "map", "row", "unknown"}
)
_NUMBERS = ("tinyint", "smallint", "integer", "bigint", "decimal", "real", "double")


@dataclass(frozen=True)
class View:
    """A view: its query, the database its bare names mean, and (name, type) of its columns."""

    query: str
    database: str
    columns: tuple[tuple[str, str], ...] = ()


def read(table: dict[str, Any]) -> View:
    """The view a Glue table holds.

    Raises:
        QueryFailedError: It holds none that Presto wrote.
    """
    invalid = QueryFailedError(f"INVALID_VIEW: Invalid view text: {table['Name']}")
    found = _TEXT.fullmatch(table.get("ViewOriginalText") or "")
    try:
        document: Any = json.loads(base64.b64decode(found[1], validate=True)) if found else {}
        query, schema = document["originalSql"], document.get("schema")
        columns = tuple((str(one["name"]), str(one["type"])) for one in document["columns"])
    except (ValueError, KeyError, TypeError):
        raise invalid from None
    if not isinstance(query, str) or not columns or (schema and not document.get("catalog")):
        raise invalid
    return View(query, schema or "default", columns)


def stale(view: View, derived: list[tuple[str, str]]) -> str | None:
    """Why the columns that the view keeps are not those of its query; None if they are.

    Args:
        view: The view.
        derived: The query's columns and their types, as Trino writes them.
    """
    if len(view.columns) != len(derived):
        return (
            f"stored view column count ({len(view.columns)}) does not match column count derived "
            f"from the view query analysis ({len(derived)})"
        )
    for at, ((kept, wanted), (name, given)) in enumerate(zip(view.columns, derived, strict=True)):
        column = f"column [{name}] of type {given} projected from query view at position {at}"
        if kept.lower() != name.lower():
            return (
                f"{column} has a different name from column [{kept}] of type {wanted} stored in "
                "view definition"
            )
        if not _coerces(_parsed(given), _parsed(wanted)):
            return (
                f"{column} cannot be coerced to column [{kept}] of type {wanted} stored in view "
                "definition"
            )
    return None


def _parsed(text: str) -> tuple[str, tuple[Any, ...]]:
    """A type's name, and its sizes or the types inside; names of fields do not count."""
    return _next(deque(re.findall(r'"(?:[^"]|"")*"|[^\s(),"]+|[(),]', text.lower())))


def _next(tokens: deque[str]) -> tuple[str, tuple[Any, ...]]:
    words = _words(tokens)
    inside: list[Any] = []
    if tokens and tokens[0] == "(":
        while tokens and tokens.popleft() != ")":
            inside.append(_next(tokens))
        # `timestamp(3) with time zone`
        words += _words(tokens)
    # Before the type of a row's field stands its name.
    named = len(words) > 1 and (words[0].startswith('"') or words[1] in _FIELD_TYPES)
    return " ".join(words[1:] if named else words), tuple(inside)


def _words(tokens: deque[str]) -> list[str]:
    words: list[str] = []
    while tokens and tokens[0] not in {"(", ",", ")"}:
        words.append(tokens.popleft())
    return words


def _coerces(given: tuple[str, tuple[Any, ...]], wanted: tuple[str, tuple[Any, ...]]) -> bool:
    (name, inside), (other, parts) = given, wanted
    if name == "unknown":
        return True
    if name in _NUMBERS and other in _NUMBERS:
        if name == other == "decimal":
            (precision, scale), (most, places) = _sizes(inside), _sizes(parts)
            return scale <= places and precision - scale <= most - places
        # DuckDB finds other numbers than Trino for some functions: only a loss counts.
        return not (name in {"decimal", "double", "real"} and _NUMBERS.index(other) < 4)
    if name in {"array", "map", "row"}:
        return (
            name == other
            and len(inside) == len(parts)
            and all(_coerces(one, part) for one, part in zip(inside, parts, strict=True))
        )
    return name == other


def _sizes(inside: tuple[Any, ...]) -> tuple[int, int]:
    sizes = [int(name) for name, _ in inside]
    return (sizes[0] if sizes else 38), (sizes[1] if len(sizes) > 1 else 0)


def body(view: View) -> exp.Expr:
    """A view's query as a tree."""
    return parse_query(view.query)


def table_input(
    query: str, database: str, described: list[tuple[str, Any]], types: list[str]
) -> dict[str, Any]:
    """What Glue keeps of a view.

    Args:
        query: The query, as it was written.
        database: The database its bare names mean.
        described: The answer's columns with their DuckDB types.
        types: The same types as Trino writes them.
    """
    document = {
        "originalSql": query,
        "catalog": CATALOG_NAME,
        "schema": database,
        "columns": [
            {"name": name.lower(), "type": of}
            for (name, _), of in zip(described, types, strict=True)
        ],
        "runAsInvoker": False,
    }
    encoded = base64.b64encode(json.dumps(document).encode()).decode()
    return {
        "TableType": "VIRTUAL_VIEW",
        "ViewOriginalText": f"/* Presto View: {encoded} */",
        "ViewExpandedText": "/* Presto View */",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": [{"Name": name.lower(), "Type": _hive(of)} for name, of in described],
            "Location": "",
            "SerdeInfo": {},
        },
    }


def _hive(of: Any) -> str:
    try:
        return from_duckdb(of).text
    except HiveTypeError:
        # Glue shows such columns as text; the view's own document keeps Trino's type.
        return "string"
