"""Trino's queries on DuckDB: every Glue table a query names becomes a view over local files."""

import re
from typing import Any

import duckdb
from sqlglot import ErrorLevel, exp
from sqlglot.errors import SqlglotError, UnsupportedError

from ddb_assets.local.athena import functions, unnest, views
from ddb_assets.local.athena.cache import Lease
from ddb_assets.local.athena.catalog import (
    CATALOG_NAME,
    Catalog,
    TableName,
    is_iceberg,
    is_view,
)
from ddb_assets.local.athena.errors import QueryFailedError, unsupported
from ddb_assets.local.athena.lake import Lake
from ddb_assets.local.athena.projection import Projection
from ddb_assets.local.athena.results import Outcome, column_of, text, type_text
from ddb_assets.local.athena.router import parse_query
from ddb_assets.local.athena.scan import Scan
from ddb_assets.local.athena.tokens import position, tokenize
from ddb_assets.local.hive.errors import ReadError

#: How deep views may name views.
MAX_VIEW_DEPTH = 16
_CATALOGS = frozenset({"", CATALOG_NAME})

_NO_COLUMN = re.compile(
    r'Referenced column "(?P<a>[^"]+)" (?:was )?not found'
    r'|does not have a column named "(?P<b>[^"]+)"'
    r'|Could not find key "(?P<c>[^"]+)" in struct|Referenced table "(?P<d>[^"]+)" not found'
    r'|Column "(?P<e>[^"]+)" referenced that exists in the SELECT clause'
)

#: What json_parse and from_base64 refuse; casts have a code of their own.
_NO_ARGUMENT = re.compile(r"Malformed JSON|Could not decode string .* as base64")


