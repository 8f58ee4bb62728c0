"""Plain Python values as attribute values: exact, or refused with the attribute's path."""

from decimal import Decimal

import pytest

from ddb_assets.testing.items import item


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        ("", {"S": ""}),
        (0, {"N": "0"}),
        (10**37, {"N": str(10**37)}),
        (0.1, {"N": "0.1"}),
        (Decimal("9.90"), {"N": "9.90"}),
        (True, {"BOOL": True}),
        (None, {"NULL": True}),
        (b"\x00", {"B": b"\x00"}),
        ([], {"L": []}),
        (("a", 1), {"L": [{"S": "a"}, {"N": "1"}]}),
        ({}, {"M": {}}),
        ({"a": {"b": None}}, {"M": {"a": {"M": {"b": {"NULL": True}}}}}),
        ({"b", "a"}, {"SS": ["a", "b"]}),
        ({1, Decimal("2.5")}, {"NS": ["1", "2.5"]}),
        (frozenset({b"x"}), {"BS": [b"x"]}),
    ],
)
def test_a_value_gets_its_type(value, typed):
    """Every type DynamoDB has; bool is no number, a float is what Python prints."""
    assert item({"x": value}) == {"x": typed}


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (set(), ValueError, r"x: a set holds at least one value"),
        ({1, "a"}, ValueError, r"x: a set holds"),
        ({None}, ValueError, r"x: a set holds"),
        (float("nan"), ValueError, r"x: nan is not a number"),
        (10**38 + 1, ValueError, r"at most 38 digits"),
        ({"a": [1, object()]}, TypeError, r"x\.a\[1\]: DynamoDB has no type for object"),
    ],
)
def test_what_dynamodb_has_no_type_for_is_refused_with_its_path(value, error, words):
    """Before anything is written."""
    with pytest.raises(error, match=words):
        item({"x": value})
