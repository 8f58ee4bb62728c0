"""A profile as a list of places: each path, what was seen there, and what a query reads it as."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ddb_assets.schema.attributes import Shape
from ddb_assets.schema.declaration import ANY_KEY, SCALAR_CODES
from ddb_assets.schema.layout import TableLayout
from ddb_assets.schema.number_stats import NumberStats
from ddb_assets.schema.numbers import narrowest
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.profile_node import Node
from ddb_assets.schema.query_types import query_type
from ddb_assets.schema.shapes import item_shape
from ddb_assets.schema.typed_view import TypedView
from ddb_assets.schema.view_expressions import ExpressionBuilder, child, types_of
from ddb_assets.schema.view_memory import all_values

_ORDER = (*SCALAR_CODES, "M", "L")


@dataclass(frozen=True)
class Place:
    """One attribute path.

    Attributes:
        path: In DynamoDB's spelling: `address.zip`, `lines[].sku`, `prices.*` for any key.
        depth: 1 for the item's own attributes.
        types: (DynamoDB's type code, how many values had it).
        of: How many maps could have it; None where that says nothing: elements, values of any key.
        numbers: Digits of the numbers, those in sets included.
        columns: (column of the typed view, its type); below the item's own attributes (the field,
            its type). Empty where only NULL was seen.
        notes: What a reader should know of it.
    """

    path: str
    depth: int
    types: tuple[tuple[str, int], ...]
    of: int | None = None
    numbers: NumberStats | None = None
    columns: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many values were seen."""
        return sum(count for _, count in self.types)

    @property
    def presence(self) -> float | None:
        """In which part of the items (or maps around it) it is there."""
        return self.count / self.of if self.of else None

    @property
    def digits(self) -> str:
        """Digits before and after the point that hold every number: `10`, `2+2`, or nothing."""
        if self.numbers is None:
            return ""
        fraction = f"+{self.numbers.fraction}" if self.numbers.fraction else ""
        return f"{self.numbers.whole}{fraction}"


def places(profile: Profile, layout: TableLayout, view: TypedView) -> tuple[Place, ...]:
    """Every place of the items, in the layout's order, also the declared ones that no item has.

    Args:
        profile: What the items hold.
        layout: Of the raw table; names its attributes.
        view: Over that layout.
    """
    walk = _Walk(layout, view)
    item, node = item_shape(layout.attributes), profile.item
    return tuple(walk.map_(item, node, view.memory.numbers, "", 1))


class _Walk:
    """Goes down what was seen and what it is read as, side by side."""

    def __init__(self, layout: TableLayout, view: TypedView) -> None:
        self._field_name = layout.field_name
        self._builder = ExpressionBuilder(layout.field_name)
        self._columns: dict[str, list[tuple[str, str]]] = {}
        for column in view.columns:
            self._columns.setdefault(column.attribute, []).append((column.name, column.type))

    def map_(
        self, shape: Shape, node: Node | None, numbers: Node | None, path: str, depth: int
    ) -> Iterator[Place]:
        prefix = f"{path}." if path else ""
        if shape.values is not None:
            values = all_values(node)
            keys = len(node.children) if node is not None and node.children else None
            note = "any key" if keys is None else f"any of {keys:,} keys"
            found = self._place(
                shape.values, values, all_values(numbers), f"{prefix}{ANY_KEY}", ANY_KEY, depth
            )
            first, *rest = found
            yield replace(first, notes=(note, *first.notes))
            yield from rest
            return
        maps = node.counts.get("M", 0) if node is not None else 0
        opened = node is not None and node.values is not None
        for attribute in shape.fields or ():
            name = attribute.name
            first, *rest = self._place(
                attribute.shape,
                None if node is None or node.children is None else node.children.get(name),
                child(numbers, name),
                f"{prefix}{name}",
                name,
                depth,
            )
            if opened:
                yield replace(first, notes=("its map has too many keys to count each",))
                continue
            yield replace(first, of=maps or None)
            yield from rest

    def _place(  # noqa: PLR0917 - as `map_`
        self,
        shape: Shape,
        node: Node | None,
        numbers: Node | None,
        path: str,
        name: str,
        depth: int,
    ) -> Iterator[Place]:
        counts = node.counts if node is not None else {}
        stats = _stats(node)
        yield Place(
            path,
            depth,
            tuple((code, counts[code]) for code in _ORDER if code in counts),
            numbers=stats,
            columns=self._read_as(shape, numbers, name, depth),
            notes=tuple(self._notes(shape, node, stats, name, depth)),
        )
        if shape.fields or (shape.values is not None and shape.values != Shape()):
            yield from self.map_(shape, node, numbers, path, depth + 1)
        if shape.element is not None and shape.element != Shape():
            yield from self._place(
                shape.element,
                node.element if node is not None else None,
                numbers.element if numbers is not None else None,
                f"{path}[]",
                "",
                depth + 1,
            )

    def _read_as(
        self, shape: Shape, numbers: Node | None, name: str, depth: int
    ) -> tuple[tuple[str, str], ...]:
        if depth == 1:
            return tuple(self._columns.get(name, ()))
        if not types_of(shape):
            return ()
        read = self._builder.value(shape, numbers, "", 0).type
        field = self._field_name(name) if name not in {"", ANY_KEY} else ""
        return ((field, query_type(read)),)

    def _notes(
        self, shape: Shape, node: Node | None, stats: NumberStats | None, name: str, depth: int
    ) -> Iterator[str]:
        if node is None or not node.total:
            yield "in no item"
            return
        types = [code for code in node.counts if code != "NULL"]
        if len(types) > 1:
            single = len(self._columns.get(name, ())) == 1
            as_json = depth == 1 and name != ANY_KEY and single
            yield f"mixed: {len(types)} types{', as JSON' if as_json else ''}"
        if not types:
            yield "always NULL"
        elif "NULL" in node.counts:
            yield "NULL reads as absent"
        if depth == 1 and len(columns := self._columns.get(name, ())) == 1:
            if name != ANY_KEY and columns[0][0] != name.lower():
                yield "renamed"
        elif depth > 1 and name not in {"", ANY_KEY} and self._field_name(name) != name.lower():
            yield "renamed"
        if stats is not None and narrowest(stats).kind == "string":
            yield "text: no decimal has so many digits"
        if _always_empty(shape.fields, shape.values) or shape.element == Shape():
            yield "always empty"


def _always_empty(fields: Sequence[object] | None, values: Shape | None) -> bool:
    return (fields is not None and not fields) or values == Shape()


def _stats(node: Node | None) -> NumberStats | None:
    if node is None or (node.numbers is None and node.set_numbers is None):
        return None
    together = NumberStats()
    for stats in (node.numbers, node.set_numbers):
        if stats is not None:
            together.absorb(stats)
    return together