class Engine:
    """Runs one query, with a DuckDB connection of its own.

    Args:
        catalog: Where tables are defined.
        lake: Where their objects are.
        lease: Where local files of the objects are kept.
        database: The database that bare names mean.

    Attributes:
        scanned: Bytes Athena would read, once `sql` was called: of Parquet the chunks of the
            columns a query names, of other formats the whole objects.
    """

    def __init__(self, catalog: Catalog, lake: Lake, lease: Lease, database: str) -> None:
        self.catalog = catalog
        self.lake = lake
        self.lease = lease
        self.database = database.strip('`"').lower()
        self.scanned = 0
        self._relations: dict[str, str] = {}
        self._query = ""
        self.connection = duckdb.connect()
        self._projection = Projection(self.connection)
        self.connection.execute(
            "SET TimeZone='UTC'; SET threads=2; SET integer_division=true; "
            "SET autoinstall_known_extensions=false; SET autoload_known_extensions=true"
        )
        for macro in functions.MACROS:
            self.connection.execute(macro)

    def close(self) -> None:
        """End the connection."""
        self.connection.close()

    def select(self, tree: exp.Expr, query: str) -> Outcome:
        """Run a query and fetch its rows.

        Args:
            tree: The query.
            query: Its text, for the positions in messages.

        Raises:
            QueryFailedError: As Athena, or because this engine cannot.
        """
        name_columns(tree)
        sql = self.sql(tree, query)
        try:
            cursor = self.connection.execute(sql)
            described = cursor.description
            rows = cursor.fetchall()
        except duckdb.Error as error:
            raise self.failure(error, query) from error
        return Outcome(
            tuple(column_of(name.lower(), of) for name, of, *_ in described),
            tuple(tuple(map(text, row)) for row in rows),
        )

    def describe(self, sql: str) -> list[tuple[str, Any]]:
        """Name and DuckDB type of each column a DuckDB query would answer."""
        try:
            cursor = self.connection.execute(f"SELECT * FROM ({sql}) LIMIT 0")  # noqa: S608 - translated
            return [(name, of) for name, of, *_ in cursor.description]
        except duckdb.Error as error:
            raise self.failure(error, self._query) from error

    def sql(self, tree: exp.Expr, query: str) -> str:
        """A Trino query as DuckDB's SQL, over views made on the way.

        Raises:
            QueryFailedError: A table does not exist, or something is not translated.
        """
        self._query = query
        translated = self._translate(tree, self.database, 0)
        try:
            self.scanned += self._projection.settle(translated)
        except duckdb.Error as error:
            raise self.failure(error, query) from error
        return translated

    def _translate(self, tree: exp.Expr, database: str, depth: int) -> str:
        tree = self._over_views(functions.mend(tree), database, depth)
        unnest.expand(tree, self.describe)
        try:
            return tree.sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE)
        except UnsupportedError as error:
            raise unsupported(str(error).splitlines()[0]) from error

    def _over_views(self, tree: exp.Expr, database: str, depth: int) -> exp.Expr:
        known = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
        hidden = any(one.name == "$path" for one in tree.find_all(exp.Identifier))
        for table in list(tree.find_all(exp.Table)):
            if not isinstance(table.this, exp.Identifier):
                raise unsupported(f"the table function {table.this.sql('trino')}")
            if not table.db and table.name.lower() in known:
                continue
            if table.args.get("version") or "$" in table.name:
                raise unsupported("time travel and metadata tables: Iceberg is not emulated")
            relation = self._relation(table, database, hidden=hidden, depth=depth)
            alias = table.args.get("alias") or exp.TableAlias(
                this=exp.to_identifier(table.name.lower(), quoted=True)
            )
            kept = {key: table.args.get(key) for key in ("joins", "laterals", "sample", "pivots")}
            replacement = exp.Table(this=exp.to_identifier(relation), alias=alias, **kept)
            table.replace(replacement)
        return tree

    def _relation(self, table: exp.Table, database: str, *, hidden: bool, depth: int) -> str:
        if table.catalog.lower() not in _CATALOGS:
            raise unsupported(f"the catalog {table.catalog}: only AwsDataCatalog is emulated")
        name = TableName((table.db or database).lower(), table.name.lower())
        key = f"{name} {hidden}"
        if key not in self._relations:
            relation = f"relation_{len(self._relations)}"
            self._relations[key] = relation
            body = self._body(name, relation, hidden=hidden, depth=depth)
            try:
                self.connection.execute(f"CREATE TEMP VIEW {relation} AS {body}")
            except duckdb.Error as error:
                raise self.failure(error, self._query) from error
        return self._relations[key]

    def _body(self, name: TableName, relation: str, *, hidden: bool, depth: int) -> str:
        if name.database == "information_schema":
            raise unsupported("information_schema: use SHOW, DESCRIBE or the Glue API")
        table = self.catalog.table(name)
        if table is None:
            raise self._not_found(name)
        if is_view(table):
            if depth >= MAX_VIEW_DEPTH:
                raise QueryFailedError(f"VIEW_IS_RECURSIVE: {name}")
            view = views.read(table)
            inner = views.body(view)
            name_columns(inner)
            body = self._translate(inner, view.database, depth + 1)
            self._refuse_stale(name, view, body)
            return body
        if is_iceberg(table):
            raise unsupported(f"{name} is an Iceberg table, which is not emulated yet")
        scan = Scan(self.catalog, self.lake, self.lease, name, table)
        try:
            body = scan.sql(path_column=hidden)
        except ReadError as error:
            raise QueryFailedError(str(error)) from error
        self.scanned += scan.scanned
        return self._projection.stand_in(relation, scan, body) if scan.parquet else body

    def _refuse_stale(self, name: TableName, view: views.View, body: str) -> None:
        """Trino compares the columns a view keeps with those its query has now."""
        derived = [(column, type_text(of)) for column, of in self.describe(body)]
        reason = views.stale(view, derived)
        if reason is not None:
            raise QueryFailedError(
                f"VIEW_IS_STALE: {_where(self._query, name.name)}: View '{CATALOG_NAME}.{name}' is "
                f"stale or in invalid state: {reason}"
            )

    def _not_found(self, name: TableName) -> QueryFailedError:
        where = _where(self._query, name.name)
        if self.catalog.database(name.database) is None:
            return QueryFailedError(
                f"SCHEMA_NOT_FOUND: {where}: Schema '{name.database}' does not exist"
            )
        return QueryFailedError(
            f"TABLE_NOT_FOUND: {where}: Table '{CATALOG_NAME}.{name}' does not exist"
        )

    def failure(self, error: duckdb.Error, query: str) -> QueryFailedError:
        """What Athena says where DuckDB said this; what Athena would say is not always known."""
        message = str(error)
        first = message.partition(": ")[2].splitlines()[0] if ": " in message else message
        if isinstance(error, duckdb.BinderException):
            missing = _NO_COLUMN.search(message)
            if missing:
                name = next(filter(None, missing.groups()))
                return QueryFailedError(
                    f"COLUMN_NOT_FOUND: {_where(query, name)}: Column '{name.lower()}' cannot be "
                    "resolved or requester is not authorized to access requested resources"
                )
        if _NO_ARGUMENT.search(first):
            return QueryFailedError(f"INVALID_FUNCTION_ARGUMENT: {first}")
        for kind, code in _CODES:
            if isinstance(error, kind) and code not in first:
                return QueryFailedError(f"{code}: {first}")
        if "Division by zero" in message:
            return QueryFailedError("DIVISION_BY_ZERO: Division by zero")
        if first.startswith("INVALID_CAST_ARGUMENT"):
            return QueryFailedError(first)
        return unsupported(first)


