"""Trino's functions on DuckDB: what sqlglot translates wrongly or not at all is mended on the tree.

Known to differ and not mended, because nothing in the tree tells: `1.0/3` is a double where Trino
has a decimal; `m['absent']` and `a[99]` are NULL where Trino fails; doubles cast to varchar are
spelled as DuckDB spells them; JSON made of a map or by json_parse keeps the order of its keys where
Trino sorts them, and a decimal in it has no zeros at its end; a text far below a decimal's scale
(`1E-130`) fails where Trino rounds it to zero.
"""

from collections.abc import Callable

from sqlglot import exp

from ddb_assets.local.athena import lambdas
from ddb_assets.local.athena.errors import unsupported

_JAVA_DECIMAL = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"

#: Macros made in every connection. Typed parameters choose by the argument's type.
MACROS = (
    "CREATE TEMP MACRO trino_length(x VARCHAR) AS length(x), (x BLOB) AS octet_length(x)",
    "CREATE TEMP MACRO trino_slice(a, s, n) AS "
    "list_slice(a, s, CASE WHEN s < 0 AND s + n - 1 > -1 THEN -1 ELSE s + n - 1 END)",
    "CREATE TEMP MACRO trino_array_position(a, x) AS "
    "CASE WHEN a IS NULL OR x IS NULL THEN NULL ELSE coalesce(list_position(a, x), 0) END",
    "CREATE TEMP MACRO trino_array_max(a) AS "
    "CASE WHEN len(list_filter(a, lambda x: x IS NULL)) > 0 THEN NULL ELSE list_max(a) END",
    "CREATE TEMP MACRO trino_array_min(a) AS "
    "CASE WHEN len(list_filter(a, lambda x: x IS NULL)) > 0 THEN NULL ELSE list_min(a) END",
    "CREATE TEMP MACRO trino_array_distinct(a) AS list_filter(a, lambda x, i: "
    "len(list_filter(a[:i - 1], lambda y: y IS NOT DISTINCT FROM x)) = 0)",
    "CREATE TEMP MACRO trino_regexp_extract(s, p, g) AS "
    "CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END",
    "CREATE TEMP MACRO trino_json_extract_scalar(j, p) AS "
    "CASE WHEN json_type(j, p) IN ('OBJECT', 'ARRAY') THEN NULL ELSE json_extract_string(j, p) END",
    "CREATE TEMP MACRO trino_url_extract_host(u) AS "
    "nullif(regexp_extract(u, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]*)', 1), '')",
    # DuckDB rounds '1.5' to a whole number and ignores blanks; Trino refuses both.
    "CREATE TEMP MACRO trino_whole(x, t) AS CASE WHEN typeof(x) = 'VARCHAR' AND NOT "
    "regexp_full_match(CAST(x AS VARCHAR), '[+-]?[0-9]+') THEN error("
    "'INVALID_CAST_ARGUMENT: Cannot cast ''' || CAST(x AS VARCHAR) || ''' to ' || t) ELSE x END",
    "CREATE TEMP MACRO trino_try_whole(x) AS CASE WHEN typeof(x) = 'VARCHAR' AND NOT "
    "regexp_full_match(CAST(x AS VARCHAR), '[+-]?[0-9]+') THEN NULL ELSE x END",
    # Trino, DecimalCasts: Java's BigDecimal reads the text, which knows no blanks and no '1_000'.
    "CREATE TEMP MACRO trino_decimal(x, t) AS CASE WHEN typeof(x) = 'VARCHAR' AND NOT "
    f"regexp_full_match(CAST(x AS VARCHAR), '{_JAVA_DECIMAL}') THEN error("
    "'INVALID_CAST_ARGUMENT: Cannot cast VARCHAR ''' || CAST(x AS VARCHAR) || ''' to ' || t || "
    "'. Value is not a number.') ELSE x END",
    "CREATE TEMP MACRO trino_try_decimal(x) AS CASE WHEN typeof(x) = 'VARCHAR' AND NOT "
    f"regexp_full_match(CAST(x AS VARCHAR), '{_JAVA_DECIMAL}') THEN NULL ELSE x END",
    # Trino, JsonToVarcharCast: a scalar's text, NULL for null, and no object and no array. DuckDB
    # leaves out the zero before the point where a decimal is nothing but a fraction.
    "CREATE TEMP MACRO trino_text(x) AS CASE WHEN typeof(x) LIKE 'DECIMAL(%' "
    "THEN regexp_replace(CAST(x AS VARCHAR), '^(-?)[.]', '\\10.') "
    "WHEN typeof(x) <> 'JSON' THEN CAST(x AS VARCHAR) "
    "WHEN json_type(CAST(x AS VARCHAR)) IN ('OBJECT', 'ARRAY') THEN error("
    "'INVALID_CAST_ARGUMENT: Cannot cast ''' || CAST(x AS VARCHAR) || ''' to varchar') "
    "ELSE json_extract_string(CAST(x AS VARCHAR), '$') END",
)

