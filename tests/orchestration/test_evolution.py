"""`evolve`: whether a table's columns may change so that queries break, and how it is accepted."""

import pytest

from ddb_assets import Table, build_dynamodb_assets
from ddb_assets.components import DynamoDBTablesComponent
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.declared import declared_tables


def test_evolution_is_a_setting_of_a_table_or_of_all():
    """The nearest holds; nonsense is refused at load."""
    definitions = build_dynamodb_assets(
        tables=["orders", Table("users", evolve="additive")],
        database="d",
        bucket="exports",
        evolve="any",
    )
    assert [t.spec.evolve for t in declared_tables(definitions)] == ["any", "additive"]
    with pytest.raises(DeclarationError, match="evolve 'all' is not allowed"):
        build_dynamodb_assets(
            tables=[Table("orders", evolve="all")], database="d", bucket="exports"
        )


def test_yaml_has_it_too():
    """Under `defaults` or of a table."""
    text = "database: d\nbucket: exports\ntables: [orders]\ndefaults: {evolve: any}\n"
    assert DynamoDBTablesComponent.resolve_from_yaml(text).defaults.evolve == "any"
