"""SHOW and DESCRIBE: the catalog as text, in Hive's layout."""

import re
from collections.abc import Callable
from typing import Any

from ddb_assets.local.athena import views
from ddb_assets.local.athena.catalog import (
    Catalog,
    TableName,
    columns,
    is_view,
    parameters_of,
    partition_keys,
    serde_info_of,
    storage_of,
)
from ddb_assets.local.athena.errors import semantic, unsupported
from ddb_assets.local.athena.partitions import partition_text
from ddb_assets.local.athena.results import Column, Outcome, result
from ddb_assets.local.athena.router import Statement
from ddb_assets.local.athena.tokens import Cursor

#: Hive pads names and types to this width.
WIDTH = 20


class Show:
    """Answers the statements that only look.

    Args:
        catalog: The Glue catalog.
        database: The database that bare names mean.
    """

    def __init__(self, catalog: Catalog, database: str) -> None:
        self._catalog = catalog
        self._database = database

    def run(self, statement: Statement) -> Outcome:
        """Answer one statement.

        Raises:
            QueryFailedError: What it names does not exist, or it is not emulated.
        """
        cursor = statement.cursor()
        if cursor.accept("SHOW"):
            forms: tuple[tuple[tuple[str, ...], Callable[[Cursor], Outcome]], ...] = (
                (("DATABASES",), self._databases),
                (("SCHEMAS",), self._databases),
                (("TABLES",), self._tables),
                (("VIEWS",), self._views),
                (("COLUMNS",), self._columns),
                (("PARTITIONS",), self._partitions),
                (("TBLPROPERTIES",), self._properties),
                (("CREATE", "TABLE"), self._create_table),
                (("CREATE", "VIEW"), self._create_view),
            )
            for words, answer in forms:
                if cursor.accept(*words):
                    return answer(cursor)
            raise unsupported(f"{' '.join(statement.text.split()[:3])} is not emulated")
        if not cursor.accept("DESCRIBE"):
            cursor.expect("DESC")
        return self._describe(cursor)

    def _databases(self, cursor: Cursor) -> Outcome:
        matches = _pattern(cursor)
        return result("database_name", filter(matches, self._catalog.databases()))

    def _tables(self, cursor: Cursor) -> Outcome:
        return result("tab_name", self._names(cursor, lambda _: True))

    def _views(self, cursor: Cursor) -> Outcome:
        return result("views", self._names(cursor, is_view))

    def _names(self, cursor: Cursor, wanted: Callable[[dict[str, Any]], bool]) -> list[str]:
        database = self._database
        if cursor.accept("IN") or cursor.accept("FROM"):
            database = cursor.name()
        matches = _pattern(cursor)
        if self._catalog.database(database) is None:
            raise semantic(10072, f"Database does not exist: {database}")
        found = (one["Name"] for one in self._catalog.tables(database) if wanted(one))
        return [name for name in found if matches(name)]

    def _columns(self, cursor: Cursor) -> Outcome:
        if not cursor.accept("IN"):
            cursor.expect("FROM")
        database, name = cursor.qualified(self._database)
        if cursor.accept("IN") or cursor.accept("FROM"):
            database = cursor.name()
        cursor.end()
        table = self._catalog.need(TableName(database, name))
        every = [*columns(table), *partition_keys(table)]
        return result("field", [one["Name"].ljust(WIDTH) for one in every])

    def _partitions(self, cursor: Cursor) -> Outcome:
        name, table = self._last(cursor)
        if not partition_keys(table):
            raise semantic(10001, f"Table {name} is not a partitioned table")
        found = self._catalog.partitions(name)
        return result("partition", sorted(partition_text(table, one.values) for one in found))

    def _properties(self, cursor: Cursor) -> Outcome:
        name = TableName(*cursor.qualified(self._database))
        given = parameters_of(self._catalog.need(name))
        if cursor.accept("("):
            key = cursor.string()
            cursor.expect(")")
            value = given.get(key, f"Table {name} does not have property: {key}")
            given = {key: value}
        cursor.end()
        return result("prpt_name", [f"{key}\t{value}" for key, value in given.items()])

    def _create_table(self, cursor: Cursor) -> Outcome:
        name, table = self._last(cursor)
        if is_view(table):
            raise semantic(10132, f"{name} is a view: use SHOW CREATE VIEW")
        return result("createtab_stmt", create_statement(name, table))

    def _create_view(self, cursor: Cursor) -> Outcome:
        name, table = self._last(cursor)
        if not is_view(table):
            raise semantic(10132, f"{name} is not a view")
        text = f"CREATE VIEW {name.database}.{name.name} AS\n{views.read(table).query}"
        return result("Create View", text.splitlines())

    def _describe(self, cursor: Cursor) -> Outcome:
        if cursor.accept("EXTENDED") or cursor.accept("FORMATTED"):
            raise unsupported("DESCRIBE EXTENDED and FORMATTED are not emulated")
        _, table = self._last(cursor)
        keys = partition_keys(table)
        lines = [_line(one) for one in (*columns(table), *keys)]
        if keys:
            head = _line({"Name": "# col_name", "Type": "data_type", "Comment": "comment"})
            lines += ["\t \t ", "# Partition Information\t \t ", head, "\t \t ", *map(_line, keys)]
        names = ("col_name", "data_type", "comment")
        return Outcome(
            tuple(Column(name, "string") for name in names), tuple((line,) for line in lines)
        )

    def _last(self, cursor: Cursor) -> tuple[TableName, dict[str, Any]]:
        """The table the statement ends with."""
        name = TableName(*cursor.qualified(self._database))
        cursor.end()
        return name, self._catalog.need(name)


