"""Making a table's type fit into what Glue keeps: maps with the most text get open keys first."""

from collections.abc import Callable
from dataclasses import replace

from ddb_assets.errors import DeclarationError
from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.declaration import ANY_KEY
from ddb_assets.schema.shapes import open_keys

_Path = tuple[str | int, ...]
#: Steps into a shape that are no field's name.
_VALUES, _ELEMENT = 0, 1


def fit(item: Shape, length: Callable[[Shape], int], limit: int) -> tuple[Shape, tuple[str, ...]]:
    """Open the keys of the widest maps, one by one, until the type is short enough.

    Args:
        item: The item as a map.
        length: The length of a map's type.
        limit: The length Glue allows.

    Returns:
        The item that fits, and the paths whose keys were opened (`item` for the item itself).

    Raises:
        DeclarationError: It fits in no form; says how many attributes there are.
    """
    opened: list[str] = []
    count = len(item.fields or ())
    while length(item) > limit:
        candidates = [
            (length(replace(shape, scalars=frozenset(), element=None)), path)
            for path, shape in _fixed_maps(item, ())
        ]
        if candidates:
            _, path = max(candidates, key=lambda found: (found[0], _shown(found[1])))
        elif item.fields:
            path = ()
        else:
            raise DeclarationError(
                f"{count} attributes do not fit into a Glue column: their type has "
                f"{length(item)} characters, {limit} are allowed",
                remedy="set `infer: false` and declare the columns that are asked for",
                attributes=count,
            )
        item = _opened(item, path)
        opened.append(_shown(path))
    return item, tuple(opened)


def _fixed_maps(shape: Shape, path: _Path) -> list[tuple[_Path, Shape]]:
    """Every map with named keys inside, outermost last."""
    found: list[tuple[_Path, Shape]] = []
    for attribute in shape.fields or ():
        found += _fixed_maps(attribute.shape, (*path, attribute.name))
    if shape.values is not None:
        found += _fixed_maps(shape.values, (*path, _VALUES))
    if shape.element is not None:
        found += _fixed_maps(shape.element, (*path, _ELEMENT))
    return [*found, (path, shape)] if shape.fields and path else found


def _opened(shape: Shape, path: _Path) -> Shape:
    if not path:
        return open_keys(shape)
    step, rest = path[0], path[1:]
    if step == _VALUES and shape.values is not None:
        return replace(shape, values=_opened(shape.values, rest))
    if step == _ELEMENT and shape.element is not None:
        return replace(shape, element=_opened(shape.element, rest))
    fields = tuple(
        Attribute(a.name, _opened(a.shape, rest)) if a.name == step else a
        for a in shape.fields or ()
    )
    return replace(shape, fields=fields)


def _shown(path: _Path) -> str:
    steps = {_VALUES: ANY_KEY, _ELEMENT: "[]"}
    return ".".join(step if isinstance(step, str) else steps[step] for step in path) or "item"
