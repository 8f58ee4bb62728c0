"""Hive's DDL on the Glue catalog: databases, tables, their locations, columns and partitions."""

import re
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
from ddb_assets.local.athena.errors import (
    QueryFailedError,
    ddl_task,
    parse_error,
    semantic,
    unsupported,
)
from ddb_assets.local.athena.lake import Lake, split
from ddb_assets.local.athena.results import Outcome, result
from ddb_assets.local.athena.router import Statement, parse_ddl
from ddb_assets.local.athena.tokens import Cursor
from ddb_assets.local.hive import types
from ddb_assets.local.hive.serde import PARQUET

#: What `STORED AS PARQUET` stands for.
PARQUET_STORAGE: dict[str, Any] = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": PARQUET, "Parameters": {}},
}
#: What a table has that names no format.
TEXT_STORAGE: dict[str, Any] = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "Parameters": {"serialization.format": "1"},
    },
}

PartitionSpec = tuple[tuple[str, str], ...]


class Ddl:
    """Runs the DDL statements of one query.

    Args:
        catalog: The Glue catalog.
        lake: The objects in S3.
        database: The database that bare names mean.
    """

    def __init__(self, catalog: Catalog, lake: Lake, database: str) -> None:
        self._catalog = catalog
        self._lake = lake
        self._database = database

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
            "MSCK_REPAIR_TABLE": self._repair,
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
                given["LocationUri"] = _location(cursor.string())
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
        given = _definition(tree)
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
            values = _values(table, _specification(cursor))
            cursor.expect("SET", "LOCATION")
            location = _location(cursor.string())
            cursor.end()
            self._catalog.move_partition(name, values, location)
        elif cursor.accept("SET", "LOCATION"):
            location = _location(cursor.string())
            cursor.end()
            self._catalog.change_table(name, lambda to: _set_location(to, location))
        elif cursor.accept("SET", "TBLPROPERTIES"):
            given = _properties(cursor)
            cursor.end()
            self._catalog.change_table(name, lambda to: _set_properties(to, given))
        elif cursor.accept("ADD", "COLUMNS") or cursor.accept("REPLACE", "COLUMNS"):
            self._change_columns(name, statement)
        elif cursor.accept("ADD"):
            self._add_partitions(name, table, cursor)
        elif cursor.accept("DROP"):
            self._drop_partitions(name, table, cursor)
        else:
            raise unsupported(f"ALTER TABLE … {statement.text[cursor.offset :][:40]}")
        return Outcome()

    def _change_columns(self, name: TableName, statement: Statement) -> None:
        tree = parse_ddl(statement)
        actions = cast("list[exp.Expr]", tree.args.get("actions") or [])
        if len(actions) != 1:
            raise parse_error("line 1:0 one change of columns at a time")
        given = _columns(actions[0].expressions)
        replaces = isinstance(actions[0], exp.ReplaceColumns)

        def change(table: dict[str, Any]) -> None:
            before = [] if replaces else columns(table)
            after = [*before, *given]
            _refuse_duplicates([*after, *partition_keys(table)])
            table["StorageDescriptor"] = {**storage_of(table), "Columns": after}

        self._catalog.change_table(name, change)

    # Partitions

    def _add_partitions(self, name: TableName, table: dict[str, Any], cursor: Cursor) -> None:
        tolerant = cursor.accept("IF", "NOT", "EXISTS")
        wanted: list[tuple[tuple[str, ...], str]] = []
        cursor.expect("PARTITION")
        while True:
            values = _values(table, _specification(cursor))
            location = _location(cursor.string()) if cursor.accept("LOCATION") else None
            wanted.append((values, location or default_location(table, values)))
            cursor.accept(",")
            if not cursor.accept("PARTITION"):
                break
        cursor.end()
        known = {one.values for one in self._catalog.partitions(name)}
        for values, _ in wanted:
            if values in known and not tolerant:
                raise ddl_task(
                    "AlreadyExistsException(message:Partition already exists: "
                    f"{partition_text(table, values)})"
                )
        for values, location in wanted:
            if values not in known:
                storage = {**storage_of(table), "Location": location}
                self._catalog.add_partition(name, values, storage)
                known.add(values)

    def _drop_partitions(self, name: TableName, table: dict[str, Any], cursor: Cursor) -> None:
        tolerant = cursor.accept("IF", "EXISTS")
        wanted: list[tuple[str, ...]] = []
        cursor.expect("PARTITION")
        while True:
            wanted.append(_values(table, _specification(cursor)))
            if not cursor.accept(","):
                break
            cursor.expect("PARTITION")
        cursor.end()
        known = {one.values for one in self._catalog.partitions(name)}
        for values in wanted:
            if values in known:
                self._catalog.drop_partition(name, values)
            elif not tolerant:
                raise semantic(10006, f"Partition not found {partition_text(table, values)}")

    def _repair(self, statement: Statement) -> Outcome:
        cursor = statement.cursor()
        cursor.expect("MSCK", "REPAIR", "TABLE")
        name = TableName(*cursor.qualified(self._database))
        cursor.end()
        table = self._catalog.need(name)
        keys = [one["Name"].lower() for one in partition_keys(table)]
        location = str(storage_of(table)["Location"]).rstrip("/") + "/"
        known = {one.values for one in self._catalog.partitions(name)}
        added: list[str] = []
        for values, folder in self._folders(location, keys):
            if values not in known:
                known.add(values)
                storage = {**storage_of(table), "Location": location + folder + "/"}
                self._catalog.add_partition(name, values, storage)
                added.append(folder)
        if not added:
            return result("result", [])
        missing = "\t".join(f"{name.name}:{folder}" for folder in added)
        return result(
            "result",
            [
                f"Partitions not in metastore:\t{missing}",
                *(f"Repair: Added partition to metastore {name.name}:{one}" for one in added),
            ],
        )

    def _folders(self, location: str, keys: list[str]) -> list[tuple[tuple[str, ...], str]]:
        """Values and folder of every `key=value/…` path below a location."""
        found: dict[tuple[str, ...], str] = {}
        _, prefix = split(location)
        for one in self._lake.objects(location) if keys else []:
            parts = one.key[len(prefix) :].split("/")[: len(keys)]
            pairs = [part.partition("=") for part in parts]
            if [pair[0].lower() for pair in pairs] == keys and all(pair[1] for pair in pairs):
                found[tuple(pair[2] for pair in pairs)] = "/".join(parts)
        return list(found.items())

    def _name(self, table: exp.Expr) -> TableName:
        if not isinstance(table, exp.Table):
            raise parse_error(f"line 1:0 cannot recognize input near '{table.sql('hive')}'")
        return TableName((table.db or self._database).lower(), table.name.lower())


