"""Trino's functions: each row of the mends answers what Trino answers."""

from collections.abc import Iterator

import pytest

from ddb_assets.local.athena import cache
from ddb_assets.local.athena.catalog import Catalog
from ddb_assets.local.athena.engine import Engine
from ddb_assets.local.athena.errors import QueryFailedError
from ddb_assets.local.athena.lake import Lake
from ddb_assets.local.athena.router import parse_query

DIGITS = "12345678901234567890123456789012345678"
MAP = "map(array['a','b'], array[1,2])"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine that meets no table."""
    files = cache.FileCache()
    with files.lease() as lease:
        made = Engine(Catalog("1" * 12, "us-east-1"), Lake("1" * 12, "aws"), lease, "default")
        yield made
        made.close()
    files.close()


def value(engine: Engine, expression: str) -> str | None:
    """The text of `SELECT expression`."""
    query = f"SELECT {expression}"
    return engine.select(parse_query(query), query).rows[0][0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # The table of local-aws.md section 4.4.
        (f"cardinality({MAP})", "2"),
        ("cardinality(array[1,2,3])", "3"),
        ("length(to_utf8('é'))", "2"),
        ("length('é')", "1"),
        (f"map_filter({MAP}, (k, v) -> v > 1)", "{b=2}"),
        ("zip_with(array[1,2], array[10,20], (x, y) -> x + y)", "[11, 22]"),
        ("at_timezone(timestamp '2020-01-01 12:00:00 UTC', 'UTC')", "2020-01-01 12:00:00.000"),
        ("url_extract_host('https://me@example.com:80/a?b')", "example.com"),
        ("slice(array[1,2,3,4], 2, 2)", "[2, 3]"),
        ("slice(array[1,2,3], -2, 5)", "[2, 3]"),
        ("cast('abcdef' as varchar(3))", "abc"),
        # Trino, JSON functions: a cast makes JSON of a value, json_parse reads it.
        ("json_format(cast('' as json))", '""'),
        ("json_format(cast('{\"a\":1}' as json))", '"{\\"a\\":1}"'),
        ("json_format(try_cast('null' as json))", '"null"'),
        ("json_format(cast(cast(null as varchar) as json))", None),
        ("json_format(cast(array['a', null, '1'] as json))", '["a",null,"1"]'),
        ("json_format(cast(map(array['N'], array['1E-130']) as json))", '{"N":"1E-130"}'),
        (
            "json_format(cast(cast(row('x', null) as row(a varchar, b bigint)) as json))",
            '{"a":"x","b":null}',
        ),
        (
            "json_format(cast(cast('99999999999999999999999999999' as decimal(38,0)) as json))",
            "99999999999999999999999999999",
        ),
        ("json_format(json_parse('{\"a\":1}'))", '{"a":1}'),
        ("cast(json_parse('\"x\"') as varchar)", "x"),
        ("cast(json_parse('null') as varchar)", None),
        ("cast(json_extract('{\"a\":\"b\"}', '$.a') as varchar)", "b"),
        # Trino, DecimalCasts: Java's BigDecimal, rounded half up.
        ("cast('1E3' as decimal(38,0))", "1000"),
        ("cast('.5' as decimal(2,1))", "0.5"),
        ("cast('-1.25' as decimal(2,1))", "-1.3"),
        ("cast(cast('-0.50' as decimal(2,2)) as varchar)", "-0.50"),
        ("cast(cast('.5' as decimal(1,1)) as varchar)", "0.5"),
        ("cast(cast('10.5' as decimal(3,1)) as varchar)", "10.5"),
        ("try_cast('1E38' as decimal(38,0))", None),
        ("try_cast('1_000' as decimal(38,0))", None),
        ("try_cast(' 1' as decimal(38,0))", None),
        ("cast(cast('7.0' as decimal(38,0)) as bigint)", "7"),
        ("cast(cast(2.5 as decimal(38,1)) as bigint)", "3"),
        (
            "transform_values(map(array['a'], array['1']), (k, v) -> cast(v as decimal(2,1)))",
            "{a=1.0}",
        ),
        ("transform_values(cast(null as map(varchar, varchar)), (k, v) -> v)", None),
        ("element_at(map(array['a'], array[1]), 'b')", None),
        (
            "transform_values(map(array['a'], array[map(array['b'], array['1'])]), (k, v) -> "
            "transform_values(v, (l, w) -> cast(w as decimal(2,1))))",
            "{a={b=1.0}}",
        ),
        ("element_at(array[1], 2)", None),
        ("if(null is not null, cast(row(1) as row(a bigint)))", None),
        ("cast(array[row('1', null)] as array(row(a bigint, b varchar)))", "[{a=1, b=null}]"),
        ("to_base64(from_base64(''))", ""),
        ("from_base64('AP8=')", "00 ff"),
        ("try_cast(12345 as varchar(2))", "12"),
        ("DECIMAL '1.10'", "1.10"),
        ("DECIMAL '-0.001'", "-0.001"),
        (
            "decimal '12345678901234567890123456789012345678'",
            "12345678901234567890123456789012345678",
        ),
        ("timestamp '2020-01-01 00:00:00'", "2020-01-01 00:00:00.000"),
        ("timestamp '2020-01-01 00:00:00.123'", "2020-01-01 00:00:00.123"),
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("9007199254740993 / 1", "9007199254740993"),
        # Further differences that would have been silent.
        ("cast('1.6' as decimal)", "2"),
        ("try_cast('1.5' as bigint)", None),
        ("cast('12' as bigint)", "12"),
        ("cast('9007199254740993' as bigint)", "9007199254740993"),
        ("regexp_extract('abc', 'x(b)', 1)", None),
        ("regexp_extract('abc', 'a(b)', 1)", "b"),
        ("""json_extract_scalar('{"a":{"b":1}}', '$.a')""", None),
        ("""json_extract_scalar('{"a":{"b":1}}', '$.a.b')""", "1"),
        ("array_distinct(array[3,1,null,3,null])", "[3, 1, null]"),
        ("array_max(array[1,null])", None),
        ("array_min(array[2,1])", "1"),
        ("array_position(array[1], 5)", "0"),
        (f"transform_values({MAP}, (k, v) -> v + 1)", "{a=2, b=3}"),
        (f"transform_keys({MAP}, (k, v) -> k || 'x')", "{ax=1, bx=2}"),
        ("any_match(array[1,2], x -> x > 1)", "true"),
        ("row(1, 'a')", "{field0=1, field1=a}"),
        # Unchanged, and relied on.
        (f"element_at({MAP}, 'a')", "1"),
        (f"({MAP})['b']", "2"),
        ("transform(array[1,2], x -> x * 2)", "[2, 4]"),
        ("filter(array[1,2], x -> x > 1)", "[2]"),
        ("array_join(array['a','b'], ',')", "a,b"),
        ("from_unixtime(1577804400)", "2019-12-31 15:00:00.000 UTC"),
        ("to_unixtime(from_unixtime(1577804400))", "1.5778044E9"),
        ("date_parse('2020-01-02 03:04', '%Y-%m-%d %H:%i')", "2020-01-02 03:04:00.000"),
        ("date_diff('day', date '2020-01-01', date '2020-03-01')", "60"),
        ("date_format(timestamp '2020-01-02 03:04:05', '%Y/%m')", "2020/01"),
        ("from_iso8601_timestamp('2020-01-01T00:00:00Z')", "2020-01-01 00:00:00.000 UTC"),
        ("split('a.b', '.')", "[a, b]"),
        ("concat('a', null)", None),
        ("try(1 / 0)", None),
        ("to_hex(to_utf8('ab'))", "6162"),
        ("from_base64('AAH/')", "00 01 ff"),
        ("if(1 > 0, 'y', 'n')", "y"),
        ("sequence(1, 3)", "[1, 2, 3]"),
    ],
)
def test_a_function_answers_as_trino(engine: Engine, expression: str, expected: str | None) -> None:
    """One row, one mend."""
    assert value(engine, expression) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"SELECT k, v FROM UNNEST({MAP}) AS t(k, v)", {("a", "1"), ("b", "2")}),
        (
            f"SELECT t.k, n FROM (SELECT {MAP} m) s CROSS JOIN UNNEST(s.m) WITH ORDINALITY "
            "AS t(k, v, n)",
            {("a", "1"), ("b", "2")},
        ),
        (
            "SELECT x, y FROM (SELECT array[row(1,'a'), row(2,'b')] r) "
            "CROSS JOIN UNNEST(r) AS t(x, y)",
            {("1", "a"), ("2", "b")},
        ),
        ("WITH w AS (SELECT array[1,2] a) SELECT x FROM w, UNNEST(a) AS t(x)", {("1",), ("2",)}),
        ("SELECT x FROM UNNEST(array['a']) AS t(x)", {("a",)}),
    ],
)
def test_unnest_gives_a_column_per_field(
    engine: Engine, query: str, expected: set[tuple[str, ...]]
) -> None:
    """Maps become key and value, rows their fields, arrays one column."""
    assert set(engine.select(parse_query(query), query).rows) == expected


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("1 / 0", "DIVISION_BY_ZERO"),
        ("5 % 0", "DIVISION_BY_ZERO"),
        ("cast('1.5' as bigint)", "INVALID_CAST_ARGUMENT: Cannot cast '1.5' to bigint"),
        ("cast('x' as double)", "INVALID_CAST_ARGUMENT"),
        (
            "cast('' as decimal(38,0))",
            "INVALID_CAST_ARGUMENT: Cannot cast VARCHAR '' to DECIMAL(38, 0). Value is not a numb",
        ),
        ("cast(' 1' as decimal(38,0))", "INVALID_CAST_ARGUMENT"),
        ("cast('1E38' as decimal(38,0))", "INVALID_CAST_ARGUMENT"),
        ("cast('9.99E+125' as decimal(38,0))", "INVALID_CAST_ARGUMENT"),
        ("cast('NaN' as decimal(38,0))", "INVALID_CAST_ARGUMENT"),
        ("cast('9223372036854775808' as bigint)", "INVALID_CAST_ARGUMENT"),
        ("cast(cast('9223372036854775808' as decimal(38,0)) as bigint)", "INVALID_CAST_ARGUMENT"),
        ("cast(json_parse('{\"a\":1}') as varchar)", "INVALID_CAST_ARGUMENT"),
        ("json_parse('{')", "INVALID_FUNCTION_ARGUMENT"),
        ("from_base64('*')", "INVALID_FUNCTION_ARGUMENT"),
        ("cast(300 as tinyint)", "INVALID_CAST_ARGUMENT"),
        ("9223372036854775807 + 1", "NUMERIC_VALUE_OUT_OF_RANGE"),
        ("sum(x) FROM (VALUES 9223372036854775807, 1) t(x)", "NUMERIC_VALUE_OUT_OF_RANGE"),
        ("nope", "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"),
        ("t.nope FROM (SELECT 1 a) t", "COLUMN_NOT_FOUND"),
        ("r.nope FROM (SELECT cast(row(1) as row(a int)) r)", "COLUMN_NOT_FOUND"),
        ("crc32(to_utf8('a'))", "LOCAL_ENGINE_UNSUPPORTED"),
        ("format_datetime(now(), 'y')", "LOCAL_ENGINE_UNSUPPORTED"),
        ("reduce(array[1], 0, (s, x) -> s + x, s -> s)", "LOCAL_ENGINE_UNSUPPORTED"),
        ("typeof(1)", "LOCAL_ENGINE_UNSUPPORTED"),
        ("cast(array['abc'] as array(varchar(2)))", "LOCAL_ENGINE_UNSUPPORTED"),
        ("no_such_function(1)", "LOCAL_ENGINE_UNSUPPORTED"),
        (
            "transform(array[1], x -> " * 11 + "1" + ")" * 11,
            "LOCAL_ENGINE_UNSUPPORTED (works or fails differently on Athena): lambdas nested",
        ),
        ("1 + 'a'", "LOCAL_ENGINE_UNSUPPORTED"),
        ("* FROM UNNEST(array[1], array[2]) AS t(a, b)", "LOCAL_ENGINE_UNSUPPORTED"),
        (f"k FROM UNNEST({MAP}) AS t(k)", "MISMATCHED_COLUMN_ALIASES"),
    ],
)
def test_what_fails_says_why(engine: Engine, expression: str, code: str) -> None:
    """Athena's codes where they are known, ours where this engine is the reason."""
    with pytest.raises(QueryFailedError) as caught:
        value(engine, expression)
    assert caught.value.reason.startswith(code)


