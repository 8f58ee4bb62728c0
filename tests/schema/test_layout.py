"""The raw table's layout: what is read through it is what was exported."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddb_assets.errors import CatalogConflictError, DeclarationError
from ddb_assets.schema import layout as layout_module
from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.declaration import parse_columns
from ddb_assets.schema.hive_types import Struct, parse
from ddb_assets.schema.layout import (
    HIVE_SERDE,
    MAX_COMMENT_LENGTH,
    MAX_TYPE_LENGTH,
    OPENX_SERDE,
    merge_attributes,
    table_layout,
    written_attributes,
)
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.shapes import uncovered


def the_type(layout):
    """The Hive type of the one column."""
    ((name, type_, _),) = layout.columns
    assert name == "item"
    return type_


def test_an_article_is_one_struct_read_by_the_hive_serde():
    """The sample table has the type its users know from the Athena console."""
    columns = parse_columns({"userId": "S", "articleId": "S", "content": "S", "createAt": "N"})
    layout = table_layout(columns, serde="auto")
    assert the_type(layout) == (
        "struct<userid:struct<s:string>,articleid:struct<s:string>,"
        "content:struct<s:string>,createat:struct<n:string>>"
    )
    assert layout.serde_library == HIVE_SERDE
    assert layout.serde_parameters == {}
    assert layout.notes == ()


def test_every_type_has_its_hive_type():
    """Text for what must stay exact, arrays for sets, boolean for BOOL and NULL."""
    every = {code.lower(): code for code in ("S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS")}
    every |= {"m": {"M": {"x": "S"}}, "o": {"M": {"*": "N"}}, "li": {"L": ["S", {"M": {"y": "N"}}]}}
    assert the_type(table_layout(parse_columns(every), serde="hive")) == (
        "struct<s:struct<s:string>,n:struct<n:string>,b:struct<b:string>,bool:struct<bool:boolean>,"
        "null:struct<null:boolean>,ss:struct<ss:array<string>>,ns:struct<ns:array<string>>,"
        "bs:struct<bs:array<string>>,m:struct<m:struct<x:struct<s:string>>>,"
        "o:struct<m:map<string,struct<n:string>>>,"
        "li:struct<l:array<struct<s:string,m:struct<y:struct<n:string>>>>>>"
    )


def test_several_types_of_one_attribute_are_fields_of_one_struct():
    """A mixed attribute keeps every value in the field of its type."""
    layout = table_layout(parse_columns({"mixed": ["N", "S", {"L": "S"}]}), serde="auto")
    assert the_type(layout) == "struct<mixed:struct<s:string,n:string,l:array<struct<s:string>>>>"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, "map<string,string>"),
        ({"m": {"M": {}}}, "struct<m:struct<m:map<string,string>>>"),
        ({"l": {"L": []}}, "struct<l:struct<l:array<string>>>"),
        ({"m": {"M": {"*": []}}}, "struct<m:struct<m:map<string,string>>>"),
        ({"*": "S"}, "map<string,struct<s:string>>"),
    ],
)
def test_what_was_always_empty_is_no_empty_struct(columns, expected):
    """Hive has no `struct<>`; an empty map, list or table still has a type."""
    assert the_type(table_layout(parse_columns(columns), serde="auto")) == expected


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"user name": "S"}, "'user name' has characters a column cannot have"),
        ({"größe": "S"}, "'größe' has characters"),
        ({"url": "S", "URL": "S"}, "'URL' differs only by case from 'url'"),
        ({"a": {"L": {"M": {"x.y": "S"}}}}, "'a[].x.y' has characters"),
        ({"a": {"M": {"*": {"M": {"x": "S", "X": "S"}}}}}, "'a.*.X' differs only by case"),
        ({"x" * 300: "S"}, "is longer than 247 characters"),
    ],
)
def test_a_name_hive_cannot_read_needs_openx_and_says_why(columns, why):
    """Auto chooses OpenX with its warning; an explicit `hive` is refused with the remedy."""
    attributes = parse_columns(columns)
    layout = table_layout(attributes, serde="auto")
    assert layout.serde_library == OPENX_SERDE
    assert why in layout.notes[0]
    assert "AWS warns" in layout.notes[0]
    with pytest.raises(DeclarationError, match="cannot name 1 of the attributes") as refused:
        table_layout(attributes, serde="hive")
    assert why in str(refused.value)
    assert "serde: openx" in str(refused.value)


def test_the_same_name_in_two_structs_is_no_collision():
    """Hive folds case per struct, so `id` and `address.ID` can both be read."""
    columns = parse_columns({"id": "S", "address": {"M": {"ID": "S"}}})
    assert table_layout(columns, serde="auto").serde_library == HIVE_SERDE


def test_openx_maps_every_key_that_is_not_its_field():
    """Mixed case alone reads as NULL under OpenX unless it is mapped, type letters included."""
    layout = table_layout(parse_columns({"userId": "S", "plain": "N"}), serde="openx")
    assert layout.notes == ()
    assert layout.serde_parameters["case.insensitive"] == "FALSE"
    assert layout.serde_parameters["mapping.item"] == "Item"
    assert layout.serde_parameters["mapping.userid"] == "userId"
    assert layout.serde_parameters["mapping.s"] == "S"
    assert layout.serde_parameters["mapping.bool"] == "BOOL"
    assert "mapping.plain" not in layout.serde_parameters


def test_an_attribute_named_like_a_type_letter_gets_a_field_of_its_own():
    """OpenX's mapping holds at every depth: `s` is taken by `S`."""
    layout = table_layout(parse_columns({"s": "S", "S": "N", "a b": "S"}), serde="auto")
    item = parse(the_type(layout))
    assert isinstance(item, Struct)
    (renamed,) = [k for k, v in layout.serde_parameters.items() if v == "s"]
    assert item.get(renamed.removeprefix("mapping.")) == parse("struct<s:string>")
    assert item.get("s") == parse("struct<n:string>")


