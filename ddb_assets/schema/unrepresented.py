"""What a typed view cannot represent: the report that Promise 4 asks for.

Every number, text, binary, set and document has its exact place in a view. What it cannot tell
apart is an attribute that is NULL from one that is absent: a column, or a field of a row, is NULL
for both. Elsewhere the two differ: an element of a list cannot be absent, an absent key of a map
with open keys is not in it, and a value of several types inside a document is a row, whose fields
are all NULL for the one and which is NULL itself for the other.
"""

from collections.abc import Iterator

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
