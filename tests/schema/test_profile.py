"""Inference over all items: exact, and the same in whatever order files are read and merged."""

import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddb_assets.errors import ManifestInvalidError
from ddb_assets.schema import profile_node
from ddb_assets.schema.declaration import format_columns
from ddb_assets.schema.number_stats import NumberStats
from ddb_assets.schema.profile import Profile


@pytest.fixture
def profile_of(export_line):
    """A profile of these items."""

    def build(*items):
        profile = Profile()
        for item in items:
            profile.observe_line(export_line(item))
        return profile

    return build


def test_types_counts_and_presence_are_exact(profile_of):
    """Every type seen at a path is counted, also the one that occurs once."""
    profile = profile_of(
        *[{"id": {"S": "x"}, "n": {"N": "1"}}] * 99, {"id": {"S": "y"}, "n": {"S": "?"}}
    )
    assert profile.items == 100
    assert profile.item.children["n"].counts == {"N": 99, "S": 1}
    assert format_columns(profile.attributes()) == {"id": "S", "n": ["S", "N"]}


def test_an_attribute_of_the_last_item_alone_is_found(profile_of):
    """No sampling: what occurs once among thousands is there."""
    profile = profile_of(*[{"id": {"S": "x"}}] * 3_000, {"id": {"S": "z"}, "rare": {"BOOL": True}})
    assert format_columns(profile.attributes()) == {"id": "S", "rare": "BOOL"}
    assert profile.item.children["rare"].total == 1


def test_nothing_observed_is_no_attributes():
    """An empty table has a profile too."""
    assert Profile().attributes() == ()
    assert Profile().items == 0
    assert Profile.from_json(Profile().to_json()) == Profile()


def test_lists_unite_the_types_of_all_their_elements(profile_of):
    """Elements of any list at a path share one shape; an empty list says nothing."""
    profile = profile_of(
        {"l": {"L": []}},
        {"l": {"L": [{"S": "a"}, {"M": {"x": {"N": "1"}}}]}},
        {"l": {"L": [{"M": {"y": {"NULL": True}}}]}, "e": {"L": []}},
    )
    assert format_columns(profile.attributes()) == {
        "e": {"L": []},
        "l": {"L": ["S", {"M": {"x": "N", "y": "NULL"}}]},
    }


