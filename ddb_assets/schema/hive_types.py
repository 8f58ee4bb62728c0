"""Hive types as values: what Glue keeps as text in a column's `Type`.

Names of struct fields are compared without case, as Hive does; the text of a parsed type is
canonical: no blanks, type words in lower case.
"""

from dataclasses import dataclass
from functools import cached_property

from ddb_assets.errors import CatalogConflictError

#: An export nests 32 levels deep (DynamoDB, "Constraints"), each two Hive levels; ten times that.
MAX_DEPTH = 700

_ENDS = "<>,:()"


@dataclass(frozen=True)
class Primitive:
    """`string`, `boolean`, `bigint`, `decimal(38,0)`: a type with nothing inside."""

    name: str

    @property
    def text(self) -> str:
        """As Glue keeps it."""
        return self.name

    @property
    def ddl(self) -> str:
        """As a DDL statement needs it."""
        return self.name


@dataclass(frozen=True)
class Array:
    """`array<element>`."""

    element: "HiveType"

    @cached_property
    def text(self) -> str:
        """As Glue keeps it."""
        return f"array<{self.element.text}>"

    @property
    def ddl(self) -> str:
        """As a DDL statement needs it, field names quoted."""
        return f"array<{self.element.ddl}>"


@dataclass(frozen=True)
class Map:
    """`map<key,value>`."""

    key: "HiveType"
    value: "HiveType"

    @cached_property
    def text(self) -> str:
        """As Glue keeps it."""
        return f"map<{self.key.text},{self.value.text}>"

    @property
    def ddl(self) -> str:
        """As a DDL statement needs it, field names quoted."""
        return f"map<{self.key.ddl},{self.value.ddl}>"


@dataclass(frozen=True)
class Struct:
    """`struct<name:type,…>`, fields in order."""

    fields: "tuple[tuple[str, HiveType], ...]"

    @cached_property
    def text(self) -> str:
        """As Glue keeps it."""
        return f"struct<{','.join(f'{name}:{type_.text}' for name, type_ in self.fields)}>"

    @property
    def ddl(self) -> str:
        """As a DDL statement needs it: a field may be a reserved word or begin with `_`."""
        inside = ",".join(f"`{name.replace('`', '``')}`:{type_.ddl}" for name, type_ in self.fields)
        return f"struct<{inside}>"

    def get(self, name: str) -> "HiveType | None":
        """The field's type, by name without case."""
        wanted = name.lower()
        return next((type_ for field, type_ in self.fields if field.lower() == wanted), None)


HiveType = Primitive | Array | Map | Struct

STRING = Primitive("string")
BOOLEAN = Primitive("boolean")


def parse(text: str) -> HiveType:
    """Read a Hive type.

    Raises:
        CatalogConflictError: The text is not a Hive type; says where reading stopped.
    """
    reader = _Reader(text)
    parsed = reader.type_(0)
    reader.end()
    return parsed


class _Reader:
    """One pass over the text, position by position."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def fail(self, expected: str) -> CatalogConflictError:
        shown = self.text if len(self.text) <= 200 else f"{self.text[:200]}…"
        return CatalogConflictError(
            f"not a Hive type: expected {expected} at character {self.at} of {shown!r}",
            remedy="correct the column's type in the Glue table, or drop the table",
            type=shown,
            position=self.at,
        )

    def skip_blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def take(self, character: str) -> bool:
        self.skip_blanks()
        if self.text.startswith(character, self.at):
            self.at += 1
            return True
        return False

    def need(self, character: str) -> None:
        if not self.take(character):
            raise self.fail(repr(character))

    def end(self) -> None:
        self.skip_blanks()
        if self.at != len(self.text):
            raise self.fail("the end")

    def word(self, what: str) -> str:
        self.skip_blanks()
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in _ENDS:
            self.at += 1
        found = self.text[start : self.at].strip()
        if not found:
            raise self.fail(what)
        return found

    def field(self) -> str:
        """A field's name; quoted with backticks it may hold anything."""
        self.skip_blanks()
        if not self.text.startswith("`", self.at):
            start = self.at
            while self.at < len(self.text) and self.text[self.at] not in "<>:,":
                self.at += 1
            found = self.text[start : self.at].strip()
            if not found:
                raise self.fail("a field's name")
            return found
        self.at += 1
        parts: list[str] = []
        while (close := self.text.find("`", self.at)) >= 0:
            parts.append(self.text[self.at : close])
            self.at = close + 1
            if not self.text.startswith("`", self.at):
                return "".join(parts)
            parts.append("`")
            self.at += 1
        raise self.fail("a closing backtick")

    def type_(self, depth: int) -> HiveType:
        if depth > MAX_DEPTH:
            raise self.fail(f"at most {MAX_DEPTH} levels")
        name = self.word("a type").lower()
        if name == "struct":
            return self.struct(depth)
        if name in {"array", "map"}:
            self.need("<")
            first = self.type_(depth + 1)
            if name == "array":
                self.need(">")
                return Array(first)
            self.need(",")
            second = self.type_(depth + 1)
            self.need(">")
            return Map(first, second)
        if self.take("("):
            arguments = [self.word("a number")]
            while self.take(","):
                arguments.append(self.word("a number"))
            self.need(")")
            return Primitive(f"{name}({','.join(arguments)})")
        return Primitive(name)

    def struct(self, depth: int) -> Struct:
        self.need("<")
        fields: list[tuple[str, HiveType]] = []
        while True:
            name = self.field()
            self.need(":")
            fields.append((name, self.type_(depth + 1)))
            if self.take(">"):
                return Struct(tuple(fields))
            self.need(",")
