"""Athena names: legal, stable, unique."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddb_assets.errors import DeclarationError
from ddb_assets.schema.names import athena_name, check_athena_name, refuse_collisions


@pytest.mark.parametrize(
    ("dynamodb", "athena"),
    [
        ("Article", "article"),
        ("shop-orders", "shop_orders"),
        ("legacy.Users", "legacy_users"),
        ("waiting_list", "waiting_list"),
        ("2024-Orders", "2024_orders"),
        ("_x", "_x"),
        ("table", "table"),
    ],
)
def test_a_table_name_is_lowered_and_made_legal(dynamodb, athena):
    """The names the samples and the documentation show."""
    assert athena_name(dynamodb) == athena


@given(st.from_regex(r"[a-zA-Z0-9_.-]{3,255}", fullmatch=True))
def test_every_dynamodb_table_name_has_an_athena_name(name):
    """Of letters, digits and underscores, as long as the original, and stable when made again."""
    made = athena_name(name)
    assert re.fullmatch(r"[a-z0-9_]+", made)
    assert len(made) == len(name)
    assert athena_name(made) == made


@pytest.mark.parametrize(
    ("name", "text"), [("", "is empty"), ("x" * 256, "has 256 characters, Athena allows 255")]
)
def test_a_name_athena_cannot_have_is_refused(name, text):
    """Empty and too long."""
    with pytest.raises(DeclarationError, match=text):
        athena_name(name)


def test_a_declared_name_is_taken_as_it_is_or_refused_with_a_suggestion():
    """No silent change of what the user wrote."""
    assert check_athena_name("orders_2") == "orders_2"
    with pytest.raises(DeclarationError, match=r"database 'Shop-DB'.*use 'shop_db'"):
        check_athena_name("Shop-DB", what="database")


def test_a_collision_names_both_tables_and_the_remedy():
    """Two tables must not overwrite each other's Athena table."""
    refuse_collisions({"Users": "users", "orders": "orders"})
    with pytest.raises(DeclarationError) as refused:
        refuse_collisions({"a-b": "a_b", "a.b": "a_b", "c": "c", "X": "db.x", "x": "DB.X"})
    text = str(refused.value)
    assert "'a-b' and 'a.b' are both 'a_b'" in text
    assert "'X' and 'x' are both 'db.x'" in text
    assert "set `athena_name`" in text
