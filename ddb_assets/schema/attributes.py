"""DynamoDB attributes and the shapes their values take, declared or inferred."""

from dataclasses import dataclass
from typing import Literal

ScalarCode = Literal["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS"]
TypeCode = Literal["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "M", "L"]


@dataclass(frozen=True)
class Shape:
    """What one value may be: the union of every type it has, with the inside of maps and lists.

    Attributes:
        scalars: The scalar and set types it has.
        fields: Of a map with fixed keys, in the order they are to appear; None if not such a map.
        values: Of a map with open keys, what each value may be.
        element: Of a list, what each element may be; an empty Shape for a list always empty.
    """

    scalars: frozenset[ScalarCode] = frozenset()
    fields: "tuple[Attribute, ...] | None" = None
    values: "Shape | None" = None
    element: "Shape | None" = None


@dataclass(frozen=True)
class Attribute:
    """A named attribute, spelled exactly as in DynamoDB, and what its values may be."""

    name: str
    shape: Shape
