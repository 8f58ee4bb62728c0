"""Arrow structs of descriptors into typed columns, and the schema these have.

Every attribute is one field of its own name, except:

- one of several types is a field per type, `NAME_S`, `NAME_N`, … of which at most one is not null;
- one that can be NULL has a field `NAME_NULL` beside it, true for NULL and null otherwise.

A name that is taken gets underscores. The metadata of a field says what it is: `dynamodb.attribute`
(the exact name) and `dynamodb.type` (JSON for text with the type in it; empty if only NULL was
seen). Inside lists and open maps an element of several types is a struct with a field per type,
`dynamodb.type` is then `S|N`, and NULL is a null element: there is nothing else it could mean.
A map that was empty in every item is a map without entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ddb_assets.reading import values
from ddb_assets.reading.extras import Array, DataType, Schema, load
from ddb_assets.reading.plan import Plan
from ddb_assets.reading.values import BadValueError

ATTRIBUTE_KEY: Final = b"dynamodb.attribute"
TYPE_KEY: Final = b"dynamodb.type"
#: The column of an item with open keys, or of the item's text.
ITEM_COLUMN: Final = "Item"
#: `dynamodb.type` of a descriptor kept as JSON text.
JSON_TYPE: Final = "JSON"


@dataclass(frozen=True)
class Column:
    """One field made of an attribute.

    Attributes:
        name: Unique among its siblings.
        position: Which of the plan's fields it is of.
        code: The DynamoDB type it shows; NULL for the flag, JSON for text, empty for no type.
        type: The Arrow type.
    """

    name: str
    position: int
    code: str
    type: DataType


class Converter:
    """Converts what a `Decoder` of the same plan decoded."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._pa: Any = load("pyarrow")
        self._compute: Any = load("pyarrow.compute")
        self._np: Any = load("numpy")
        self.schema: Schema = self._schema()

    def columns(self, items: Array) -> list[Array]:
        """The arrays of the schema's fields.

        Raises:
            BadValueError: A value is not what its type says, or of a type that was not planned.
        """
        if self._plan.values is not None:
            return [self._map(items, self._plan)]
        return self._fields(items, self._plan.fields or ())

    def _schema(self) -> Schema:
        if self._plan.values is not None:
            return self._pa.schema(
                [self._element_of(ITEM_COLUMN, "M", self._type("M", self._plan))]
            )
        return self._pa.schema(self._arrow_fields(self._plan.fields or ()))

    def _arrow_fields(self, fields: Sequence[tuple[str, Plan]]) -> list[Any]:
        return [
            self._pa.field(
                column.name,
                column.type,
                metadata={
                    ATTRIBUTE_KEY: fields[column.position][0].encode("utf-8", "surrogatepass"),
                    TYPE_KEY: column.code.encode(),
                },
            )
            for column in self.layout(fields)
        ]

    def layout(self, fields: Sequence[tuple[str, Plan]]) -> list[Column]:
        """The fields made of a map's keys, in order.

        Plain names come first, so that only made-up ones ever give way.
        """
        taken = {name for name, plan in fields if plan.text or len(plan.types) < 2}
        columns: list[Column] = []
        for position, (name, plan) in enumerate(fields):
            if plan.text:
                columns.append(Column(name, position, JSON_TYPE, self._pa.string()))
                continue
            if len(plan.types) < 2:
                code = plan.types[0] if plan.types else ""
                columns.append(Column(name, position, code, self._type(code, plan)))
            codes = [*(plan.types if len(plan.types) > 1 else ()), *(["NULL"] if plan.null else [])]
            for code in codes:
                free = f"{name}_{code}"
                while free in taken:
                    free += "_"
                taken.add(free)
                columns.append(Column(free, position, code, self._type(code, plan)))
        return columns

    def _type(self, code: str, plan: Plan) -> DataType:
        pa = self._pa
        if code == "N":
            return plan.number
        if code == "NS":
            return pa.list_(plan.set_number)
        if code == "L":
            assert plan.element is not None
            return pa.list_(self._element_field("item", plan.element))
        if code == "M" and plan.fields:
            return pa.struct(self._arrow_fields(plan.fields))
        if code == "M":
            return pa.map_(pa.string(), self._element_field("value", plan.values or Plan()))
        simple = {"BOOL": pa.bool_(), "NULL": pa.bool_(), "B": pa.binary()}
        sets = {"SS": pa.list_(pa.string()), "BS": pa.list_(pa.binary())}
        return (simple | sets).get(code, pa.string())

    def _element_field(self, name: str, plan: Plan) -> Any:
        """What has no name of its own: an element of a list, a value of an open map."""
        if plan.text:
            return self._element_of(name, JSON_TYPE, self._pa.string())
        if len(plan.types) < 2:
            code = "".join(plan.types)
            return self._element_of(name, code, self._type(code, plan))
        inside = [self._element_of(code, code, self._type(code, plan)) for code in plan.types]
        return self._element_of(name, "|".join(plan.types), self._pa.struct(inside))

    def _element_of(self, name: str, code: str, kind: DataType) -> Any:
        return self._pa.field(name, kind, metadata={TYPE_KEY: code.encode()})

    def _fields(self, structs: Array, fields: Sequence[tuple[str, Plan]]) -> list[Array]:
        found = [
            {} if plan.text else members(structs.field(i)) for i, (_, plan) in enumerate(fields)
        ]
        return [
            structs.field(column.position)
            if column.code == JSON_TYPE
            else self._value(
                found[column.position], column.code, fields[column.position][1], len(structs)
            )
            for column in self.layout(fields)
        ]

    def _value(self, found: dict[str, Array], code: str, plan: Plan, rows: int) -> Array:
        if not code:
            return self._pa.nulls(rows, self._pa.string())
        array = found[code]
        if code == "N":
            return values.numbers(array, plan.number)
        if code == "B":
            return values.binary(array)
        if code in {"SS", "NS", "BS"}:
            return self._set(array, code, plan)
        if code in {"L", "M"}:
            return self._list(array, plan) if code == "L" else self._document(array, plan)
        return array

    def _set(self, lists: Array, code: str, plan: Plan) -> Array:
        if lists.values.null_count:
            raise BadValueError("a set holds a JSON null")
        if code == "SS":
            return lists
        if code == "BS":
            return self._relisted(lists, values.binary(lists.values), self._type(code, plan))
        numbers = values.numbers(lists.values, plan.set_number)
        return self._relisted(lists, numbers, self._type(code, plan))

    def _list(self, lists: Array, plan: Plan) -> Array:
        assert plan.element is not None
        elements = self._elements(lists.values, plan.element)
        return self._relisted(lists, elements, self._type("L", plan))

    def _document(self, documents: Array, plan: Plan) -> Array:
        if plan.values is not None:
            return self._map(documents, plan)
        missing = self._missing(documents)
        if not plan.fields:
            pa = self._pa
            offsets = pa.array(self._np.zeros(len(documents) + 1, self._np.int32))
            empty = pa.array([], pa.string())
            kind = self._type("M", plan)
            return pa.MapArray.from_arrays(offsets, empty, empty, type=kind, mask=missing)
        arrays = self._fields(documents, plan.fields)
        return self._pa.StructArray.from_arrays(
            arrays, fields=self._arrow_fields(plan.fields), mask=missing
        )

    def _map(self, maps: Array, plan: Plan) -> Array:
        assert plan.values is not None
        elements = self._elements(maps.items, plan.values)
        kind = self._type("M", plan)
        missing = self._missing(maps)
        return self._pa.MapArray.from_arrays(
            maps.offsets, maps.keys, elements, type=kind, mask=missing
        )

    def _elements(self, descriptors: Array, plan: Plan) -> Array:
        """Values without a name of their own."""
        if descriptors.null_count:
            raise BadValueError("a list or map holds a JSON null")
        if plan.text:
            return descriptors
        found = members(descriptors)
        rows = len(descriptors)
        if len(plan.types) < 2:
            return self._value(found, "".join(plan.types), plan, rows)
        arrays = [self._value(found, code, plan, rows) for code in plan.types]
        missing = self._compute.is_valid(found["NULL"]) if "NULL" in found else None
        fields = list(self._element_field("item", plan).type)
        return self._pa.StructArray.from_arrays(arrays, fields=fields, mask=missing)

    def _relisted(self, lists: Array, elements: Array, kind: DataType) -> Array:
        return self._pa.ListArray.from_arrays(
            lists.offsets, elements, type=kind, mask=self._missing(lists)
        )

    def _missing(self, array: Array) -> Array | None:
        return self._compute.is_null(array) if array.null_count else None


def members(descriptors: Array) -> dict[str, Array]:
    """The values of a struct array of descriptors by type.

    Raises:
        BadValueError: A descriptor has no type, or more than one.
    """
    found: dict[str, Array] = {
        field.name: descriptors.field(i) for i, field in enumerate(descriptors.type)
    }
    there = len(descriptors) - descriptors.null_count
    counts = [len(array) - array.null_count for array in found.values()]
    if sum(counts) != there:
        raise BadValueError("a value has no type, a type that was not planned, or two types")
    if sum(count > 0 for count in counts) > 1:
        np, compute = load("numpy"), load("pyarrow.compute")
        held = np.zeros(len(descriptors), np.int8)
        for array in found.values():
            held += np.asarray(compute.is_valid(array))
        if held.max(initial=0) > 1:
            raise BadValueError("a value has two types")
    return found
