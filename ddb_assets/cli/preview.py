"""The first rows of a published table, asked of the Athena API and printed as a table."""

import hashlib
import time
import uuid
from collections.abc import Iterator
from itertools import islice

from rich.console import Console
from rich.table import Table

from ddb_assets.core.ports import CatalogTable, Gateways
from ddb_assets.errors import CatalogConflictError, QueryFailedError, QueryStuckError
from ddb_assets.schema.ddl import quote_query
from ddb_assets.schema.hive_types import Array, HiveType, Primitive, Struct, parse

#: What fits beside each other in a terminal of 120 columns.
MOST_COLUMNS = 6
MOST_CHARACTERS = 40
POLL_SECONDS = 0.2
PATIENCE_SECONDS = 120.0

_SCALARS = ("s", "n", "b", "bool")


def run_query(
    gateways: Gateways, sql: str, *, database: str, workgroup: str
) -> list[tuple[str | None, ...]]:
    """Run a query to its end and return its rows, the header first.

    Raises:
        QueryFailedError: Athena ended it as FAILED or CANCELLED.
        QueryStuckError: It did not end within two minutes.
    """
    token = hashlib.sha256(f"{sql}{uuid.uuid4()}".encode()).hexdigest()[:48]
    query = gateways.queries.start(sql, database=database, workgroup=workgroup, token=token)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        status = gateways.queries.statuses([query])[query]
        if status.state == "SUCCEEDED":
            return list(gateways.queries.rows(query))
        if status.state in {"FAILED", "CANCELLED"}:
            raise QueryFailedError(
                f"the query ended as {status.state}: {status.reason}", query=query, sql=sql
            )
        time.sleep(POLL_SECONDS)
    raise QueryStuckError(f"the query {query} did not end in {PATIENCE_SECONDS:.0f} s", sql=sql)


def preview_sql(table: CatalogTable, *, rows: int) -> str:
    """A SELECT that shows attributes instead of type descriptors, from a raw table or a view."""
    chosen = list(islice(_expressions(table), MOST_COLUMNS)) or ["*"]
    name = f"{quote_query(table.database)}.{quote_query(table.name)}"
    return f"SELECT {', '.join(chosen)} FROM {name} LIMIT {rows}"  # noqa: S608 - names are quoted


def print_preview(
    console: Console, gateways: Gateways, *, database: str, table: str, workgroup: str, rows: int
) -> None:
    """Print the first rows and the number of all, both answered by Athena."""
    found = gateways.catalog.get_table(database, table)
    if found is None:
        raise CatalogConflictError(f"there is no table {database}.{table} to show", table=table)
    target = f"{quote_query(database)}.{quote_query(table)}"
    count = f"SELECT count(*) FROM {target}"  # noqa: S608 - names are quoted
    counted = run_query(gateways, count, database=database, workgroup=workgroup)
    items = int(counted[1][0] or 0)
    header, *answered = run_query(
        gateways, preview_sql(found, rows=rows), database=database, workgroup=workgroup
    )
    shown = Table()
    for name in header:
        shown.add_column(name or "", overflow="fold")
    for row in answered:
        shown.add_row(*("" if value is None else _short(value) for value in row))
    console.print(shown)
    console.print(f"[dim]{len(answered)} of {items:,} rows" if items else "[dim]an empty table")


def _expressions(table: CatalogTable) -> Iterator[str]:
    """One expression per attribute: scalars as themselves, the rest as Athena shows it."""
    if table.table_input.get("TableType") == "VIRTUAL_VIEW":
        columns = [(name, parse(type_text)) for name, type_text, _comment in table.columns]
        columns.sort(key=lambda column: not isinstance(column[1], Primitive))
        yield from (quote_query(name) for name, _ in columns)
        return
    for column, type_text, _comment in table.columns:
        item = parse(type_text)
        if not isinstance(item, Struct):
            yield quote_query(column)
            continue
        ordered = sorted(item.fields, key=lambda field: not _is_scalar(field[1]))
        for name, inside in ordered:
            path = f"{quote_query(column)}.{quote_query(name)}"
            if not isinstance(inside, Struct):
                yield f"{path} AS {quote_query(name)}"
                continue
            values = [
                f"CAST({path}.{quote_query(code)} AS varchar)"
                for code, type_ in inside.fields
                if code in _SCALARS and isinstance(type_, Primitive)
            ]
            if len(values) > 1:
                yield f"coalesce({', '.join(values)}) AS {quote_query(name)}"
            elif values:
                yield f"{values[0]} AS {quote_query(name)}"
            elif lists := [code for code, type_ in inside.fields if isinstance(type_, Array)]:
                yield f"{path}.{quote_query(lists[0])} AS {quote_query(name)}"
            else:
                yield f"{path} AS {quote_query(name)}"


def _is_scalar(type_: HiveType) -> bool:
    return isinstance(type_, Struct) and any(
        code in _SCALARS and isinstance(inside, Primitive) for code, inside in type_.fields
    )


def _short(value: str) -> str:
    one_line = value.replace("\n", "⏎")
    return one_line if len(one_line) <= MOST_CHARACTERS else f"{one_line[: MOST_CHARACTERS - 1]}…"
