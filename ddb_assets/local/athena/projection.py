"""Which columns of Parquet tables a query reads, and how many bytes that is.

Athena is charged for the column chunks it reads (AWS page "Amazon Athena Pricing": columnar formats
allow Athena to read only the columns it needs). DuckDB finds the columns, through views, subqueries
and CTEs: the query is planned over empty tables of the same types, and the plan's scans say what
they project. Their chunks' compressed sizes are in the files' footers.
"""

# ruff: noqa: S608 - every name and text that goes into DuckDB's SQL is quoted

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ddb_assets.local.athena.scan import Scan, literal, quoted

#: The optimizers the plan needs: what prunes columns, and what turns CTEs, correlated subqueries
#: and UNNEST into forms it prunes. Others would drop scans of empty tables, or hide columns that
#: only a filter names.
_PRUNING = frozenset({"unused_columns", "cte_inlining", "deliminator", "unnest_rewriter"})
_TABLE = re.compile(r"\bstand_in_(\d+)$")
#: A column by its number, or a field of it.
_COLUMN = re.compile(r"c(\d+)(?:\.|$)")


@dataclass(frozen=True)
class _Pending:
    relation: str
    body: str
    names: tuple[str, ...]
    files: tuple[Path, ...]


class Projection:
    """The Parquet tables of one query.

    A table that is named twice counts once, with the columns of both places. `count(*)` over a
    UNION ALL of tables counts a column of each, where Athena needs none. Partitions a filter
    excludes are counted.

    Args:
        connection: The query's.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._pending: list[_Pending] = []
        self._number = 0

    def stand_in(self, relation: str, scan: Scan, body: str) -> str:
        """A query with the columns of a table and no rows, until `settle`.

        Args:
            relation: The view that will be made of the answer.
            scan: The table, after its `sql` was called.
            body: What `sql` answered.
        """
        name = f"stand_in_{self._number + len(self._pending)}"
        # By number: a plan joins the names of a column and its fields with dots, and several
        # columns with line feeds.
        types = ", ".join(f"c{number} {of}" for number, (_, of) in enumerate(scan.columns))
        self._connection.execute(f"CREATE TEMP TABLE {name} ({types})")
        names = tuple(one for one, _ in scan.columns)
        self._pending.append(_Pending(relation, body, names, tuple(scan.parquet)))
        shown = ", ".join(f"c{number} AS {quoted(one)}" for number, one in enumerate(names))
        return f"SELECT {shown} FROM {name}"

    def settle(self, sql: str) -> int:
        """Put the files in the stand-ins' places; the bytes `sql` reads of them.

        Raises:
            duckdb.Error: A file cannot be read.
        """
        if not self._pending:
            return 0
        read = self._columns(sql)
        total = 0
        for number, one in enumerate(self._pending, self._number):
            self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {one.relation} AS {one.body}")
            every = range(len(one.names))
            total += self._chunk_bytes(one, every if read is None else read.get(number, ()))
        self._number += len(self._pending)
        self._pending.clear()
        return total

    def _columns(self, sql: str) -> dict[int, set[int]] | None:
        """The columns read of each stand-in, by number; None if the query cannot be planned."""
        optimizers = self._connection.execute("SELECT name FROM duckdb_optimizers()").fetchall()
        disabled = ",".join(name for (name,) in optimizers if name not in _PRUNING)
        self._connection.execute(f"SET disabled_optimizers = {literal(disabled)}")
        try:
            rows = self._connection.execute(f"EXPLAIN (FORMAT JSON) {sql}").fetchall()
        except duckdb.Error:
            # Running it says what is wrong, and about the real tables.
            return None
        finally:
            self._connection.execute("RESET disabled_optimizers")
        read: dict[int, set[int]] = {}
        for table, columns in _scans(json.loads(rows[0][1])):
            read.setdefault(table, set()).update(columns)
        return read

    def _chunk_bytes(self, of: _Pending, columns: Iterable[int]) -> int:
        names = {of.names[column] for column in columns}
        if not names:
            return 0
        listed = ", ".join(literal(str(path)) for path in of.files)
        chunks = self._connection.execute(
            "SELECT lower(path_in_schema), sum(total_compressed_size)::BIGINT "
            f"FROM parquet_metadata([{listed}]) GROUP BY ALL"
        ).fetchall()
        return sum(size for path, size in chunks if _column_of(path, of.names) in names)


def _column_of(path: str, names: tuple[str, ...]) -> str:
    """The column a chunk is of; DuckDB writes a nested column's leaf as `a, list, element`."""
    within = [name for name in names if path == name or path.startswith(f"{name}, ")]
    return max(within, key=len, default="")


def _scans(nodes: list[dict[str, Any]]) -> Iterator[tuple[int, set[int]]]:
    """The stand-ins a plan scans, and the columns it projects of each."""
    for node in nodes:
        known = node.get("extra_info", {})
        table = _TABLE.search(str(known.get("Table", "")))
        if table is not None:
            shown = known.get("Projections", [])
            texts = [shown] if isinstance(shown, str) else shown
            columns = filter(None, map(_COLUMN.match, texts))
            yield int(table[1]), {int(one[1]) for one in columns}
        yield from _scans(node.get("children", []))
