"""What the typed view was decides what it becomes: names stay, types only get wider."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddb_assets.schema.declaration import parse_columns
from ddb_assets.schema.hive_types import parse
from ddb_assets.schema.layout import table_layout
from ddb_assets.schema.numbers import NumberType, widen
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.shapes import item_attributes, item_shape, unite
from ddb_assets.schema.typed_view import typed_view
from ddb_assets.schema.view_memory import ViewMemory


class History:
    """A raw table and its view over several exports; the memory is written and read each time."""

    def __init__(self, export_line, mixed="columns"):
        self.export_line = export_line
        self.mixed = mixed
        self.attributes = ()
        self.memory = ViewMemory()

    def refresh(self, *items, recreated=False):
        """The view after an export of these items."""
        profile = Profile()
        for item in items:
            profile.observe_line(self.export_line(item))
        before = () if recreated else self.attributes
        self.attributes = item_attributes(
            unite(item_shape(before), item_shape(profile.attributes()))
        )
        view = typed_view(
            table_layout(self.attributes), profile, memory=self.memory, mixed=self.mixed
        )
        self.memory = ViewMemory.from_json(view.memory.to_json())
        assert self.memory.to_json() == view.memory.to_json()
        return view


@pytest.fixture
def history(export_line):
    """A new table's history."""
    return lambda **options: History(export_line, **options)


def shown(view):
    """Column name -> type."""
    return {column.name: column.type for column in view.columns}


def test_a_number_column_only_gets_wider(history):
    """bigint, decimal that still holds every bigint, text; and never back."""
    table = history()
    assert shown(table.refresh({"n": {"N": "5"}})) == {"n": "bigint"}
    wider = table.refresh({"n": {"N": "0.25"}})
    assert shown(wider) == {"n": "decimal(21,2)"}
    assert wider.notes == ("changed: n: bigint -> decimal(21,2)",)
    again = table.refresh({"n": {"N": "5"}})
    assert shown(again) == {"n": "decimal(21,2)"}
    assert again.notes == ()
    assert shown(table.refresh({"n": {"N": "1E-130"}})) == {"n": "varchar"}
    assert shown(table.refresh({"n": {"N": "5"}})) == {"n": "varchar"}


def test_numbers_inside_maps_lists_and_sets_are_remembered(history):
    """At every depth, and after an export that has none of them."""
    item = {
        "m": {"M": {"x": {"N": "0.5"}}},
        "l": {"L": [{"N": "0.5"}]},
        "s": {"NS": ["0.5"]},
        "o": {"M": {f"k{i}": {"N": "0.5"} for i in range(101)}},
    }
    table = history()
    first = shown(table.refresh(item))
    assert first["s"] == "array(decimal(1,1))"
    assert first["m"] == 'row("x" decimal(1,1))'
    assert first["o"] == "map(varchar, decimal(1,1))"
    assert shown(table.refresh({"id": {"S": "x"}})) == {**first, "id": "varchar"}


def test_a_second_type_gets_a_column_beside_the_first(history):
    """`SELECT x` goes on meaning what it meant; the order of the columns stays."""
    table = history()
    table.refresh({"x": {"N": "5"}, "y": {"S": ""}})
    view = table.refresh({"x": {"S": "five"}})
    assert list(shown(view).items()) == [("x", "bigint"), ("y", "varchar"), ("x_s", "varchar")]
    assert [c.path for c in view.columns] == ["x (N)", "y", "x (S)"]
    assert shown(table.refresh({"x": {"N": "5"}})) == shown(view)


def test_columns_of_mixed_types_keep_their_names_before_an_attribute_called_so(history):
    """A later attribute `x_n` does not take the column `x_n`."""
    table = history()
    table.refresh({"x": {"N": "5"}}, {"x": {"S": "a"}})
    view = table.refresh({"x": {"N": "5"}, "x_n": {"BOOL": True}})
    assert shown(view) == {"x_s": "varchar", "x_n": "bigint", "x_n_": "boolean"}
    assert {c.name: c.attribute for c in view.columns}["x_n_"] == "x_n"


def test_a_column_of_only_null_gets_its_type_with_the_first_value(history):
    """There was nothing to read in it, so nobody loses anything."""
    table = history()
    assert shown(table.refresh({"x": {"NULL": True}})) == {"x": "varchar"}
    assert shown(table.refresh({"x": {"N": "1"}})) == {"x": "bigint"}


def test_a_column_whose_attribute_is_gone_reads_as_null(history):
    """The raw table was dropped and made anew; the view's readers keep their columns."""
    table = history()
    table.refresh({"x": {"N": "0.5"}, "y": {"S": ""}})
    view = table.refresh({"y": {"S": ""}}, recreated=True)
    assert shown(view) == {"x": "decimal(1,1)", "y": "varchar"}
    assert view.columns[0].expression == "CAST(NULL AS decimal(1,1))"


