"""What to read and what to make of it: shapes, digits and options turned into a tree of plans.

Each plan is one place an attribute value can be. The decoder reads from it which members a
descriptor (`{"S": …}`) may have; the converter, which Arrow type each becomes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ddb_assets.reading.extras import DataType, load
from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.declaration import ANY_KEY, SCALAR_CODES
from ddb_assets.schema.number_stats import NumberStats
from ddb_assets.schema.numbers import MAX_PRECISION, narrowest
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.profile_node import Node
from ddb_assets.schema.shapes import item_shape

Mixed = Literal["columns", "json"]
#: Arrow, "Decimal256": at most 76 digits.
MAX_WIDE_PRECISION = 76


@dataclass(frozen=True)
class Options:
    """How values become columns.

    Attributes:
        numbers: An Arrow type for every number; None takes the narrowest exact one of each place.
        mixed: A column per type, or the descriptor's JSON text, where values have several types.
        null_flags: Whether a field `NAME_NULL` tells NULL from absent.
        wide_decimals: Whether decimal256 may be used; if not, such numbers are text.
        strict: Whether what the plan does not foresee is an error, or passed over.
    """

    numbers: DataType | None = None
    mixed: Mixed = "columns"
    null_flags: bool = True
    wide_decimals: bool = True
    strict: bool = False


@dataclass(frozen=True)
class Plan:
    """One place a value can be.

    Attributes:
        types: Types that carry a value, in a fixed order: all but NULL.
        null: Whether NULL is to be told from absent here.
        accept_null: Whether the decoder looks for NULL at all.
        text: Whether the descriptor is kept as JSON text and nothing else is read.
        fields: Of a map with fixed keys.
        values: Of a map with open keys.
        element: Of a list; a plan without types for a list that is always empty.
        number: Arrow type of N.
        set_number: Arrow type of the elements of NS.
    """

    types: tuple[str, ...] = ()
    null: bool = False
    accept_null: bool = True
    text: bool = False
    fields: "tuple[tuple[str, Plan], ...] | None" = None
    values: "Plan | None" = None
    element: "Plan | None" = None
    number: DataType | None = None
    set_number: DataType | None = None

    @property
    def plain(self) -> bool:
        """Whether an Arrow struct type describes all of it: no open keys, no text, inside it."""
        if self.text or self.values is not None:
            return False
        inside = [plan for _, plan in self.fields or ()]
        if self.element is not None:
            inside.append(self.element)
        return all(plan.plain for plan in inside)


#: One value as the text of its descriptor.
TEXT = Plan(text=True)


def raw_plan(names: Sequence[str]) -> Plan:
    """The item with every attribute as text."""
    return Plan(types=("M",), fields=tuple((name, TEXT) for name in names))


def item_plan(attributes: Sequence[Attribute], profile: Profile | None, options: Options) -> Plan:
    """The item as a map.

    Args:
        attributes: What to read.
        profile: Decides the types of numbers; a number never seen in it is an int64.
        options: How values become columns.
    """
    builder = _Builder(options)
    return builder.plan(item_shape(attributes), profile.item if profile else None, is_item=True)


class _Builder:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._pa = load("pyarrow")

    def plan(self, shape: Shape, node: Node | None, *, is_item: bool = False) -> Plan:
        types: list[str] = [c for c in SCALAR_CODES if c in shape.scalars and c != "NULL"]
        if shape.fields is not None or shape.values is not None:
            types.append("M")
        if shape.element is not None:
            types.append("L")
        if len(types) > 1 and self._options.mixed == "json":
            return TEXT
        fields = None
        if shape.fields is not None:
            fields = tuple((a.name, self.plan(a.shape, child(node, a.name))) for a in shape.fields)
        has_null = "NULL" in shape.scalars
        return Plan(
            types=tuple(types),
            null=has_null and self._options.null_flags and not is_item,
            accept_null=(has_null or not self._options.strict) and not is_item,
            fields=fields,
            values=None if shape.values is None else self.plan(shape.values, all_values(node)),
            element=None
            if shape.element is None
            else self.plan(shape.element, node.element if node else None),
            number=self._number(node.numbers if node else None) if "N" in types else None,
            set_number=self._number(node.set_numbers if node else None) if "NS" in types else None,
        )

    def _number(self, stats: NumberStats | None) -> DataType:
        if self._options.numbers is not None:
            return self._options.numbers
        stats = stats or NumberStats()
        found = narrowest(stats)
        if found.kind == "bigint":
            return self._pa.int64()
        if found.kind == "decimal":
            return self._pa.decimal128(found.precision, found.scale)
        wide = max(stats.whole + stats.fraction, 1)
        if self._options.wide_decimals and MAX_PRECISION < wide <= MAX_WIDE_PRECISION:
            return self._pa.decimal256(wide, stats.fraction)
        return self._pa.string()


def child(node: Node | None, name: str) -> Node | None:
    """The profile's node of a key; the one for all keys where they are open."""
    if node is None or node.children is None:
        return node.values if node else None
    return node.children.get(name)


def all_values(node: Node | None) -> Node | None:
    """The profile's node of all values of a map with open keys."""
    if node is None or node.children is None:
        return node.values if node else None
    together = Node()
    for each in node.children.values():
        together.absorb(each)
    return together


def needs_numbers(attributes: Sequence[Attribute]) -> bool:
    """Whether there is any number whose digits somebody has to count."""
    return _has_numbers(item_shape(attributes))


def _has_numbers(shape: Shape) -> bool:
    inside = [a.shape for a in shape.fields or ()]
    inside += [s for s in (shape.values, shape.element) if s is not None]
    return bool(shape.scalars & {"N", "NS"}) or any(map(_has_numbers, inside))


def is_open_item(attributes: Sequence[Attribute]) -> bool:
    """Whether the item itself has open keys."""
    return len(attributes) == 1 and attributes[0].name == ANY_KEY
