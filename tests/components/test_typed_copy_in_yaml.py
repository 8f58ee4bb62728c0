"""`typed_copy` in YAML: of a table, of a group, of all tables, and what is refused."""

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTree

from ddb_assets.components import DynamoDBTablesComponent
from ddb_assets.errors import DeclarationError


def copies(text: str) -> set[str]:
    """The keys of the copies of a declaration."""
    component = DynamoDBTablesComponent.resolve_from_yaml(f"database: raw\nbucket: exp\n{text}")
    definitions = component.build_defs(ComponentTree.for_test().load_context)
    specs = definitions.resolve_all_asset_specs()
    return {spec.key.to_user_string() for spec in specs if "parquet" in spec.kinds}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tables: [orders]", set()),
        ("tables: [{name: orders, typed_copy: true}]", {"athena/raw/orders_parquet"}),
        ("tables: [{name: orders, typed_copy: fast}]", {"athena/raw/fast"}),
        (
            "defaults: {typed_copy: true}\ntables: [orders, {name: users, typed_copy: false}]",
            {"athena/raw/orders_parquet"},
        ),
        (
            "groups: {big: {typed_copy: true}}\ntables: [{name: orders, group: big}, users]",
            {"athena/raw/orders_parquet"},
        ),
    ],
)
def test_the_nearest_word_counts(text, found):
    """Table, then group, then defaults."""
    assert copies(text) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tables: [{name: orders, typed_copy: No-Name}]", "no_name"),
        ("tables: [{name: orders, typed_copy: true, typed_view: false}]", "typed_view is false"),
        ("defaults: {typed_copy: fast}\ntables: [orders]", "true or false"),
    ],
)
def test_mistakes_are_errors_at_load(text, says):
    """The table, the value and what is allowed."""
    with pytest.raises((DeclarationError, dg.DagsterError), match=says):
        copies(text)
