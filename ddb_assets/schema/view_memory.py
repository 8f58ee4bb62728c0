"""What a typed view must not forget: its columns' names and how wide their numbers are.

Kept as JSON on the view itself, so that the next refresh goes on from it: a name once given stays
with its attribute, and a type only gets wider, whatever the next export happens to lack.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.number_stats import NumberStats
from ddb_assets.schema.numbers import BIGINT, MAX_PRECISION, STRING, narrowest
from ddb_assets.schema.profile_node import Node
from ddb_assets.schema.shapes import item_shape

FORMAT_VERSION: Final = 1

#: Digits before the point that every bigint fits: a bigint column that gets a fraction keeps them.
_BIGINT_DIGITS: Final = 19


@dataclass(frozen=True)
class KnownColumn:
    """One column the view has.

    Attributes:
        name: In the view.
        attribute: As DynamoDB spells it.
        code: The type it shows (`S`, `N`, …, or `JSON` for all); empty where only NULL was seen.
        type: Its Hive type.
    """

    name: str
    attribute: str
    code: str
    type: str


@dataclass(frozen=True)
class ViewMemory:
    """The columns of a view and the numbers their types were made for."""

    columns: tuple[KnownColumn, ...] = ()
    numbers: Node = field(default_factory=lambda: Node(is_item=True))

    def to_json(self) -> str:
        """Compact and canonical."""
        content = {
            "version": FORMAT_VERSION,
            "columns": [[c.name, c.attribute, c.code, c.type] for c in self.columns],
            "numbers": _kept(self.numbers),
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: It is not that.
        """
        content: Any = json.loads(text)
        try:
            if content["version"] != FORMAT_VERSION:
                raise ValueError(f"the view's memory is of version {content['version']!r}")
            columns = tuple(KnownColumn(*map(str, entry)) for entry in content["columns"])
            return cls(columns, _node(content["numbers"], is_item=True))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a view's memory: {error}") from error


def widened(memory: ViewMemory, found: Node) -> Node:
    """The numbers of both: what the view's types must hold from now on."""
    together = Node(is_item=True)
    together.absorb(memory.numbers)
    together.absorb(found)
    return together


def settle(shape: Shape, node: Node) -> None:
    """Note a bigint for every number of the shape that was never seen: it is shown as one."""
    if "N" in shape.scalars and node.numbers is None:
        node.numbers = _stats("b")
    if "NS" in shape.scalars and node.set_numbers is None:
        node.set_numbers = _stats("b")
    if shape.element is not None:
        node.element = node.element or Node()
        settle(shape.element, node.element)
    if shape.values is not None:
        node.values = all_values(node) or Node()
        node.children = None
        settle(shape.values, node.values)
    for attribute in shape.fields or ():
        if node.values is not None:
            settle(attribute.shape, node.values)
            continue
        if node.children is None:
            node.children = {}
        settle(attribute.shape, node.children.setdefault(attribute.name, Node()))


def all_values(node: Node | None) -> Node | None:
    """What is known of all values of a map, also where its keys were fixed so far."""
    if node is None or node.children is None:
        return node.values if node else None
    together = Node()
    for inner in node.children.values():
        together.absorb(inner)
    return together


def any_numbers(attributes: tuple[Attribute, ...]) -> Node:
    """Numbers nobody has looked at: only text holds whatever they are."""
    return _unknown(item_shape(attributes), is_item=True)


def _unknown(shape: Shape, *, is_item: bool = False) -> Node:
    node = Node(is_item=is_item)
    if "N" in shape.scalars:
        node.numbers = _stats("s")
    if "NS" in shape.scalars:
        node.set_numbers = _stats("s")
    if shape.fields is not None:
        node.children = {a.name: _unknown(a.shape) for a in shape.fields}
    if shape.values is not None:
        node.values = _unknown(shape.values)
    if shape.element is not None:
        node.element = _unknown(shape.element)
    return node


def _kept(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if node.numbers is not None:
        found["n"] = _rung(node.numbers)
    if node.set_numbers is not None:
        found["ns"] = _rung(node.set_numbers)
    if node.children is not None:
        inside = {name: _kept(child) for name, child in node.children.items()}
        found["f"] = {name: kept for name, kept in inside.items() if kept}
    for name, inner in (("v", node.values), ("e", node.element)):
        if inner is not None:
            found[name] = _kept(inner)
    # An open map stays open although it holds no numbers; all else that is empty says nothing.
    return {name: kept for name, kept in found.items() if kept or name == "v"}


def _node(found: Mapping[str, Any], *, is_item: bool = False) -> Node:
    node = Node(is_item=is_item)
    if "n" in found:
        node.numbers = _stats(found["n"])
    if "ns" in found:
        node.set_numbers = _stats(found["ns"])
    if "f" in found:
        node.children = {name: _node(inner) for name, inner in found["f"].items()}
    if "v" in found:
        node.values = _node(found["v"])
    if "e" in found:
        node.element = _node(found["e"])
    return node


def _rung(stats: NumberStats) -> str:
    """The type as text: `b` bigint, `B` bigint in odd spellings, `d12.2` decimal, `s` text."""
    number = narrowest(stats)
    if number == BIGINT:
        return "b" if stats.plain else "B"
    if number == STRING:
        return "s"
    return f"d{number.precision - number.scale}.{number.scale}"


def _stats(rung: str) -> NumberStats:
    """Numbers that need just this type.

    Raises:
        ValueError: It is not a rung.
    """
    if rung in {"b", "B"}:
        return NumberStats(whole=_BIGINT_DIGITS, plain=rung == "b")
    if rung == "s":
        return NumberStats(whole=MAX_PRECISION + 1, beyond_bigint=True, plain=False)
    if not rung.startswith("d"):
        raise ValueError(f"{rung!r} is not a number's type")
    whole, _, scale = rung[1:].partition(".")
    return NumberStats(int(whole), int(scale), beyond_bigint=True, plain=False)
