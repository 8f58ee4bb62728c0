"""Attribute paths for people: every value an item may hold, and where a query finds it.

The raw table is one column whose type may be thousands of characters long. This is the same as a
list: `address.zip`, a number, is read as `item.address.m.zip.n`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.declaration import ANY_KEY, SCALAR_CODES
from ddb_assets.schema.layout import OPENX_SERDE
from ddb_assets.schema.shapes import item_shape

#: What DynamoDB's type codes are called (AWS page "Data types in DynamoDB").
TYPE_NAMES: dict[str, str] = {
    "S": "string",
    "N": "number",
    "B": "binary",
    "BOOL": "boolean",
    "NULL": "null",
    "SS": "string set",
    "NS": "number set",
    "BS": "binary set",
    "M": "map",
    "L": "list",
}
_SETS = frozenset({"SS", "NS", "BS"})
_BOOLEANS = frozenset({"BOOL", "NULL"})


@dataclass(frozen=True)
class ValuePath:
    """One type of one attribute, at any depth.

    Attributes:
        attribute: In DynamoDB's spelling, `lines[].sku`; `*` stands for any key of a map.
        top: The attribute of the item it is or lies in.
        column: Where the raw table has it, `item.lines.l[].m.sku.s`.
        code: DynamoDB's type code.
        hive_type: As the raw table has it; numbers and binary are text, so that they stay exact.
    """

    attribute: str
    top: str
    column: str
    code: str
    hive_type: str


def value_paths(
    attributes: Sequence[Attribute], field_name: Callable[[str], str]
) -> Iterator[ValuePath]:
    """Every scalar and set an item may hold, attribute by attribute; maps and lists if empty.

    Args:
        attributes: Of the item.
        field_name: Attribute name -> field of the struct, see `field_names`.
    """
    item = item_shape(attributes)
    if item.values is not None:
        yield from _values(item.values, ANY_KEY, ANY_KEY, "item[*]", field_name)
        return
    for attribute in item.fields or ():
        name = attribute.name
        yield from _values(attribute.shape, name, name, f"item.{field_name(name)}", field_name)


def field_names(serde_library: str, serde_parameters: Mapping[str, str]) -> Callable[[str], str]:
    """How a table's SerDe names the field of an attribute."""
    if serde_library != OPENX_SERDE:
        return str.lower
    renamed = {
        key: name.removeprefix("mapping.")
        for name, key in serde_parameters.items()
        if name.startswith("mapping.")
    }
    return lambda key: renamed.get(key, key)


def _values(
    shape: Shape, path: str, top: str, column: str, name: Callable[[str], str]
) -> Iterator[ValuePath]:
    for code in SCALAR_CODES:
        if code in shape.scalars:
            yield ValuePath(path, top, f"{column}.{code.lower()}", code, _hive_type(code))
    if shape.values is not None and shape.values != Shape():
        here = f"{path}.{ANY_KEY}"
        yield from _values(shape.values, here, top, f"{column}.m[*]", name)
    elif shape.fields:
        for inner in shape.fields:
            here, field = f"{path}.{inner.name}", f"{column}.m.{name(inner.name)}"
            yield from _values(inner.shape, here, top, field, name)
    elif shape.fields is not None or shape.values is not None:
        yield ValuePath(path, top, f"{column}.m", "M", "map<string,string>")
    if shape.element is not None:
        if shape.element == Shape():
            yield ValuePath(path, top, f"{column}.l", "L", "array<string>")
        else:
            yield from _values(shape.element, f"{path}[]", top, f"{column}.l[]", name)


def _hive_type(code: str) -> str:
    if code in _SETS:
        return "array<string>"
    return "boolean" if code in _BOOLEANS else "string"
