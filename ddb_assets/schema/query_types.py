"""Types as queries and views write them, made from Hive types."""

from ddb_assets.schema.ddl import quote_query
from ddb_assets.schema.hive_types import Array, HiveType, Map, Primitive, Struct

_QUERY_NAMES = {"string": "varchar", "binary": "varbinary"}


def query_type(type_: HiveType) -> str:
    """Trino's name of a Hive type: `varchar`, `array(bigint)`, `row("x" varchar)`."""
    match type_:
        case Primitive(name):
            return _QUERY_NAMES.get(name, name)
        case Array(element):
            return f"array({query_type(element)})"
        case Map(key, value):
            return f"map({query_type(key)}, {query_type(value)})"
        case Struct(fields):
            inside = ", ".join(f"{quote_query(name)} {query_type(of)}" for name, of in fields)
            return f"row({inside})"
