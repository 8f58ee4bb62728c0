"""The declaration as text: what is pasted is what was meant, whatever the names are."""

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.declaration import SCALAR_CODES, parse_columns
from ddb_assets.schema.yaml_text import columns_yaml

ODD = [
    *(
        "*",
        "\\",
        "\\*",
        "\\\\*",
        "a b",
        " a",
        "a ",
        "a: b",
        "a #b",
        "- a",
        "? a",
        "[a",
        "{a}",
        "{{ x }}",
    ),
    *("yes", "NO", "On", "null", "NULL", "~", "true", "1", "1.0", "1e5", "0x10", "1_000", ".inf"),
    *("2026-01-01", "12:30", "<<", "=", "!a", "&a", "*a", "'a'", '"a"', "a,b", "%a", "@a", "`a`"),
    *(
        "é",
        "日本",
        "\U0001f600",
        "\x00",
        "\n",
        "\r",
        "\t",
        "\x85",
        "\xa0",
        "\u2028",
        "\ufeff",
        "\x7f",
    ),
    *("\U0010ffff", "\uffff", "\ud7ff", "a.b", "a[]", "a" * 2000, '"' * 600, "é" * 1001),
]


def read_back(attributes, loader):
    """What a reader of the text gets."""
    return parse_columns(yaml.load(columns_yaml(attributes), loader)["columns"])


LOADERS = [yaml.SafeLoader, yaml.CSafeLoader] if yaml.__with_libyaml__ else [yaml.SafeLoader]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("name", ODD)
def test_every_name_is_read_back(name, loader):
    """As an attribute, inside a map, and inside so many that it stands on a line of its own."""
    text = Shape(scalars=frozenset({"S"}))
    inside = Shape(fields=(Attribute(name, text),))
    wide = Shape(
        fields=(*(Attribute(f"field {i}", text) for i in range(20)), Attribute(name, inside))
    )
    attributes = (Attribute(name, text), Attribute("m", inside), Attribute("w", wide))
    if name not in {"m", "w"}:
        assert read_back(attributes, loader) == attributes


names = st.text(
    st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8
) | st.sampled_from(ODD)
scalars = st.frozensets(st.sampled_from(SCALAR_CODES), min_size=1, max_size=3)


def fields(inner, least=0):
    """Attributes of distinct names; a lone `*` means something else."""
    found = st.dictionaries(names, inner, min_size=least, max_size=6)
    return found.map(lambda chosen: tuple(Attribute(*entry) for entry in chosen.items()))


def holding(inner):
    """A union with a map or a list in it."""
    maps = st.one_of(
        fields(inner).map(lambda found: Shape(fields=found)),
        st.one_of(inner, st.just(Shape())).map(lambda value: Shape(values=value)),
        st.one_of(inner, st.just(Shape())).map(lambda element: Shape(element=element)),
    )
    return st.tuples(maps, st.frozensets(st.sampled_from(SCALAR_CODES), max_size=2)).map(
        lambda both: Shape(both[1], both[0].fields, both[0].values, both[0].element)
    )


shapes = st.recursive(scalars.map(lambda codes: Shape(scalars=codes)), holding, max_leaves=20)
declarations = fields(shapes, 1).filter(lambda found: [a.name for a in found] != ["*"])


@settings(max_examples=400, deadline=None)
@given(attributes=declarations)
@example(attributes=(Attribute("*x", Shape(element=Shape())),))
def test_every_declaration_is_read_back(attributes):
    """By PyYAML and by libyaml, in the same order."""
    for loader in LOADERS:
        assert read_back(attributes, loader) == attributes


def test_it_reads_like_one_written_by_hand():
    """One line for an attribute as long as it fits; quotes where they are needed."""
    declared = {
        "userId": "S",
        "n": "N",
        "address": {"M": {"street": "S", "zip": "N"}},
        "prices": {"M": {"*": "N"}},
        "mixed": ["S", "NULL", {"L": "S"}],
        "wide": {"M": {f"a rather long name {i}": ["S", "N"] for i in range(4)}},
        "straße": "BOOL",
        "empty": {"L": []},
    }
    assert columns_yaml(parse_columns(declared)) == (
        "columns:\n"
        "  userId: S\n"
        '  "n": N\n'
        "  address: {M: {street: S, zip: N}}\n"
        '  prices: {M: {"*": N}}\n'
        '  mixed: [S, "NULL", {L: S}]\n'
        "  wide:\n"
        "    M:\n"
        '      "a rather long name 0": [S, N]\n'
        '      "a rather long name 1": [S, N]\n'
        '      "a rather long name 2": [S, N]\n'
        '      "a rather long name 3": [S, N]\n'
        '  "straße": BOOL\n'
        "  empty: {L: []}\n"
    )


def test_an_item_with_open_keys_and_no_attribute_at_all():
    """A lone `*`, and an empty declaration."""
    opened = parse_columns({"*": ["S", "N"]})
    assert columns_yaml(opened) == 'columns:\n  "*": [S, N]\n'
    assert yaml.safe_load(columns_yaml(())) == {"columns": {}}
