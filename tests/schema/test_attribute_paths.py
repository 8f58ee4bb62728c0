"""Attributes as a list of paths, and that Athena's columns are really called so."""

import pytest

from ddb_assets.schema.declaration import parse_columns
from ddb_assets.schema.hive_types import Array, Map, Struct, parse
from ddb_assets.schema.layout import table_layout
from ddb_assets.schema.paths import field_names, value_paths

COLUMNS = {
    "userId": "S",
    "createAt": ["N", "S"],
    "tags": "SS",
    "done": "BOOL",
    "address": {"M": {"zipCode": "N", "lines": {"L": "S"}}},
    "prices": {"M": {"*": "N"}},
    "orders": {"L": {"M": {"sku": "S"}}},
    "nothing": {"M": {}},
}


def paths_of(columns, serde="auto"):
    """The paths under the layout's own field names."""
    attributes = parse_columns(columns)
    layout = table_layout(attributes, serde=serde)
    named = field_names(layout.serde_library, layout.serde_parameters)
    return layout, list(value_paths(layout.attributes, named))


def type_at(type_, steps):
    """The Hive type a path leads to."""
    for step in steps:
        name, brackets, _ = step.partition("[")
        type_ = dict(type_.fields)[name]
        if brackets:
            assert isinstance(type_, Array | Map)
            type_ = type_.element if isinstance(type_, Array) else type_.value
    return type_


def test_each_type_of_each_attribute_is_a_row():
    """Spelled as in DynamoDB, beside where a query finds it."""
    _, paths = paths_of(COLUMNS)
    found = {(p.attribute, p.code): (p.column, p.hive_type, p.top) for p in paths}
    assert found == {
        ("userId", "S"): ("item.userid.s", "string", "userId"),
        ("createAt", "S"): ("item.createat.s", "string", "createAt"),
        ("createAt", "N"): ("item.createat.n", "string", "createAt"),
        ("tags", "SS"): ("item.tags.ss", "array<string>", "tags"),
        ("done", "BOOL"): ("item.done.bool", "boolean", "done"),
        ("address.zipCode", "N"): ("item.address.m.zipcode.n", "string", "address"),
        ("address.lines[]", "S"): ("item.address.m.lines.l[].s", "string", "address"),
        ("prices.*", "N"): ("item.prices.m[*].n", "string", "prices"),
        ("orders[].sku", "S"): ("item.orders.l[].m.sku.s", "string", "orders"),
        ("nothing", "M"): ("item.nothing.m", "map<string,string>", "nothing"),
    }


@pytest.mark.parametrize("serde", ["hive", "openx"])
def test_each_path_is_there_in_the_columns_type(serde):
    """The raw column, followed step by step, ends in the type the row says."""
    layout, paths = paths_of(COLUMNS, serde)
    ((_, text, _),) = layout.columns
    item = Struct((("item", parse(text)),))
    assert paths
    for path in paths:
        assert type_at(item, path.column.split(".")).text == path.hive_type


def test_renamed_fields_are_read_from_the_mapping():
    """OpenX's mapping decides what a field is called, at every depth."""
    _, paths = paths_of({"first name": "S", "a": {"M": {"user-id": "N"}}, "plain": "S"})
    assert {p.attribute: p.column for p in paths} == {
        "first name": "item.first_name.s",
        "a.user-id": "item.a.m.user_id.n",
        "plain": "item.plain.s",
    }


def test_an_item_with_open_keys_is_one_row_per_type():
    """Nobody can list its attributes."""
    _, paths = paths_of({"*": ["S", "N"]})
    assert [(p.attribute, p.column) for p in paths] == [("*", "item[*].s"), ("*", "item[*].n")]
