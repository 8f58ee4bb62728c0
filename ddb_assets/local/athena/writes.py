"""CTAS, INSERT INTO, UNLOAD and CREATE VIEW: queries whose answer is kept."""

# ruff: noqa: S608 - every name and text that goes into DuckDB's SQL is quoted

import uuid
from collections.abc import Mapping
from typing import Any

import duckdb
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ddb_assets.local import clock
from ddb_assets.local.athena import views
from ddb_assets.local.athena.catalog import (
    TableName,
    columns,
    is_iceberg,
    is_view,
    partition_keys,
    storage_of,
)
from ddb_assets.local.athena.coercion import as_declared, check_types, hive_columns
from ddb_assets.local.athena.definitions import PARQUET_STORAGE
from ddb_assets.local.athena.engine import Engine, bind, name_columns
from ddb_assets.local.athena.errors import QueryFailedError, unsupported
from ddb_assets.local.athena.forms import (
    JSON_STORAGE,
    Form,
    ctas_properties,
    form_of,
    form_of_table,
    with_properties,
    without_data,
)
from ddb_assets.local.athena.partitions import default_location
from ddb_assets.local.athena.results import Outcome, type_text
from ddb_assets.local.athena.router import Statement, parse_query, syntax_message
from ddb_assets.local.athena.scan import literal, quoted

#: What a NULL in a partition column becomes in its folder's name.
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_HELD = "written_rows"


