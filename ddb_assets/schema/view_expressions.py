"""The expressions a typed view is made of: from a descriptor of the raw table to its value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ddb_assets.schema.attributes import Shape
from ddb_assets.schema.ddl import quote_query
from ddb_assets.schema.declaration import SCALAR_CODES
from ddb_assets.schema.hive_types import BOOLEAN, STRING, Array, HiveType, Map, Primitive, Struct
from ddb_assets.schema.number_stats import NumberStats
from ddb_assets.schema.numbers import narrowest
from ddb_assets.schema.profile_node import Node
from ddb_assets.schema.query_types import query_type
from ddb_assets.schema.view_memory import all_values

#: The code of a column that holds the values of all types as JSON.
JSON_CODE = "JSON"

_BINARY = Primitive("binary")
_TEXT_LIST = Array(STRING)
_TEXT_MAP = Map(STRING, STRING)
#: Types of the raw table that need no conversion.
_AS_THEY_ARE: dict[str, HiveType] = {"S": STRING, "BOOL": BOOLEAN, "SS": _TEXT_LIST}


@dataclass(frozen=True)
class Expression:
    """SQL and the Hive type of its value."""

    sql: str
    type: HiveType


def types_of(shape: Shape) -> list[str]:
    """The types that carry a value: all but NULL, in a fixed order."""
    found: list[str] = [c for c in SCALAR_CODES if c in shape.scalars and c != "NULL"]
    if shape.fields is not None or shape.values is not None:
        found.append("M")
    if shape.element is not None:
        found.append("L")
    return found


def absent(type_: HiveType) -> Expression:
    """NULL of a type."""
    return Expression(f"CAST(NULL AS {query_type(type_)})", type_)


class ExpressionBuilder:
    """Expressions for values, inside out; `depth` keeps lambda variables apart."""

    def __init__(self, field_name: Callable[[str], str]) -> None:
        self.field_name = field_name

    def value(self, shape: Shape, node: Node | None, sql: str, depth: int) -> Expression:
        """The one value of a descriptor, or a row with one field per type."""
        types = types_of(shape)
        if len(types) == 1:
            return self.of_type(types[0], shape, node, sql, depth)
        if not types:
            return absent(STRING)
        members = [(c.lower(), self.of_type(c, shape, node, sql, depth)) for c in types]
        return _row(sql, members)

    def of_type(
        self, code: str, shape: Shape, node: Node | None, sql: str, depth: int
    ) -> Expression:
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
        return Expression(field, _AS_THEY_ARE[code])

    def json(self, shape: Shape, sql: str) -> Expression:
        """The value as DynamoDB JSON, whatever its type: `{"N":"5"}`, exact and unambiguous.

        Inside maps and lists the type codes are in lower case, as the raw table has them.
        """
        codes = [*types_of(shape), *(["NULL"] if "NULL" in shape.scalars else [])]
        cases: list[str] = []
        for code in codes:
            field = f"{sql}.{quote_query(code.lower())}"
            text = f"json_format(CAST(MAP(ARRAY['{code}'], ARRAY[{field}]) AS json))"
            cases.append(f"WHEN {field} IS NOT NULL THEN {text}")
        return Expression(f"CASE {' '.join(cases)} END", STRING)

    def map_(self, shape: Shape, node: Node | None, sql: str, depth: int) -> Expression:
        """A row for fixed keys, a map for open ones."""
        if shape.fields:
            members = [
                (
                    self.field_name(a.name),
                    self.value(
                        a.shape,
                        child(node, a.name),
                        f"{sql}.{quote_query(self.field_name(a.name))}",
                        depth,
                    ),
                )
                for a in shape.fields
            ]
            return _row(sql, members)
        if shape.values is None or shape.values == Shape():
            return Expression(sql, _TEXT_MAP)
        key, variable = f"k{depth}", f"v{depth}"
        inner = self.value(shape.values, all_values(node), variable, depth + 1)
        return Expression(
            f"transform_values({sql}, ({key}, {variable}) -> {inner.sql})", Map(STRING, inner.type)
        )

    def _list(self, shape: Shape, node: Node | None, sql: str, depth: int) -> Expression:
        if shape.element is None or shape.element == Shape():
            return Expression(sql, _TEXT_LIST)
        variable = f"e{depth}"
        inner = self.value(shape.element, node.element if node else None, variable, depth + 1)
        return Expression(f"transform({sql}, {variable} -> {inner.sql})", Array(inner.type))


def child(node: Node | None, name: str) -> Node | None:
    """The profile's node of a key; the one for all keys where they are open."""
    if node is None or node.children is None:
        return node.values if node else None
    return node.children.get(name)


def _set(code: str, node: Node | None, sql: str, variable: str) -> Expression:
    if code == "BS":
        inner = _binary(variable)
    else:
        inner = _number(node.set_numbers if node else None, variable)
    array = Array(inner.type)
    if inner.sql == variable:
        return Expression(sql, array)
    return Expression(f"transform({sql}, {variable} -> {inner.sql})", array)


def _binary(sql: str) -> Expression:
    return Expression(f"from_base64({sql})", _BINARY)


def _number(stats: NumberStats | None, sql: str) -> Expression:
    number = narrowest(stats or NumberStats())
    type_ = Primitive(number.hive)
    if number.kind == "string":
        return Expression(sql, type_)
    if number.kind == "bigint" and stats is not None and not stats.plain:
        # A cast from text to bigint refuses `1E3` and `7.0`; the decimal in between does not.
        return Expression(f"CAST(CAST({sql} AS decimal(38,0)) AS bigint)", type_)
    return Expression(f"CAST({sql} AS {number.query})", type_)


def _row(sql: str, members: Sequence[tuple[str, Expression]]) -> Expression:
    """A row that is NULL where its source is, not a row of NULLs."""
    values = ", ".join(member.sql for _, member in members)
    row = Struct(tuple((name, member.type) for name, member in members))
    return Expression(f"IF({sql} IS NOT NULL, CAST(ROW({values}) AS {query_type(row)}))", row)
