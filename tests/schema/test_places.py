"""A profile as a list of places: what was seen at each, and what a query reads there."""

import pytest

from ddb_assets.schema import profile_node
from ddb_assets.schema.declaration import parse_columns
from ddb_assets.schema.layout import merge_attributes, table_layout
from ddb_assets.schema.places import places
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.typed_view import typed_view


@pytest.fixture
def places_of():
    """Path -> place, of these items under this declaration."""

    def look(*items, columns=None, mixed="columns"):
        profile = Profile()
        for item in items:
            profile.observe_item(item)
        declared = parse_columns(columns or {})
        layout = table_layout(merge_attributes(declared, profile.attributes()))
        view = typed_view(layout, profile, mixed=mixed)
        return {place.path: place for place in places(profile, layout, view)}

    return look


def test_presence_is_of_the_maps_around_it(places_of):
    """Of the items, and inside a map of the maps; of elements it says nothing."""
    found = places_of(
        {"m": {"M": {"a": {"S": ""}}}, "l": {"L": [{"M": {"x": {"S": ""}}}, {"M": {}}]}},
        {"m": {"M": {}}},
        {},
        {},
    )
    assert (found["m"].presence, found["m"].of) == (0.5, 4)
    assert (found["m.a"].presence, found["m.a"].of) == (0.5, 2)
    assert found["l[]"].presence is None
    assert (found["l[].x"].presence, found["l[].x"].of) == (0.5, 2)


def test_digits_are_those_of_numbers_and_of_sets_of_them(places_of):
    """Before and after the point."""
    found = places_of({"n": {"N": "-12.125"}, "s": {"NS": ["1E3", "0.5"]}, "t": {"S": ""}})
    assert [found[name].digits for name in "nst"] == ["2+3", "4+1", ""]
    assert found["n"].columns == (("n", "decimal(5,3)"),)
    assert found["s"].columns == (("s", "array(decimal(5,1))"),)


def test_several_types_are_columns_or_json(places_of):
    """At the top; inside they are a row."""
    item = {"a": {"L": [{"S": ""}, {"N": "1"}]}, "b": {"S": ""}}
    other = {"b": {"N": "1"}}
    found = places_of(item, other)
    assert found["b"].columns == (("b_s", "varchar"), ("b_n", "bigint"))
    assert found["b"].notes == ("mixed: 2 types",)
    assert found["a[]"].columns == (("", 'row("s" varchar, "n" bigint)'),)
    as_json = places_of(item, other, mixed="json")
    assert as_json["b"].columns == (("b", "varchar"),)
    assert as_json["b"].notes == ("mixed: 2 types, as JSON",)


def test_open_keys_are_one_place(places_of):
    """Kept or given up, with what their values have in common."""
    sparse = places_of(*({"m": {"M": {f"k{i % 40}": {"N": f"{i}"}}}} for i in range(400)))
    assert sparse["m.*"].notes == ("any of 40 keys",)
    assert sparse["m.*"].types == (("N", 400),)
    many = places_of({"m": {"M": {f"k{i}": {"M": {"x": {"S": ""}}} for i in range(101)}}})
    assert many["m.*"].notes == ("any key",)
    assert (many["m.*.x"].of, many["m.*.x"].presence) == (101, 1.0)


def test_a_key_declared_of_a_map_with_too_many_is_not_counted(places_of):
    """What its values have in common would be said of it alone."""
    item = {"m": {"M": {f"k{i}": {"N": "1"} for i in range(101)}}}
    found = places_of(item, columns={"m": {"M": {"k1": "N"}}})
    assert found["m.k1"].types == ()
    assert found["m.k1"].of is None
    assert found["m.k1"].notes == ("its map has too many keys to count each",)
    assert found["m.k1"].columns == (("k1", "bigint"),)


def test_an_item_with_open_keys_is_one_place(places_of, monkeypatch):
    """One map of everything."""
    monkeypatch.setattr(profile_node, "ITEM_KEYS_LIMIT", 3)
    found = places_of({f"a{i}": {"N": "1"} for i in range(5)})
    assert list(found) == ["*"]
    assert found["*"].columns == (("item", "map(varchar, bigint)"),)


def test_what_is_worth_knowing_is_noted(places_of):
    """NULL, emptiness, other names, numbers as text, and what is declared and not there."""
    found = places_of(
        {
            "nothing": {"NULL": True},
            "maybe": {"NULL": True},
            "list": {"L": []},
            "map": {"M": {}},
            "odd name": {"S": ""},
            "big": {"N": "1E125"},
            "box": {"M": {"odd key": {"S": ""}}},
        },
        {"maybe": {"S": ""}},
        columns={"declared": "S"},
    )
    assert {path: place.notes for path, place in found.items()} == {
        "declared": ("in no item",),
        "nothing": ("always NULL",),
        "maybe": ("NULL reads as absent",),
        "list": ("always empty",),
        "map": ("always empty",),
        "odd name": ("renamed",),
        "big": ("text: no decimal has so many digits",),
        "box": (),
        "box.odd key": ("renamed",),
    }
    assert found["declared"].presence == 0.0