def test_an_unknown_serde_is_refused():
    """A misspelt SerDe names the ones there are."""
    with pytest.raises(DeclarationError, match=r"'json' is not known.*auto, hive, openx"):
        table_layout((), serde="json")


@pytest.mark.parametrize("examples", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_every_value_is_read_back_through_the_layout(examples, dynamodb_items, export_line, serde):
    """Never lost: any items, profiled and laid out, read back value for value."""

    @settings(max_examples=examples, deadline=None)
    @given(st.lists(dynamodb_items, min_size=1, max_size=4), st.sampled_from(["auto", "openx"]))
    def check(items, choice):
        profile = Profile()
        lines = [export_line(item) for item in items]
        for line in lines:
            profile.observe_line(line)
        reader = serde(table_layout(profile.attributes(), serde=choice))
        assert [reader.item(line) for line in lines] == items

    check()


@pytest.mark.parametrize("examples", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_field_names_do_not_depend_on_the_order_of_attributes(examples, attribute_lists):
    """Two refreshes that see the same attributes in another order read the same fields."""

    @settings(max_examples=examples, deadline=None)
    @given(attribute_lists, st.randoms())
    def check(attributes, random):
        shuffled = list(attributes)
        random.shuffle(shuffled)
        one, other = (table_layout(a, serde="openx") for a in (attributes, shuffled))
        assert one.serde_parameters == other.serde_parameters

    check()


@pytest.mark.parametrize("examples", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_the_attributes_are_kept_on_the_table_as_dynamodb_spells_them(examples, attribute_lists):
    """What a refresh leaves on the Glue table is what the next one goes on from."""

    @settings(max_examples=examples, deadline=None)
    @given(attribute_lists)
    def check(attributes):
        layout = table_layout(attributes, serde="auto")
        assert written_attributes(layout.table_parameters) == layout.attributes == attributes

    check()


def test_a_damaged_parameter_is_refused_with_its_name():
    """Somebody's edit of the Glue table does not lead to a wrong type."""
    with pytest.raises(CatalogConflictError, match=r"ddb_assets\.attributes cannot be read"):
        written_attributes({"ddb_assets.attributes": '{"a":"X"}'})
    assert written_attributes({"EXTERNAL": "TRUE"}) == ()


def test_the_comment_tells_the_original_names_and_fits_glue():
    """Renamed fields are explained as far as 255 characters reach."""
    layout = table_layout(parse_columns({f"Attribute{i}": "S" for i in range(100)}), serde="auto")
    comment = layout.columns[0][2]
    assert "attribute0=Attribute0" in comment
    assert comment.endswith(", …")
    assert len(comment) <= MAX_COMMENT_LENGTH


def test_a_type_too_long_for_glue_opens_its_widest_map():
    """One map with too many keys does not take the others along."""
    wide = {f"key_{i:05}": "S" for i in range(6_000)}
    columns = parse_columns({"id": "S", "small": {"M": {"x": "N"}}, "wide": {"M": wide}})
    layout = table_layout(columns, serde="auto")
    assert the_type(layout) == (
        "struct<id:struct<s:string>,small:struct<m:struct<x:struct<n:string>>>,"
        "wide:struct<m:map<string,struct<s:string>>>>"
    )
    assert layout.notes == ("wide is read as a map with open keys: the type was too long",)
    assert written_attributes(layout.table_parameters) == layout.attributes


def test_too_many_attributes_make_the_item_itself_a_map():
    """A table with more attributes than a struct can hold is still read in full."""
    columns = parse_columns({f"attribute_{i:05}": ["S", "N"][i % 2] for i in range(8_000)})
    layout = table_layout(columns, serde="auto")
    assert the_type(layout) == "map<string,struct<s:string,n:string>>"
    assert len(the_type(layout)) <= MAX_TYPE_LENGTH
    assert layout.attributes == (Attribute("*", Shape(frozenset({"S", "N"}))),)


def test_what_fits_in_no_form_is_refused_with_the_count(monkeypatch):
    """The error says how many attributes there are and what to do."""
    monkeypatch.setattr(layout_module, "MAX_TYPE_LENGTH", 20)
    with pytest.raises(DeclarationError, match=r"2 attributes do not fit.*infer: false"):
        table_layout(parse_columns({"a": "S", "b": "N"}), serde="auto")


def test_declared_attributes_come_first_and_inferred_ones_are_added():
    """The declaration gives the order; nothing found is left out."""
    declared = parse_columns({"z": "S", "address": {"M": {"street": "S"}}})
    inferred = parse_columns({"a": "N", "address": {"M": {"city": "S"}}, "z": ["S", "N"]})
    assert merge_attributes(declared, inferred) == parse_columns(
        {"z": ["S", "N"], "address": {"M": {"street": "S", "city": "S"}}, "a": "N"}
    )


def test_a_declared_open_map_stays_open():
    """The user knows that keys are dynamic before the data shows it."""
    declared = parse_columns({"prices": {"M": {"*": "N"}}})
    inferred = parse_columns({"prices": {"M": {"eur": "N", "usd": "S"}}})
    merged = merge_attributes(declared, inferred)
    assert merged == parse_columns({"prices": {"M": {"*": ["N", "S"]}}})
    assert uncovered(merged, inferred) == ()


def test_a_map_declared_empty_takes_the_keys_that_are_found():
    """`{M: {}}` says that it is a map and nothing of its keys, fixed or open."""
    declared = parse_columns({"m": {"M": {}}})
    for found in ({"m": {"M": {"*": "N"}}}, {"m": {"M": {"x": "N"}}}):
        assert merge_attributes(declared, parse_columns(found)) == parse_columns(found)


def test_what_a_declared_struct_leaves_out_is_reported():
    """Declared fixed keys win over open ones in the data; the rest is named, not dropped unseen."""
    declared = parse_columns({"prices": {"M": {"eur": "N"}}})
    inferred = parse_columns({"prices": {"M": {"*": "N"}}, "x": "S"})
    merged = merge_attributes(declared, inferred)
    assert merged == parse_columns({"prices": {"M": {"eur": "N"}}, "x": "S"})
    assert uncovered(merged, inferred) == ("prices.*",)


@pytest.mark.parametrize("examples", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_merging_covers_everything_inferred_unless_it_says_so(examples, attribute_lists):
    """Without declared structs against open maps, the union has a place for every path."""

    @settings(max_examples=examples, deadline=None)
    @given(attribute_lists, attribute_lists)
    def check(declared, inferred):
        merged = merge_attributes(declared, inferred)
        assert uncovered(merged, declared) == ()
        assert all(path.endswith("*") for path in uncovered(merged, inferred))

    check()


def test_declared_columns_do_not_hide_an_item_with_open_keys():
    """Two keys and thousands of attribute names: all of them stay within reach."""
    declared, inferred = parse_columns({"pk": "S"}), parse_columns({"*": ["S", "N"]})
    assert merge_attributes(declared, inferred) == inferred
    assert merge_attributes(inferred, declared) == inferred
    assert merge_attributes((), inferred) == merge_attributes(inferred, ()) == inferred


def test_items_nested_as_deep_as_dynamodb_allows_are_read_back(export_line, serde):
    """32 levels of maps and lists, from profile to type and back."""
    value = {"S": "x"}
    for level in range(32):
        value = {"L": [value]} if level % 2 else {"M": {"k": value}}
    line = export_line({"deep": value})
    profile = Profile()
    profile.observe_line(line)
    layout = table_layout(Profile.from_json(profile.to_json()).attributes(), serde="auto")
    assert parse(the_type(layout)).text == the_type(layout)
    assert serde(layout).item(line) == {"deep": value}


def test_a_layout_names_the_field_of_an_attribute():
    """For queries and views over the raw table."""
    assert table_layout(parse_columns({"userId": "S"})).field_name("userId") == "userid"
    openx = table_layout(parse_columns({"userId": "S", "a b": "S", "x": "N"}))
    assert [openx.field_name(key) for key in ("userId", "a b", "x")] == ["userid", "a_b", "x"]
