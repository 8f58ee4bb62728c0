"""The typed view: real columns over the raw table, so that nobody reads a type descriptor.

Every attribute becomes a column under its field's name; one of several types becomes a column per
type, or one of JSON. Numbers take the first exact rung of the ladder, binary is decoded, sets and
lists are arrays, maps with fixed keys are rows and maps with open keys are maps. A column once
there stays, under its name, and only gets wider. The SQL is Trino's, as Athena engine version 3
reads views.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.ddl import create_or_replace_view, quote_query, string_query
from ddb_assets.schema.declaration import ANY_KEY
from ddb_assets.schema.hive_types import parse
from ddb_assets.schema.layout import TableLayout
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.profile_node import Node
from ddb_assets.schema.query_types import query_type
from ddb_assets.schema.shapes import item_shape
from ddb_assets.schema.unrepresented import keys_renamed_in_json, nulls_read_as_absent
from ddb_assets.schema.view_expressions import (
    JSON_CODE,
    Expression,
    ExpressionBuilder,
    absent,
    child,
    types_of,
)
from ddb_assets.schema.view_memory import (
    KnownColumn,
    ViewMemory,
    all_values,
    any_numbers,
    settle,
    widened,
)

#: What an attribute of several types becomes.
MixedTypes = Literal["columns", "json"]

VIEW_SUFFIX = "_typed"
#: Of the Parquet table with the view's columns.
COPY_SUFFIX = "_parquet"

#: The raw table's alias: a table named `item` must not hide its own column.
_RAW = "raw"
_NOTHING = ViewMemory()


@dataclass(frozen=True)
class ViewColumn:
    """One column of the view.

    Attributes:
        name: Legal and unique in the view.
        type: As queries name it: `bigint`, `array(varchar)`, `row("x" varchar)`.
        path: The attribute as DynamoDB spells it, and its type where it is one of several.
        expression: What it is made of.
        hive: The type as Glue keeps it.
        attribute: The attribute alone.
        code: The type it shows; empty where only NULL was ever seen.
    """

    name: str
    type: str
    path: str
    expression: str
    hive: str = "string"
    attribute: str = ""
    code: str = ""


@dataclass(frozen=True)
class TypedView:
    """The view's columns, and what they cannot show.

    Attributes:
        notes: Values the view does not tell apart (the raw table does), and columns that changed.
        memory: To be kept on the view for the next time.
    """

    columns: tuple[ViewColumn, ...]
    notes: tuple[str, ...]
    memory: ViewMemory = field(default_factory=ViewMemory)

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


def typed_view(
    layout: TableLayout,
    profile: Profile | None,
    *,
    memory: ViewMemory = _NOTHING,
    mixed: MixedTypes = "columns",
) -> TypedView:
    """The view over a raw table of this layout.

    Args:
        layout: Of the raw table.
        profile: Of the export it is at; decides the types of numbers. A number never seen in it
            (an attribute the export lacks, all NULL) is a bigint. None if nobody has read the
            items: then numbers are text.
        memory: What the view was before.
        mixed: One column per type, or one of JSON text, for attributes of several types.

    Raises:
        CatalogConflictError: The memory holds a type that is none.
    """
    found = any_numbers(layout.attributes) if profile is None else profile.item
    numbers = widened(memory, found)
    item = item_shape(layout.attributes)
    settle(item, numbers)
    columns = _Columns(layout, numbers, memory, mixed)
    if item.values is not None or not item.fields:
        columns.whole_item(item)
    else:
        for attribute in item.fields:
            columns.attribute(attribute, layout.field_name(attribute.name))
    made = columns.in_order()
    kept = tuple(KnownColumn(c.name, c.attribute, c.code, c.hive) for c in made)
    unseen = nulls_read_as_absent(item, json_columns=mixed == "json")
    renamed = keys_renamed_in_json(item, layout.field_name) if mixed == "json" else ()
    notes = (
        *(f"{path}: NULL and absent both read as NULL" for path in unseen),
        *(f"{path}: spelled {field} in its column of JSON" for path, field in renamed),
        *_changes(memory.columns, made),
    )
    return TypedView(made, notes, ViewMemory(kept, numbers))


class _Columns:
    """Collects the columns; what the view had keeps its name."""

    def __init__(
        self, layout: TableLayout, numbers: Node, memory: ViewMemory, mixed: MixedTypes
    ) -> None:
        self._builder = ExpressionBuilder(layout.field_name)
        self._numbers = numbers
        self._mixed = mixed
        self._item = f"{quote_query(_RAW)}.{quote_query('item')}"
        self._known = memory.columns
        self._made: dict[str, ViewColumn] = {}
        item = item_shape(layout.attributes)
        single = (a for a in item.fields or () if len(types_of(a.shape)) < 2)
        self._reserved = {layout.field_name(a.name): a.name for a in single}
        self._taken = {column.name for column in memory.columns}

    def whole_item(self, item: Shape) -> None:
        """An item with open keys is one map; columns from before read their key of it."""
        built = self._builder.map_(item, self._numbers, self._item, 0)
        self._add(ANY_KEY, "M", ANY_KEY, built, "item")
        shape, node = item.values or Shape(), all_values(self._numbers)
        for known in self._known:
            if known.attribute == ANY_KEY:
                continue
            value = f"element_at({self._item}, {string_query(known.attribute)})"
            built = self._of(known.code, shape, node, value, known)
            self._put(known.name, known.attribute, known.code, known.attribute, built)

    def attribute(self, attribute: Attribute, name: str) -> None:
        """The column or columns of one attribute of fixed name."""
        shape, node = attribute.shape, child(self._numbers, attribute.name)
        value = f"{self._item}.{quote_query(name)}"
        known = {c.code: c for c in self._known if c.attribute == attribute.name}
        types = types_of(shape)
        codes = types if len(types) < 2 or self._mixed == "columns" else [JSON_CODE]
        codes = [*(code for code in known if code and code not in codes), *codes] or [""]
        plain = not any(known) and len(codes) == 1
        for code in codes:
            path = attribute.name if len(codes) == 1 else f"{attribute.name} ({code})"
            built = self._of(code, shape, node, value, known.get(code))
            if code in known:
                self._put(known[code].name, attribute.name, code, path, built)
            elif plain and "" in known:
                # So far it was NULL in every item: the column gets its type now.
                self._put(known[""].name, attribute.name, code, path, built)
            else:
                wanted = name if plain else f"{name}_{code.lower()}"
                self._add(attribute.name, code, path, built, wanted)

    def in_order(self) -> tuple[ViewColumn, ...]:
        """Columns from before in their order, those without an attribute as NULL; then new ones."""
        ordered: list[ViewColumn] = []
        for known in self._known:
            column = self._made.pop(known.name, None)
            if column is not None:
                ordered.append(column)
            elif known.code:
                built = absent(parse(known.type))
                ordered.append(_column(known.name, known.attribute, known.code, None, built))
        return (*ordered, *self._made.values())

    def _of(
        self, code: str, shape: Shape, node: Node | None, value: str, known: KnownColumn | None
    ) -> Expression:
        types = types_of(shape)
        if code == JSON_CODE and types:
            return self._builder.json(shape, value)
        if code in types:
            return self._builder.of_type(code, shape, node, value, 0)
        return absent(parse(known.type if known else "string"))

    def _add(self, attribute: str, code: str, path: str, built: Expression, wanted: str) -> None:
        known = next((c for c in self._known if (c.attribute, c.code) == (attribute, code)), None)
        name = known.name if known is not None else self._free(wanted, attribute)
        self._taken.add(name)
        self._put(name, attribute, code, path, built)

    def _put(self, name: str, attribute: str, code: str, path: str, built: Expression) -> None:
        self._made[name] = _column(name, attribute, code, path, built)

    def _free(self, name: str, attribute: str) -> str:
        while name in self._taken or self._reserved.get(name, attribute) != attribute:
            name += "_"
        return name


def _column(
    name: str, attribute: str, code: str, path: str | None, built: Expression
) -> ViewColumn:
    return ViewColumn(
        name=name,
        type=query_type(built.type),
        path=attribute if path is None else path,
        expression=built.sql,
        hive=built.type.text,
        attribute=attribute,
        code=code,
    )


def _changes(before: Sequence[KnownColumn], after: Sequence[ViewColumn]) -> tuple[str, ...]:
    """What a reader of the view may notice."""
    types = {column.name: column.type for column in before}
    return tuple(
        f"changed: {column.name}: {types[column.name]} -> {column.hive}"
        for column in after
        if types.get(column.name, column.hive) != column.hive
    )
