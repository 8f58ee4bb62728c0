"""Random DynamoDB items, and the two SerDes' rules written down a second time, as reader."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.hive_types import Array, HiveType, Map, Primitive, Struct, parse
from ddb_assets.schema.layout import TableLayout

#: Names that are alike in some way: by case, after cleaning, with type letters, as patterns.
ODD_NAMES = [
    "a", "A", "b", "B", "s", "S", "n", "m", "M", "l", "item", "Item", "null", "userId", "userid",
    "USERID", "a b", "a.b", "a-b", "a_b", "*", "\\", "\\*", "größe", "😀", "date", "_x", "0",
    "it's", "a\nb", 'q"', "x" * 250,
]  # fmt: skip
names = st.one_of(st.sampled_from(ODD_NAMES), st.text(min_size=1, max_size=6))
numbers = st.one_of(
    st.integers(-(10**38) + 1, 10**38 - 1).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=4).map(str),
    st.sampled_from(["0", "1E-130", "9.9999999999999999999999999999999999999E+125", "-0.5"]),
)
binaries = st.binary(max_size=8).map(lambda raw: base64.b64encode(raw).decode())
texts = st.text(max_size=8)


def _documents(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.dictionaries(names, values, max_size=5).map(lambda v: {"M": v}),
        st.lists(values, max_size=4).map(lambda v: {"L": v}),
    )


values = st.recursive(
    st.one_of(
        texts.map(lambda v: {"S": v}),
        numbers.map(lambda v: {"N": v}),
        binaries.map(lambda v: {"B": v}),
        st.booleans().map(lambda v: {"BOOL": v}),
        st.just({"NULL": True}),
        st.lists(texts, min_size=1, max_size=3, unique=True).map(lambda v: {"SS": v}),
        st.lists(numbers, min_size=1, max_size=3, unique=True).map(lambda v: {"NS": v}),
        st.lists(binaries, min_size=1, max_size=3, unique=True).map(lambda v: {"BS": v}),
    ),
    _documents,
    max_leaves=12,
)
items = st.dictionaries(names, values, min_size=1, max_size=6)

_scalars = st.frozensets(
    st.sampled_from(["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS"]), max_size=3
)


def _wider(inner: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
    fields = st.dictionaries(names, inner, max_size=4).map(
        lambda found: tuple(Attribute(n, s) for n, s in found.items())
    )
    inside = st.one_of(st.just(Shape()), inner)
    return st.one_of(
        st.builds(Shape, _scalars, fields=fields),
        st.builds(Shape, _scalars, values=inside),
        st.builds(Shape, _scalars, element=inside),
        st.builds(Shape, _scalars, fields=fields, element=inside),
    )


shapes = st.recursive(_scalars.filter(bool).map(Shape), _wider, max_leaves=10)
attributes = st.dictionaries(names, shapes, max_size=6).map(
    lambda found: tuple(Attribute(name, shape) for name, shape in found.items())
)


@pytest.fixture(scope="session")
def dynamodb_items() -> st.SearchStrategy[dict[str, Any]]:
    """Items in DynamoDB JSON: every type, nested, odd names, extreme numbers."""
    return items


@pytest.fixture(scope="session")
def attribute_lists() -> st.SearchStrategy[tuple[Attribute, ...]]:
    """Attributes of every shape that can be declared."""
    return attributes


@pytest.fixture(scope="session")
def export_line() -> Callable[[dict[str, Any]], bytes]:
    """An item as a line of an export's data file."""
    return lambda item: json.dumps({"Item": item}, separators=(",", ":")).encode() + b"\n"


class _Reader:
    """What the SerDe of a layout makes of a line; fails where the real one would."""

    def __init__(self, layout: TableLayout) -> None:
        self.openx = "openx" in layout.serde_library
        self.columns = {name: parse(type_) for name, type_, _ in layout.columns}
        self.mapping = {
            name.removeprefix("mapping."): key for name, key in layout.serde_parameters.items()
        }
        assert not self.openx or layout.serde_parameters["case.insensitive"] == "FALSE"

    def field(self, key: str) -> str:
        """The field through which a key is read."""
        if not self.openx:
            return key.lower()
        return {v: k for k, v in self.mapping.items()}.get(key, key)

    def row(self, line: bytes) -> dict[str, Any]:
        return self.read(Struct(tuple(self.columns.items())), json.loads(line))

    def read(self, type_: HiveType, value: Any) -> Any:
        match type_:
            case Struct(fields):
                assert isinstance(value, dict)
                return {name: self.member(name, inner, value) for name, inner in fields}
            case Map(_, inner):
                assert isinstance(value, dict)
                return {key: self.read(inner, entry) for key, entry in value.items()}
            case Array(inner):
                assert isinstance(value, list)
                return [self.read(inner, element) for element in value]
            case Primitive("boolean"):
                assert isinstance(value, bool)
                return value
            case Primitive("string"):
                assert isinstance(value, str)
                return value
            case _:
                raise AssertionError(type_)

    def member(self, name: str, type_: HiveType, value: dict[str, Any]) -> Any:
        assert name == name.lower(), "Hive folds the names of fields"
        if self.openx:
            key = self.mapping.get(name, name)
            return self.read(type_, value[key]) if key in value else None
        found = [key for key in value if key.lower() == name]
        assert len(found) <= 1, f"HIVE_CURSOR_ERROR: duplicate key {found}"
        return self.read(type_, value[found[0]]) if found else None

    def item(self, line: bytes) -> dict[str, Any]:
        """The item of a line, attribute values rebuilt from the row."""
        original = json.loads(line)["Item"]
        return self.rebuild_map(self.columns["item"], self.row(line)["item"], original)

    def rebuild_map(self, type_: HiveType, row: Any, original: dict[str, Any]) -> dict[str, Any]:
        rebuilt: dict[str, Any] = {}
        for key, typed in original.items():
            if isinstance(type_, Map):
                inner, found = type_.value, row[key]
            else:
                inner, found = type_.get(self.field(key)), row[self.field(key)]
            rebuilt[key] = self.rebuild(inner, found, typed)
        return rebuilt

    def rebuild(self, type_: Any, row: Any, typed: dict[str, Any]) -> dict[str, Any]:
        """The value in its one type; every other type's field must be NULL."""
        ((code, original),) = typed.items()
        field = code.lower()
        assert [name for name, value in row.items() if value is not None] == [field]
        inner, value = type_.get(field), row[field]
        if code == "M":
            return {code: self.rebuild_map(inner, value, original)}
        if code == "L":
            pairs = zip(value, original, strict=True)
            return {code: [self.rebuild(inner.element, found, one) for found, one in pairs]}
        return {code: value}


@pytest.fixture(scope="session")
def serde() -> type[_Reader]:
    """Reads lines through a layout, `serde(layout).item(line)`."""
    return _Reader
