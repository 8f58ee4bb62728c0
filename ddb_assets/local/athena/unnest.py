"""UNNEST of maps and of arrays of rows, which DuckDB gives one column and Trino one per field."""

from collections.abc import Callable
from typing import Any, cast

import sqlglot
from sqlglot import exp

from ddb_assets.local.athena.errors import QueryFailedError, unsupported

Describe = Callable[[str], list[tuple[str, Any]]]


def expand(tree: exp.Expr, describe: Describe) -> None:
    """Rewrite, in place, every UNNEST of a map or of rows in a FROM clause.

    Args:
        tree: A query over DuckDB's relations.
        describe: Columns and types of a DuckDB query.

    Raises:
        QueryFailedError: Several arguments, or an argument whose type cannot be found out.
    """
    for node in list(tree.find_all(exp.Unnest)):
        if len(node.expressions) != 1:
            raise unsupported("UNNEST of several arrays at once")
        select = node.find_ancestor(exp.Select)
        if select is None or not isinstance(node.parent, (exp.From, exp.Join, exp.Lateral)):
            raise unsupported("UNNEST outside of a FROM clause")
        of = _type(node, select, describe)
        fields = _fields(of)
        if fields:
            node.replace(_subquery(node, fields, is_map=str(of.id) == "map"))


def _fields(of: Any) -> list[str]:
    """The names of the columns that one element becomes; none if it is one column anyway."""
    if str(of.id) == "map":
        return ["key", "value"]
    if str(of.id) in {"list", "array"}:
        element = of.children[0][1]
        return [name for name, _ in element.children] if str(element.id) == "struct" else []
    raise QueryFailedError(f"SYNTAX_ERROR: Cannot unnest type: {str(of).lower()}")


def _type(node: exp.Unnest, select: exp.Select, describe: Describe) -> Any:
    """The type of what is unnested, asked of DuckDB over the tables that stand before it."""
    probe = exp.Select(expressions=[exp.alias_(node.expressions[0].copy(), "probe")])
    if not isinstance(node.parent, exp.From):
        origin = select.args.get("from_")
        probe.set("from_", origin.copy() if origin else None)
        before: list[exp.Expr] = []
        for join in cast("list[exp.Join]", select.args.get("joins") or []):
            if join is node.parent or node.find_ancestor(exp.Join) is join:
                break
            before.append(join.copy())
        probe.set("joins", before)
    visible = [cte.copy() for cte in _ctes(select)]
    if visible:
        probe.set("with_", exp.With(expressions=visible))
    return describe(probe.sql(dialect="duckdb"))[0][1]


def _ctes(select: exp.Select) -> list[exp.Expr]:
    """The named queries that the select may use, outermost first."""
    found: list[exp.Expr] = []
    inside: exp.Expr | None = select
    while inside is not None:
        scope = inside.args.get("with_")
        if isinstance(scope, exp.With):
            found = [*scope.expressions, *found]
        if isinstance(inside, exp.CTE) and isinstance(inside.parent, exp.With):
            siblings = inside.parent.expressions
            found = [*siblings[: siblings.index(inside)], *found]
            inside = inside.parent.parent.parent if inside.parent.parent else None
        else:
            inside = inside.parent
    return found


def _subquery(node: exp.Unnest, fields: list[str], *, is_map: bool) -> exp.Expr:
    alias = node.args.get("alias")
    names = [one.name for one in alias.columns] if alias else []
    offset = node.args.get("offset")
    ordinal = offset.name if isinstance(offset, exp.Expr) else None
    if ordinal is not None and len(names) > len(fields):
        names = names[: len(fields)]
    if names and len(names) != len(fields):
        raise QueryFailedError(
            f"MISMATCHED_COLUMN_ALIASES: line 1:1: Column alias list has {len(names)} entries "
            f"but relation has {len(fields)} columns"
        )
    source = node.expressions[0].copy()
    if is_map:
        source = exp.Anonymous(this="map_entries", expressions=[source])
    shown = [
        f'struct_extract_at(element_, {number}) AS "{(name or field).lower()}"'
        for number, (field, name) in enumerate(zip(fields, names or fields, strict=True), 1)
    ]
    columns = "element_"
    ordinality = ""
    if offset:
        ordinality, columns = " WITH ORDINALITY", "element_, ordinal_"
        shown.append(f'ordinal_ AS "{(ordinal or "ordinality").lower()}"')
    argument = source.sql(dialect="duckdb")
    text = f"SELECT {', '.join(shown)} FROM UNNEST({argument}){ordinality} AS one_({columns})"  # noqa: S608 - quoted
    inner = sqlglot.parse_one(text, read="duckdb")
    table = exp.TableAlias(this=alias.this.copy()) if alias and alias.this else None
    return exp.Lateral(this=exp.Subquery(this=inner), alias=table)
