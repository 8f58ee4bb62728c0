"""The Glue catalog as Athena's statements see it: one catalog for DDL, queries and metadata."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from moto.core.exceptions import JsonRESTError
from moto.glue.models import glue_backends

from ddb_assets.local.athena.errors import semantic
from ddb_assets.local.glue import CATALOG, LocalGlue

DEFAULT_DATABASE = "default"
CATALOG_NAME = "awsdatacatalog"

#: What GetTable shows and UpdateTable takes (Glue API reference, TableInput).
TABLE_INPUT = frozenset(
    {
        "Name",
        "Description",
        "Owner",
        "LastAccessTime",
        "LastAnalyzedTime",
        "Retention",
        "StorageDescriptor",
        "PartitionKeys",
        "ViewOriginalText",
        "ViewExpandedText",
        "TableType",
        "Parameters",
        "TargetTable",
    }
)


@dataclass(frozen=True)
class TableName:
    """A table's folded name."""

    database: str
    name: str

    def __str__(self) -> str:
        return f"{self.database}.{self.name}"


@dataclass(frozen=True)
class Partition:
    """One partition: its values in the order of the partition keys, and where its files are."""

    values: tuple[str, ...]
    storage: dict[str, Any]


class Catalog:
    """One account's and region's databases, tables and partitions."""

    def __init__(self, account_id: str, region: str) -> None:
        self._account_id = account_id
        self._region = region

    @property
    def glue(self) -> LocalGlue:
        """The backend behind it, looked up anew: moto's reset replaces its state in place."""
        return cast("LocalGlue", glue_backends[self._account_id][self._region])

    def databases(self) -> list[str]:
        """All names in order; `default` is always there."""
        with CATALOG:
            return sorted({DEFAULT_DATABASE, *self.glue.databases})

    def database(self, name: str) -> dict[str, Any] | None:
        """A database as Glue describes it; `default` needs no creation."""
        try:
            return self.glue.get_database(name).as_dict()
        except JsonRESTError:
            folded = name.lower()
            return {"Name": folded} if folded == DEFAULT_DATABASE else None

    def create_database(self, name: str, **given: Any) -> None:
        """Create a database that does not exist."""
        self.glue.create_database(name, {"Name": name.lower(), **given})

    def tables(self, database: str) -> list[dict[str, Any]]:
        """The tables and views of a database in order of name; none if it does not exist."""
        try:
            found = self.glue.get_tables(database, None)
        except JsonRESTError:
            return []
        return [table.as_dict() for table in sorted(found, key=lambda one: one.name)]

    def table(self, name: TableName) -> dict[str, Any] | None:
        """A table as GetTable shows it, or None."""
        try:
            return self.glue.get_table(name.database, name.name).as_dict()
        except JsonRESTError:
            return None

    def need(self, name: TableName) -> dict[str, Any]:
        """A table that a Hive statement names.

        Raises:
            QueryFailedError: It does not exist.
        """
        found = self.table(name)
        if found is None:
            raise semantic(10001, f"Table not found {name}")
        return found

    def create_table(self, name: TableName, **given: Any) -> None:
        """Create a table that does not exist; `default` is created with its first table."""
        with CATALOG:
            if name.database == DEFAULT_DATABASE and DEFAULT_DATABASE not in self.glue.databases:
                self.create_database(DEFAULT_DATABASE)
            self.glue.create_table(name.database, name.name, {"Name": name.name, **given})

    def change_table(self, name: TableName, change: Callable[[dict[str, Any]], None]) -> None:
        """Read, change and replace a table's definition in one step.

        Args:
            name: The table.
            change: Changes the TableInput in place.

        Raises:
            QueryFailedError: The table does not exist.
        """
        with CATALOG:
            shown = self.need(name)
            table_input = {key: value for key, value in shown.items() if key in TABLE_INPUT}
            change(table_input)
            self.glue.update_table(name.database, name.name, table_input)

    def drop_table(self, name: TableName) -> None:
        """Drop a table that exists."""
        self.glue.delete_table(name.database, name.name)

    def partitions(self, name: TableName) -> list[Partition]:
        """A table's partitions, in order of creation."""
        with CATALOG:
            found = list(self.glue.get_table(name.database, name.name).partitions.values())
        return [
            Partition(
                tuple(cast("list[str]", one.values)), one.as_dict().get("StorageDescriptor") or {}
            )
            for one in found
        ]

    def add_partition(
        self, name: TableName, values: tuple[str, ...], storage: dict[str, Any]
    ) -> None:
        """Create a partition that does not exist."""
        given = {"Values": list(values), "StorageDescriptor": storage}
        with CATALOG:
            self.glue.create_partition(name.database, name.name, given)

    def move_partition(self, name: TableName, values: tuple[str, ...], location: str) -> None:
        """Let a partition's files be elsewhere.

        Raises:
            QueryFailedError: There is no such partition.
        """
        with CATALOG:
            known = {one.values: one.storage for one in self.partitions(name)}
            if values not in known:
                raise semantic(10006, f"Partition not found {list(values)}")
            storage = {**known[values], "Location": location}
            given = {"Values": list(values), "StorageDescriptor": storage}
            self.glue.get_table(name.database, name.name).update_partition(
                cast("Any", list(values)), given
            )

    def drop_partition(self, name: TableName, values: tuple[str, ...]) -> None:
        """Drop a partition that exists."""
        with CATALOG:
            self.glue.delete_partition(name.database, name.name, cast("Any", list(values)))


def partition_keys(table: dict[str, Any]) -> list[dict[str, Any]]:
    """A table's partition columns; Glue may leave the field out."""
    return table.get("PartitionKeys") or []


def columns(table: dict[str, Any]) -> list[dict[str, Any]]:
    """A table's columns without its partition columns."""
    return storage_of(table).get("Columns") or []


def is_view(table: dict[str, Any]) -> bool:
    """Whether it is a view rather than a table."""
    return table.get("TableType") == "VIRTUAL_VIEW"


def is_iceberg(table: dict[str, Any]) -> bool:
    """Whether its files are Iceberg's, which this engine does not read yet."""
    return parameters_of(table).get("table_type", "").upper() == "ICEBERG"


def storage_of(table: dict[str, Any]) -> dict[str, Any]:
    """A table's or partition's StorageDescriptor."""
    return cast("dict[str, Any]", table.get("StorageDescriptor") or {})


def serde_info_of(table: dict[str, Any]) -> dict[str, Any]:
    """A table's SerdeInfo."""
    return cast("dict[str, Any]", storage_of(table).get("SerdeInfo") or {})


def parameters_of(table: dict[str, Any]) -> dict[str, str]:
    """A table's Parameters."""
    return cast("dict[str, str]", table.get("Parameters") or {})
