"""Which changes of a published table's columns can break a query that worked.

A new column, a new field of a row, a bigint that becomes a decimal and a decimal that gets more
digits break none. Everything else does: a row that becomes a map, a number that becomes text, a
value that becomes a row of several types, a field of another name.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.evolution import union
from ddb_assets.schema.field_names import all_keys
from ddb_assets.schema.hive_types import Array, HiveType, Map, Primitive, Struct, parse
from ddb_assets.schema.layout import TableLayout
from ddb_assets.schema.numbers import BIGINT, NumberType, widen
from ddb_assets.schema.paths import field_names
from ddb_assets.schema.shapes import item_shape
from ddb_assets.schema.typed_view import TypedView
from ddb_assets.schema.view_expressions import types_of
from ddb_assets.schema.view_memory import ViewMemory

_DECIMAL: Final = re.compile(r"decimal\((\d+),(\d+)\)")

#: Path of a column or field -> what becomes of it.
Changes = dict[str, str]
Columns = Sequence[tuple[str, str, str]]


def breaking_fields(
    existing: Columns,
    before: Sequence[Attribute],
    serde_library: str,
    serde_parameters: Mapping[str, str],
    layout: TableLayout,
) -> Changes:
    """What would break in the raw table.

    Args:
        existing: Its columns now.
        before: The attributes it was laid out for.
        serde_library: Of the table now.
        serde_parameters: Likewise.
        layout: What it is to become.
    """
    wanted = {name.lower(): type_ for name, type_, _ in layout.columns}
    found: Changes = {}
    for name, type_, _ in existing:
        if name.lower() in wanted:
            for change in union(type_, wanted[name.lower()])[1].retypings:
                path, _, types = change.partition(": ")
                found[f"{name}.{path}" if path else name] = types
    was = field_names(serde_library, serde_parameters)
    will = field_names(layout.serde_library, layout.serde_parameters)
    for key in all_keys(before):
        if was(key) != will(key):
            found[f"field {was(key)}"] = f"is called {will(key)}"
    return found


def breaking_columns(
    memory: ViewMemory,
    before: Sequence[Attribute],
    view: TypedView,
    field_name: Callable[[str], str],
) -> Changes:
    """What would break in the typed view.

    Args:
        memory: The view now.
        before: The attributes it was made for.
        view: What it is to become.
        field_name: Attribute name -> field of a row.
    """
    item = item_shape(before)
    shapes = {attribute.name: attribute.shape for attribute in item.fields or ()}
    after = {column.name: column.hive for column in view.columns}
    check = _Types(field_name)
    found: Changes = {}
    for column in memory.columns:
        will = after.get(column.name, column.type)
        # A column of which only NULL was ever seen has no value that could change its type.
        if not column.code or will == column.type:
            continue
        shape = shapes.get(column.attribute)
        was, becomes = parse(column.type), parse(will)
        if shape is None or column.code not in types_of(shape):
            breaks = not _same_or_wider(was, becomes)
        else:
            breaks = check.typed(column.code, shape, was, becomes)
        if breaks:
            found[column.name] = f"{column.type} -> {will}"
    return found


class _Types:
    """Walks a column's type before and after beside the shape it was made of."""

    def __init__(self, field_name: Callable[[str], str]) -> None:
        self._field_name = field_name

    def typed(self, code: str, shape: Shape, was: HiveType, will: HiveType) -> bool:
        """Whether a value of one type breaks."""
        if code == "M":
            return self._map(shape, was, will)
        if code == "L":
            if shape.element is None or shape.element == Shape():
                return not isinstance(will, Array)
            both = isinstance(was, Array) and isinstance(will, Array)
            return not both or self._value(shape.element, _inside(was), _inside(will))
        return not _same_or_wider(was, will)

    def _map(self, shape: Shape, was: HiveType, will: HiveType) -> bool:
        if not shape.fields and shape.values in {None, Shape()}:
            # Always empty so far: nobody can have read anything in it.
            return not isinstance(will, Map | Struct)
        if shape.values is not None:
            both = isinstance(was, Map) and isinstance(will, Map)
            return not both or self._value(shape.values, _inside(was), _inside(will))
        if not (isinstance(was, Struct) and isinstance(will, Struct)):
            return True
        had, has = dict(was.fields), dict(will.fields)
        for attribute in shape.fields or ():
            name = self._field_name(attribute.name)
            if name in had and (
                name not in has or self._value(attribute.shape, had[name], has[name])
            ):
                return True
        return False

    def _value(self, shape: Shape, was: HiveType, will: HiveType) -> bool:
        types = types_of(shape)
        if not types:
            return False
        if len(types) == 1:
            return self.typed(types[0], shape, was, will)
        if not (isinstance(was, Struct) and isinstance(will, Struct)):
            return True
        had, has = dict(was.fields), dict(will.fields)
        return any(
            code.lower() not in has or self.typed(code, shape, had[code.lower()], has[code.lower()])
            for code in types
            if code.lower() in had
        )


def _inside(type_: HiveType) -> HiveType:
    if isinstance(type_, Array):
        return type_.element
    return type_.value if isinstance(type_, Map) else type_


def _same_or_wider(was: HiveType, will: HiveType) -> bool:
    """Equal, or a number that holds all that the other one holds."""
    if isinstance(was, Array) and isinstance(will, Array):
        return _same_or_wider(was.element, will.element)
    if was.text == will.text:
        return True
    had, has = _number(was), _number(will)
    return had is not None and has is not None and widen(had, has) == has


def _number(type_: Any) -> NumberType | None:
    if not isinstance(type_, Primitive):
        return None
    if type_.name == BIGINT.hive:
        return BIGINT
    match = _DECIMAL.fullmatch(type_.name)
    return NumberType("decimal", int(match[1]), int(match[2])) if match else None
