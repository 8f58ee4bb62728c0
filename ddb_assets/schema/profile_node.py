"""One place in the tree of a profile: an attribute path and everything seen there."""

from dataclasses import asdict
from typing import Any, Final, Self

from ddb_assets.schema.attributes import Attribute, ScalarCode, Shape
from ddb_assets.schema.declaration import SCALAR_CODES
from ddb_assets.schema.number_stats import NumberStats

#: Distinct keys a map may have and still count as one with fixed keys. Beyond it only what all its
#: values have in common is kept: this bounds memory, and the text of the type that Glue keeps.
MAP_KEYS_LIMIT: Final = 100
#: The same for the item itself. No column type of Glue's length holds more attributes than this.
ITEM_KEYS_LIMIT: Final = 10_000
#: From this many distinct keys on, a map counts as one with open keys if it is also sparse …
SPARSE_FROM_KEYS: Final = 25
#: … that is, if one map has on average at most this share of all the keys ever seen in it.
SPARSE_SHARE: Final = 0.1

#: What json makes of the value of each type code.
_PYTHON_TYPES: Final[dict[str, type]] = {
    "S": str,
    "N": str,
    "B": str,
    "BOOL": bool,
    "NULL": bool,
    "SS": list,
    "NS": list,
    "BS": list,
    "M": dict,
    "L": list,
}


