r"""Athena statements as text, safely quoted.

Athena has two parsers: Hive's for DDL (backticks, `\'` in strings) and Trino's for queries and
views (double quotes, `''` in strings). Every name is quoted, so reserved words, leading digits and
leading underscores need no list.
"""

from collections.abc import Mapping, Sequence

from ddb_assets.errors import DeclarationError
from ddb_assets.schema.hive_types import parse

#: What Hive's `STORED AS TEXTFILE` stands for.
TEXT_INPUT_FORMAT = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUTPUT_FORMAT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

#: What Hive's `STORED AS PARQUET` stands for.
PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
PARQUET_INPUT_FORMAT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
PARQUET_OUTPUT_FORMAT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"

#: Athena API, StartQueryExecution: length of QueryString, in bytes.
MAX_STATEMENT_BYTES = 262_144


def quote_ddl(identifier: str) -> str:
    """A name for a DDL statement."""
    return f"`{_printable(identifier).replace('`', '``')}`"


def quote_query(identifier: str) -> str:
    """A name for a query or a view."""
    return f'"{_printable(identifier).replace(chr(34), chr(34) * 2)}"'


def string_ddl(text: str) -> str:
    """A string for a DDL statement."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped.replace(chr(10), chr(92) + 'n').replace(chr(13), chr(92) + 'r')}'"


def string_query(text: str) -> str:
    """A string for a query or a view."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def set_location(database: str, table: str, location: str) -> str:
    """`ALTER TABLE … SET LOCATION`: point the table at a folder; touches no data.

    Raises:
        DeclarationError: The location is not an S3 folder.
    """
    target = f"{quote_ddl(database)}.{quote_ddl(table)}"
    return f"ALTER TABLE {target} SET LOCATION {_location(location)}"


def create_database(database: str) -> str:
    """`CREATE DATABASE IF NOT EXISTS`."""
    return f"CREATE DATABASE IF NOT EXISTS {quote_ddl(database)}"


def create_table(
    database: str,
    table: str,
    *,
    columns: Sequence[tuple[str, str, str]],
    serde_library: str,
    serde_parameters: Mapping[str, str],
    location: str,
    properties: Mapping[str, str] | None = None,
) -> str:
    """`CREATE EXTERNAL TABLE IF NOT EXISTS` over text files read by a JSON SerDe.

    Raises:
        CatalogConflictError: A column's type is not a Hive type.
        DeclarationError: The location is not an S3 folder, or the statement is too long for Athena.
    """
    lines = [
        f"CREATE EXTERNAL TABLE IF NOT EXISTS {quote_ddl(database)}.{quote_ddl(table)} (",
        ",\n".join(
            f"  {quote_ddl(name)} {parse(type_).ddl}"
            + (f" COMMENT {string_ddl(comment)}" if comment else "")
            for name, type_, comment in columns
        ),
        ")",
        f"ROW FORMAT SERDE {string_ddl(serde_library)}",
    ]
    if serde_parameters:
        lines.append(f"WITH SERDEPROPERTIES ({_properties(serde_parameters)})")
    lines += [
        f"STORED AS INPUTFORMAT {string_ddl(TEXT_INPUT_FORMAT)}",
        f"OUTPUTFORMAT {string_ddl(TEXT_OUTPUT_FORMAT)}",
        f"LOCATION {_location(location)}",
    ]
    if properties:
        lines.append(f"TBLPROPERTIES ({_properties(properties)})")
    return _checked("\n".join(lines), f"{database}.{table}")


def create_or_replace_view(database: str, view: str, select: str) -> str:
    """`CREATE OR REPLACE VIEW … AS select`; Athena reads it with Trino's parser.

    Raises:
        DeclarationError: The statement is too long for Athena.
    """
    target = f"{quote_query(database)}.{quote_query(view)}"
    return _checked(f"CREATE OR REPLACE VIEW {target} AS\n{select}", f"{database}.{view}")


def unload(select: str, location: str, *, of: str) -> str:
    """`UNLOAD`: the query's rows as Parquet files (zstd) in a folder that must be empty.

    Args:
        select: The query; Athena reads it with Trino's parser.
        location: The folder.
        of: Whose rows these are, for messages.

    Raises:
        DeclarationError: The location is not an S3 folder, or the statement is too long for Athena.
    """
    target = string_query(checked_folder(location))
    return _checked(
        f"UNLOAD (\n{select}\n)\nTO {target}\nWITH (format = 'PARQUET', compression = 'ZSTD')",
        f"the typed copy of {of}",
    )


def _properties(properties: Mapping[str, str]) -> str:
    return ", ".join(f"{string_ddl(k)} = {string_ddl(v)}" for k, v in properties.items())


def _location(location: str) -> str:
    return string_ddl(checked_folder(location))


def checked_folder(location: str) -> str:
    """The location itself, if Athena reads it.

    Raises:
        DeclarationError: It is not an S3 folder, or one that Athena does not read.
    """
    bucket, _, key = location.removeprefix("s3://").partition("/")
    if not location.startswith("s3://") or not bucket or not location.endswith("/"):
        raise DeclarationError(
            f"the location {location!r} is not a folder in S3",
            remedy="give it as s3://BUCKET/PREFIX/ with the slash at its end",
        )
    if key.startswith("/") or "//" in key or not location.isprintable():
        raise DeclarationError(
            f"Athena does not read the location {location!r}",
            remedy="leave out double slashes and control characters (Athena, table location)",
        )
    return location


def _printable(identifier: str) -> str:
    if not identifier or not identifier.isprintable():
        raise DeclarationError(f"{identifier!r} cannot be the name of anything in Athena")
    return identifier


def _checked(statement: str, target: str) -> str:
    size = len(statement.encode())
    if size > MAX_STATEMENT_BYTES:
        raise DeclarationError(
            f"the statement that creates {target} has {size} bytes, "
            f"Athena takes {MAX_STATEMENT_BYTES}",
            remedy="declare fewer columns, or maps with open keys: {M: {'*': S}}",
        )
    return statement
