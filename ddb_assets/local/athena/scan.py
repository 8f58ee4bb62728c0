"""One Glue table as a DuckDB query over local files of its objects."""

# ruff: noqa: S608 - every name and text that goes into DuckDB's SQL is quoted

from pathlib import Path
from typing import Any

from ddb_assets.local.athena.cache import Lease
from ddb_assets.local.athena.catalog import (
    Catalog,
    TableName,
    columns,
    partition_keys,
    serde_info_of,
    storage_of,
)
from ddb_assets.local.athena.lake import Lake, StoredObject
from ddb_assets.local.hive.errors import ReadError, unsupported
from ddb_assets.local.hive.serde import SerDe, rows, serde_of
from ddb_assets.local.hive.types import HiveType, HiveTypeError, Primitive, duckdb_type, parse

#: DuckDB's limit for one line; an export's line is a DynamoDB item, at most 400 KB, spelled out.
MAX_LINE_BYTES = 256 * 1024 * 1024


def quoted(name: str) -> str:
    """A DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A DuckDB string."""
    return "'" + value.replace("'", "''") + "'"


class Scan:
    """Reads one table as it is defined at this moment.

    Args:
        catalog: Where its partitions are.
        lake: Where its objects are.
        lease: Where local files of them are kept.
        name: The table.
        table: Its definition, as GetTable shows it.

    Attributes:
        columns: Name and DuckDB type of each column, once `sql` was called.
        scanned: Bytes of the objects Athena reads whole, which are all but Parquet's, once `sql`
            was called.
        parquet: Local files of the others, of which it reads the columns a query names.
    """

    def __init__(
        self, catalog: Catalog, lake: Lake, lease: Lease, name: TableName, table: dict[str, Any]
    ) -> None:
        self._catalog = catalog
        self._lake = lake
        self._lease = lease
        self._name = name
        self._table = table
        self.columns: list[tuple[str, str]] = []
        self.scanned = 0
        self.parquet: list[Path] = []

    def sql(self, *, path_column: bool) -> str:
        """A query over the table's files.

        Args:
            path_column: Whether the hidden column `"$path"` is wanted.

        Raises:
            ReadError: The definition is not valid, or a file cannot be read.
            QueryFailedError: The location's bucket does not exist.
        """
        storage = storage_of(self._table)
        serde_info = serde_info_of(self._table)
        serde = serde_of(
            str(serde_info.get("SerializationLibrary") or ""), serde_info.get("Parameters") or {}
        )
        declared = tuple((one["Name"].lower(), self._type(one)) for one in columns(self._table))
        keys = [(one["Name"].lower(), self._type(one)) for one in partition_keys(self._table)]
        names = [name for name, _ in (*declared, *keys)]
        if len(set(names)) != len(names):
            raise ReadError(
                "HIVE_INVALID_METADATA",
                f"Hive metadata for table {self._name.name} is invalid: "
                "Table descriptor contains duplicate columns",
            )
        self.columns = [(name, duckdb_type(of)) for name, of in (*declared, *keys)]
        if path_column:
            self.columns.append(("$path", "VARCHAR"))
        parts: list[str] = []
        if keys:
            for one in self._catalog.partitions(self._name):
                values = tuple(zip(keys, one.values, strict=True))
                location = str(one.storage.get("Location") or "")
                parts += self._files(location, serde, declared, values, path_column)
        else:
            parts += self._files(storage.get("Location") or "", serde, declared, (), path_column)
        return " UNION ALL ".join(parts) or _empty((*declared, *keys), path_column)

    def _type(self, column: dict[str, Any]) -> HiveType:
        try:
            return parse(column["Type"])
        except HiveTypeError as error:
            raise ReadError(
                "HIVE_METASTORE_ERROR",
                f"{error} (Service: null; Status Code: 0; Error Code: null; Request ID: null)",
            ) from error

    def _files(
        self,
        location: str,
        serde: SerDe,
        declared: tuple[tuple[str, HiveType], ...],
        partition: tuple[tuple[tuple[str, HiveType], str], ...],
        path_column: bool,
    ) -> list[str]:
        found = self._lake.objects(location)
        if not found:
            return []
        local = {self._local(one, serde, declared): one for one in found}
        files = "[" + ", ".join(literal(str(path)) for path in local) + "]"
        if serde.form == "parquet":
            self.parquet += local
            # A column that was added later is NULL in older files.
            absent = ", ".join(f"NULL AS {quoted(name)}" for name, _ in declared)
            source = (
                f"(SELECT * FROM read_parquet({files}, filename=true, union_by_name=true) "
                f"UNION ALL BY NAME SELECT {absent} WHERE false)"
            )
            shown = [_from_parquet(name, of) for name, of in declared]
        else:
            self.scanned += sum(one.size for one in found)
            types = ", ".join(f"{literal(name)}: {literal(_json(of))}" for name, of in declared)
            source = (
                f"read_json({files}, columns={{{types}}}, format='newline_delimited', "
                f"filename=true, maximum_object_size={MAX_LINE_BYTES}, compression='none')"
            )
            shown = [_from_json(name, of) for name, of in declared]
        for (name, of), value in partition:
            text = "NULL" if value == "__HIVE_DEFAULT_PARTITION__" else literal(value)
            shown.append(f"CAST({text} AS {duckdb_type(of)}) AS {quoted(name)}")
        if path_column:
            uris = ", ".join(
                f"{literal(str(path))}: {literal(one.uri)}" for path, one in local.items()
            )
            shown.append(f'MAP {{{uris}}}[filename] AS "$path"')
        return [f"SELECT {', '.join(shown)} FROM {source}"]

    def _local(
        self, stored: StoredObject, serde: SerDe, declared: tuple[tuple[str, HiveType], ...]
    ) -> Path:
        if serde.form == "parquet":

            def copy(path: Path) -> None:
                path.write_bytes(stored.body())

            return self._lease.path(stored.fingerprint, ".parquet", copy)

        def convert(path: Path) -> None:
            with path.open("w", encoding="utf-8", newline="\n") as file:
                for row in rows(stored.lines(), declared, serde, stored.uri):
                    file.write(row + "\n")

        shape = ",".join(f"{name}:{of.text}" for name, of in declared)
        key = f"{stored.fingerprint}\n{shape}\n{serde.fingerprint}"
        return self._lease.path(key, ".json", convert)


def _is_binary(of: HiveType) -> bool:
    return isinstance(of, Primitive) and of.name == "binary"


def _json(of: HiveType) -> str:
    return "VARCHAR" if _is_binary(of) else duckdb_type(of)


def _from_json(name: str, of: HiveType) -> str:
    return f"from_base64({quoted(name)}) AS {quoted(name)}" if _is_binary(of) else quoted(name)


def _from_parquet(name: str, of: HiveType) -> str:
    return f"CAST({quoted(name)} AS {duckdb_type(of)}) AS {quoted(name)}"


def _empty(declared: tuple[tuple[str, HiveType], ...], path_column: bool) -> str:
    """No rows, with the declared types: a location without objects is an empty table."""
    if not declared:
        raise unsupported("a table without columns")
    shown = [f"CAST(NULL AS {duckdb_type(of)}) AS {quoted(name)}" for name, of in declared]
    if path_column:
        shown.append('CAST(NULL AS VARCHAR) AS "$path"')
    return f"SELECT {', '.join(shown)} WHERE false"
