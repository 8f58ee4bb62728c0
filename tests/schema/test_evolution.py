"""How tables grow: what was there stays, what changes is said."""

import pytest
from hypothesis import given, settings

from ddb_assets.schema.declaration import parse_columns
from ddb_assets.schema.evolution import Evolution, compare, extend, union
from ddb_assets.schema.hive_types import Struct, parse
from ddb_assets.schema.layout import HIVE_SERDE, OPENX_SERDE, table_layout
from ddb_assets.schema.shapes import uncovered

EXAMPLES = pytest.mark.parametrize("examples", [30, pytest.param(300, marks=pytest.mark.slow)])


def lay(columns, before=None, serde="auto"):
    """A layout, on a table that has one already or not."""
    attributes = parse_columns(columns) if isinstance(columns, dict) else columns
    if before is None:
        return table_layout(attributes, serde=serde)
    return extend(
        attributes,
        serde=serde,
        table_parameters=before.table_parameters,
        serde_library=before.serde_library,
        serde_parameters=before.serde_parameters,
    )


def field_of(layout, key):
    """The field a key at the top of the item is read through."""
    item = parse(layout.columns[0][1])
    assert isinstance(item, Struct)
    mapped = {v: k.removeprefix("mapping.") for k, v in layout.serde_parameters.items()}
    field = mapped.get(key, key) if layout.serde_library == OPENX_SERDE else key.lower()
    return field if item.get(field) is not None else None


def test_order_and_case_of_fields_are_no_change():
    """Glue or a person may have reordered or respelled what is there."""
    wanted = lay({"userId": "S", "n": "N"})
    existing = [("Item", "STRUCT<n: struct<N:string>, UserId:struct<s:STRING>>", "")]
    assert compare(existing, wanted) == Evolution()
    assert compare(existing, wanted).same


def test_additions_removals_and_retypings_name_path_and_types():
    """A person sees what would change and where."""
    existing = lay({"a": "S", "gone": "N", "m": {"M": {"x": "S"}}, "l": {"L": "S"}})
    wanted = lay({"a": ["S", "N"], "m": {"M": {"*": "S"}}, "l": {"L": ["S", "B"]}})
    found = compare(existing.columns, wanted)
    assert found == Evolution(
        additions=("item.a.n: string", "item.l.l[].b: string"),
        removals=("item.gone: struct<n:string>",),
        retypings=("item.m.m: struct<x:struct<s:string>> -> map<string,struct<s:string>>",),
    )
    assert not found.additive
    assert not found.same


def test_a_column_of_somebody_else_is_a_removal():
    """Columns besides `item` are compared as well."""
    found = compare([*lay({"a": "S"}).columns, ("x", "int", "")], lay({"a": "S"}))
    assert found.removals == ("x: int",)


def test_first_content_of_what_was_always_empty_is_an_addition():
    """An empty table, map or list that gets its first content breaks no query."""
    empty = lay({"m": {"M": {}}, "l": {"L": []}})
    full = lay({"m": {"M": {"x": "S"}}, "l": {"L": "N"}})
    assert compare(empty.columns, full).additive
    assert compare(lay({}).columns, full).additions == (f"item: {full.columns[0][1]}",)


def test_union_keeps_what_the_newer_one_lacks():
    """A column that vanished stays, all NULL; new ones come after it."""
    text, found = union("struct<a:string,b:struct<x:int>>", "struct<B:struct<y:int>,c:string>")
    assert text == "struct<a:string,b:struct<x:int,y:int>,c:string>"
    assert found == Evolution(additions=("b.y: int", "c: string"))


@pytest.mark.parametrize(
    ("existing", "wanted", "expected"),
    [
        ("map<string,string>", "struct<a:string>", "struct<a:string>"),
        ("struct<a:string>", "map<string,string>", "struct<a:string>"),
        ("array<string>", "array<struct<s:string>>", "array<struct<s:string>>"),
        ("array<struct<s:string>>", "array<string>", "array<struct<s:string>>"),
        ("map<string,string>", "map<string,struct<n:string>>", "map<string,struct<n:string>>"),
        ("map<string,struct<s:string>>", "map<string,string>", "map<string,struct<s:string>>"),
        (
            "map<string,struct<s:string>>",
            "struct<a:struct<n:string>>",
            "map<string,struct<s:string,n:string>>",
        ),
    ],
)
def test_union_of_maps_lists_and_what_was_always_empty(existing, wanted, expected):
    """What says nothing gives way; a map with open keys stays one."""
    text, found = union(existing, wanted)
    assert text == expected
    assert found.retypings == ()


