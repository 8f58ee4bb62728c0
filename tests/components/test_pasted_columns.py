"""What `ddb-assets schema` prints is pasted into defs.yaml and means the same there."""

import pytest
from dagster.components.core.component_tree import ComponentTree
from hypothesis import given, settings
from hypothesis import strategies as st

from ddb_assets.components import DynamoDBTablesComponent
from ddb_assets.orchestration.declared import declared_tables
from ddb_assets.schema.layout import table_layout
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.yaml_text import columns_yaml

HEAD = "database: raw\nbucket: exports\ntables:\n- name: orders\n"
ODD = [
    *("*", "\\", "\\*", "a b", " a", "a: b", "a #b", "- a", "? a", "{{ x }}", "{% if a %}", "{#"),
    *("yes", "NO", "null", "NULL", "~", "1", "1.0", "1e5", "0x10", "1_000", "None", "'q'", "(1,)"),
    *("é", "日本", "\U0001f600", "\x00", "\n", "\t", "\x85", "\xa0", "\u2028", "\ufeff", "\x7f"),
    *("Case", "case", "CASE", "s", "n", "m", "item", "a" * 2000),
]
names = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1), st.sampled_from(ODD)
)
values = st.recursive(
    st.sampled_from([{"S": ""}, {"N": "1.5"}, {"B": ""}, {"BOOL": True}, {"NULL": True}])
    | st.sampled_from([{"SS": [""]}, {"NS": ["1"]}, {"BS": [""]}, {"L": []}, {"M": {}}]),
    lambda inner: st.one_of(
        st.dictionaries(names, inner, max_size=3).map(lambda v: {"M": v}),
        st.lists(inner, max_size=3).map(lambda v: {"L": v}),
    ),
    max_leaves=6,
)


def pasted(attributes):
    """The columns of the table, as Dagster loads the file."""
    component = DynamoDBTablesComponent.resolve_from_yaml(HEAD + columns_yaml(attributes, 2))
    definitions = component.build_defs(ComponentTree.for_test().load_context)
    (table,) = declared_tables(definitions)
    return table.spec.columns


def test_every_odd_name_is_pasted():
    """As an attribute, inside a map, in a list; among them what YAML and Jinja read otherwise."""
    inside = {name: {"S": ""} for name in ODD}
    profile = Profile()
    profile.observe_item(
        {**inside, "inside a map": {"M": inside}, "in a list": {"L": [{"M": inside}]}}
    )
    attributes = profile.attributes()
    assert pasted(attributes) == attributes
    assert table_layout(pasted(attributes)) == table_layout(attributes)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    items=st.lists(st.dictionaries(names, values, min_size=1, max_size=4), min_size=1, max_size=3)
)
def test_whatever_the_items_hold_is_pasted(items):
    """The same attributes, so the same tables."""
    profile = Profile()
    for item in items:
        profile.observe_item(item)
    attributes = profile.attributes()
    assert pasted(attributes) == attributes