class Writes:
    """Runs the statements that keep a query's answer.

    Args:
        engine: Runs the query.
        parameters: The execution parameters.
        output: Where the workgroup's results go; CTAS without a location writes below it.
    """

    def __init__(self, engine: Engine, parameters: list[str], output: str) -> None:
        self._engine = engine
        self._parameters = parameters
        self._output = output

    def create_view(self, statement: Statement) -> Outcome:
        """CREATE [OR REPLACE] VIEW: Glue gets Presto's form of it."""
        tree = _parse(statement)
        query = tree.expression
        if not isinstance(tree, exp.Create) or not isinstance(query, exp.Query):
            raise QueryFailedError("SYNTAX_ERROR: line 1:1: CREATE VIEW needs a query")
        name = self._name(tree.this)
        renamed = isinstance(tree.this, exp.Schema)
        if renamed:
            raise unsupported("CREATE VIEW with column names: name them in the query")
        text = statement.text[_as_offset(statement) :].strip()
        name_columns(query)
        _refuse_duplicates(query)
        described = self._engine.describe(self._engine.sql(query, statement.text))
        self._engine.scanned = 0  # its columns are derived; nothing is read
        types = [type_text(of) for _, of in described]
        given = views.table_input(text, self._engine.database, described, types)
        catalog = self._engine.catalog
        known = catalog.table(name)
        if known is None:
            catalog.create_table(name, **given)
        elif not tree.args.get("replace"):
            raise QueryFailedError(f"TABLE_ALREADY_EXISTS: line 1:1: View already exists: '{name}'")
        elif not is_view(known):
            raise QueryFailedError(f"TABLE_ALREADY_EXISTS: line 1:1: '{name}' is a table")
        else:
            catalog.change_table(name, lambda to: to.update(given))
        return Outcome()

    def create_table(self, statement: Statement, execution_id: str) -> Outcome:
        """CREATE TABLE AS SELECT."""
        tree = _parse(statement)
        if not isinstance(tree, exp.Create) or not isinstance(tree.this, exp.Table):
            raise QueryFailedError("SYNTAX_ERROR: line 1:1: CREATE TABLE AS takes no column list")
        name = self._name(tree.this)
        catalog = self._engine.catalog
        if catalog.table(name) is not None:
            if tree.args.get("exists"):
                return Outcome(written=())
            raise QueryFailedError(
                f"TABLE_ALREADY_EXISTS: line 1:1: Destination table '{name}' already exists"
            )
        if catalog.database(name.database) is None:
            raise QueryFailedError(
                f"SCHEMA_NOT_FOUND: line 1:1: Schema '{name.database}' does not exist"
            )
        given = ctas_properties(tree)
        form = form_of(given, {"PARQUET", "JSON"})
        location = given.get("external_location") or f"{self._output}tables/{execution_id}/"
        location = location.rstrip("/") + "/"
        self._refuse_occupied(location, str(name))
        described = self._hold(tree.expression, statement, empty=without_data(tree))
        keys = _names(given.get("partitioned_by"))
        shown = hive_columns(described)
        _check_keys(keys, [one["Name"] for one in shown])
        storage: dict[str, Any] = {
            **(PARQUET_STORAGE if form.name == "PARQUET" else JSON_STORAGE),
            "Columns": shown[: len(shown) - len(keys)],
            "Location": location,
        }
        table: dict[str, Any] = {
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"EXTERNAL": "TRUE", "classification": form.name.lower()},
            "StorageDescriptor": storage,
            "PartitionKeys": shown[len(shown) - len(keys) :],
        }
        count, written, folders = self._write(form, location, [one["Name"] for one in shown], keys)
        catalog.create_table(name, **table)
        for values, folder in folders.items():
            catalog.add_partition(name, values, {**storage, "Location": folder})
        return Outcome(update_count=count, written=tuple(written))

    def insert(self, statement: Statement) -> Outcome:
        """INSERT INTO: new files at the table's location, new partitions in the catalog."""
        tree = _parse(statement)
        if not isinstance(tree, exp.Insert) or not isinstance(
            tree.expression, exp.Query | exp.Values
        ):
            raise QueryFailedError("SYNTAX_ERROR: line 1:1: INSERT INTO needs a query")
        target = tree.this
        named: list[str] | None = None
        if isinstance(target, exp.Schema):
            named = [one.name.lower() for one in target.expressions]
            target = target.this
        name = self._name(target)
        table = self._engine.catalog.table(name)
        if table is None:
            raise QueryFailedError(
                f"TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.{name}' does not exist"
            )
        if is_view(table) or is_iceberg(table):
            raise unsupported(f"INSERT INTO {name}: it is a view or an Iceberg table")
        form = form_of_table(table)
        every = [*columns(table), *partition_keys(table)]
        keys = [one["Name"].lower() for one in partition_keys(table)]
        query = tree.expression
        if isinstance(query, exp.Values):
            query = exp.select("*").from_(query)
        described = self._hold(query, statement)
        wanted = named if named is not None else [one["Name"].lower() for one in every]
        check_types(wanted, every, described)
        sources = dict(zip(wanted, (held for held, _ in described), strict=True))
        shown = ", ".join(as_declared(one, sources) for one in every)
        self._run(f"CREATE TEMP TABLE inserted AS SELECT {shown} FROM {_HELD}")
        self._run(f"DROP TABLE {_HELD}")
        self._run(f"ALTER TABLE inserted RENAME TO {_HELD}")
        location = str(storage_of(table)["Location"]).rstrip("/") + "/"
        known = {
            one.values: str(one.storage.get("Location"))
            for one in self._engine.catalog.partitions(name)
        }
        count, written, folders = self._write(
            form, location, [one["Name"].lower() for one in every], keys, known
        )
        for values in folders:
            if values not in known:
                storage = {**storage_of(table), "Location": default_location(table, values)}
                self._engine.catalog.add_partition(name, values, storage)
        return Outcome(update_count=count, written=tuple(written))

    def unload(self, statement: Statement) -> Outcome:
        """UNLOAD (query) TO 's3://…' WITH (format = '…')."""
        cursor = statement.cursor()
        cursor.expect("UNLOAD")
        cursor.expect("(")
        start = cursor.offset
        cursor.skip_parenthesis()
        inner = statement.text[start : cursor.offset].rstrip()
        cursor.expect("TO")
        location = cursor.string().rstrip("/") + "/"
        given = with_properties(cursor)
        cursor.end()
        if "format" not in given:
            raise QueryFailedError("SYNTAX_ERROR: UNLOAD needs the property format")
        form = form_of(given, {"PARQUET", "JSON", "TEXTFILE"})
        query = inner[: inner.rindex(")")]
        try:
            tree = parse_query(query)
        except SqlglotError as error:
            raise QueryFailedError(f"SYNTAX_ERROR: {syntax_message(error)}") from error
        self._refuse_occupied(location, location)
        described = self._hold(tree, statement)
        keys = _names(given.get("partitioned_by"))
        names = [name for name, _ in described]
        _check_keys(keys, names)
        if form.name == "TEXTFILE" and any(
            str(of.id) in {"struct", "map", "list"} for _, of in described
        ):
            raise unsupported("UNLOAD of nested values to TEXTFILE")
        count, written, _ = self._write(form, location, names, keys)
        return Outcome(update_count=count, written=tuple(written))

    def _hold(
        self, query: exp.Expr, statement: Statement, *, empty: bool = False
    ) -> list[tuple[str, Any]]:
        """Run a query into a temporary table; its columns' names and types."""
        if isinstance(query, exp.Subquery):
            query = query.this
        bind(query, self._parameters)
        name_columns(query)
        _refuse_duplicates(query)
        sql = self._engine.sql(query, statement.text)
        names = [name.lower() for name, _ in self._engine.describe(sql)]
        alias = ", ".join(map(quoted, names))
        limit = " LIMIT 0" if empty else ""
        self._run(f"CREATE TEMP TABLE {_HELD} AS SELECT * FROM ({sql}) AS held ({alias}){limit}")
        return self._engine.describe(f"SELECT * FROM {_HELD}")

    def _write(
        self,
        form: Form,
        location: str,
        names: list[str],
        keys: list[str],
        known: Mapping[tuple[str, ...], str] | None = None,
    ) -> tuple[int, list[str], dict[tuple[str, ...], str]]:
        """Write the held rows: their number, the files, and each partition's folder."""
        plain = ", ".join(quoted(name) for name in names if name not in keys)
        if not keys:
            count, uri = self._copy(f"SELECT {plain} FROM {_HELD}", form, location)
            return count, [uri] if count else [], {}
        texts = ", ".join(f"CAST({quoted(key)} AS VARCHAR)" for key in keys)
        found = self._run(f"SELECT DISTINCT {texts} FROM {_HELD} ORDER BY ALL")
        total, written = 0, list[str]()
        folders: dict[tuple[str, ...], str] = {}
        for row in found:
            values = tuple(NULL_PARTITION if one is None else str(one) for one in row)
            path = "/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))
            folder = (known or {}).get(values) or f"{location}{path}/"
            same = " AND ".join(
                f"CAST({quoted(key)} AS VARCHAR) IS NOT DISTINCT FROM "
                + ("NULL" if one is None else literal(str(one)))
                for key, one in zip(keys, row, strict=True)
            )
            count, uri = self._copy(f"SELECT {plain} FROM {_HELD} WHERE {same}", form, folder)
            folders[values] = folder
            written.append(uri)
            total += count
        return total, written, folders

    def _copy(self, sql: str, form: Form, folder: str) -> tuple[int, str]:
        path = self._engine.lease.scratch(form.suffix)
        try:
            (copied,) = self._run(f"COPY ({sql}) TO {literal(str(path))} ({form.options})")
            moment = clock.now().strftime("%Y%m%d_%H%M%S")
            uri = f"{folder.rstrip('/')}/{moment}_{uuid.uuid4()}{form.suffix}"
            if copied[0]:
                self._engine.lake.put(uri, path.read_bytes())
        finally:
            path.unlink(missing_ok=True)
        return int(copied[0]), uri

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        try:
            return self._engine.connection.execute(sql).fetchall()
        except duckdb.Error as error:
            raise self._engine.failure(error, sql) from error

    def _refuse_occupied(self, location: str, what: str) -> None:
        if self._engine.lake.objects(location):
            raise QueryFailedError(
                f"HIVE_PATH_ALREADY_EXISTS: Target directory for table '{what}' already exists: "
                f"{location}. You may need to manually clean the data at location "
                f"'{location}' before retrying."
            )

    def _name(self, table: Any) -> TableName:
        if isinstance(table, exp.Schema):
            table = table.this
        if not isinstance(table, exp.Table):
            raise QueryFailedError("SYNTAX_ERROR: line 1:1: a table's name is expected")
        return TableName((table.db or self._engine.database).lower(), table.name.lower())


def _parse(statement: Statement) -> exp.Expr:
    try:
        return parse_query(statement.text)
    except SqlglotError as error:
        raise QueryFailedError(f"SYNTAX_ERROR: {syntax_message(error)}") from error


def _refuse_duplicates(query: exp.Expr) -> None:
    """A table's columns need names of their own. What a star stands for is not looked at."""
    selects = query.named_selects if isinstance(query, exp.Query) else []
    names = [name.lower() for name in selects if name != "*"]
    for name in names:
        if names.count(name) > 1:
            raise QueryFailedError(
                f"DUPLICATE_COLUMN_NAME: line 1:1: Column name '{name}' specified more than once"
            )


def _as_offset(statement: Statement) -> int:
    for token in statement.tokens:
        if token.kind == "word" and token.text.upper() == "AS":
            return token.end
    raise QueryFailedError("SYNTAX_ERROR: line 1:1: CREATE VIEW needs AS")


def _names(text: str | None) -> list[str]:
    return [one.strip().lower() for one in text.split(",")] if text else []


def _check_keys(keys: list[str], names: list[str]) -> None:
    if keys and names[-len(keys) :] != keys:
        raise QueryFailedError(
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and "
            f"in the same order as the table properties: {keys}"
        )