#: Would run, and quietly answer something else than Trino.
REFUSED = frozenset({"TYPEOF", "FORMAT", "TO_CHAR", "HISTOGRAM", "MAP_UNION", "NUMERIC_HISTOGRAM"})

#: Athena's integer types (sqlglot's names) as an error message spells them.
_WHOLE = {"INT": "integer", "BIGINT": "bigint", "SMALLINT": "smallint", "TINYINT": "tinyint"}


def mend(tree: exp.Expr) -> exp.Expr:
    """A copy of the tree in which every function means on DuckDB what it means on Trino.

    Raises:
        QueryFailedError: A function is known to mean something else there.
    """
    mended = tree.copy()
    lambdas.refuse_deep(mended)
    lambdas.rename_parameters(mended)
    # Inner ones first, so that a call inside another's lambda is mended as well.
    for node in reversed(list(mended.walk(bfs=False))):
        changed = _mend(node)
        if node is mended:
            mended = changed
        elif changed is not node:
            node.replace(changed)
    return mended


def _mend(node: exp.Expr) -> exp.Expr:
    name = node.name if isinstance(node, exp.Anonymous) else node.key
    if name.upper() in REFUSED:
        raise unsupported(f"the function {name.lower()}")
    if isinstance(node, exp.Anonymous):
        special = _ANONYMOUS.get(name.upper())
        return special(node) if special else node
    if isinstance(node, exp.Cast):
        return _cast(node)
    if isinstance(node, exp.Struct) and not _cast_as_a_whole(node):
        return _row(node)
    change = _KNOWN.get(type(node))
    return change(node) if change else node


def _call(name: str, *arguments: object) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _cardinality(node: exp.Expr) -> exp.Expr:
    # DuckDB's cardinality takes maps and arrays alike; sqlglot's array_length only arrays.
    return exp.cast(_call("cardinality", node.this), "BIGINT")


def _cast(node: exp.Cast) -> exp.Expr:
    target = node.to
    for inner in target.find_all(exp.DataType):
        sized = bool(inner.find(exp.DataTypeParam))
        text = inner.is_type("varchar", "char", "text")
        if inner is not target and text and sized:
            raise unsupported("varchar(n) inside a type: the text would not be cut")
    if target.is_type("json"):
        # A cast makes JSON of a value, text included; only json_parse reads text (Trino, "JSON
        # functions and operators").
        return _call("to_json", node.this)
    if target.is_type("decimal"):
        return _cast_to_decimal(node)
    if target.is_type("varchar", "char", "text") and target.expressions:
        length = target.expressions[0].this
        return exp.Left(this=_call("trino_text", node.this), expression=length.copy())
    if target.is_type("varchar", "char", "text"):
        return _call("trino_text", node.this)
    kind = target.this.name if isinstance(target.this, exp.DType) else ""
    if kind in _WHOLE and not _checked(node.this):
        checked = (
            _call("trino_try_whole", node.this)
            if isinstance(node, exp.TryCast)
            else _call("trino_whole", node.this, exp.Literal.string(_WHOLE[kind]))
        )
        node.set("this", checked)
    return node