@pytest.mark.parametrize(
    ("expression", "column"),
    [
        ("1", ("integer", 10, 0)),
        ("count(*)", ("bigint", 19, 0)),
        ("cast(1 as tinyint)", ("tinyint", 3, 0)),
        ("1.5", ("decimal", 2, 1)),
        ("1.5e0", ("double", 17, 0)),
        ("cast(1 as real)", ("float", 17, 0)),
        ("true", ("boolean", 0, 0)),
        ("'a'", ("varchar", 2147483647, 0)),
        ("date '2020-01-01'", ("date", 0, 0)),
        ("timestamp '2020-01-01 00:00:00'", ("timestamp", 3, 0)),
        ("now()", ("timestamp with time zone", 3, 0)),
        ("to_utf8('a')", ("varbinary", 1073741824, 0)),
        ("array[1]", ("array", 0, 0)),
        (MAP, ("map", 0, 0)),
        ("row(1)", ("row", 0, 0)),
        ("cast('1' as json)", ("json", 0, 0)),
    ],
)
def test_a_column_has_athenas_type(
    engine: Engine, expression: str, column: tuple[str, int, int]
) -> None:
    """Type, precision and scale as GetQueryResults shows them."""
    query = f"SELECT {expression} AS c"
    (found,) = engine.select(parse_query(query), query).columns
    assert (found.type, found.precision, found.scale) == column


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("1e0", "1.0"),
        ("1.5e7", "1.5E7"),
        ("9999999e0", "9999999.0"),
        ("0.001e0", "0.001"),
        ("1e-4", "1.0E-4"),
        ("-1e-38", "-1.0E-38"),
        ("0e0", "0.0"),
        ("nan()", "NaN"),
        ("array[null, 'a']", "[null, a]"),
        ("null", None),
        ("''", ""),
        ("false", "false"),
        ("1.50", "1.50"),
    ],
)
def test_a_value_is_spelled_as_athena_spells_it(
    engine: Engine, expression: str, text: str | None
) -> None:
    """Doubles by Java's rule, null inside, nothing outside."""
    assert value(engine, expression) == text


