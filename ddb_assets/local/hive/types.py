"""Hive's type language as Glue stores it: `struct<a:array<string>,b:decimal(38,0)>`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast


class HiveTypeError(ValueError):
    """A type that Hive's parser does not take."""


@dataclass(frozen=True)
class Primitive:
    """A scalar type; `parameters` are a length, or the precision and scale of a decimal."""

    name: str
    parameters: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """As Glue stores it."""
        return self.name + (f"({','.join(map(str, self.parameters))})" if self.parameters else "")


@dataclass(frozen=True)
class Array:
    """A list of one type."""

    element: "HiveType"

    @property
    def text(self) -> str:
        """As Glue stores it."""
        return f"array<{self.element.text}>"


@dataclass(frozen=True)
class Map:
    """Keys of a primitive type to values of one type."""

    key: Primitive
    value: "HiveType"

    @property
    def text(self) -> str:
        """As Glue stores it."""
        return f"map<{self.key.text},{self.value.text}>"


@dataclass(frozen=True)
class Struct:
    """Named fields in order; names keep the case they were given in."""

    fields: tuple[tuple[str, "HiveType"], ...]

    @property
    def text(self) -> str:
        """As Glue stores it."""
        return f"struct<{','.join(f'{name}:{of.text}' for name, of in self.fields)}>"


HiveType = Primitive | Array | Map | Struct

#: Hive's primitive type names and the DuckDB type that holds their values.
DUCKDB_NAMES = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "varchar": "VARCHAR",
    "char": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "binary": "BLOB",
    "decimal": "DECIMAL",
}

#: A bare `decimal` in Hive.
DEFAULT_DECIMAL = (10, 0)
#: Most digits of a Hive decimal, before and after the point.
MAX_DECIMAL = 38

_TOKEN = re.compile(r"[a-zA-Z0-9_]+|.", re.DOTALL)
_WORD = re.compile(r"[a-zA-Z0-9_]+\Z")


def parse(text: str) -> HiveType:
    """Read a type as Hive's own parser does, which knows no quotes and no blanks.

    Raises:
        HiveTypeError: The text is not a type. The message has Hive's form.
    """
    return _Parser(text).whole()


class _Parser:
    """Recursive descent over words and single characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [(found.group(), found.start()) for found in _TOKEN.finditer(text)]
        self.at = 0

    def whole(self) -> HiveType:
        parsed = self.type()
        if self.at < len(self.tokens):
            raise self.unexpected("end of type")
        return parsed

    def type(self) -> HiveType:
        position = self.at
        word = self.word("type").lower()
        if word == "struct":
            return self.struct()
        if word == "array":
            self.take("<")
            element = self.type()
            self.take(">")
            return Array(element)
        if word == "map":
            self.take("<")
            key = self.type()
            if not isinstance(key, Primitive):
                raise HiveTypeError(f"Error: map key must be a primitive type in '{self.text}'")
            self.take(",")
            value = self.type()
            self.take(">")
            return Map(key, value)
        if word not in DUCKDB_NAMES:
            self.at = position
            raise self.unexpected("type")
        return self.primitive(word)

    def struct(self) -> Struct:
        self.take("<")
        fields: list[tuple[str, HiveType]] = []
        while True:
            name = self.word("name")
            self.take(":")
            fields.append((name, self.type()))
            if self.peek() != ",":
                self.take(">")
                return Struct(tuple(fields))
            self.at += 1

    def primitive(self, name: str) -> Primitive:
        given = self.parameters() if self.peek() == "(" else ()
        if name == "decimal":
            return Primitive(name, self.decimal(given))
        if len(given) != (1 if name in {"varchar", "char"} else 0):
            raise HiveTypeError(f"Error: {name} type has wrong parameters in '{self.text}'")
        return Primitive(name, given)

    def decimal(self, given: tuple[int, ...]) -> tuple[int, int]:
        if not given:
            return DEFAULT_DECIMAL
        precision, scale = given if len(given) == 2 else (given[0], 0)
        if len(given) > 2 or not 1 <= precision <= MAX_DECIMAL or not 0 <= scale <= precision:
            raise HiveTypeError(f"Error: decimal precision or scale out of range in '{self.text}'")
        return precision, scale

    def parameters(self) -> tuple[int, ...]:
        self.take("(")
        found: list[int] = []
        while True:
            word = self.word("number")
            if not word.isdecimal():
                self.at -= 1
                raise self.unexpected("number")
            found.append(int(word))
            if self.peek() != ",":
                self.take(")")
                return tuple(found)
            self.at += 1

    def peek(self) -> str | None:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else None

    def take(self, wanted: str) -> None:
        if self.peek() != wanted:
            raise self.unexpected(wanted)
        self.at += 1

    def word(self, wanted: str) -> str:
        found = self.peek()
        if found is None or not _WORD.match(found):
            raise self.unexpected(wanted)
        self.at += 1
        return found

    def unexpected(self, wanted: str) -> HiveTypeError:
        if self.at >= len(self.tokens):
            return HiveTypeError(f"Error: {wanted} expected at the end of '{self.text}'")
        found, position = self.tokens[self.at]
        return HiveTypeError(
            f"Error: {wanted} expected at the position {position} of '{self.text}' "
            f"but '{found}' is found."
        )


def duckdb_type(of: HiveType) -> str:
    """The DuckDB type for a Hive type; field names are lower-cased, as Athena shows them."""
    match of:
        case Array(element):
            return f"{duckdb_type(element)}[]"
        case Map(key, value):
            return f"MAP({duckdb_type(key)}, {duckdb_type(value)})"
        case Struct(fields):
            inner = ", ".join(f'"{name.lower()}" {duckdb_type(field)}' for name, field in fields)
            return f"STRUCT({inner})"
        case Primitive("decimal", (precision, scale)):
            return f"DECIMAL({precision},{scale})"
        case Primitive(name):
            return DUCKDB_NAMES[name]


#: DuckDB types that Hive holds in another; the others keep their name.
_HIVE_NAMES = {
    "varchar": "string",
    "integer": "int",
    "hugeint": "bigint",
    "uhugeint": "bigint",
    "ubigint": "bigint",
    "uinteger": "bigint",
    "usmallint": "int",
    "utinyint": "smallint",
    "blob": "binary",
    "uuid": "string",
    "null": "string",
    "timestamp_s": "timestamp",
    "timestamp_ms": "timestamp",
    "timestamp_ns": "timestamp",
}


def from_duckdb(of: Any) -> HiveType:
    """The Hive type for a column of a query's result, as CTAS declares it.

    Args:
        of: A `DuckDBPyType`.

    Raises:
        HiveTypeError: Hive has no such type (time, interval, zoned timestamp).
    """
    kind = str(of.id)
    if kind in {"list", "array"}:
        return Array(from_duckdb(of.children[0][1]))
    children = cast("Sequence[tuple[str, Any]]", of.children if kind in {"map", "struct"} else ())
    if kind == "map":
        key = from_duckdb(children[0][1])
        if not isinstance(key, Primitive):
            raise HiveTypeError(f"Unsupported Hive type: {of}")
        return Map(key, from_duckdb(children[1][1]))
    if kind == "struct":
        return Struct(tuple((name.lower(), from_duckdb(field)) for name, field in children))
    if kind == "decimal":
        sizes = dict(cast("Sequence[tuple[str, int]]", of.children))
        return Primitive("decimal", (sizes["precision"], sizes["scale"]))
    name = _HIVE_NAMES.get(kind, kind)
    if name not in DUCKDB_NAMES:
        raise HiveTypeError(f"Unsupported Hive type: {str(of).lower()}")
    return Primitive(name)
