"""The formats data files are written in, and the properties that ask for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from ddb_assets.local.athena.catalog import serde_info_of
from ddb_assets.local.athena.errors import unsupported
from ddb_assets.local.athena.scan import literal
from ddb_assets.local.athena.tokens import Cursor
from ddb_assets.local.hive.serde import HIVE_JSON, OPENX_JSON, PARQUET

#: Compression names of Athena: DuckDB's, and the suffix of a text file.
_COMPRESSION = {
    "NONE": ("uncompressed", ""),
    "UNCOMPRESSED": ("uncompressed", ""),
    "SNAPPY": ("snappy", None),
    "GZIP": ("gzip", ".gz"),
    "ZSTD": ("zstd", None),
}
#: What a CTAS in JSON is read with.
JSON_STORAGE: dict[str, Any] = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hive.hcatalog.data.JsonSerDe",
        "Parameters": {},
    },
}


@dataclass(frozen=True)
class Form:
    """How data files are written: the format, the compression and TEXTFILE's delimiter."""

    name: str
    compression: str = "GZIP"
    delimiter: str = "\x01"

    @property
    def suffix(self) -> str:
        """What the file's name ends in."""
        if self.name == "PARQUET":
            return ".parquet"
        text = _COMPRESSION[self.compression][1]
        if text is None:
            raise unsupported(f"{self.name} with {self.compression}")
        return (".json" if self.name == "JSON" else ".txt") + text

    @property
    def options(self) -> str:
        """DuckDB's COPY options."""
        codec = _COMPRESSION[self.compression][0]
        if self.name == "PARQUET":
            return f"FORMAT parquet, COMPRESSION {codec}"
        codec = "none" if codec == "uncompressed" else codec
        if self.name == "JSON":
            return f"FORMAT json, COMPRESSION {codec}"
        delimiter = literal(self.delimiter)
        return (
            f"FORMAT csv, HEADER false, DELIMITER {delimiter}, QUOTE '', ESCAPE '', "
            f"NULLSTR '\\N', COMPRESSION {codec}"
        )


def ctas_properties(tree: exp.Create) -> dict[str, str]:
    """The properties in the WITH of a CTAS.

    Raises:
        QueryFailedError: One of them is not emulated.
    """
    holder = tree.args.get("properties")
    found: dict[str, str] = {}
    for one in holder.expressions if isinstance(holder, exp.Expr) else []:
        if isinstance(one, exp.FileFormatProperty):
            found["format"] = one.this.name
        elif isinstance(one, exp.PartitionedByProperty):
            found["partitioned_by"] = ",".join(part.name for part in one.this.expressions)
        elif type(one) is exp.Property:
            found[one.this.name.lower()] = one.args["value"].name
        elif not isinstance(one, exp.WithDataProperty):
            raise unsupported(f"CREATE TABLE AS … {one.sql('trino')[:60]}")
    known = {"external_location", "format", "partitioned_by", "write_compression"}
    known |= {"parquet_compression", "is_external", "table_type"}
    if found.get("table_type", "HIVE").upper() != "HIVE":
        raise unsupported("CREATE TABLE AS … table_type = 'ICEBERG': Iceberg is not emulated yet")
    other = sorted(set(found) - known)
    if other:
        raise unsupported(f"CREATE TABLE AS … WITH ({', '.join(other)})")
    return found


def without_data(tree: exp.Create) -> bool:
    """Whether a CTAS ends in WITH NO DATA."""
    found = tree.find(exp.WithDataProperty)
    return found is not None and bool(found.args.get("no"))


def form_of(given: Mapping[str, str], allowed: set[str]) -> Form:
    """The form that properties ask for.

    Raises:
        QueryFailedError: It is not written here.
    """
    name = given.get("format", "PARQUET").upper()
    if name not in allowed:
        raise unsupported(f"format = '{name}'; written here are {', '.join(sorted(allowed))}")
    compression = given.get("compression") or given.get("write_compression")
    compression = (compression or given.get("parquet_compression") or "GZIP").upper()
    if compression not in _COMPRESSION:
        raise unsupported(f"compression = '{compression}'")
    return Form(name, compression, given.get("field_delimiter", "\x01"))


def form_of_table(table: dict[str, Any]) -> Form:
    """The form a table's SerDe reads.

    Raises:
        QueryFailedError: It is not written here.
    """
    library = serde_info_of(table).get("SerializationLibrary")
    if library == PARQUET:
        return Form("PARQUET")
    if library in {*HIVE_JSON, OPENX_JSON}:
        return Form("JSON")
    raise unsupported(f"INSERT INTO a table of the SerDe {library}")


def with_properties(cursor: Cursor) -> dict[str, str]:
    """Read the WITH of an UNLOAD, if there is one; an array's texts are joined by commas."""
    given: dict[str, str] = {}
    if not cursor.accept("WITH"):
        return given
    cursor.expect("(")
    while not cursor.accept(")"):
        key = cursor.name()
        cursor.expect("=")
        given[key] = _texts(cursor) if cursor.accept("ARRAY") else cursor.value()
        cursor.accept(",")
    return given


def _texts(cursor: Cursor) -> str:
    cursor.expect("[")
    names = [cursor.string()]
    while cursor.accept(","):
        names.append(cursor.string())
    cursor.expect("]")
    return ",".join(names)
