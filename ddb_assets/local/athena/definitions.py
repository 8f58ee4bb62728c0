"""Tables as CREATE TABLE and ALTER TABLE define them, in the form Glue keeps."""

import re
from typing import Any

from sqlglot import exp

from ddb_assets.local.athena.catalog import columns, is_iceberg, partition_keys, storage_of
from ddb_assets.local.athena.errors import ddl_task, parse_error, semantic, unsupported
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


def s3_location(text: str) -> str:
    """A LOCATION that Athena takes (page tables-location-format).

    Raises:
        QueryFailedError: It is no s3:// location, or names a bucket only by wildcard.
    """
    if not re.match(r"s3://[^/*]+(/|\Z)", text):
        raise ddl_task(f"MetaException(message:Invalid S3 location: {text}; use s3://bucket/path/)")
    return text


def definition(tree: exp.Create) -> dict[str, Any]:
    """What Glue keeps of a CREATE TABLE.

    Raises:
        QueryFailedError: Hive would refuse it, or this engine cannot read such a table.
    """
    table: dict[str, Any] = {
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE"},
        "StorageDescriptor": {**TEXT_STORAGE, "Columns": declared_columns(tree.this.expressions)},
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
    refuse_duplicates([*columns(table), *partition_keys(table)])
    return table


def _apply(table: dict[str, Any], one: exp.Expr) -> None:
    """Put one clause of a CREATE TABLE where Glue keeps it."""
    storage = storage_of(table)
    if isinstance(one, exp.LocationProperty):
        storage["Location"] = s3_location(one.this.name)
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
        table["PartitionKeys"] = declared_columns(one.this.expressions)
    elif isinstance(one, exp.SchemaCommentProperty):
        table["Parameters"]["comment"] = one.this.name
    elif type(one) is exp.Property:
        table["Parameters"][one.this.name] = one.args["value"].name
    elif not isinstance(one, exp.ExternalProperty):
        raise unsupported(f"CREATE TABLE … {one.sql('hive')[:60]}")


def refuse_duplicates(given: list[dict[str, Any]]) -> None:
    """Refuse columns of one name; case does not tell them apart."""
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


def declared_columns(definitions: list[exp.Expr]) -> list[dict[str, Any]]:
    """Column definitions as Glue keeps them."""
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
