"""The typed view: its SQL gives every value back with its exact type."""

import base64
import json
from decimal import Decimal

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from ddb_assets.errors import DeclarationError
from ddb_assets.schema.declaration import parse_columns
from ddb_assets.schema.hive_types import Array, Map, Struct, parse
from ddb_assets.schema.layout import table_layout
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.typed_view import typed_view


@pytest.fixture
def view_of(export_line):
    """The view over the table of these items."""

    def build(*items):
        profile = Profile()
        for item in items:
            profile.observe_line(export_line(item))
        return typed_view(table_layout(profile.attributes(), serde="auto"), profile)

    return build


def expressions(view):
    """Column name -> (type, expression without the raw table's name)."""
    return {c.name: (c.type, c.expression.replace('"raw"."item".', "")) for c in view.columns}


def duck_type(type_):
    """A Hive type as DuckDB writes it."""
    match type_:
        case Struct(fields):
            return (
                f"STRUCT({', '.join(f'{chr(34)}{n}{chr(34)} {duck_type(t)}' for n, t in fields)})"
            )
        case Array(element):
            return f"{duck_type(element)}[]"
        case Map(key, value):
            return f"MAP({duck_type(key)}, {duck_type(value)})"
        case _:
            return {"string": "VARCHAR"}.get(type_.text, type_.text)


def equal(typed, found):
    """Whether a value of the view is the DynamoDB value, a number in text by its value."""
    ((code, value),) = typed.items()
    if code == "NULL":
        return found is None
    if found is None:
        return False
    if code in {"NS", "BS"}:
        return len(value) == len(found) and all(
            equal({code[0]: one}, other) for one, other in zip(value, found, strict=True)
        )
    if code == "L":
        return len(value) == len(found) and all(map(equal, value, found))
    if code == "N":
        return Decimal(value) == Decimal(found)
    return (base64.b64decode(value) if code == "B" else value) == found


def test_an_article_has_real_columns(view_of):
    """`SELECT createat` instead of `SELECT item.createat.n`."""
    view = view_of({"userId": {"S": "7155"}, "createAt": {"N": "1577804400"}})
    assert view.ddl("ddb", "article") == (
        'CREATE OR REPLACE VIEW "ddb"."article_typed" AS\n'
        "SELECT\n"
        '  CAST("raw"."item"."createat"."n" AS bigint) AS "createat",\n'
        '  "raw"."item"."userid"."s" AS "userid"\n'
        'FROM "ddb"."article" AS "raw"'
    )
    assert [(c.type, c.path) for c in view.columns] == [
        ("bigint", "createAt"),
        ("varchar", "userId"),
    ]
    assert view.notes == ()


def test_every_type_has_its_expression(view_of):
    """Numbers by the ladder, binary decoded, sets as arrays, text as it is."""
    view = view_of(
        {
            "s": {"S": ""},
            "d": {"N": "12.50"},
            "e": {"N": "1E+3"},
            "x": {"N": "1E-130"},
            "b": {"B": "aGk="},
            "t": {"BOOL": True},
            "ss": {"SS": ["a"]},
            "ns": {"NS": ["1"]},
            "bs": {"BS": ["aGk="]},
        }
    )
    assert expressions(view) == {
        "s": ("varchar", '"s"."s"'),
        "d": ("decimal(3,1)", 'CAST("d"."n" AS decimal(3,1))'),
        "e": ("bigint", 'CAST(CAST("e"."n" AS decimal(38,0)) AS bigint)'),
        "x": ("varchar", '"x"."n"'),
        "b": ("varbinary", 'from_base64("b"."b")'),
        "t": ("boolean", '"t"."bool"'),
        "ss": ("array(varchar)", '"ss"."ss"'),
        "ns": ("array(bigint)", 'transform("ns"."ns", e0 -> CAST(e0 AS bigint))'),
        "bs": ("array(varbinary)", 'transform("bs"."bs", e0 -> from_base64(e0))'),
    }


def test_maps_and_lists_keep_their_shape(view_of):
    """Fixed keys are a row, open ones a map, lists arrays; lambdas inside lambdas are apart."""
    prices = {f"k{i}": {"N": "1"} for i in range(101)}
    view = view_of(
        {
            "address": {"M": {"zip": {"N": "1"}, "Street": {"S": "x"}}},
            "prices": {"M": prices},
            "grid": {"L": [{"L": [{"N": "1"}]}]},
            "none": {"M": {}},
            "empty": {"L": []},
        }
    )
    row = 'row("street" varchar, "zip" bigint)'
    assert expressions(view) == {
        "address": (
            row,
            'IF("address"."m" IS NOT NULL, CAST(ROW("address"."m"."street"."s", '
            f'CAST("address"."m"."zip"."n" AS bigint)) AS {row}))',
        ),
        "prices": (
            "map(varchar, bigint)",
            'transform_values("prices"."m", (k0, v0) -> CAST(v0."n" AS bigint))',
        ),
        "grid": (
            "array(array(bigint))",
            'transform("grid"."l", e0 -> transform(e0."l", e1 -> CAST(e1."n" AS bigint)))',
        ),
        "none": ("map(varchar, varchar)", '"none"."m"'),
        "empty": ("array(varchar)", '"empty"."l"'),
    }


