"""The C extension as decoder of blocks: plans into the tuples it compiles, columns into Arrow.

It declines whatever it does not understand at once: a line that is no item, one written as no
export writes it, a type that was not planned. What it declines, pyarrow's way (`decode`, `convert`)
decides, with the same values and every error. So the extension only ever makes it faster; without
it, or without a compiler to build it, the results are the same (docs/adr/0008).
"""

import importlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Self

from ddb_assets.reading.convert import JSON_TYPE, Converter
from ddb_assets.reading.extras import Array, DataType, Schema, load
from ddb_assets.reading.plan import Plan

#: csrc/item.h, Type.
_TYPES: Final = ("S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M")
#: csrc/column.h, ColumnKind.
_TEXT, _BINARY, _NUMBER_TEXT, _BOOLEAN, _INT64, _DECIMAL128, _DECIMAL256 = range(7)
_LIST, _MAP, _STRUCT = range(7, 10)
_NO_COLUMN: Final = -1
#: Arrow imports 64 levels of arrays inside each other; 32 levels of items can be more.
_MOST_LEVELS: Final = 60


@cache
def extension() -> Any:
    """The extension module; None where it was not built."""
    try:
        return importlib.import_module("ddb_assets.reading._native")
    except ModuleNotFoundError:
        return None
    except ImportError as error:
        warnings.warn(
            f"the reader's C extension cannot be loaded, reading is slower without: {error}",
            RuntimeWarning,
            stacklevel=2,
        )
        return None


def gathered(pieces: Sequence[bytes | memoryview]) -> tuple[bytes, int]:
    """All pieces as one, and how many line feeds are in it; without the interpreter's lock."""
    module = extension()
    if module is not None:
        return module.gather(tuple(pieces))
    lines = b"".join(pieces)
    return lines, lines.count(b"\n")


class NativeDecoder:
    """Decodes blocks for one plan.

    Args:
        plan: The item, as a map.
        converter: Of the same plan; decides names, order and types of the columns.
        strict: Whether an attribute the plan does not have is declined, or passed over.
    """

    def __init__(self, plan: Plan, converter: Converter, *, strict: bool) -> None:
        self._extension = extension()
        self._plan = self._extension.plan(_Compiler(converter).compile(plan, strict=strict))
        self._schema = converter.schema
        self._array: Any = load("pyarrow").array

    @classmethod
    def of(cls, plan: Plan, converter: Converter, *, strict: bool) -> Self | None:
        """None where there is no extension, or where it has no form for the plan."""
        if extension() is None:
            return None
        try:
            return cls(plan, converter, strict=strict)
        except _NoFormError:
            return None

    def columns(self, lines: bytes) -> list[Array] | None:
        """The arrays of the schema's fields; None if the extension declines the lines."""
        return _imported(self._array, self._extension.decode(self._plan, lines), self._schema)


class NativeItemTexts:
    """Decodes the item as one text.

    Args:
        schema: Of its one column.
    """

    def __init__(self, schema: Schema) -> None:
        self._extension = extension()
        item = _place(text=0)
        self._plan = self._extension.plan((((_TEXT, 0, 0, ()),), True, item, (0,)))
        self._schema = schema
        self._array: Any = load("pyarrow").array

    @classmethod
    def of(cls, schema: Schema) -> Self | None:
        """None where there is no extension."""
        return None if extension() is None else cls(schema)

    def columns(self, lines: bytes) -> list[Array] | None:
        """The one array; None if the extension declines the lines."""
        return _imported(self._array, self._extension.decode(self._plan, lines), self._schema)


@dataclass(frozen=True)
class _Exported:
    """An array in the Arrow PyCapsule interface (Arrow, "The Arrow PyCapsule Interface")."""

    field: Any
    array: Any

    def __arrow_c_array__(self, requested_schema: Any = None) -> tuple[Any, Any]:
        """Type and data."""
        return self.field.__arrow_c_schema__(), self.array


def _imported(array: Any, capsules: list[Any] | None, schema: Schema) -> list[Array] | None:
    if capsules is None:
        return None
    return [array(_Exported(field, each)) for field, each in zip(schema, capsules, strict=True)]


class _NoFormError(Exception):
    """The extension has no column for a type."""


