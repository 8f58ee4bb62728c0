"""Drift: new, missing, retyped and wider attributes, at every depth, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddb_assets.schema.declaration import parse_columns
from ddb_assets.schema.drift import SchemaDrift, compare_declaration, compare_profiles
from ddb_assets.schema.profile import Profile


def profile(*items):
    """What these items hold."""
    made = Profile()
    for item in items:
        made.observe_item(item)
    return made


def told(drift):
    """Kind -> texts."""
    return drift.to_dict()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": {"S": ""}}, {"a": {"S": ""}, "b": {"N": "1"}}, {"new": ["b: N"]}),
        ({"a": {"S": ""}, "b": {"N": "1"}}, {"a": {"S": ""}}, {"missing": ["b: N"]}),
        ({"a": {"S": ""}}, {"a": {"N": "1"}}, {"retyped": ["a: S -> N | S"]}),
        ({"a": {"N": "1"}}, {"a": {"N": "0.5"}}, {"wider": ["a: bigint -> decimal(20,1)"]}),
        (
            {"a": {"N": "0.5"}},
            {"a": {"N": "12.25"}},
            {"wider": ["a: decimal(1,1) -> decimal(4,2)"]},
        ),
        ({"a": {"N": "0.5"}}, {"a": {"N": "1E-130"}}, {"wider": ["a: decimal(1,1) -> varchar"]}),
        ({"a": {"NS": ["1"]}}, {"a": {"NS": ["0.5"]}}, {"wider": ["a: bigint -> decimal(20,1)"]}),
        (
            {"m": {"M": {"x": {"S": ""}}}},
            {"m": {"M": {"y": {"S": ""}}}},
            {"new": ["m.y: S"], "missing": ["m.x: S"]},
        ),
        (
            {"l": {"L": [{"M": {"x": {"S": ""}}}]}},
            {"l": {"L": [{"M": {"x": {"N": "1"}}}]}},
            {"retyped": ["l[].x: S -> N | S"]},
        ),
    ],
)
def test_each_kind_is_told_by_its_path(before, after, expected):
    """One difference, at every depth."""
    assert told(compare_profiles(profile(before), profile(after))) == expected


def test_fewer_types_and_narrower_numbers_are_no_drift():
    """They may come again tomorrow."""
    before = profile({"a": {"S": ""}}, {"a": {"N": "7.5"}}, {"a": {"NULL": True}})
    assert not compare_profiles(before, profile({"a": {"N": "1"}}))


def test_an_empty_export_says_nothing():
    """No items, so nothing is missing; and the first items are not news of the second export."""
    some = profile({"a": {"S": ""}})
    assert not compare_profiles(some, profile())
    assert not compare_profiles(profile(), some)
    assert not compare_declaration(parse_columns({"a": "S"}), profile())


def test_keys_of_an_open_map_come_and_go():
    """They are its content; a type that none of its values had is drift."""
    before = profile({"m": {"M": {f"k{i}": {"N": "1"} for i in range(101)}}})
    other = {f"x{i}": {"N": "1"} for i in range(101)}
    assert not compare_profiles(before, profile({"m": {"M": other}}))
    other["x0"] = {"S": "a"}
    assert told(compare_profiles(before, profile({"m": {"M": other}}))) == {
        "retyped": ["m.*: N -> N | S"]
    }


def test_a_map_whose_keys_open_is_retyped():
    """Its row became a map."""
    before = profile({"m": {"M": {"a": {"N": "1"}}}})
    after = profile({"m": {"M": {f"k{i}": {"N": "1"} for i in range(101)}}})
    assert told(compare_profiles(before, after)) == {"retyped": ["m: fixed keys -> open keys"]}


def test_a_map_that_gets_sparse_is_retyped_once():
    """Its keys count as open although they are few enough to be kept."""
    dense = profile(*[{"m": {"M": {f"k{i}": {"N": "1"} for i in range(30)}}}] * 400)
    sparse = profile(*({"m": {"M": {f"k{i % 40}": {"N": "1"}}}} for i in range(400)))
    many = profile(*({"m": {"M": {f"k{i}": {"N": "1"}}}} for i in range(400)))
    assert told(compare_profiles(dense, sparse)) == {"retyped": ["m: fixed keys -> open keys"]}
    assert not compare_profiles(sparse, many)
    assert not compare_profiles(many, sparse)
    assert not compare_profiles(many, dense)
    empty = profile({"m": {"M": {}}})
    assert not compare_profiles(empty, many)


def test_the_declaration_is_compared_with_what_is_there():
    """Beyond it, missing, and of another type; NULL needs no declaration."""
    declared = parse_columns({"a": "S", "b": "N", "m": {"M": {"x": "S"}}, "o": {"M": {"*": "N"}}})
    found = profile(
        {
            "a": {"NULL": True},
            "c": {"S": ""},
            "m": {"M": {"x": {"N": "1"}, "y": {"S": ""}}},
            "o": {"M": {"k": {"N": "1"}, "j": {"S": ""}}},
        },
        {"a": {"S": ""}},
    )
    assert told(compare_declaration(declared, found)) == {
        "new": ["c: S", "m.y: S"],
        "missing": ["b: N"],
        "retyped": ["m.x: S -> N | S", "o.*: N -> N | S"],
    }
    assert not compare_declaration((), found)


def test_metadata_stays_small():
    """At most so many of a kind, and how many there are."""
    before = profile({"id": {"S": ""}})
    after = profile({"id": {"S": ""}} | {f"a{i:02}": {"S": ""} for i in range(20)})
    drift = compare_profiles(before, after)
    assert drift.to_dict(most=2) == {"new": ["a00: S", "a01: S"], "new_count": 20}
    assert SchemaDrift().to_dict() == {}


values = st.recursive(
    st.sampled_from([{"S": ""}, {"N": "1"}, {"N": "0.5"}, {"BOOL": True}, {"NULL": True}]),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from("xyz"), inner, max_size=3).map(lambda v: {"M": v}),
        st.lists(inner, max_size=3).map(lambda v: {"L": v}),
    ),
    max_leaves=6,
)
items = st.lists(
    st.dictionaries(st.sampled_from("abc"), values, max_size=3), min_size=1, max_size=4
)


@settings(max_examples=150)
@given(first=items, second=items)
def test_what_was_there_before_is_no_drift(first, second):
    """Against itself there is none, and an export that only lost items adds nothing."""
    whole = profile(*first, *second)
    assert not compare_profiles(whole, whole)
    part = compare_profiles(whole, profile(*first))
    assert {entry.kind for entry in part.entries} <= {"missing"}
