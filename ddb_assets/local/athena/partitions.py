"""Partitions of tables: added, dropped, and found by their folders' names."""

from typing import Any

from ddb_assets.local.athena.catalog import Catalog, TableName, partition_keys, storage_of
from ddb_assets.local.athena.definitions import s3_location
from ddb_assets.local.athena.errors import ddl_task, semantic
from ddb_assets.local.athena.lake import Lake, split
from ddb_assets.local.athena.results import Outcome, result
from ddb_assets.local.athena.router import Statement
from ddb_assets.local.athena.tokens import Cursor

PartitionSpec = tuple[tuple[str, str], ...]


def default_location(table: dict[str, Any], values: tuple[str, ...]) -> str:
    """Where a partition lies that names no location."""
    base = str(storage_of(table).get("Location") or "").rstrip("/")
    return f"{base}/{partition_text(table, values)}/"


def partition_text(table: dict[str, Any], values: tuple[str, ...]) -> str:
    """A partition as its folder is named: `dt=2020-01-01/hour=3`."""
    keys = (one["Name"].lower() for one in partition_keys(table))
    return "/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))


def specification(cursor: Cursor) -> PartitionSpec:
    """Read `(dt='2020-01-01', hour=3)`."""
    cursor.expect("(")
    pairs: list[tuple[str, str]] = []
    while True:
        column = cursor.name()
        cursor.expect("=")
        pairs.append((column, cursor.value()))
        if not cursor.accept(","):
            cursor.expect(")")
            return tuple(pairs)


def values_of(table: dict[str, Any], given: PartitionSpec) -> tuple[str, ...]:
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


class Partitions:
    """Changes a table's partitions.

    Args:
        catalog: The Glue catalog.
        lake: The objects in S3.
    """

    def __init__(self, catalog: Catalog, lake: Lake) -> None:
        self._catalog = catalog
        self._lake = lake

    def add(self, name: TableName, table: dict[str, Any], cursor: Cursor) -> None:
        """ALTER TABLE … ADD, from behind that word."""
        tolerant = cursor.accept("IF", "NOT", "EXISTS")
        wanted: list[tuple[tuple[str, ...], str]] = []
        cursor.expect("PARTITION")
        while True:
            values = values_of(table, specification(cursor))
            location = s3_location(cursor.string()) if cursor.accept("LOCATION") else None
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

    def drop(self, name: TableName, table: dict[str, Any], cursor: Cursor) -> None:
        """ALTER TABLE … DROP, from behind that word."""
        tolerant = cursor.accept("IF", "EXISTS")
        wanted: list[tuple[str, ...]] = []
        cursor.expect("PARTITION")
        while True:
            wanted.append(values_of(table, specification(cursor)))
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

    def repair(self, statement: Statement, database: str) -> Outcome:
        """MSCK REPAIR TABLE: adds a partition per folder named by the keys."""
        cursor = statement.cursor()
        cursor.expect("MSCK", "REPAIR", "TABLE")
        name = TableName(*cursor.qualified(database))
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
