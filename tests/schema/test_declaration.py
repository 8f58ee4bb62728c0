"""Declared columns: read, written back, and refused with path, value and what is allowed."""

import json

import pytest
import yaml
from hypothesis import given, settings

from ddb_assets.errors import DeclarationError
from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.declaration import MAX_NESTING, format_columns, parse_columns

EXAMPLE = """
userId: S
createAt: N
tags: SS
address: {M: {street: S, zip: N}}
prices: {M: {"*": N}}
lines: {L: {M: {sku: S}}}
mixed: [S, N]
gone: 'NULL'
none: {M: {}}
empty: {L: []}
"""


def scalar(*codes):
    """A shape of these scalar types."""
    return Shape(frozenset(codes))


def test_every_form_is_read():
    """The documented example becomes the attributes it says."""
    assert parse_columns(yaml.safe_load(EXAMPLE)) == (
        Attribute("userId", scalar("S")),
        Attribute("createAt", scalar("N")),
        Attribute("tags", scalar("SS")),
        Attribute(
            "address",
            Shape(fields=(Attribute("street", scalar("S")), Attribute("zip", scalar("N")))),
        ),
        Attribute("prices", Shape(values=scalar("N"))),
        Attribute("lines", Shape(element=Shape(fields=(Attribute("sku", scalar("S")),)))),
        Attribute("mixed", scalar("S", "N")),
        Attribute("gone", scalar("NULL")),
        Attribute("none", Shape(fields=())),
        Attribute("empty", Shape(element=Shape())),
    )


def test_a_list_of_mappings_keeps_the_order_and_refuses_a_second_declaration():
    """Unlike a YAML mapping, a list can show that a name is there twice."""
    assert [a.name for a in parse_columns([{"b": "S"}, {"a": "N", "c": "B"}])] == ["b", "a", "c"]
    with pytest.raises(DeclarationError, match=r"columns\.b is declared twice"):
        parse_columns([{"b": "S"}, {"b": "N"}])


@pytest.mark.parametrize("examples", [50, pytest.param(500, marks=pytest.mark.slow)])
def test_what_is_written_is_read_back(examples, attribute_lists):
    """format_columns is the inverse, through YAML and JSON as well."""

    @settings(max_examples=examples, deadline=None)
    @given(attribute_lists)
    def check(attributes):
        written = format_columns(attributes)
        assert parse_columns(written) == attributes
        assert parse_columns(json.loads(json.dumps(written))) == attributes
        text = yaml.safe_dump(written, sort_keys=False)
        assert parse_columns(yaml.safe_load(text)) == attributes

    check()


@pytest.mark.parametrize(
    ("columns", "path", "found", "allowed"),
    [
        ({"a": "X"}, "columns.a", "'X'", "S, N, B, BOOL, NULL, SS, NS, BS"),
        ({"a": "s"}, "columns.a", "'s'", "S, N, B"),
        ({"a": 1}, "columns.a", "1", "S, N, B"),
        ({"a": []}, "columns.a", "[]", "S, N, B"),
        ({"a": "M"}, "columns.a", "'M'", "what is inside"),
        ({"a": "L"}, "columns.a", "'L'", "{L: S}"),
        ({"a": {"street": "S"}}, "columns.a", "'street'", "{M: {street: S}}"),
        ({"a": {"M": {}, "L": []}}, "columns.a", "'M'", "one key, M or L"),
        ({"a": {"M": "S"}}, "columns.a.M", "'S'", "mapping of key to type"),
        ({"a": {"M": {"*": "S", "b": "N"}}}, "columns.a.M", "'*'", "'*' alone"),
        ({"a": {"M": {"b": {"L": "X"}}}}, "columns.a.b[]", "'X'", "S, N, B"),
        ({"a": {"M": {"*": "X"}}}, "columns.a.*", "'X'", "S, N, B"),
        ({"a": ["S", "S"]}, "columns.a", "'S'", "each type once"),
        ({"a": ["S", ["N"]]}, "columns.a", "['N']", "a flat list"),
        ({"a": [{"M": {}}, {"M": {"*": "S"}}]}, "columns.a", "'*'", "each type once"),
        ({"a": [{"L": []}, {"L": "S"}]}, "columns.a", "'L'", "each type once"),
        ("userId", "columns", "'userId'", "a mapping of attribute name to type"),
        ([["a", "S"]], "columns[0]", "['a', 'S']", "a mapping of attribute name to type"),
    ],
)
def test_a_wrong_form_is_refused_with_path_value_and_what_is_allowed(columns, path, found, allowed):
    """The error can be mended without reading the documentation."""
    with pytest.raises(DeclarationError) as refused:
        parse_columns(columns)
    text = str(refused.value)
    assert text.startswith(f"{path}: ")
    assert found in text
    assert allowed in text


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"": "S"}, "columns: an attribute's name is empty"),
        ({"a": {"M": {"": "S"}}}, "columns.a: an attribute's name is empty"),
        ({"\\": "S"}, "columns: an attribute's name is empty"),
        ({2024: "S"}, "the attribute name 2024 is not text"),
        ({True: "S"}, "the attribute name True is not text — put it in quotes"),
        ({"a": None}, "columns.a has no type"),
        ({"x" * 65_536: "S"}, "has 65536 bytes"),
        ({"é" * 40_000: "S"}, "has 80000 bytes"),
    ],
)
def test_a_wrong_name_is_refused(columns, text):
    """Names that DynamoDB cannot have, or that YAML did not read as text."""
    with pytest.raises(DeclarationError) as refused:
        parse_columns(columns)
    assert text in str(refused.value)


def test_the_longest_name_dynamodb_allows_is_allowed():
    """65,535 bytes."""
    assert len(parse_columns({"x" * 65_535: "S"})[0].name) == 65_535


def test_nesting_goes_as_deep_as_dynamodb_and_no_deeper():
    """32 levels below the attribute."""

    def nested(levels):
        form = "S"
        for _ in range(levels):
            form = {"L": form}
        return {"a": form}

    assert parse_columns(nested(MAX_NESTING))
    with pytest.raises(DeclarationError, match="deeper than 32 levels"):
        parse_columns(nested(MAX_NESTING + 1))


def test_a_star_that_is_a_name_is_written_with_a_backslash():
    r"""`*` means open keys, `\*` the attribute of that name."""
    attributes = parse_columns({"\\*": "S", "\\\\x": "N", "m": {"M": {"\\*": "B"}}})
    assert [a.name for a in attributes] == ["*", "\\x", "m"]
    assert attributes[2].shape.fields == (Attribute("*", scalar("B")),)
    assert format_columns(attributes) == {"\\*": "S", "\\\\x": "N", "m": {"M": {"\\*": "B"}}}
