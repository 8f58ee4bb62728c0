"""Hive's DDL on the Glue catalog: databases, tables, their locations, columns and partitions."""

from collections.abc import Callable
from typing import Any, cast

from sqlglot import exp

from ddb_assets.local.athena.catalog import (
    Catalog,
    TableName,
    columns,
    is_iceberg,
    is_view,
    partition_keys,
    storage_of,
)
from ddb_assets.local.athena.definitions import (
    declared_columns,
    definition,
    refuse_duplicates,
    s3_location,
)
from ddb_assets.local.athena.errors import (
    QueryFailedError,
    ddl_task,
    parse_error,
    semantic,
    unsupported,
)
from ddb_assets.local.athena.lake import Lake
from ddb_assets.local.athena.partitions import Partitions, specification, values_of
from ddb_assets.local.athena.results import Outcome
from ddb_assets.local.athena.router import Statement, parse_ddl
from ddb_assets.local.athena.tokens import Cursor


class Ddl:
    """Runs the DDL statements of one query.

    Args:
        catalog: The Glue catalog.
        lake: The objects in S3.
        database: The database that bare names mean.
    """

    def __init__(self, catalog: Catalog, lake: Lake, database: str) -> None:
        self._catalog = catalog
        self._database = database
        self._partitions = Partitions(catalog, lake)

    def run(self, statement: Statement) -> Outcome:
        """Run one statement.

        Raises:
            QueryFailedError: As Hive fails, or because this engine cannot.
        """
        runs: dict[str, Callable[[Statement], Outcome]] = {
            "CREATE_DATABASE": self._create_database,
            "DROP_DATABASE": self._drop_database,
            "DROP_SCHEMA": self._drop_database,
            "ALTER_DATABASE": self._alter_database,
            "ALTER_SCHEMA": self._alter_database,
            "CREATE_TABLE": self._create_table,
            "CREATE_EXTERNAL": self._create_table,
            "DROP_TABLE": self._drop_table,
            "DROP_VIEW": self._drop_table,
            "ALTER_TABLE": self._alter_table,
            "MSCK_REPAIR_TABLE": lambda one: self._partitions.repair(one, self._database),
        }
        run = runs.get(statement.substatement)
        if run is None:
            raise unsupported(f"{statement.substatement.replace('_', ' ')} is not emulated")
        return run(statement)

    # Databases

    def _create_database(self, statement: Statement) -> Outcome:
        cursor = statement.cursor()
        cursor.expect("CREATE")
        if not cursor.accept("SCHEMA"):
            cursor.expect("DATABASE")
        tolerant = cursor.accept("IF", "NOT", "EXISTS")
        name = cursor.name()
        given: dict[str, Any] = {}
        while not cursor.done:
            if cursor.accept("COMMENT"):
                given["Description"] = cursor.string()
            elif cursor.accept("LOCATION"):
                given["LocationUri"] = s3_location(cursor.string())
            else:
                cursor.expect("WITH", "DBPROPERTIES")
                given["Parameters"] = _properties(cursor)
        if self._catalog.database(name) is None:
            self._catalog.create_database(name, **given)
        elif not tolerant:
            raise ddl_task(f"AlreadyExistsException(message:Database {name} already exists)")
        return Outcome()

    def _drop_database(self, statement: Statement) -> Outcome:
        cursor = statement.cursor()
        cursor.expect("DROP")
        if not cursor.accept("SCHEMA"):
            cursor.expect("DATABASE")
        tolerant = cursor.accept("IF", "EXISTS")
        name = cursor.name()
        cascade = cursor.accept("CASCADE")
        cursor.accept("RESTRICT")
        cursor.end()
        if self._catalog.database(name) is None:
            if tolerant:
                return Outcome()
            raise semantic(10072, f"Database does not exist: {name}")
        if self._catalog.tables(name) and not cascade:
            raise ddl_task(
                f"InvalidOperationException(message:Database {name} is not empty. "
                "One or more tables exist.)"
            )
        self._catalog.glue.delete_database(name)
        return Outcome()

    def _alter_database(self, statement: Statement) -> Outcome:
        cursor = statement.cursor()
        cursor.expect("ALTER")
        if not cursor.accept("SCHEMA"):
            cursor.expect("DATABASE")
        name = cursor.name()
        cursor.expect("SET", "DBPROPERTIES")
        given = _properties(cursor)
        cursor.end()
        found = self._catalog.database(name)
        if found is None:
            raise semantic(10072, f"Database does not exist: {name}")
        kept = {key: found[key] for key in ("Name", "Description", "LocationUri") if found.get(key)}
        merged: dict[str, str] = {**(found.get("Parameters") or {}), **given}
        self._catalog.glue.update_database(name, {**kept, "Parameters": merged})
        return Outcome()

    # Tables

    def _create_table(self, statement: Statement) -> Outcome:
        tree = parse_ddl(statement)
        if not isinstance(tree, exp.Create) or not isinstance(tree.this, exp.Schema):
            raise parse_error("line 1:0 a CREATE TABLE needs columns")
        name = self._name(tree.this.this)
        given = definition(tree)
        if self._catalog.database(name.database) is None:
            raise semantic(10072, f"Database does not exist: {name.database}")
        if self._catalog.table(name) is None:
            self._catalog.create_table(name, **given)
        elif not tree.args.get("exists"):
            raise ddl_task(f"AlreadyExistsException(message:Table {name.name} already exists)")
        return Outcome()

    def _drop_table(self, statement: Statement) -> Outcome:
        cursor = statement.cursor()
        cursor.expect("DROP")
        wants_view = cursor.accept("VIEW")
        if not wants_view:
            cursor.expect("TABLE")
        tolerant = cursor.accept("IF", "EXISTS")
        name = TableName(*cursor.qualified(self._database))
        cursor.end()
        found = self._catalog.table(name)
        if found is None:
            if tolerant:
                return Outcome()
            raise semantic(10001, f"Table not found {name}")
        if is_view(found) != wants_view:
            kinds = ("view", "table") if wants_view else ("table", "view")
            raise semantic(10132, f"Cannot drop a {kinds[1]} with DROP {kinds[0].upper()}: {name}")
        self._catalog.drop_table(name)
        return Outcome()

    def _alter_table(self, statement: Statement) -> Outcome:
        cursor = statement.cursor()
        cursor.expect("ALTER", "TABLE")
        name = TableName(*cursor.qualified(self._database))
        table = self._catalog.need(name)
        if is_view(table):
            raise semantic(10132, f"Cannot alter a view with ALTER TABLE: {name}")
        if is_iceberg(table):
            raise unsupported(f"{name} is an Iceberg table, which is not emulated yet")
        if cursor.accept("PARTITION"):
            values = values_of(table, specification(cursor))
            cursor.expect("SET", "LOCATION")
            location = s3_location(cursor.string())
            cursor.end()
            self._catalog.move_partition(name, values, location)
        elif cursor.accept("SET", "LOCATION"):
            location = s3_location(cursor.string())
            cursor.end()
            self._catalog.change_table(name, lambda to: _set_location(to, location))
        elif cursor.accept("SET", "TBLPROPERTIES"):
            given = _properties(cursor)
            cursor.end()
            self._catalog.change_table(name, lambda to: _set_properties(to, given))
        elif cursor.accept("ADD", "COLUMNS") or cursor.accept("REPLACE", "COLUMNS"):
            self._change_columns(name, statement)
        elif cursor.accept("ADD"):
            self._partitions.add(name, table, cursor)
        elif cursor.accept("DROP"):
            self._partitions.drop(name, table, cursor)
        else:
            raise unsupported(f"ALTER TABLE … {statement.text[cursor.offset :][:40]}")
        return Outcome()

    def _change_columns(self, name: TableName, statement: Statement) -> None:
        tree = parse_ddl(statement)
        actions = cast("list[exp.Expr]", tree.args.get("actions") or [])
        if len(actions) != 1:
            raise parse_error("line 1:0 one change of columns at a time")
        given = declared_columns(actions[0].expressions)
        replaces = isinstance(actions[0], exp.ReplaceColumns)

        def change(table: dict[str, Any]) -> None:
            before = [] if replaces else columns(table)
            after = [*before, *given]
            refuse_duplicates([*after, *partition_keys(table)])
            table["StorageDescriptor"] = {**storage_of(table), "Columns": after}

        self._catalog.change_table(name, change)

    def _name(self, table: exp.Expr) -> TableName:
        if not isinstance(table, exp.Table):
            raise parse_error(f"line 1:0 cannot recognize input near '{table.sql('hive')}'")
        return TableName((table.db or self._database).lower(), table.name.lower())


def _properties(cursor: Cursor) -> dict[str, str]:
    cursor.expect("(")
    found: dict[str, str] = {}
    while True:
        key = cursor.string()
        cursor.expect("=")
        found[key] = cursor.string()
        if not cursor.accept(","):
            cursor.expect(")")
            return found


def _set_location(table: dict[str, Any], location: str) -> None:
    table["StorageDescriptor"] = {**storage_of(table), "Location": location}


def _set_properties(table: dict[str, Any], given: dict[str, str]) -> None:
    table["Parameters"] = {**(table.get("Parameters") or {}), **given}


def refuse(statement: Statement) -> QueryFailedError:
    """The failure of a statement that Athena runs and this engine does not."""
    if statement.word in {"MERGE", "UPDATE", "DELETE"}:
        return unsupported(f"{statement.word}: Iceberg is not emulated yet")
    return unsupported(f"{statement.word} is not emulated")
