"""One JSON value as a value of a declared Hive type: what both JSON SerDes do below the row.

A converter turns what the parser found into what DuckDB's JSON reader takes for the declared type.
Numbers stay text from the file to the column, so that all 38 digits of a DynamoDB number survive.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any, cast

from ddb_assets.local.hive.errors import unsupported
from ddb_assets.local.hive.types import Array, HiveType, Map, Primitive, Struct

Converter = Callable[[Any], Any]


class BadValueError(ValueError):
    """A value that the declared type cannot hold: HIVE_BAD_DATA."""


class DuplicateKeyError(ValueError):
    """Two keys of one JSON object are the same to the SerDe: HIVE_CURSOR_ERROR."""


class Number(str):
    """A JSON number, as it is spelled in the file."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class JsonObject:
    """A JSON object with its keys in order and as often as they stand in the file."""

    pairs: list[tuple[str, Any]]


@dataclass(frozen=True)
class Matching:
    """How keys of JSON objects find struct fields.

    Attributes:
        fold: Whether case is ignored, in keys and in names.
        mapping: Field name (lower case) to the key it is read from; OpenX's `mapping.*`. It acts at
            every depth (inferred).
        null_for_invalid: OpenX's `use.null.for.invalid.data`.
    """

    fold: bool = True
    mapping: tuple[tuple[str, str], ...] = ()
    null_for_invalid: bool = False

    def wanted(self, field: str) -> str:
        """The key to look for, spelled as `key` spells keys."""
        return self.key(dict(self.mapping).get(field.lower(), field.lower()))

    def key(self, key: str) -> str:
        """A key as it is compared."""
        return key.lower() if self.fold else key


def converter(of: HiveType, matching: Matching, where: str) -> Converter:
    """Compile a declared type.

    Args:
        of: The declared type.
        matching: How keys find fields.
        where: The column or the path to the field, for messages.

    Raises:
        ReadError: This engine cannot read such a type from JSON.
    """
    match of:
        case Struct(fields):
            return struct_converter(fields, matching, where)
        case Array(element):
            return _array(converter(element, matching, f"{where}[]"), where)
        case Map(key, value):
            return _map(
                _primitive(key, matching, f"{where}.key"),
                converter(value, matching, f"{where}.*"),
                where,
            )
        case Primitive():
            if of.name == "binary" and re.search(r"[.\[]", where):
                raise unsupported(f"binary inside {where}: read it as string (base64)")
            return _primitive(of, matching, where)


def struct_converter(
    fields: tuple[tuple[str, HiveType], ...], matching: Matching, where: str
) -> Converter:
    """Compile the fields of a struct, or the columns of a row.

    Raises:
        ReadError: Two fields are the same to Athena, which lower-cases names.
    """
    names = [name.lower() for name, _ in fields]
    for name in names:
        if names.count(name) > 1:
            raise unsupported(f"two fields named {name} in {where or 'the row'}")
    compiled: dict[str, list[tuple[str, Converter]]] = {}
    for name, of in fields:
        path = f"{where}.{name.lower()}" if where else name.lower()
        entry = (name.lower(), converter(of, matching, path))
        compiled.setdefault(matching.wanted(name), []).append(entry)
    fold = matching.fold

    def convert(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, JsonObject):
            raise BadValueError(f"{where or 'row'}: a JSON object is expected, not {_short(value)}")
        seen: set[str] = set()
        row: dict[str, Any] = {}
        for key, inner in value.pairs:
            known = key.lower() if fold else key
            if known in seen:
                raise DuplicateKeyError(f'Duplicate key "{known}"')
            seen.add(known)
            for name, convert_field in compiled.get(known, ()):
                row[name] = convert_field(inner)
        return row

    return convert


def _array(element: Converter, where: str) -> Converter:
    def convert(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, list):
            raise BadValueError(f"{where}: a JSON array is expected, not {_short(value)}")
        return [element(one) for one in cast("list[Any]", value)]

    return convert


