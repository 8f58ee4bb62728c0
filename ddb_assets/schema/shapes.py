"""Uniting shapes: what holds everything both of them hold."""

from collections.abc import Iterable, Sequence

from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.declaration import ANY_KEY


def unite(first: Shape, second: Shape, *, declared: bool = False) -> Shape:
    """A shape that holds both, the first one's order first.

    Args:
        first: One shape.
        second: The other.
        declared: Whether the first one's decision between fixed and open keys stands. If not, keys
            are open as soon as either side's are. A fixed map that stands against an open one does
            not hold all of it; `uncovered` says what is left out.
    """
    scalars = first.scalars | second.scalars
    element = _unite_optional(first.element, second.element, declared=declared)
    if first.fields is None and first.values is None:
        return Shape(scalars, second.fields, second.values, element)
    if second.fields is None and second.values is None:
        return Shape(scalars, first.fields, first.values, element)
    # An always empty map says nothing of its keys, so `()` decides nothing.
    stands = declared and bool(first.fields)
    if first.values is None and (second.values is None or stands):
        fields = unite_attributes(first.fields or (), second.fields or (), declared=declared)
        return Shape(scalars, fields, None, element)
    values = _unite_optional(open_values(first), open_values(second), declared=declared)
    return Shape(scalars, None, values, element)


def unite_attributes(
    first: Sequence[Attribute], second: Sequence[Attribute], *, declared: bool = False
) -> tuple[Attribute, ...]:
    """Both, the first one's in their order and then what only the second has."""
    others = {attribute.name: attribute.shape for attribute in second}
    united = [
        Attribute(a.name, unite(a.shape, others.pop(a.name), declared=declared))
        if a.name in others
        else a
        for a in first
    ]
    return (*united, *(Attribute(name, shape) for name, shape in others.items()))


def unite_all(shapes: Iterable[Shape]) -> Shape:
    """One shape that holds them all."""
    united = Shape()
    for shape in shapes:
        united = unite(united, shape)
    return united


def open_values(shape: Shape) -> Shape | None:
    """What any value of the shape's map may be; None if it has no map."""
    if shape.values is not None:
        return shape.values
    if shape.fields is None:
        return None
    return unite_all(attribute.shape for attribute in shape.fields)


def open_keys(shape: Shape) -> Shape:
    """The same with its map's keys open."""
    return Shape(shape.scalars, None, open_values(shape), shape.element)


def item_shape(attributes: Sequence[Attribute]) -> Shape:
    """The item as a map; with open keys when its one attribute is `*`."""
    if len(attributes) == 1 and attributes[0].name == ANY_KEY:
        return Shape(values=attributes[0].shape)
    return Shape(fields=tuple(attributes))


def item_attributes(item: Shape) -> tuple[Attribute, ...]:
    """The inverse of `item_shape`."""
    if item.values is not None:
        return (Attribute(ANY_KEY, item.values),)
    return item.fields or ()


def uncovered(attributes: Sequence[Attribute], found: Sequence[Attribute]) -> tuple[str, ...]:
    """Paths and types that were found but that the attributes have no place for."""
    return tuple(_uncovered(item_shape(attributes), item_shape(found), ""))


def _uncovered(have: Shape, found: Shape, path: str) -> list[str]:
    missing = [f"{path} ({code})" for code in sorted(found.scalars - have.scalars)]
    if found.element is not None:
        if have.element is None:
            missing.append(f"{path} (L)")
        else:
            missing += _uncovered(have.element, found.element, f"{path}[]")
    if found.fields is None and found.values is None:
        return missing
    if have.fields is None and have.values is None:
        return [*missing, f"{path} (M)"]
    prefix = f"{path}." if path else ""
    if have.values is not None:
        inside = open_values(found) or Shape()
        return [*missing, *_uncovered(have.values, inside, f"{prefix}{ANY_KEY}")]
    if found.values is not None:
        return [*missing, f"{prefix}{ANY_KEY}"]
    known = {attribute.name: attribute.shape for attribute in have.fields or ()}
    for attribute in found.fields or ():
        here = f"{prefix}{attribute.name}"
        if attribute.name in known:
            missing += _uncovered(known[attribute.name], attribute.shape, here)
        else:
            missing.append(here)
    return missing


def _unite_optional(first: Shape | None, second: Shape | None, *, declared: bool) -> Shape | None:
    if first is None or second is None:
        return second if first is None else first
    return unite(first, second, declared=declared)