class Node:
    """Counts by type, digits of numbers, and the nodes inside maps and lists.

    Attributes:
        counts: Type code -> how many values had it.
        numbers: Of values of type N.
        set_numbers: Of the elements of values of type NS.
        children: Of maps with fixed keys: key -> node.
        values: Of maps with open keys: one node for all their values.
        element: One node for the elements of all lists.
    """

    __slots__ = ("children", "counts", "element", "is_item", "numbers", "set_numbers", "values")

    def __init__(self, *, is_item: bool = False) -> None:
        self.is_item = is_item
        self.counts: dict[str, int] = {}
        self.numbers: NumberStats | None = None
        self.set_numbers: NumberStats | None = None
        self.children: dict[str, Node] | None = None
        self.values: Node | None = None
        self.element: Node | None = None

    @property
    def total(self) -> int:
        """How many values were seen here."""
        return sum(self.counts.values())

    def observe(self, typed: dict[str, Any]) -> None:
        """Take in one `{type: value}`.

        Raises:
            ValueError, TypeError, AttributeError, KeyError: It is not one.
        """
        ((code, value),) = typed.items()
        if type(value) is not _PYTHON_TYPES[code]:
            raise TypeError(f"the value of {code} is a {type(value).__name__}")
        if code == "M":
            self.observe_map(value)
            return
        self.counts[code] = self.counts.get(code, 0) + 1
        if code == "N":
            if self.numbers is None:
                self.numbers = NumberStats()
            self.numbers.observe(value)
        elif code == "NS":
            if self.set_numbers is None:
                self.set_numbers = NumberStats()
            for number in value:
                self.set_numbers.observe(number)
        elif code == "L":
            self._observe_list(value)

    def _observe_list(self, value: list[Any]) -> None:
        if value and self.element is None:
            self.element = Node()
        if self.element is not None:
            for element in value:
                self.element.observe(element)

    def observe_map(self, value: dict[str, Any]) -> None:
        """Take in one map, key -> `{type: value}`."""
        self.counts["M"] = self.counts.get("M", 0) + 1
        if self.values is not None:
            observe = self.values.observe
            for typed in value.values():
                observe(typed)
            return
        children = self.children
        if children is None:
            children = self.children = {}
        for name, typed in value.items():
            child = children.get(name)
            if child is None:
                child = children[name] = Node()
            child.observe(typed)
        self._keep_bounded()

    def absorb(self, other: "Node") -> None:
        """Take in all that the other one observed; it is left as it is."""
        for code, count in other.counts.items():
            self.counts[code] = self.counts.get(code, 0) + count
        if other.numbers is not None:
            self.numbers = self.numbers or NumberStats()
            self.numbers.absorb(other.numbers)
        if other.set_numbers is not None:
            self.set_numbers = self.set_numbers or NumberStats()
            self.set_numbers.absorb(other.set_numbers)
        if other.element is not None:
            self.element = self.element or Node()
            self.element.absorb(other.element)
        if other.values is not None:
            self._open().absorb(other.values)
        elif other.children is not None:
            self._absorb_children(other.children)

    def _absorb_children(self, others: "dict[str, Node]") -> None:
        if self.values is not None:
            for other in others.values():
                self.values.absorb(other)
            return
        if self.children is None:
            self.children = {}
        for name, other in others.items():
            self.children.setdefault(name, Node()).absorb(other)
        self._keep_bounded()

    def _keep_bounded(self) -> None:
        limit = ITEM_KEYS_LIMIT if self.is_item else MAP_KEYS_LIMIT
        if self.children is not None and len(self.children) > limit:
            self._open()

    def _open(self) -> "Node":
        """Give up the keys; the values of all of them become one node."""
        if self.values is None:
            self.values = Node()
            for child in (self.children or {}).values():
                self.values.absorb(child)
            self.children = None
        return self.values

    def shape(self) -> Shape:
        """What the values seen here may be."""
        scalars: frozenset[ScalarCode] = frozenset(c for c in SCALAR_CODES if c in self.counts)
        element = None
        if "L" in self.counts:
            element = Shape() if self.element is None else self.element.shape()
        inside = self.map_shape()
        return Shape(scalars, inside.fields, inside.values, element)

    def map_shape(self) -> Shape:
        """The map part alone; an empty shape if no map was seen."""
        if self.values is not None:
            return Shape(values=self.values.shape())
        if self.children is None:
            return Shape()
        if self._sparse(self.children):
            together = Node()
            for child in self.children.values():
                together.absorb(child)
            return Shape(values=together.shape())
        return Shape(
            fields=tuple(Attribute(n, child.shape()) for n, child in sorted(self.children.items()))
        )

    @property
    def has_open_keys(self) -> bool:
        """Whether its maps count as maps with open keys."""
        if self.children is None:
            return self.values is not None
        return self._sparse(self.children)

    def _sparse(self, children: "dict[str, Node]") -> bool:
        if self.is_item or len(children) < SPARSE_FROM_KEYS:
            return False
        entries = sum(child.total for child in children.values())
        return entries <= SPARSE_SHARE * len(children) * self.counts["M"]

    def to_dict(self) -> dict[str, Any]:
        """As `Profile.to_json` writes it; what is not there is left out."""
        found: dict[str, Any] = {"types": self.counts}
        if self.numbers is not None:
            found["numbers"] = asdict(self.numbers)
        if self.set_numbers is not None:
            found["set_numbers"] = asdict(self.set_numbers)
        if self.children is not None:
            found["fields"] = {name: child.to_dict() for name, child in self.children.items()}
        if self.values is not None:
            found["values"] = self.values.to_dict()
        if self.element is not None:
            found["element"] = self.element.to_dict()
        return found

    @classmethod
    def from_dict(cls, found: dict[str, Any], *, is_item: bool = False) -> Self:
        """Read what `to_dict` wrote."""
        node = cls(is_item=is_item)
        node.counts = {str(code): int(count) for code, count in found["types"].items()}
        if "numbers" in found:
            node.numbers = NumberStats(**found["numbers"])
        if "set_numbers" in found:
            node.set_numbers = NumberStats(**found["set_numbers"])
        if "fields" in found:
            node.children = {n: Node.from_dict(child) for n, child in found["fields"].items()}
        if "values" in found:
            node.values = Node.from_dict(found["values"])
        if "element" in found:
            node.element = Node.from_dict(found["element"])
        return node
