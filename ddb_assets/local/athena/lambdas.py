"""Lambdas as Trino scopes them: a parameter hides a column of its name. DuckDB has it reversed."""

from sqlglot import exp

from ddb_assets.local.athena.errors import unsupported

#: Lambdas inside lambdas; at 16 a query of two rows takes minutes, at 32 no memory is enough.
MAX_DEPTH = 10


def refuse_deep(tree: exp.Expr) -> None:
    """DuckDB takes twice the time and memory for each lambda inside another.

    Raises:
        QueryFailedError: Lambdas are nested deeper than `MAX_DEPTH`.
    """
    for node in tree.find_all(exp.Lambda):
        depth, outer = 1, node.find_ancestor(exp.Lambda)
        while outer is not None:
            depth, outer = depth + 1, outer.find_ancestor(exp.Lambda)
        if depth > MAX_DEPTH:
            raise unsupported(f"lambdas nested deeper than {MAX_DEPTH} levels")


def rename_parameters(tree: exp.Expr) -> None:
    """Give every lambda's parameters names that no column and no other lambda has, in place."""
    # Inner lambdas come first: what one of them hides is renamed before the outer one looks.
    for number, node in enumerate(reversed(list(tree.find_all(exp.Lambda, bfs=False)))):
        names = {
            one.name.lower(): exp.to_identifier(f"_lambda{number}_{one.name.lower()}", quoted=True)
            for one in node.expressions
        }
        for used in list(node.this.find_all(exp.Identifier)):
            fresh = names.get(used.name.lower())
            if fresh is not None:
                _rename(used, fresh.copy())
        node.set("expressions", list(names.values()))


def _rename(used: exp.Identifier, fresh: exp.Identifier) -> None:
    """If it stands for a value by itself, not for a field, another table's column or an alias."""
    parent = used.parent
    if isinstance(parent, exp.Column):
        # A parameter written in another case is taken for a column.
        if not parent.table:
            parent.replace(fresh)
    elif not isinstance(parent, exp.ColumnDef) and not (
        isinstance(parent, exp.Alias | exp.Dot) and used.arg_key in ("alias", "expression")
    ):
        used.replace(fresh)