def _cast_to_decimal(node: exp.Cast) -> exp.Expr:
    if not node.to.expressions:
        # A bare DECIMAL is (38,0) in Trino and (18,3) in DuckDB.
        node.set("to", exp.DataType.build("DECIMAL(38,0)"))
    if _checked(node.this):
        return node
    if isinstance(node, exp.TryCast):
        node.set("this", _call("trino_try_decimal", node.this))
        return node
    sizes = ", ".join(one.name for one in node.to.expressions)
    node.set("this", _call("trino_decimal", node.this, exp.Literal.string(f"DECIMAL({sizes})")))
    return node


def _checked(node: exp.Expr) -> bool:
    made_here = {
        "trino_whole",
        "trino_try_whole",
        "trino_decimal",
        "trino_try_decimal",
        "cardinality",
    }
    return (isinstance(node, exp.Literal) and not node.is_string) or node.name in made_here


def _cast_as_a_whole(node: exp.Expr) -> bool:
    """Whether a cast names the row's fields, which it does by their place: it needs no names."""
    parent = node.parent
    while isinstance(parent, (exp.Array, exp.Map, exp.Struct)):
        parent = parent.parent
    return isinstance(parent, exp.Cast)


def _row(node: exp.Struct) -> exp.Expr:
    """Trino names the fields of a bare row field0, field1 and so on."""
    named = [
        one
        if isinstance(one, exp.PropertyEQ)
        else exp.PropertyEQ(this=exp.to_identifier(f"field{number}"), expression=one)
        for number, one in enumerate(node.expressions)
    ]
    return exp.Struct(expressions=named)


def _slice(node: exp.Expr) -> exp.Expr:
    arguments = [node.this, node.args.get("start"), node.args.get("end")]
    return _call("trino_slice", *arguments)


def _regexp_extract(node: exp.Expr) -> exp.Expr:
    group = node.args.get("group") or exp.Literal.number(0)
    return _call("trino_regexp_extract", node.this, node.expression, group)


def _json_extract_scalar(node: exp.Expr) -> exp.Expr:
    path = node.expression
    literal = (
        exp.Literal.string(path.sql(dialect="trino").strip("'"))
        if isinstance(path, exp.JSONPath)
        else path
    )
    return _call("trino_json_extract_scalar", node.this, literal)


def _renamed(name: str) -> Callable[[exp.Expr], exp.Expr]:
    return lambda node: _call(name, node.this, *([node.expression] if node.expression else []))


def _arguments(node: exp.Expr, count: int) -> list[exp.Expr]:
    found = node.expressions
    if len(found) != count:
        raise unsupported(f"{node.name.lower()} with {len(found)} arguments")
    return found


def _lambda_of(node: exp.Expr, names: int) -> exp.Lambda:
    if not isinstance(node, exp.Lambda) or len(node.expressions) != names:
        raise unsupported(f"a lambda of {names} parameters is expected, not {node.sql('trino')}")
    return node


def _with_parameters(body: exp.Expr, values: dict[str, exp.Expr]) -> exp.Expr:
    """A lambda's body with its parameters replaced."""

    def replace(node: exp.Expr) -> exp.Expr:
        plain = isinstance(node, exp.Column) and not node.table
        bare = isinstance(node, exp.Identifier) and not isinstance(node.parent, exp.Column)
        known = values.get(node.name.lower()) if plain or bare else None
        return known.copy() if known is not None else node

    return body.copy().transform(replace)