@pytest.mark.parametrize("examples", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_any_grouping_of_files_gives_the_same_profile(examples, dynamodb_items, export_line):
    """Merging is associative and commutative, also where maps lose their keys to the limit."""

    @settings(max_examples=examples, deadline=None)
    @given(
        st.lists(st.lists(dynamodb_items, max_size=4), min_size=1, max_size=5),
        st.randoms(),
        st.integers(1, 4),
    )
    def check(files, random, limit):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(profile_node, "MAP_KEYS_LIMIT", limit)
            patch.setattr(profile_node, "ITEM_KEYS_LIMIT", limit + 2)
            whole = Profile()
            profiles = []
            for file in files:
                profile = Profile()
                for item in file:
                    profile.observe_line(export_line(item))
                    whole.observe_line(export_line(item))
                profiles.append(Profile.from_json(profile.to_json()))
            before = [profile.to_json() for profile in profiles]
            merged = list(profiles)
            while len(merged) > 1:
                left = merged.pop(random.randrange(len(merged)))
                right = merged.pop(random.randrange(len(merged)))
                merged.append(left.merge(right))
            assert merged[0].to_json() == whole.to_json()
            assert merged[0].attributes() == whole.attributes()
            assert [profile.to_json() for profile in profiles] == before

    check()


def test_a_map_with_too_many_keys_is_open_and_small(profile_of):
    """A million keys cost what a hundred cost; the values are known all the same."""
    profile = profile_of(*({"m": {"M": {f"k{i}": {"N": str(i)}}}} for i in range(20_000)))
    assert format_columns(profile.attributes()) == {"m": {"M": {"*": "N"}}}
    node = profile.item.children["m"]
    assert node.children is None
    assert node.values.counts == {"N": 20_000}
    assert node.values.numbers.whole == 5
    assert len(profile.to_json()) < 500


def test_the_limit_is_on_distinct_keys(profile_of):
    """Exactly the limit is a struct, one key more is a map."""
    keys = {f"k{i:03}": {"S": ""} for i in range(profile_node.MAP_KEYS_LIMIT)}
    full = profile_of(*[{"m": {"M": keys}}] * 3)
    assert len(full.attributes()[0].shape.fields) == profile_node.MAP_KEYS_LIMIT
    beyond = full.merge(profile_of({"m": {"M": {"one more": {"N": "1"}}}}))
    assert format_columns(beyond.attributes()) == {"m": {"M": {"*": ["S", "N"]}}}


def test_a_sparse_map_is_open_before_the_limit(profile_of):
    """Few of many keys in each map: keys are data, not fields."""
    sparse = ({"m": {"M": {f"sku-{i % 40}": {"N": "1"}}}} for i in range(400))
    assert format_columns(profile_of(*sparse).attributes()) == {"m": {"M": {"*": "N"}}}
    dense = [{"m": {"M": {f"f{i}": {"N": "1"} for i in range(40)}}}] * 400
    assert len(profile_of(*dense).attributes()[0].shape.fields) == 40
    few = ({"m": {"M": {f"k{i % 24}": {"N": "1"}}}} for i in range(400))
    assert len(profile_of(*few).attributes()[0].shape.fields) == 24


def test_more_attributes_than_any_struct_holds_are_one_open_item(monkeypatch, profile_of):
    """A table that uses attribute names as data becomes a map."""
    monkeypatch.setattr(profile_node, "ITEM_KEYS_LIMIT", 50)
    profile = profile_of(*({f"at-{i}": {"S": "x"}, "pk": {"N": "1"}} for i in range(50)))
    assert format_columns(profile.attributes()) == {"*": ["S", "N"]}
    assert profile.items == 50


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (["0"], NumberStats(1, 0, 1)),
        (["1577804400"], NumberStats(10, 0, 8)),
        (["-12.340"], NumberStats(2, 2, 4, plain=False)),
        (["0.5", "-7"], NumberStats(1, 1, 1, plain=False)),
        (["1E-130"], NumberStats(0, 130, 1, plain=False)),
        (["9.99E+125"], NumberStats(126, 0, 3, beyond_bigint=True, plain=False)),
        (["9223372036854775807", "-9223372036854775808"], NumberStats(19, 0, 19)),
        (["9223372036854775808"], NumberStats(19, 0, 19, beyond_bigint=True)),
        (["1" * 38], NumberStats(38, 0, 38, beyond_bigint=True)),
        (["007", "1.0"], NumberStats(1, 0, 1, plain=False)),
        (["-5", "007"], NumberStats(1, 0, 1)),
    ],
)
def test_digits_and_range_of_numbers_are_exact(numbers, expected, profile_of):
    """What decides between bigint, decimal and string."""
    as_values = profile_of(*({"n": {"N": number}} for number in numbers))
    as_set = profile_of({"n": {"NS": numbers}})
    assert as_values.item.children["n"].numbers == expected
    assert as_set.item.children["n"].set_numbers == expected


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**38), max_value=10**38))
@settings(max_examples=300)
def test_digit_counts_hold_every_number(number):
    """A decimal with these digits before and after the point holds the number exactly."""
    stats = NumberStats()
    stats.observe(format(number, "f"))
    same = NumberStats()
    same.observe(str(number))
    assert replace(stats, plain=same.plain) == same
    exact = Fraction(number)
    assert abs(exact) < 10**stats.whole
    assert (exact * 10**stats.fraction).denominator == 1
    assert stats.significant <= stats.whole + stats.fraction
    assert stats.beyond_bigint == (not -(2**63) <= exact <= 2**63 - 1)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"Item":{"a":{"S":"x"}}', "not JSON"),
        (b'{"Keys":{}}', 'no "Item"'),
        (b"[]", 'no "Item"'),
        (b'{"Item":[]}', "value of M is a list"),
        (b'{"Item":{"a":"x"}}', "not an item"),
        (b'{"Item":{"a":{"X":"x"}}}', "'X'"),
        (b'{"Item":{"a":{}}}', "not an item"),
        (b'{"Item":{"a":{"S":"x","N":"1"}}}', "not an item"),
        (b'{"Item":{"a":{"N":1}}}', "value of N is a int"),
        (b'{"Item":{"a":{"N":"one"}}}', "'one' is not a number"),
        (b'{"Item":{"a":{"N":"NaN"}}}', "not a finite number"),
        (b'{"Item":{"a":{"NS":[1]}}}', "not an item"),
    ],
)
def test_a_line_that_is_no_item_is_an_error_that_shows_it(line, why):
    """Nothing is guessed from damaged data."""
    with pytest.raises(ManifestInvalidError, match="not an item in DynamoDB JSON") as refused:
        Profile().observe_line(line)
    assert why in str(refused.value)
    assert refused.value.details["line"] == line.decode()


