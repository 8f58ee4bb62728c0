"""The typed view: real columns over the raw table, so that nobody reads a type descriptor.

Every attribute becomes a column under its field's name; one of several types becomes a column per
type. Numbers take the first exact rung of the ladder, binary is decoded, sets and lists are arrays,
maps with fixed keys are rows and maps with open keys are maps. The SQL is Trino's, as Athena
engine version 3 reads views.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ddb_assets.schema.attributes import Shape
from ddb_assets.schema.ddl import create_or_replace_view, quote_query
from ddb_assets.schema.declaration import ANY_KEY, SCALAR_CODES
from ddb_assets.schema.layout import TableLayout
from ddb_assets.schema.number_stats import NumberStats
from ddb_assets.schema.numbers import narrowest
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.profile_node import Node
from ddb_assets.schema.shapes import item_shape

#: Types of the raw table that need no conversion.
_AS_THEY_ARE = {"S": "varchar", "BOOL": "boolean", "SS": "array(varchar)"}

VIEW_SUFFIX = "_typed"

#: The raw table's alias: a table named `item` must not hide its own column.
_RAW = "raw"


@dataclass(frozen=True)
class ViewColumn:
    """One column of the view.

    Attributes:
        name: Legal and unique in the view.
        type: As queries name it: `bigint`, `array(varchar)`, `row("x" varchar)`.
        path: The attribute as DynamoDB spells it.
        expression: What it is made of.
    """

    name: str
    type: str
    path: str
    expression: str


@dataclass(frozen=True)
class TypedView:
    """The view's columns, and what they cannot show.

    Attributes:
        notes: Values the view does not tell apart; the raw table does.
    """

    columns: tuple[ViewColumn, ...]
    notes: tuple[str, ...]

    def select(self, database: str, table: str) -> str:
        """The query over the raw table."""
        columns = ",\n".join(f"  {c.expression} AS {quote_query(c.name)}" for c in self.columns)
        source = f"{quote_query(database)}.{quote_query(table)} AS {quote_query(_RAW)}"
        return f"SELECT\n{columns}\nFROM {source}"

    def ddl(self, database: str, table: str, *, view: str | None = None) -> str:
        """The statement that creates or replaces it.

        Raises:
            DeclarationError: It is longer than Athena takes.
        """
        name = view or f"{table}{VIEW_SUFFIX}"
        return create_or_replace_view(database, name, self.select(database, table))


def typed_view(layout: TableLayout, profile: Profile) -> TypedView:
    """The view over a raw table of this layout.

    Args:
        layout: Of the raw table.
        profile: Of the export it is at; decides the types of numbers. A number never seen in it
            (an attribute the export lacks, all NULL) is a bigint.
    """
    builder = _Builder(layout.field_name)
    item = item_shape(layout.attributes)
    column = f"{quote_query(_RAW)}.{quote_query('item')}"
    if item.values is not None or not item.fields:
        built = builder.map_(item, profile.item, column, 0)
        return TypedView((ViewColumn("item", built.type, ANY_KEY, built.sql),), ())
    taken = {layout.field_name(a.name) for a in item.fields if len(_types(a.shape)) < 2}
    columns: list[ViewColumn] = []
    notes: list[str] = []
    for attribute in item.fields:
        field = layout.field_name(attribute.name)
        node = _child(profile.item, attribute.name)
        value = f"{column}.{quote_query(field)}"
        types = _types(attribute.shape)
        if "NULL" in attribute.shape.scalars:
            notes.append(f"{attribute.name}: NULL and absent both read as NULL")
        if len(types) < 2:
            built = builder.value(attribute.shape, node, value, 0)
            columns.append(ViewColumn(field, built.type, attribute.name, built.sql))
            continue
        for code in types:
            name = _free(f"{field}_{code.lower()}", taken)
            taken.add(name)
            built = builder.of_type(code, attribute.shape, node, value, 0)
            columns.append(ViewColumn(name, built.type, f"{attribute.name} ({code})", built.sql))
    return TypedView(tuple(columns), tuple(notes))


@dataclass(frozen=True)
class _Expression:
    sql: str
    type: str


def _types(shape: Shape) -> list[str]:
    """The types that carry a value: all but NULL, in a fixed order."""
    found: list[str] = [c for c in SCALAR_CODES if c in shape.scalars and c != "NULL"]
    if shape.fields is not None or shape.values is not None:
        found.append("M")
    if shape.element is not None:
        found.append("L")
    return found


class _Builder:
    """Expressions for values, inside out; `depth` keeps lambda variables apart."""

    def __init__(self, field_name: Callable[[str], str]) -> None:
        self.field_name = field_name

    def value(self, shape: Shape, node: Node | None, sql: str, depth: int) -> _Expression:
        """The one value of a descriptor, or a row with one field per type."""
        types = _types(shape)
        if len(types) == 1:
            return self.of_type(types[0], shape, node, sql, depth)
        if not types:
            return _Expression("CAST(NULL AS varchar)", "varchar")
        members = [(c.lower(), self.of_type(c, shape, node, sql, depth)) for c in types]
        return _row(sql, members)

    def of_type(
        self, code: str, shape: Shape, node: Node | None, sql: str, depth: int
    ) -> _Expression:
        """The value as one of its types; NULL where it has another."""
        field = f"{sql}.{quote_query(code.lower())}"
        if code in {"M", "L"}:
            document = self.map_ if code == "M" else self._list
            return document(shape, node, field, depth)
        if code in {"NS", "BS"}:
            return _set(code, node, field, f"e{depth}")
        if code == "N":
            return _number(node.numbers if node else None, field)
        if code == "B":
            return _binary(field)
        return _Expression(field, _AS_THEY_ARE[code])

    def map_(self, shape: Shape, node: Node | None, sql: str, depth: int) -> _Expression:
        """A row for fixed keys, a map for open ones."""
        if shape.fields:
            members = [
                (
                    self.field_name(a.name),
                    self.value(
                        a.shape,
                        _child(node, a.name),
                        f"{sql}.{quote_query(self.field_name(a.name))}",
                        depth,
                    ),
                )
                for a in shape.fields
            ]
            return _row(sql, members)
        if shape.values is None or shape.values == Shape():
            return _Expression(sql, "map(varchar, varchar)")
        key, variable = f"k{depth}", f"v{depth}"
        inner = self.value(shape.values, _values(node), variable, depth + 1)
        return _Expression(
            f"transform_values({sql}, ({key}, {variable}) -> {inner.sql})",
            f"map(varchar, {inner.type})",
        )

    def _list(self, shape: Shape, node: Node | None, sql: str, depth: int) -> _Expression:
        if shape.element is None or shape.element == Shape():
            return _Expression(sql, "array(varchar)")
        variable = f"e{depth}"
        inner = self.value(shape.element, node.element if node else None, variable, depth + 1)
        return _Expression(f"transform({sql}, {variable} -> {inner.sql})", f"array({inner.type})")


def _set(code: str, node: Node | None, sql: str, variable: str) -> _Expression:
    if code == "BS":
        inner = _binary(variable)
    else:
        inner = _number(node.set_numbers if node else None, variable)
    array = f"array({inner.type})"
    if inner.sql == variable:
        return _Expression(sql, array)
    return _Expression(f"transform({sql}, {variable} -> {inner.sql})", array)


def _binary(sql: str) -> _Expression:
    return _Expression(f"from_base64({sql})", "varbinary")


def _number(stats: NumberStats | None, sql: str) -> _Expression:
    number = narrowest(stats or NumberStats())
    if number.kind == "string":
        return _Expression(sql, number.query)
    if number.kind == "bigint" and stats is not None and not stats.plain:
        # A cast from text to bigint refuses `1E3` and `7.0`; the decimal in between does not.
        return _Expression(f"CAST(CAST({sql} AS decimal(38,0)) AS bigint)", number.query)
    return _Expression(f"CAST({sql} AS {number.query})", number.query)


def _row(sql: str, members: Sequence[tuple[str, _Expression]]) -> _Expression:
    """A row that is NULL where its source is, not a row of NULLs."""
    values = ", ".join(member.sql for _, member in members)
    inside = ", ".join(f"{quote_query(name)} {member.type}" for name, member in members)
    row = f"row({inside})"
    return _Expression(f"IF({sql} IS NOT NULL, CAST(ROW({values}) AS {row}))", row)


def _child(node: Node | None, name: str) -> Node | None:
    """The profile's node of a key; the one for all keys where they are open."""
    if node is None or node.children is None:
        return node.values if node else None
    return node.children.get(name)


def _values(node: Node | None) -> Node | None:
    """The profile's node of all values of a map whose keys the layout has opened."""
    if node is None or node.children is None:
        return node.values if node else None
    together = Node()
    for child in node.children.values():
        together.absorb(child)
    return together


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