def _line(column: dict[str, Any]) -> str:
    comment = column.get("Comment") or ""
    return "\t".join(text.ljust(WIDTH) for text in (column["Name"], column["Type"], comment))


def _pattern(cursor: Cursor) -> Callable[[str], bool]:
    """The name pattern a SHOW ends with."""
    cursor.accept("LIKE")
    text = cursor.maybe_string()
    cursor.end()
    return name_pattern(text)


def name_pattern(text: str | None) -> Callable[[str], bool]:
    """A test of names: `*` is anything, `|` is or; without a pattern, every name passes."""
    if text is None:
        return lambda _: True
    either = "|".join(
        ".*".join(map(re.escape, re.split(r"[*%]", one.strip().lower()))) for one in text.split("|")
    )
    return lambda name: re.fullmatch(either, name) is not None


def create_statement(name: TableName, table: dict[str, Any]) -> list[str]:
    """A table's CREATE statement, line by line."""
    storage, serde = storage_of(table), serde_info_of(table)
    lines = [f"CREATE EXTERNAL TABLE `{name.database}.{name.name}`("]
    lines += _block([_definition(one) for one in columns(table)])
    keys = partition_keys(table)
    if keys:
        lines += ["PARTITIONED BY ( ", *_block([_definition(one) for one in keys])]
    lines += ["ROW FORMAT SERDE ", f"  '{serde.get('SerializationLibrary', '')}' "]
    properties: dict[str, str] = serde.get("Parameters") or {}
    if properties:
        lines += ["WITH SERDEPROPERTIES ( ", *_block([_pair(one) for one in properties.items()])]
    if storage.get("InputFormat"):
        lines += ["STORED AS INPUTFORMAT ", f"  '{storage['InputFormat']}' "]
        lines += ["OUTPUTFORMAT ", f"  '{storage.get('OutputFormat', '')}'"]
    lines += ["LOCATION", f"  '{storage.get('Location', '')}'"]
    shown = {key: one for key, one in parameters_of(table).items() if key != "EXTERNAL"}
    if shown:
        lines += ["TBLPROPERTIES (", *_block([_pair(one) for one in shown.items()])]
    return lines


def _definition(column: dict[str, Any]) -> str:
    comment = (column.get("Comment") or "").replace("'", "\\'")
    return f"  `{column['Name']}` {column['Type']}" + (f" COMMENT '{comment}'" if comment else "")


def _pair(pair: tuple[str, str]) -> str:
    return f"  '{pair[0]}'='{pair[1]}'"


def _block(lines: list[str]) -> list[str]:
    """Lines between parentheses: commas between, the closing one at the end."""
    return [f"{line}, " for line in lines[:-1]] + [f"{lines[-1]})"]