def test_union_takes_the_wanted_type_and_says_so():
    """Types that do not agree are listed, not hidden."""
    text, found = union("struct<a:int,b:struct<x:int>>", "struct<a:string,b:map<string,int>>")
    assert text == "struct<a:string,b:map<string,int>>"
    assert found.retypings == ("a: int -> string", "b: struct<x:int> -> map<string,int>")


@EXAMPLES
def test_union_loses_nothing_and_is_stable(examples, attribute_lists):
    """Compared with either side there are no removals; the same again changes nothing."""

    @settings(max_examples=examples, deadline=None)
    @given(attribute_lists, attribute_lists)
    def check(first, second):
        one, two = (lay(attributes, serde="openx").columns[0][1] for attributes in (first, second))
        text, found = union(one, two)
        assert found.removals == ()
        assert union(text, two) == (text, Evolution())

    check()


def test_an_attribute_that_the_new_export_lacks_stays():
    """The last item with `coupon` is deleted; queries that name it go on working."""
    before = lay({"id": "S", "coupon": "S"})
    after = lay({"id": "S", "new": "N"}, before)
    assert compare(before.columns, after) == Evolution(additions=("item.new: struct<n:string>",))


def test_an_odd_name_switches_the_serde_and_keeps_the_fields():
    """Hive becomes OpenX when `a b` appears; `userid` still reads `userId`, not the newcomer."""
    before = lay({"userId": "S", "plain": "N"})
    assert before.serde_library == HIVE_SERDE
    after = lay({"userId": "S", "plain": "N", "userid": "S", "USERID": "S", "a b": "S"}, before)
    assert after.serde_library == OPENX_SERDE
    assert compare(before.columns, after).additive
    assert field_of(after, "userId") == "userid"
    assert field_of(after, "plain") == "plain"
    others = {field_of(after, "userid"), field_of(after, "USERID"), field_of(after, "a b")}
    assert len(others) == 3
    assert "userid" not in others


def test_the_mapping_only_grows():
    """Third refresh: the odd name is gone, the table stays as it is; nothing is renamed."""
    first = lay({"URL": "S", "url": "S"})
    second = lay({"Url": "S", "n": "N"}, first)
    third = lay({"uRL": "S", "url": "S"}, second)
    for earlier, later in ((first, second), (second, third)):
        assert later.serde_library == OPENX_SERDE
        assert earlier.serde_parameters.items() <= later.serde_parameters.items()
        assert compare(earlier.columns, later).additive


def test_an_attribute_named_like_a_type_is_renamed_and_reported():
    """The one change OpenX forces: `s` means the type everywhere."""
    before = lay({"s": "N", "x": "S"})
    after = lay({"s": "N", "x": "S", "a b": "S"}, before)
    assert compare(before.columns, after).removals == ("item.s: struct<n:string>",)
    assert field_of(after, "s").startswith("s_")


def test_a_table_without_our_parameters_is_laid_out_anew():
    """A table made by hand has no attributes to go on from."""
    wanted = lay({"a": "S"})
    assert (
        extend(
            parse_columns({"a": "S"}),
            serde="auto",
            table_parameters={"EXTERNAL": "TRUE"},
            serde_library=OPENX_SERDE,
            serde_parameters={"mapping.x": "X"},
        )
        == wanted
    )


@EXAMPLES
def test_growing_keeps_every_attribute_and_every_field(examples, attribute_lists):
    """Any two refreshes under OpenX: all is covered, mapped fields stay."""

    @settings(max_examples=examples, deadline=None)
    @given(attribute_lists, attribute_lists)
    def check(first, second):
        before = lay(first, serde="openx")
        after = lay(second, before, serde="openx")
        assert uncovered(after.attributes, first) == ()
        assert uncovered(after.attributes, second) == ()
        for attribute in before.attributes:
            if isinstance(parse(after.columns[0][1]), Struct):
                assert field_of(after, attribute.name) == field_of(before, attribute.name)
        again = lay(second, after, serde="openx")
        assert again == after

    check()
