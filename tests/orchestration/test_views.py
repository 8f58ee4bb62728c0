"""Typed views are assets of their own, refreshed in their tables' step and never without them."""

import dagster as dg
import pytest

from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.builder import build_dynamodb_assets
from ddb_assets.orchestration.declaration import Table
from ddb_assets.orchestration.translator import DynamoDBTranslator


def build(*tables, **settings) -> dg.Definitions:
    """Definitions over these tables."""
    settings = {"database": "raw", "bucket": "my-exports", **settings}
    return build_dynamodb_assets(tables=list(tables), **settings)


def specs(definitions) -> dict[str, dg.AssetSpec]:
    """Every asset spec by its key as text."""
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


def views(definitions) -> set[str]:
    """The keys of the views."""
    return {key for key, spec in specs(definitions).items() if "view" in spec.kinds}


def test_each_table_has_a_view_that_depends_on_it():
    """In the same step, in the same group, with a description to paste from."""
    definitions = build("Orders", Table("users", owners=["team:crm"]))
    dg.Definitions.validate_loadable(definitions)
    view = specs(definitions)["athena/raw/users_typed"]
    assert [dep.asset_key for dep in view.deps] == [dg.AssetKey(["athena", "raw", "users"])]
    assert list(view.owners) == ["team:crm"]
    assert 'FROM "raw"."users_typed"' in view.description
    assert views(definitions) == {"athena/raw/orders_typed", "athena/raw/users_typed"}
    steps = [
        asset
        for asset in definitions.assets
        if isinstance(asset, dg.AssetsDefinition) and view.key in asset.keys
    ]
    assert len(steps) == 1
    assert dg.AssetKey(["athena", "raw", "users"]) in steps[0].keys


def test_views_are_named_or_left_out_as_declared():
    """Of one table by name or false; of all tables false, with one that wants it all the same."""
    flat = build(Table("orders", typed_view="orders_flat"), Table("users", typed_view=False), "x_y")
    assert views(flat) == {"athena/raw/orders_flat", "athena/raw/x_y_typed"}
    few = build(Table("orders", typed_view=True), "users", typed_view=False)
    assert views(few) == {"athena/raw/orders_typed"}


@pytest.mark.parametrize(
    ("tables", "settings", "says"),
    [
        ([Table("orders", typed_view="Orders-Flat")], {}, "orders_flat"),
        (["orders"], {"typed_view": "flat"}, "true or false"),
        (["orders", Table("users", typed_view="orders")], {}, "are both 'orders'"),
        (["orders", "orders_typed"], {}, "are both 'orders_typed'"),
        ([Table("orders", mixed_types="both")], {}, "columns or json"),
    ],
)
def test_a_name_that_cannot_be_is_refused_at_load(tables, settings, says):
    """Before anything is asked of AWS; the error names the way out."""
    with pytest.raises(DeclarationError) as caught:
        build(*tables, **settings)
    assert says in str(caught.value)


def test_a_translator_changes_the_views_as_well():
    """Key and kinds; the dependency follows the table's own key."""

    class Layered(DynamoDBTranslator):
        def get_asset_spec(self, props):
            spec = super().get_asset_spec(props)
            return spec.replace_attributes(key=["bronze", props.spec.table])

        def get_view_spec(self, props):
            spec = super().get_view_spec(props)
            return spec.replace_attributes(key=["silver", props.spec.table])

    view = specs(build("orders", translator=Layered()))["silver/orders"]
    assert [dep.asset_key for dep in view.deps] == [dg.AssetKey(["bronze", "orders"])]
