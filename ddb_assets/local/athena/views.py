"""Views in the form Presto gives them in Glue: JSON in base64 in a comment."""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from ddb_assets.local.athena.catalog import CATALOG_NAME
from ddb_assets.local.athena.errors import QueryFailedError
from ddb_assets.local.athena.router import parse_query
from ddb_assets.local.hive.types import HiveTypeError, from_duckdb

_TEXT = re.compile(r"/\* Presto View: (\S+) \*/")


@dataclass(frozen=True)
class View:
    """A view: its query, and the database its bare names mean."""

    query: str
    database: str


def read(table: dict[str, Any]) -> View:
    """The view a Glue table holds.

    Raises:
        QueryFailedError: It holds none that Presto wrote.
    """
    found = _TEXT.search(table.get("ViewOriginalText") or "")
    try:
        document: dict[str, Any] = json.loads(base64.b64decode(found[1])) if found else {}
        return View(document["originalSql"], document.get("schema") or "default")
    except (ValueError, KeyError):
        raise QueryFailedError(f"INVALID_VIEW: Invalid view text: {table['Name']}") from None


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