def test_columns_stay_when_the_item_becomes_one_map(export_line):
    """An item of ten thousand keys is a map; the columns from before read their key of it."""
    profile = Profile()
    profile.observe_line(export_line({"a": {"N": "1"}}))
    memory = typed_view(table_layout(profile.attributes()), profile).memory
    layout = table_layout(parse_columns({"*": ["N", "S"]}))
    view = typed_view(layout, profile, memory=memory)
    assert [c.name for c in view.columns] == ["a", "item"]
    value = 'element_at("raw"."item", \'a\')."n"'
    assert view.columns[0].expression == f"CAST({value} AS bigint)"


def test_mixed_types_as_json_are_one_column(history):
    """Configured: one column of JSON text, its name the attribute's."""
    view = history(mixed="json").refresh(
        {"x": {"N": "5"}}, {"x": {"S": "a"}}, {"x": {"NULL": True}}
    )
    (column,) = view.columns
    assert (column.name, column.type, column.code) == ("x", "varchar", "JSON")
    assert view.notes == ()
    field = '"raw"."item"."x"'
    assert column.expression == (
        f"""CASE WHEN {field}."s" IS NOT NULL THEN """
        f"""json_format(CAST(MAP(ARRAY['S'], ARRAY[{field}."s"]) AS json)) """
        f"""WHEN {field}."n" IS NOT NULL THEN """
        f"""json_format(CAST(MAP(ARRAY['N'], ARRAY[{field}."n"]) AS json)) """
        f"""WHEN {field}."null" IS NOT NULL THEN """
        f"""json_format(CAST(MAP(ARRAY['NULL'], ARRAY[{field}."null"]) AS json)) END"""
    )


def test_keys_that_a_column_of_json_spells_otherwise_are_reported(history):
    """Inside it they are the raw table's fields, which have no upper case; the note names both."""
    view = history(mixed="json").refresh(
        {"x": {"N": "5"}},
        {"x": {"M": {"FooBar": {"L": [{"M": {"ok": {"S": "a"}, "Deep": {"S": "b"}}}]}}}},
        {"plain": {"M": {"FooBar": {"S": "a"}}}},
    )
    assert view.notes == (
        "x.FooBar: spelled foobar in its column of JSON",
        "x.FooBar[].Deep: spelled deep in its column of JSON",
    )


def test_json_comes_beside_a_column_that_had_one_type(history):
    """The typed column stays; the new one holds every value."""
    table = history(mixed="json")
    table.refresh({"x": {"N": "5"}})
    view = table.refresh({"x": {"S": "a"}})
    assert shown(view) == {"x": "bigint", "x_json": "varchar"}
    assert shown(table.refresh({"x": {"S": "a"}})) == shown(view)


def test_numbers_nobody_has_looked_at_are_text():
    """Without inference a declared number may be any; a cast that fails would fail every query."""
    layout = table_layout(parse_columns({"n": "N", "s": "NS", "m": {"M": {"*": "N"}}}))
    view = typed_view(layout, None)
    assert shown(view) == {"n": "varchar", "s": "array(varchar)", "m": "map(varchar, varchar)"}
    profile = Profile()
    profile.observe_line(b'{"Item":{"n":{"N":"1"}}}')
    assert shown(typed_view(layout, profile, memory=view.memory))["n"] == "varchar"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Expecting value"),
        ("{}", "not a view's memory"),
        ("[]", "not a view's memory"),
        ('{"version":2}', "of version 2"),
        ('{"version":1,"columns":[],"numbers":{"n":"q"}}', "'q' is not a number's type"),
    ],
)
def test_a_memory_that_cannot_be_read_is_an_error(text, says):
    """Somebody edited it: guessing would narrow a column."""
    with pytest.raises(ValueError, match=says):
        ViewMemory.from_json(text)


numbers = st.one_of(
    st.integers(-(10**30), 10**30).map(str),
    st.tuples(st.integers(0, 999999), st.integers(-12, 12)).map(lambda t: f"{t[0]}E{t[1]}"),
)


def _number_type(text):
    if text.startswith("decimal"):
        precision, _, scale = text[8:-1].partition(",")
        return NumberType("decimal", int(precision), int(scale))
    return NumberType({"varchar": "string"}.get(text, text))


@settings(max_examples=150)
@given(exports=st.lists(st.lists(numbers, max_size=4), min_size=2, max_size=4))
def test_every_type_holds_all_that_the_one_before_held(exports):
    """Whatever the exports bring: what widens two types is the wider one itself."""
    memory, before = ViewMemory(), None
    layout = table_layout(parse_columns({"n": "N"}))
    for export in exports:
        profile = Profile()
        for number in export:
            profile.observe_item({"n": {"N": number}})
        view = typed_view(layout, profile, memory=memory)
        memory = ViewMemory.from_json(view.memory.to_json())
        now = _number_type(view.columns[0].type)
        if before is not None:
            assert widen(before, now) == now
        before = now
        assert parse(view.columns[0].hive).text == view.columns[0].hive