class _Compiler:
    """A plan as tuples, its Arrow columns numbered, those inside another before it."""

    def __init__(self, converter: Converter) -> None:
        self._converter = converter
        self._pa: Any = load("pyarrow")
        self._columns: list[tuple[int, int, int, tuple[int, ...]]] = []
        self._levels: list[int] = []

    def compile(self, plan: Plan, *, strict: bool) -> Any:
        """What the extension's `plan` takes."""
        if plan.values is not None:
            column, inside = self._value("M", plan)
            outputs = (column,)
        else:
            fields, outputs = self._fields(plan.fields or ())
            column, inside = self._column(_STRUCT, outputs), {"fields": fields}
        item = _place(columns={"M": column}, **inside)
        return tuple(self._columns), strict, item, outputs

    def _column(
        self, kind: int, children: Sequence[int] = (), precision: int = 0, scale: int = 0
    ) -> int:
        inside = max((self._levels[child] for child in children), default=0)
        # The entries of a map are a level of their own.
        self._levels.append(inside + (2 if kind == _MAP else 1))
        if self._levels[-1] > _MOST_LEVELS:
            raise _NoFormError
        self._columns.append((kind, precision, scale, tuple(children)))
        return len(self._columns) - 1

    def _fields(self, fields: Sequence[tuple[str, Plan]]) -> tuple[Any, tuple[int, ...]]:
        """The keys with their places, and the columns in the order of the schema."""
        places: list[dict[str, Any]] = [{"columns": {}} for _ in fields]
        order: list[int] = []
        for column in self._converter.layout(fields):
            plan, place = fields[column.position][1], places[column.position]
            place["accepts_null"] = plan.accept_null
            if column.code in {"", JSON_TYPE}:
                made = self._column(_TEXT)
                if column.code:
                    place["text"] = made
            elif column.code == "NULL":
                made = place["null_flag"] = self._column(_BOOLEAN)
            else:
                made, inside = self._value(column.code, plan)
                place["columns"][column.code] = made
                place |= inside
            order.append(made)
        names = tuple(name for name, _ in fields)
        return (names, tuple(_place(**place) for place in places)), tuple(order)

    def _element(self, plan: Plan) -> tuple[Any, int]:
        """What has no name of its own, and the column of all such values."""
        if plan.text:
            made = self._column(_TEXT)
            return _place(text=made), made
        if not plan.types:
            return _place(accepts_null=plan.accept_null), self._column(_TEXT)
        columns: dict[str, int] = {}
        inside: dict[str, Any] = {}
        for code in plan.types:
            columns[code], found = self._value(code, plan)
            inside |= found
        made = columns[plan.types[0]]
        if len(plan.types) > 1:
            made = inside["around"] = self._column(_STRUCT, tuple(columns.values()))
        return _place(columns=columns, accepts_null=plan.accept_null, **inside), made

    def _value(self, code: str, plan: Plan) -> tuple[int, dict[str, Any]]:
        """The column of one type's values, and what the place knows of what is inside them."""
        if code == "N":
            return self._number(plan.number), {}
        if code in {"SS", "NS", "BS"}:
            simple = {"SS": _TEXT, "BS": _BINARY}
            inside = self._column(simple[code]) if code in simple else self._number(plan.set_number)
            return self._column(_LIST, (inside,)), {}
        if code == "L":
            assert plan.element is not None
            element, inside = self._element(plan.element)
            return self._column(_LIST, (inside,)), {"element": element}
        if code == "M":
            return self._map(plan)
        return self._column({"S": _TEXT, "B": _BINARY, "BOOL": _BOOLEAN}[code]), {}

    def _map(self, plan: Plan) -> tuple[int, dict[str, Any]]:
        if plan.values is not None:
            values, inside = self._element(plan.values)
            return self._column(_MAP, (self._column(_TEXT), inside)), {"values": values}
        if any("\0" in name for name, _ in plan.fields or ()):
            raise _NoFormError  # the name of a struct's field is a C string
        fields, columns = self._fields(plan.fields or ())
        if columns:
            return self._column(_STRUCT, columns), {"fields": fields}
        # A map that was empty in every item has entries of text, and none of them.
        return self._column(_MAP, (self._column(_TEXT), self._column(_TEXT))), {"fields": fields}

    def _number(self, kind: DataType) -> int:
        types = self._pa.types
        if types.is_int64(kind):
            return self._column(_INT64)
        if types.is_decimal128(kind):
            return self._column(_DECIMAL128, (), kind.precision, kind.scale)
        if types.is_decimal256(kind):
            return self._column(_DECIMAL256, (), kind.precision, kind.scale)
        if types.is_string(kind):
            return self._column(_NUMBER_TEXT)
        raise _NoFormError


def _place(
    *,
    text: int = _NO_COLUMN,
    around: int = _NO_COLUMN,
    null_flag: int = _NO_COLUMN,
    accepts_null: bool = False,
    columns: dict[str, int] | None = None,
    fields: Any = None,
    values: Any = None,
    element: Any = None,
) -> tuple[Any, ...]:
    """csrc/plan.h, Place."""
    numbers = tuple((columns or {}).get(code, _NO_COLUMN) for code in _TYPES)
    return (text, around, null_flag, accepts_null, numbers, fields, values, element)