def test_unnamed_columns_have_trinos_names(engine: Engine) -> None:
    """_col0 and so on; a path takes its last field's name."""
    inner = "cast(row(2) as row(c int))"
    row = f"cast(row(1, {inner}) as row(a int, b row(c int)))"
    query = f"SELECT 1, r.a, r.b.c, 2 AS x FROM (SELECT {row} r)"
    found = engine.select(parse_query(query), query)
    assert [one.name for one in found.columns] == ["_col0", "a", "c", "x"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # The column of the same name is hidden.
        ("transform(a, tag -> tag + 1) FROM (SELECT array[1, 2] a, 100 tag)", "[2, 3]"),
        ("filter(a, TAG -> Tag > 1) FROM (SELECT array[1, 2] a, 100 tag)", "[2]"),
        # With its table before it the column is meant.
        ("transform(a, tag -> tag + t.tag) FROM (SELECT array[1, 2] a, 100 tag) t", "[101, 102]"),
        # A column that no parameter hides is read.
        ("transform(a, x -> x + tag) FROM (SELECT array[1, 2] a, 100 tag)", "[101, 102]"),
        # An inner parameter hides the outer one of its name, and only there.
        (
            "transform(array[array[1], array[2]], x -> transform(x, x -> x * 10)[1] + x[1])",
            "[11, 22]",
        ),
        # A field is a field, whatever the parameter is called.
        ("transform(array[cast(row(7) as row(x int))], x -> x.x)", "[7]"),
        ("transform(array[5], x -> cast(row(x) as row(x int)).x)", "[5]"),
        (
            "map_values(transform_values(map(array['a'], array[1]), (k, v) -> v + k1)) "
            "FROM (SELECT 1 k1, 9 k, 9 v)",
            "[2]",
        ),
    ],
)
def test_a_parameter_hides_a_column_of_its_name(
    engine: Engine, expression: str, expected: str
) -> None:
    """Trino looks for a name among the parameters first, the innermost first of all."""
    assert value(engine, expression) == expected
