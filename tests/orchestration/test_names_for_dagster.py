"""Names Dagster does not allow are made legal; what would become equal is refused."""

import dagster as dg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.naming import asset_group_name, dagster_name, legal_tags


@given(st.text(min_size=1, max_size=80))
def test_any_group_name_becomes_one_dagster_takes(text):
    """Dagster itself accepts what was made of any text."""
    dg.AssetSpec("a", group_name=asset_group_name(text))


@example({"0/": ""})
@given(st.dictionaries(st.text(min_size=1, max_size=90), st.text(max_size=90), max_size=1))
def test_any_tag_becomes_one_dagster_takes(tags):
    """Dagster itself accepts what was made of any tag."""
    dg.AssetSpec("a", tags=legal_tags(tags, of="orders"))


def test_legal_names_stay_as_they_are():
    """Nobody is surprised by a changed name that needed no change."""
    assert asset_group_name("ddb/raw") == "ddb/raw"
    assert dagster_name("refresh_ddb") == "refresh_ddb"
    assert legal_tags({"team/domain": "sales-1.0"}, of="t") == {"team/domain": "sales-1.0"}


def test_tags_that_would_become_one_are_refused_with_both_names():
    """Neither of them is lost in silence."""
    with pytest.raises(DeclarationError, match="'a b' and 'a:b' both become"):
        legal_tags({"a b": "1", "a:b": "2"}, of="orders")
