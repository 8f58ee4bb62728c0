"""What a typed view cannot represent: the report that Promise 4 asks for.

Every number, text, binary, set and document has its exact place in a view. What it cannot tell
apart is an attribute that is NULL from one that is absent: a column, or a field of a row, is NULL
for both. Elsewhere the two differ: an element of a list cannot be absent, an absent key of a map
with open keys is not in it, and a value of several types inside a document is a row, whose fields
are all NULL for the one and which is NULL itself for the other. With `mixed_types: json` the keys
inside such a column are spelled as the raw table's fields.
"""

from collections.abc import Callable, Iterator

from ddb_assets.schema.attributes import Shape
from ddb_assets.schema.declaration import ANY_KEY
from ddb_assets.schema.view_expressions import types_of


def nulls_read_as_absent(item: Shape, *, json_columns: bool = False) -> tuple[str, ...]:
    """The paths, as `Shape` has them, where NULL was seen or declared and reads as if absent.

    Args:
        item: The item as a map.
        json_columns: Whether an attribute of several types is one column of JSON, which tells all.
    """
    if item.values is not None:
        return tuple(_inside(item, ""))
    found: list[str] = []
    for attribute in item.fields or ():
        shape = attribute.shape
        if json_columns and len(types_of(shape)) > 1:
            continue
        if "NULL" in shape.scalars:
            found.append(attribute.name)
        found += _inside(shape, attribute.name)
    return tuple(found)


def keys_renamed_in_json(
    item: Shape, field_name: Callable[[str], str]
) -> tuple[tuple[str, str], ...]:
    """The paths of keys that a column of JSON spells as the raw table's fields, and that spelling.

    Args:
        item: The item as a map; its attributes of several types are columns of JSON.
        field_name: The field of the raw table for an attribute's name.
    """
    mixed = (a for a in item.fields or () if len(types_of(a.shape)) > 1)
    return tuple(found for a in mixed for found in _renamed(a.shape, a.name, field_name))


def _renamed(
    shape: Shape, path: str, field_name: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    if shape.values is not None:
        yield from _renamed(shape.values, f"{path}.{ANY_KEY}", field_name)
    if shape.element is not None:
        yield from _renamed(shape.element, f"{path}[]", field_name)
    for attribute in shape.fields or ():
        here, field = f"{path}.{attribute.name}", field_name(attribute.name)
        if field != attribute.name:
            yield here, field
        yield from _renamed(attribute.shape, here, field_name)


def _inside(shape: Shape, path: str) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    if shape.values is not None:
        yield from _inside(shape.values, f"{prefix}{ANY_KEY}")
    if shape.element is not None:
        yield from _inside(shape.element, f"{path}[]")
    for attribute in shape.fields or ():
        here = f"{prefix}{attribute.name}"
        if "NULL" in attribute.shape.scalars and len(types_of(attribute.shape)) < 2:
            yield here
        yield from _inside(attribute.shape, here)
