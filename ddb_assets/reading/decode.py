"""Lines of DynamoDB JSON into Arrow structs of descriptors, `{"S": …, "N": …}`, as a plan says.

pyarrow's JSON reader does the work wherever an Arrow struct describes the values. Open keys and
values kept as text have no such struct: these are peeled off with msgspec, which finds the ends
of a value without looking inside, and what is below them is handed to pyarrow's reader again.

Three things pyarrow's reader lets pass are caught here: bytes that are not UTF-8, `null` for an
attribute, and another number of objects than of lines.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from ddb_assets.reading.extras import Array, DataType, load
from ddb_assets.reading.plan import Plan
from ddb_assets.reading.values import BadValueError

_NULL: Final = re.compile(rb'[^\\]"\s*:\s*null')
_SETS: Final = ("SS", "NS", "BS")


class Decoder:
    """Decodes for one plan of the item.

    Args:
        plan: The item, as a map.
        strict: Whether an attribute or type the plan does not have is an error.
    """

    def __init__(self, plan: Plan, *, strict: bool) -> None:
        self._plan = plan
        self._strict = strict
        self._pa: Any = load("pyarrow")
        self._json: Any = load("pyarrow.json")
        msgspec = load("msgspec")
        self._malformed: Any = msgspec.DecodeError
        raw = msgspec.Raw
        record = msgspec.defstruct("Record", [("Item", raw)], forbid_unknown_fields=True)
        self._record: Any = msgspec.json.Decoder(record).decode
        self._object: Any = msgspec.json.Decoder(dict[str, raw]).decode
        self._list: Any = msgspec.json.Decoder(list[raw]).decode
        self._encode: Any = msgspec.json.Encoder().encode

    def item_text(self, block: bytes) -> Array:
        """Every line's item as it is written.

        Raises:
            BadValueError: A line is not `{"Item":{…}}`.
        """
        return self._texts(self._items(block))

    def items(self, block: bytes) -> Array:
        """The items of whole lines as one struct array, attribute -> descriptor.

        For an item with open keys, a map array instead.

        Raises:
            BadValueError: A line is not an item in DynamoDB JSON, or not as planned.
        """
        _check_text(block)
        rows = block.count(b"\n") + (not block.endswith(b"\n"))
        if self._plan.values is not None:
            return self._open_map(self._items(block), self._plan.values)
        fields = self._plan.fields or ()
        if not all(plan.plain for _, plan in fields):
            return self._object_fields(self._items(block), fields)
        kind = self._pa.struct([("Item", self._struct(fields))])
        items = self._parse(block, rows, kind).field(0)
        if items.null_count:
            raise BadValueError('a line has no "Item"')
        return items

    def _items(self, block: bytes) -> list[Any]:
        record = self._record
        lines = block.split(b"\n")
        if not lines[-1]:
            lines.pop()
        try:
            return [record(line).Item for line in lines]
        except (self._malformed, UnicodeDecodeError) as error:
            raise BadValueError(str(error)) from error

    def _object_fields(self, objects: Sequence[Any], fields: Sequence[tuple[str, Plan]]) -> Array:
        """Objects, name -> descriptor, some of whose fields have to be peeled off."""
        peeled: dict[str, list[Any]] = {n: [] for n, plan in fields if not plan.plain}
        rest: list[bytes] = []
        plain = [(n, plan) for n, plan in fields if plan.plain]
        look = bool(plain) or self._strict
        for each in objects:
            found = self._peel(each)
            for name, values in peeled.items():
                values.append(found.pop(name, None))
            if look:
                rest.append(self._encode(found))
        arrays = {n: self._sparse(peeled[n], plan) for n, plan in fields if not plan.plain}
        if look:
            parsed = self._parse(b"\n".join(rest), len(objects), self._struct(plain))
            arrays |= {n: parsed.field(i) for i, (n, _) in enumerate(plain)}
        return self._pa.StructArray.from_arrays(
            [arrays[n] for n, _ in fields], names=[n for n, _ in fields]
        )

    def _sparse(self, raws: Sequence[Any], plan: Plan) -> Array:
        """Descriptors of which some are absent (None)."""
        if plan.text:
            return self._texts(raws)
        there = [raw for raw in raws if raw is not None]
        found = self._descriptors(there, plan)
        return found if len(there) == len(raws) else found.take(_positions(self._pa, raws))

    def _texts(self, raws: Sequence[Any]) -> Array:
        texts = [None if raw is None else bytes(raw) for raw in raws]
        try:
            return self._pa.array(texts, self._pa.binary()).cast(self._pa.string())
        except self._pa.ArrowInvalid as error:
            raise BadValueError("a value is not UTF-8") from error

    def _descriptors(self, raws: Sequence[Any], plan: Plan) -> Array:
        """One descriptor each; a struct array with one field per type, or texts."""
        if plan.text:
            return self._texts(raws)
        if plan.plain:
            return self._parse(b"\n".join(raws), len(raws), self._descriptor(plan))
        return self._peeled_descriptors(raws, plan)

    def _peeled_descriptors(self, raws: Sequence[Any], plan: Plan) -> Array:
        """The document inside a descriptor by hand, every other type by the reader."""
        documents: dict[str, list[Any]] = {"M": [], "L": []}
        simple = Plan(
            tuple(t for t in plan.types if t not in documents), plan.null, plan.accept_null
        )
        rest: list[bytes] = []
        for raw in raws:
            found = self._peel(raw)
            for code, values in documents.items():
                values.append(found.pop(code, None) if code in plan.types else None)
            rest.append(self._encode(found))
        parsed = self._parse(b"\n".join(rest), len(raws), self._descriptor(simple))
        names = [field.name for field in parsed.type]
        arrays: list[Array] = [parsed.field(i) for i in range(len(names))]
        for code in ("M", "L"):
            if code in plan.types:
                names.append(code)
                arrays.append(self._document(documents[code], code, plan))
        return self._pa.StructArray.from_arrays(arrays, names=names)

    def _document(self, raws: Sequence[Any], code: str, plan: Plan) -> Array:
        there = [raw for raw in raws if raw is not None]
        if code == "L":
            assert plan.element is not None
            found = self._lists(there, plan.element)
        elif plan.values is not None:
            found = self._open_map(there, plan.values)
        else:
            found = self._object_fields(there, plan.fields or ())
        return found.take(_positions(self._pa, raws))

    def _lists(self, raws: Sequence[Any], plan: Plan) -> Array:
        elements: list[Any] = []
        offsets = [0]
        for raw in raws:
            elements += self._checked(self._list, raw)
            offsets.append(len(elements))
        values = self._descriptors(elements, plan)
        return self._pa.ListArray.from_arrays(self._pa.array(offsets, self._pa.int32()), values)

    def _open_map(self, raws: Sequence[Any], plan: Plan) -> Array:
        keys: list[str] = []
        elements: list[Any] = []
        offsets = [0]
        for raw in raws:
            found = self._checked(self._object, raw)
            keys += found
            elements += found.values()
            offsets.append(len(keys))
        values = self._descriptors(elements, plan)
        return self._pa.MapArray.from_arrays(
            self._pa.array(offsets, self._pa.int32()),
            self._pa.array(keys, self._pa.string()),
            values,
        )

    def _peel(self, raw: Any) -> Any:
        return self._checked(self._object, raw)

    def _checked(self, decode: Any, raw: Any) -> Any:
        try:
            return decode(raw)
        except (self._malformed, UnicodeDecodeError) as error:
            raise BadValueError(str(error)) from error

    def _parse(self, lines: bytes, rows: int, kind: DataType) -> Array:
        """Whole lines, one object each, as one struct array."""
        if not rows:
            return self._pa.array([], kind)
        if lines.lstrip().startswith(b"null"):
            # pyarrow 26 ends the process when the first of its objects is a null.
            raise BadValueError("it holds a JSON null where a value has to be")
        try:
            table = self._json.read_json(
                self._pa.BufferReader(lines),
                read_options=self._json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
                parse_options=self._json.ParseOptions(
                    explicit_schema=self._pa.schema(list(kind)),
                    newlines_in_values=False,
                    unexpected_field_behavior="error" if self._strict else "ignore",
                ),
            )
        except self._pa.ArrowInvalid as error:
            raise BadValueError(str(error)) from error
        if table.num_rows != rows:
            raise BadValueError("a line does not hold exactly one object")
        columns = [column.combine_chunks() for column in table.columns]
        if not columns:
            return self._pa.array([{}] * rows, kind)
        return self._pa.StructArray.from_arrays(columns, fields=list(kind))

    def _struct(self, fields: Sequence[tuple[str, Plan]]) -> DataType:
        return self._pa.struct([(name, self._descriptor(plan)) for name, plan in fields])

    def _descriptor(self, plan: Plan) -> DataType:
        """The Arrow type that reads `{type: value}`."""
        pa = self._pa
        members: list[tuple[str, DataType]] = [
            (code, self._member(code, plan)) for code in plan.types
        ]
        if plan.accept_null:
            members.append(("NULL", pa.bool_()))
        return pa.struct(members)

    def _member(self, code: str, plan: Plan) -> DataType:
        pa = self._pa
        if code == "BOOL":
            return pa.bool_()
        if code in _SETS:
            return pa.list_(pa.string())
        if code == "M":
            return self._struct(plan.fields or ())
        if code == "L":
            assert plan.element is not None
            return pa.list_(self._descriptor(plan.element))
        return pa.string()


def _check_text(block: bytes) -> None:
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError as error:
            raise BadValueError("it is not UTF-8") from error
    # pyarrow's reader takes null for absent; DynamoDB JSON has no null at all.
    if b"null" in block and _NULL.search(block):
        raise BadValueError("it holds a JSON null where a value has to be")


def _positions(pa: Any, raws: Sequence[Any]) -> Array:
    """For each its place among those that are there; null for those that are not."""
    positions: list[int | None] = []
    count = 0
    for raw in raws:
        positions.append(None if raw is None else count)
        count += raw is not None
    return pa.array(positions, pa.int32())