_CODES: tuple[tuple[type[duckdb.Error], str], ...] = (
    (duckdb.ConversionException, "INVALID_CAST_ARGUMENT"),
    (duckdb.OutOfRangeException, "NUMERIC_VALUE_OUT_OF_RANGE"),
)


def _where(query: str, name: str) -> str:
    """Where a name stands in the query, as Trino counts."""
    for token in tokenize(query):
        if token.text.lower() == name.lower() and token.kind in {"word", "double"}:
            return position(query, token.start)
    return "line 1:1"


def name_columns(tree: exp.Expr) -> None:
    """Give the answer's unnamed columns Trino's names: `_col0`, or the last field of a path."""
    first = tree.find(exp.Select) if not isinstance(tree, exp.Select) else tree
    if isinstance(tree, exp.SetOperation):
        left = tree.this
        while isinstance(left, (exp.SetOperation, exp.Subquery)):
            left = left.this
        first = left if isinstance(left, exp.Select) else None
    if first is None:
        return
    for number, one in enumerate(list(first.expressions)):
        # DuckDB names a column as Trino does.
        if isinstance(one, (exp.Alias, exp.Star, exp.Aliases, exp.Column)) or one.is_star:
            continue
        name = one.name.lower() if isinstance(one, exp.Dot) else f"_col{number}"
        one.replace(exp.alias_(one.copy(), name, quoted=True))


def bind(tree: exp.Expr, parameters: list[str]) -> exp.Expr:
    """Put the execution parameters in the places of the question marks.

    Raises:
        QueryFailedError: There are more or fewer of them, or one is no literal.
    """
    places = [one for one in tree.find_all(exp.Placeholder, bfs=False) if not one.this]
    if len(places) != len(parameters):
        raise QueryFailedError(
            "SYNTAX_ERROR: line 1:1: Incorrect number of parameters: "
            f"expected {len(places)} but found {len(parameters)}"
        )
    for place, literal in zip(places, (_literal(one) for one in parameters), strict=True):
        place.replace(literal)
    return tree


def _literal(parameter: str) -> exp.Expr:
    refused = QueryFailedError(f"SYNTAX_ERROR: the parameter {parameter!r} is no literal value")
    try:
        tree = parse_query(f"SELECT {parameter}")
    except SqlglotError:
        raise refused from None
    if len(tree.expressions) != 1 or tree.find(exp.Column, exp.Table, exp.Placeholder):
        raise refused
    return tree.expressions[0].copy()