def _entry(of: str, field: str) -> exp.Expr:
    return exp.Dot(this=exp.to_identifier(of), expression=exp.to_identifier(field))


def _over_entries(node: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    """A map's entries, and the body of the lambda over its key and value."""
    mapping, function = _arguments(node, 2)
    lambda_ = _lambda_of(function, 2)
    key, value = (one.name.lower() for one in lambda_.expressions)
    body = _with_parameters(
        lambda_.this, {key: _entry("entry_", "key"), value: _entry("entry_", "value")}
    )
    return _call("map_entries", mapping), body


def _entry_lambda(body: exp.Expr) -> exp.Expr:
    return exp.Lambda(this=body, expressions=[exp.to_identifier("entry_")])


def _map_filter(node: exp.Expr) -> exp.Expr:
    entries, body = _over_entries(node)
    return _call("map_from_entries", _call("list_filter", entries, _entry_lambda(body)))


def _transform_map(node: exp.Expr, *, keys: bool) -> exp.Expr:
    entries, body = _over_entries(node)
    key = body if keys else _entry("entry_", "key")
    value = _entry("entry_", "value") if keys else body
    pair = exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.to_identifier("key"), expression=key),
            exp.PropertyEQ(this=exp.to_identifier("value"), expression=value),
        ]
    )
    return _call("map_from_entries", _call("list_transform", entries, _entry_lambda(pair)))


def _zip_with(node: exp.Expr) -> exp.Expr:
    left, right, function = _arguments(node, 3)
    lambda_ = _lambda_of(function, 2)
    first, second = (one.name.lower() for one in lambda_.expressions)
    body = _with_parameters(
        lambda_.this,
        {
            first: _call("struct_extract_at", exp.to_identifier("entry_"), exp.Literal.number(1)),
            second: _call("struct_extract_at", exp.to_identifier("entry_"), exp.Literal.number(2)),
        },
    )
    return _call("list_transform", _call("list_zip", left, right), _entry_lambda(body))


def _any_match(node: exp.Expr) -> exp.Expr:
    array, function = _arguments(node, 2)
    return _call("list_bool_or", _call("list_transform", array, function))


def _at_timezone(node: exp.Expr) -> exp.Expr:
    moment, zone = _arguments(node, 2)
    return exp.AtTimeZone(this=moment, zone=zone)


def _named(name: str) -> Callable[[exp.Expr], exp.Expr]:
    return lambda node: _call(name, *node.expressions)


_KNOWN: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.ArraySize: _cardinality,
    exp.Length: _renamed("trino_length"),
    exp.ArraySlice: _slice,
    exp.RegexpExtract: _regexp_extract,
    exp.JSONExtractScalar: _json_extract_scalar,
    exp.ArrayDistinct: _renamed("trino_array_distinct"),
    exp.ArrayMax: _renamed("trino_array_max"),
    exp.ArrayMin: _renamed("trino_array_min"),
    exp.ArrayPosition: _renamed("trino_array_position"),
}


def _constant(text: str) -> Callable[[exp.Expr], exp.Expr]:
    return lambda _: exp.cast(exp.Literal.string(text), "DOUBLE")


_ANONYMOUS: dict[str, Callable[[exp.Expr], exp.Expr]] = {
    "MAP_FILTER": _map_filter,
    "TRANSFORM_VALUES": lambda node: _transform_map(node, keys=False),
    "TRANSFORM_KEYS": lambda node: _transform_map(node, keys=True),
    "ZIP_WITH": _zip_with,
    "ANY_MATCH": _any_match,
    "AT_TIMEZONE": _at_timezone,
    "NAN": _constant("nan"),
    "INFINITY": _constant("inf"),
    "URL_EXTRACT_HOST": _named("trino_url_extract_host"),
    "ARRAY_MIN": _named("trino_array_min"),
    "ARRAY_MAX": _named("trino_array_max"),
    "ARRAY_POSITION": _named("trino_array_position"),
}
