"""DynamoDB's tags become Dagster tags; whatever they are called, loading goes on."""

import itertools
import string

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddb_assets.orchestration.carried_tags import carried_tags


def carry(tags, declared=None, **options):
    """Of one table."""
    return carried_tags(tags, declared=declared or {}, of="orders", **options)


def test_legal_tags_are_carried_as_they_are():
    """A namespace included."""
    assert carry({"team": "web", "cost/center": "7"}) == {"team": "web", "cost/center": "7"}


def test_what_dagster_does_not_allow_becomes_an_underscore():
    """In keys and values; CloudFormation's tags have colons in both."""
    tags = {"aws:cloudformation:stack-name": "prod/shop a"}
    assert carry(tags) == {"aws_cloudformation_stack-name": "prod_shop_a"}


def test_keys_that_would_become_one_stay_two():
    """The key that is legal by itself keeps its name; others end in a digest."""
    carried = carry({"cost center": "1", "cost:center": "2", "cost_center": "3"})
    assert carried["cost_center"] == "3"
    assert sorted(carried.values()) == ["1", "2", "3"]


def test_names_do_not_depend_on_the_order_of_the_tags():
    """AWS promises none."""
    tags = {"a b": "1", "a:b": "2", "a_b": "3", "c": "4"}
    made = [carry(dict(order)) for order in itertools.permutations(tags.items())]
    assert all(one == made[0] for one in made)


def test_declared_tags_win():
    """Also where only the legal form is the same."""
    assert carry({"team": "web", "cost center": "1"}, {"team": "x", "cost:center": "y"}) == {}


def test_only_wanted_keys_are_carried():
    """By globs."""
    tags = {"team": "web", "aws:stack": "x", "cost-a": "1"}
    assert carry(tags, keys=["team", "cost-*"]) == {"team": "web", "cost-a": "1"}


def test_dagsters_own_namespace_is_not_entered():
    """A DynamoDB tag must not set the priority of a run."""
    assert carry({"dagster/priority": "9", "Dagster/x": "1"}) == {
        "dagster_priority": "9",
        "Dagster_x": "1",
    }


# AWS page "Tagging restrictions in DynamoDB".
_CHARACTERS = string.ascii_letters + string.digits + " +-=._:/äß中"


@given(
    st.dictionaries(
        st.text(_CHARACTERS, min_size=1, max_size=128),
        st.text(_CHARACTERS, max_size=256),
        max_size=50,
    )
)
def test_every_tag_aws_allows_loads_in_dagster_and_none_is_lost(tags):
    """Fifty a table, of up to 128 characters."""
    carried = carry(tags)
    assert len(carried) == len(tags)
    assert dict(dg.AssetSpec("orders", tags=carried).tags) == carried


@pytest.mark.parametrize("long", ["x" * 128, "n/" + "x" * 120])
def test_long_keys_that_are_cut_to_the_same_stay_two(long):
    """Dagster cuts at 63."""
    assert len(carry({long + "a": "1", long + "b": "2"})) == 2