def test_a_blank_line_holds_no_item():
    """Splitting a file at its newlines leaves an empty piece at the end."""
    profile = Profile()
    profile.observe_line(b"")
    profile.observe_line(b"\n")
    assert profile == Profile()


@pytest.mark.parametrize("text", ["{}", "[]", '{"version":2,"item":{}}', '{"version":1,"item":[]}'])
def test_what_is_no_profile_is_refused(text):
    """A profile of another version is not read as if it were this one."""
    with pytest.raises(ValueError, match="profile"):
        Profile.from_json(text)


@pytest.mark.parametrize("examples", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_counts_agree_with_a_naive_count(examples, dynamodb_items, export_line):
    """Against the simplest possible counting of (path, type) pairs."""

    def walk(path, typed, found):
        ((code, value),) = typed.items()
        found[path, code] += 1
        if code == "M":
            for key, inner in value.items():
                walk((*path, key), inner, found)
        elif code == "L":
            for inner in value:
                walk((*path, None), inner, found)

    def flatten(path, node, found):
        for code, count in node["types"].items():
            found[path, code] += count
        for key, child in node.get("fields", {}).items():
            flatten((*path, key), child, found)
        if "element" in node:
            flatten((*path, None), node["element"], found)

    @settings(max_examples=examples, deadline=None)
    @given(st.lists(dynamodb_items, max_size=4))
    def check(items):
        profile, expected, found = Profile(), Counter(), Counter()
        for item in items:
            profile.observe_line(export_line(item))
            walk((), {"M": item}, expected)
        flatten((), json.loads(profile.to_json())["item"], found)
        assert found == expected

    check()


def test_a_small_profile_is_kept_whole_in_bounds(profile_of):
    """And can be read back."""
    profile = profile_of({"a": {"M": {"b": {"N": "1"}}}})
    assert Profile.from_dict(profile.bounded(1000)) == profile


@pytest.mark.parametrize("most", [1000, 5000, 32_768])
def test_a_large_profile_is_cut_to_its_bounds(profile_of, most):
    """A thousand attributes with deep maps: so many characters, and said to be cut."""
    deep = {"M": {f"k{i}": {"M": {f"j{j}": {"N": "1"} for j in range(10)}} for i in range(10)}}
    profile = profile_of({f"\u00e9 {i:04}": deep for i in range(1000)})
    cut = profile.bounded(most)
    assert most * 0.8 < len(json.dumps(cut)) <= most
    assert (cut["cut"], cut["attributes"]) == (True, 1000)
    first = cut["item"]["fields"]["\u00e9 0000"]
    assert first == {"types": {"M": 1}}
    with pytest.raises(ValueError, match="cut"):
        Profile.from_dict(cut)


def test_an_item_with_open_keys_is_cut_too(profile_of, monkeypatch):
    """It has no attributes to choose from."""
    monkeypatch.setattr(profile_node, "ITEM_KEYS_LIMIT", 3)
    deep = {"M": {f"k{i}": {"M": {f"j{j}": {"N": "1"} for j in range(10)}} for i in range(10)}}
    profile = profile_of({f"a{i}": deep for i in range(5)})
    cut = profile.bounded(200)
    assert len(json.dumps(cut)) <= 200
    assert cut["item"] == {"types": {"M": 1}, "fields": {}}
