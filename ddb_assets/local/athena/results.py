"""What a query answers: columns with Athena's types, values as Athena spells them, the files."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from typing import Any, cast

from ddb_assets.local.athena.errors import QueryFailedError, unsupported

BIGINT_BITS = 64

#: DuckDB's type ids: Athena's type, precision and scale as GetQueryResults shows them.
_TYPES: dict[str, tuple[str, int, int]] = {
    "varchar": ("varchar", 2147483647, 0),
    "boolean": ("boolean", 0, 0),
    "tinyint": ("tinyint", 3, 0),
    "smallint": ("smallint", 5, 0),
    "integer": ("integer", 10, 0),
    "bigint": ("bigint", 19, 0),
    "ubigint": ("bigint", 19, 0),
    "hugeint": ("bigint", 19, 0),
    "float": ("float", 17, 0),
    "double": ("double", 17, 0),
    "date": ("date", 0, 0),
    "time": ("time", 3, 0),
    "timestamp": ("timestamp", 3, 0),
    "timestamp_s": ("timestamp", 3, 0),
    "timestamp_ms": ("timestamp", 3, 0),
    "timestamp_ns": ("timestamp", 3, 0),
    "timestamp with time zone": ("timestamp with time zone", 3, 0),
    "blob": ("varbinary", 1073741824, 0),
    "struct": ("row", 0, 0),
    "map": ("map", 0, 0),
    "list": ("array", 0, 0),
    "array": ("array", 0, 0),
    "uuid": ("uuid", 0, 0),
    "null": ("unknown", 0, 0),
}


@dataclass(frozen=True)
class Column:
    """A column of an answer: its name, Athena's type, precision and scale."""

    name: str
    type: str
    precision: int = 0
    scale: int = 0

    @property
    def info(self) -> dict[str, Any]:
        """As GetQueryResults describes it."""
        return {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": self.name,
            "Label": self.name,
            "Type": self.type,
            "Precision": self.precision,
            "Scale": self.scale,
            "Nullable": "UNKNOWN",
            "CaseSensitive": self.type in {"varchar", "string"},
        }


Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Outcome:
    """What a statement that succeeded left.

    Attributes:
        columns: The answer's columns; none for a statement that answers nothing.
        rows: The answer's rows as text.
        update_count: Rows written.
        written: URIs of data files written by CTAS, INSERT and UNLOAD; None for the others.
    """

    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = field(default=(), repr=False)
    update_count: int = 0
    written: tuple[str, ...] | None = None


def result(name: str, lines: Iterable[str]) -> Outcome:
    """The answer of SHOW and its like: one column of text."""
    return Outcome((Column(name, "string"),), tuple((line,) for line in lines))


def column_of(name: str, of: Any) -> Column:
    """A column of a DuckDB result.

    Args:
        name: Its name.
        of: Its `DuckDBPyType`.

    Raises:
        QueryFailedError: Athena's name for the type is not known here.
    """
    kind = str(of.id)
    if str(of) == "JSON":
        return Column(name, "json")
    if kind == "decimal":
        sizes = dict(cast("Sequence[tuple[str, int]]", of.children))
        return Column(name, "decimal", sizes["precision"], sizes["scale"])
    known = _TYPES.get(kind)
    if known is None:
        raise unsupported(f"a result of DuckDB's type {of}")
    return Column(name, *known)


def type_text(of: Any) -> str:
    """A DuckDB type as Trino writes it, as views keep their columns' types."""
    kind = str(of.id)
    if kind in {"list", "array"}:
        return f"array({type_text(of.children[0][1])})"
    children = cast("Sequence[tuple[str, Any]]", of.children if kind in {"map", "struct"} else ())
    if kind == "map":
        return f"map({type_text(children[0][1])}, {type_text(children[1][1])})"
    if kind == "struct":
        inner = ", ".join(f'"{name.lower()}" {type_text(one)}' for name, one in children)
        return f"row({inner})"
    column = column_of("", of)
    if column.type == "decimal":
        return f"decimal({column.precision}, {column.scale})"
    return {"timestamp": "timestamp(3)", "float": "real"}.get(column.type, column.type)


def text(value: Any) -> str | None:
    """A value as GetQueryResults and the CSV spell it; None is NULL."""
    return None if value is None else _text(value)


def _text(value: Any) -> str:  # noqa: PLR0911 - one line per type
    if value is None:
        return "null"
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _whole(value)
    if isinstance(value, float):
        return _floating(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        entries = cast("dict[Any, Any]", value).items()
        return "{" + ", ".join(f"{_text(key)}={_text(one)}" for key, one in entries) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_text, cast("Sequence[Any]", value))) + "]"
    if isinstance(value, (bytes, bytearray)):
        return " ".join(f"{byte:02x}" for byte in value)
    if isinstance(value, datetime):
        zone = " UTC" if value.tzinfo else ""
        return value.strftime("%Y-%m-%d %H:%M:%S.") + _millis(value) + zone
    if isinstance(value, time):
        return value.strftime("%H:%M:%S.") + _millis(value)
    return str(value)


def _millis(value: datetime | time) -> str:
    return f"{value.microsecond // 1000:03d}"


def _whole(value: int) -> str:
    if not -(1 << (BIGINT_BITS - 1)) <= value < 1 << (BIGINT_BITS - 1):
        raise QueryFailedError(f"NUMERIC_VALUE_OUT_OF_RANGE: bigint overflow: {value}")
    return str(value)


def _floating(value: float) -> str:
    """A double by Java's rule: plain from 1E-3 to 1E7, else with an exponent."""
    if value != value:  # noqa: PLR0124 - NaN
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    whole = "".join(map(str, digits)).rstrip("0") or "0"
    power = int(exponent) + len(digits) - 1
    return f"{'-' if sign else ''}{whole[0]}.{whole[1:] or '0'}E{power}"


def csv(outcome: Outcome) -> bytes:
    """The file of a query's result: every value quoted, NULL as nothing."""
    out = io.StringIO()
    for row in (tuple(column.name for column in outcome.columns), *outcome.rows):
        quoted = ("" if one is None else '"' + one.replace('"', '""') + '"' for one in row)
        out.write(",".join(quoted) + "\n")
    return out.getvalue().encode()


def txt(outcome: Outcome) -> bytes:
    """The file of a DDL or SHOW statement's result: lines of tab-separated text."""
    return "".join("\t".join(one or "" for one in row) + "\n" for row in outcome.rows).encode()