def test_an_attribute_of_several_types_is_a_column_per_type(view_of):
    """Nothing is cast to fit, and no column takes another's name."""
    view = view_of({"v": {"S": "x"}, "v_n": {"S": "y"}}, {"v": {"N": "1"}}, {"v": {"NULL": True}})
    assert {name: type_ for name, (type_, _) in expressions(view).items()} == {
        "v_s": "varchar",
        "v_n_": "bigint",
        "v_n": "varchar",
    }
    assert [c.path for c in view.columns] == ["v (S)", "v (N)", "v_n"]
    assert view.notes == ("v: NULL and absent both read as NULL",)


def test_an_attribute_that_is_only_null_is_a_column_of_null(view_of):
    """The column is there for the day it has a value."""
    assert expressions(view_of({"x": {"NULL": True}}))["x"] == ("varchar", "CAST(NULL AS varchar)")


def test_an_item_with_open_keys_is_one_map(export_line):
    """Where the raw table cannot name its attributes the view cannot either."""
    profile = Profile()
    profile.observe_line(export_line({"a": {"S": "x"}, "b": {"N": "1"}}))
    view = typed_view(table_layout(parse_columns({"*": ["S", "N"]})), profile)
    assert [(c.name, c.type) for c in view.columns] == [
        ("item", 'map(varchar, row("s" varchar, "n" bigint))')
    ]


def test_a_view_longer_than_athena_takes_is_refused(view_of):
    """The error names the view; nothing is sent."""
    view = view_of({f"a_rather_long_attribute_{i:04}": {"N": "1"} for i in range(2_800)})
    with pytest.raises(DeclarationError, match=r"creates db\.t_typed has \d+ bytes"):
        view.ddl("db", "t")


def _types(view):
    return [column.type for column in view.columns]


@pytest.mark.parametrize("examples", [25, pytest.param(300, marks=pytest.mark.slow)])
def test_the_view_is_a_query_in_athenas_dialect(examples, dynamodb_items, view_of):
    """Whatever the items, another parser reads it, and no column's name is there twice."""

    @settings(max_examples=examples, deadline=None)
    @given(st.lists(dynamodb_items, min_size=1, max_size=3))
    def check(items):
        view = view_of(*items)
        (select,) = sqlglot.parse(view.select("db", "item"), dialect="athena")
        names = [column.name for column in view.columns]
        assert [column.alias for column in select.expressions] == names
        assert len(names) == len(set(names))
        for type_ in _types(view):
            sqlglot.exp.DataType.build(type_, dialect="trino")

    check()


@pytest.mark.parametrize("examples", [15, pytest.param(300, marks=pytest.mark.slow)])
def test_the_view_gives_every_value_back(examples, dynamodb_items, export_line, serde):
    """Run by DuckDB over the rows the SerDe yields: exact values, NULL where there is none.

    Without maps: DuckDB has no transform_values, and a row with fields of several types compares
    no simpler than the view is written.
    """

    def simple(typed):
        ((code, value),) = typed.items()
        return code != "M" and (code != "L" or not value or _alike(value))

    def _alike(elements):
        codes = {next(iter(element)) for element in elements}
        return len(codes) == 1 and not codes & {"L", "M"}

    @settings(max_examples=examples, deadline=None)
    @given(st.lists(dynamodb_items, min_size=1, max_size=3))
    def check(items):
        # The key keeps an attribute named `*` from standing alone, which means open keys.
        key = {"id": {"S": "1"}}
        items = [{**{k: v for k, v in item.items() if simple(v)}, **key} for item in items]
        profile = Profile()
        for item in items:
            profile.observe_line(export_line(item))
        layout = table_layout(profile.attributes(), serde="auto")
        view = typed_view(layout, profile)
        reader = serde(layout)
        column = duck_type(parse(layout.columns[0][1]))
        with duckdb.connect() as db:
            db.execute(f"CREATE TABLE t (no INTEGER, item {column})")
            for number, item in enumerate(items):
                row = json.dumps(reader.row(export_line(item))["item"])
                db.execute(f"INSERT INTO t SELECT ?, CAST(?::JSON AS {column})", [number, row])
            query = view.select("main", "t") + " ORDER BY no"
            sql = sqlglot.transpile(query, read="trino", write="duckdb")[0]
            rows = db.execute(sql).fetchall()
        for item, row in zip(items, rows, strict=True):
            for view_column, found in zip(view.columns, row, strict=True):
                name, _, code = view_column.path.partition(" (")
                typed = item.get(view_column.path) or item.get(name) or {"NULL": True}
                if code and view_column.path not in item and next(iter(typed)) != code[:-1]:
                    typed = {"NULL": True}
                assert equal(typed, found), (view_column, typed, found)

    check()
