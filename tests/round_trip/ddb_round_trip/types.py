"""Trino's types, read from how a view declares them, and values of them as unambiguous text."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Type:
    """`varchar`, `decimal(38,2)`, `array(T)`, `map(K, V)`, `row("a" T, …)`."""

    name: str
    inside: "tuple[Type, ...]" = ()
    fields: tuple[str, ...] = ()


def parse(text: str) -> Type:
    """Read a type."""
    found, rest = _type(text)
    assert not rest, text
    return found


def _type(text: str) -> tuple[Type, str]:
    text = text.lstrip()
    end = next((i for i, c in enumerate(text) if c in "(),"), len(text))
    name, rest = text[:end].strip(), text[end:]
    if not rest.startswith("("):
        return Type(name), rest
    if name == "decimal":
        size, _, rest = rest[1:].partition(")")
        return Type(f"decimal({size.replace(' ', '')})"), rest
    inside: list[Type] = []
    fields: list[str] = []
    while not rest.startswith(")"):
        rest = rest[1:].lstrip()
        if name == "row":
            assert rest.startswith('"'), rest
            close = rest.index('"', 1)
            fields.append(rest[1:close])
            rest = rest[close + 1 :]
        one, rest = _type(rest)
        inside.append(one)
        rest = rest.lstrip()
    return Type(name, tuple(inside), tuple(fields)), rest[1:]


def written(of: Type) -> str:
    """As SQL."""
    if of.name == "row":
        fields = zip(of.fields, of.inside, strict=True)
        return "row(" + ", ".join(f'"{name}" {written(one)}' for name, one in fields) + ")"
    if of.inside:
        return f"{of.name}({', '.join(map(written, of.inside))})"
    return of.name


def shown(of: Type, sql: str, depth: int = 0) -> str:
    """SQL of the same value made of texts, booleans, lists, maps and rows, as JSON has."""
    # No attribute here is called like a lambda's variable: DuckDB would take the column for it.
    if of.name == "varbinary":
        return f"to_base64({sql})"
    if of.name == "bigint" or of.name.startswith("decimal"):
        return f"CAST({sql} AS varchar)"
    if of == _shown_type(of):
        return sql
    if of.name == "array":
        return f"transform({sql}, of_{depth}_ -> {shown(of.inside[0], f'of_{depth}_', depth + 1)})"
    if of.name == "map":
        value = shown(of.inside[1], f"of_{depth}_", depth + 1)
        return f"transform_values({sql}, (at_{depth}_, of_{depth}_) -> {value})"
    values = ", ".join(
        shown(one, f'{sql}."{name}"', depth) for name, one in zip(of.fields, of.inside, strict=True)
    )
    return f"IF({sql} IS NOT NULL, CAST(ROW({values}) AS {written(_shown_type(of))}))"


def _shown_type(of: Type) -> Type:
    if of.name in {"varchar", "boolean"}:
        return of
    if of.inside:
        return Type(of.name, tuple(map(_shown_type, of.inside)), of.fields)
    return Type("varchar")


def as_json(of: Type, name: str) -> str:
    """SQL of a column as JSON text; NULL for NULL."""
    column = f'"{name}"'
    return f"json_format(CAST({shown(of, column)} AS json))"


def as_athena_shows(of: Type, value: Any) -> str:  # noqa: PLR0911 - one per type
    """A value in the text of GetQueryResults; `value` as `compare.decoded` has it."""
    if value is None:
        return "null"
    if of.name == "boolean":
        return "true" if value else "false"
    if of.name == "varbinary":
        return " ".join(f"{byte:02x}" for byte in value)
    if of.name == "array":
        return "[" + ", ".join(as_athena_shows(of.inside[0], one) for one in value) + "]"
    if of.name == "map":
        inside = (f"{k}={as_athena_shows(of.inside[1], v)}" for k, v in value.items())
        return "{" + ", ".join(inside) + "}"
    if of.name == "row":
        inside = (
            f"{f}={as_athena_shows(t, value[f])}" for f, t in zip(of.fields, of.inside, strict=True)
        )
        return "{" + ", ".join(inside) + "}"
    return value if isinstance(value, str) else format(value, "f")