def default_location(table: dict[str, Any], values: tuple[str, ...]) -> str:
    """Where a partition lies that names no location."""
    base = str(storage_of(table).get("Location") or "").rstrip("/")
    return f"{base}/{partition_text(table, values)}/"


def partition_text(table: dict[str, Any], values: tuple[str, ...]) -> str:
    """A partition as its folder is named: `dt=2020-01-01/hour=3`."""
    keys = (one["Name"].lower() for one in partition_keys(table))
    return "/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))


def _location(text: str) -> str:
    """A LOCATION that Athena takes (page tables-location-format).

    Raises:
        QueryFailedError: It is no s3:// location, or names a bucket only by wildcard.
    """
    if not re.match(r"s3://[^/*]+(/|\Z)", text):
        raise ddl_task(f"MetaException(message:Invalid S3 location: {text}; use s3://bucket/path/)")
    return text


def _specification(cursor: Cursor) -> PartitionSpec:
    cursor.expect("(")
    pairs: list[tuple[str, str]] = []
    while True:
        column = cursor.name()
        cursor.expect("=")
        pairs.append((column, cursor.value()))
        if not cursor.accept(","):
            cursor.expect(")")
            return tuple(pairs)


def _values(table: dict[str, Any], given: PartitionSpec) -> tuple[str, ...]:
    """A partition's values in the order of the table's keys."""
    keys = [one["Name"].lower() for one in partition_keys(table)]
    if sorted(keys) != sorted(name for name, _ in given):
        raise semantic(
            10098,
            f"the partition columns are ({', '.join(keys)}), "
            f"given are ({', '.join(name for name, _ in given)})",
        )
    by_name = dict(given)
    return tuple(by_name[key] for key in keys)


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