def _map(key_of: Converter, value_of: Converter, where: str) -> Converter:
    def convert(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, JsonObject):
            raise BadValueError(f"{where}: a JSON object is expected, not {_short(value)}")
        found: dict[str, Any] = {}
        for key, inner in value.pairs:
            if key in found:
                raise DuplicateKeyError(f'Duplicate key "{key}"')
            found[str(key_of(key))] = value_of(inner)
        return found

    return convert


def _primitive(of: Primitive, matching: Matching, where: str) -> Converter:
    convert = _SCALARS[of.name](of)

    def checked(value: Any) -> Any:
        if value is None:
            return None
        try:
            return convert(value)
        except (ValueError, InvalidOperation):
            if matching.null_for_invalid:
                return None
            raise BadValueError(f"{where}: {_short(value)} is not a valid {of.text}") from None

    return checked


def text_of(value: Any) -> str:
    """A JSON value as the text a string column shows: scalars bare, objects and arrays as JSON."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _json(value)


def _json(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, JsonObject):
        inner = (f"{json.dumps(key, ensure_ascii=False)}:{_json(one)}" for key, one in value.pairs)
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, cast("list[Any]", value))) + "]"
    return json.dumps(value, ensure_ascii=False)


def _short(value: Any) -> str:
    text = _json(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _scalar_text(value: Any) -> str:
    """The text of a number, a boolean or a string; objects and arrays hold no scalar."""
    if isinstance(value, (JsonObject, list)):
        raise ValueError("not a scalar")  # noqa: TRY004 - one of many ways a value can be invalid
    return text_of(value).strip()


def _string(of: Primitive) -> Converter:
    if not of.parameters:
        return text_of
    (length,) = of.parameters
    return lambda value: text_of(value)[:length]


_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_WHOLE = re.compile(r"[+-]?[0-9]+\Z", re.ASCII)


def _whole(of: Primitive) -> Converter:
    limit = 1 << (_BITS[of.name] - 1)

    def convert(value: Any) -> str:
        text = _scalar_text(value)
        if not _WHOLE.match(text) or not -limit <= int(text) < limit:
            raise ValueError(text)
        return str(int(text))

    return convert


def _decimal(of: Primitive) -> Converter:
    precision, scale = of.parameters
    unit = Decimal(1).scaleb(-scale)
    # Emin and Emax reach beyond DynamoDB's 1E-130 and 9.99E+125.
    context = Context(prec=precision, rounding=ROUND_HALF_UP, Emin=-999, Emax=999)

    def convert(value: Any) -> str:
        number = Decimal(_scalar_text(value))
        if not number.is_finite():
            raise ValueError(number)
        return format(number.quantize(unit, context=context), "f")

    return convert


def _floating(value: Any) -> str:
    text = _scalar_text(value)
    if "_" in text:
        raise ValueError(text)
    float(text)
    return text


def _boolean(value: Any) -> bool:
    text = _scalar_text(value).lower()
    if text not in {"true", "false"}:
        raise ValueError(text)
    return text == "true"


def _date(value: Any) -> str:
    return date.fromisoformat(_scalar_text(value)).isoformat()


_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,9})?\Z", re.ASCII)


def _timestamp(value: Any) -> str:
    text = _scalar_text(value)
    if not _TIMESTAMP.match(text):
        raise ValueError(text)
    whole, _, fraction = text.partition(".")
    # Athena's timestamps have three digits.
    return f"{datetime.fromisoformat(whole).isoformat(' ')}.{fraction[:3].ljust(3, '0')}"


_SCALARS: dict[str, Callable[[Primitive], Converter]] = {
    "string": _string,
    "varchar": _string,
    "char": _string,
    "binary": _string,
    "tinyint": _whole,
    "smallint": _whole,
    "int": _whole,
    "bigint": _whole,
    "decimal": _decimal,
    "float": lambda _: _floating,
    "double": lambda _: _floating,
    "boolean": lambda _: _boolean,
    "date": lambda _: _date,
    "timestamp": lambda _: _timestamp,
}