def _definition(tree: exp.Create) -> dict[str, Any]:
    """What Glue keeps of a CREATE TABLE."""
    table: dict[str, Any] = {
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE"},
        "StorageDescriptor": {**TEXT_STORAGE, "Columns": _columns(tree.this.expressions)},
        "PartitionKeys": [],
    }
    holder = tree.args.get("properties")
    for one in holder.expressions if isinstance(holder, exp.Expr) else []:
        _apply(table, one)
    if is_iceberg(table):
        raise unsupported("CREATE TABLE … 'table_type'='ICEBERG': Iceberg is not emulated yet")
    if not tree.find(exp.ExternalProperty):
        raise parse_error("line 1:7 CREATE TABLE without EXTERNAL is for Iceberg tables only")
    if "Location" not in storage_of(table):
        raise semantic(10030, "CREATE EXTERNAL TABLE needs a LOCATION")
    _refuse_duplicates([*columns(table), *partition_keys(table)])
    return table


def _apply(table: dict[str, Any], one: exp.Expr) -> None:
    """Put one clause of a CREATE TABLE where Glue keeps it."""
    storage = storage_of(table)
    if isinstance(one, exp.LocationProperty):
        storage["Location"] = _location(one.this.name)
    elif isinstance(one, exp.RowFormatSerdeProperty):
        inner = one.args.get("serde_properties")
        pairs = inner.expressions if isinstance(inner, exp.Expr) else []
        storage["SerdeInfo"] = {
            "SerializationLibrary": one.this.name,
            "Parameters": {pair.this.name: pair.args["value"].name for pair in pairs},
        }
    elif isinstance(one, exp.FileFormatProperty):
        _set_format(storage, one)
    elif isinstance(one, exp.PartitionedByProperty):
        table["PartitionKeys"] = _columns(one.this.expressions)
    elif isinstance(one, exp.SchemaCommentProperty):
        table["Parameters"]["comment"] = one.this.name
    elif type(one) is exp.Property:
        table["Parameters"][one.this.name] = one.args["value"].name
    elif not isinstance(one, exp.ExternalProperty):
        raise unsupported(f"CREATE TABLE … {one.sql('hive')[:60]}")


def _refuse_duplicates(given: list[dict[str, Any]]) -> None:
    names = [one["Name"].lower() for one in given]
    for name in names:
        if names.count(name) > 1:
            raise semantic(10036, f"Duplicate column name: {name}")


def _set_format(storage: dict[str, Any], one: exp.FileFormatProperty) -> None:
    if isinstance(one.this, exp.InputOutputFormat):
        storage["InputFormat"] = one.this.args["input_format"].name
        storage["OutputFormat"] = one.this.args["output_format"].name
    elif one.this.name.upper() == "PARQUET":
        storage.update(PARQUET_STORAGE)
    elif one.this.name.upper() not in {"TEXTFILE", "JSONFILE"}:
        raise unsupported(f"STORED AS {one.this.name.upper()}")


def _columns(definitions: list[exp.Expr]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in definitions:
        kind = one.args.get("kind")
        if not isinstance(one, exp.ColumnDef) or not isinstance(kind, exp.DataType):
            raise parse_error(f"line 1:0 cannot recognize input near '{one.sql('hive')}'")
        column = {"Name": one.name.lower(), "Type": _type_text(kind)}
        comment = one.find(exp.CommentColumnConstraint)
        if comment:
            column["Comment"] = comment.this.name
        found.append(column)
    return found


def _type_text(kind: exp.DataType) -> str:
    """A column's type as Glue keeps it, lower-cased, if Hive takes it."""
    bare = kind.copy()
    for identifier in bare.find_all(exp.Identifier):
        identifier.set("quoted", False)
    text = re.sub(r"\s*([<>,:()])\s*", r"\1", bare.sql(dialect="hive")).lower()
    try:
        return types.parse(text).text
    except types.HiveTypeError as error:
        raise parse_error(f"line 1:0 {error}") from error


def refuse(statement: Statement) -> QueryFailedError:
    """The failure of a statement that Athena runs and this engine does not."""
    if statement.word in {"MERGE", "UPDATE", "DELETE"}:
        return unsupported(f"{statement.word}: Iceberg is not emulated yet")
    return unsupported(f"{statement.word} is not emulated")
