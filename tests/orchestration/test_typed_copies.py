"""Typed copies are assets of their own: declared by table, group or for all, left out at will."""

import dagster as dg
import pytest

from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.automation import refresh_on_cron
from ddb_assets.orchestration.builder import build_dynamodb_assets
from ddb_assets.orchestration.declaration import RefreshGroup, Table
from ddb_assets.orchestration.translator import DynamoDBTranslator


def build(*tables, **settings) -> dg.Definitions:
    """Definitions over these tables."""
    settings = {"database": "raw", "bucket": "my-exports", **settings}
    return build_dynamodb_assets(tables=list(tables), **settings)


def specs(definitions) -> dict[str, dg.AssetSpec]:
    """Every asset spec by its key as text."""
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


def copies(definitions) -> set[str]:
    """The keys of the copies."""
    return {key for key, spec in specs(definitions).items() if "parquet" in spec.kinds}


def test_nobody_has_a_copy_who_did_not_ask():
    """A copy costs a query per export."""
    assert copies(build("orders")) == set()


def test_copies_are_declared_by_table_group_or_for_all():
    """The nearest word counts; of one table the name can be said."""
    some = build(Table("orders", typed_copy=True), Table("users", typed_copy="users_fast"), "log")
    assert copies(some) == {"athena/raw/orders_parquet", "athena/raw/users_fast"}
    group = {"big": RefreshGroup(typed_copy=True)}
    by_group = build(
        Table("orders", group="big"),
        Table("log", group="big", typed_copy=False),
        "x_y",
        groups=group,
    )
    assert copies(by_group) == {"athena/raw/orders_parquet"}
    every = build("orders", Table("users", typed_copy=False), typed_copy=True)
    assert copies(every) == {"athena/raw/orders_parquet"}


def test_a_copy_depends_on_the_view_in_one_step():
    """Raw table, view, copy: one op, and the copy says what it is."""
    definitions = build(Table("orders", typed_copy=True, owners=["team:crm"]))
    dg.Definitions.validate_loadable(definitions)
    copy = specs(definitions)["athena/raw/orders_parquet"]
    assert [dep.asset_key for dep in copy.deps] == [dg.AssetKey(["athena", "raw", "orders_typed"])]
    assert list(copy.owners) == ["team:crm"]
    assert 'FROM "raw"."orders_parquet"' in copy.description
    steps = [
        asset
        for asset in definitions.assets
        if isinstance(asset, dg.AssetsDefinition) and copy.key in asset.keys
    ]
    assert len(steps) == 1
    assert dg.AssetKey(["athena", "raw", "orders"]) in steps[0].keys


@pytest.mark.parametrize(
    ("tables", "settings", "says"),
    [
        ([Table("orders", typed_copy="Orders-Fast")], {}, "orders_fast"),
        (["orders"], {"typed_copy": "fast"}, "true or false"),
        ([Table("orders", typed_copy=True, typed_view=False)], {}, "typed_view is false"),
        (["orders"], {"typed_copy": True, "typed_view": False}, "typed_view is false"),
        ([Table("orders", typed_copy="users"), "users"], {}, "are both 'users'"),
        ([Table("orders", typed_copy="orders_typed")], {}, "are both 'orders_typed'"),
        (["orders", "orders_parquet"], {"typed_copy": True}, "are both 'orders_parquet'"),
        ([Table("o" * 250, typed_copy=True)], {}, "255"),
    ],
)
def test_what_cannot_be_is_refused_at_load(tables, settings, says):
    """Names that are none or taken, and a copy without the view whose columns it has."""
    with pytest.raises(DeclarationError, match=says):
        build(*tables, **settings)


def test_a_copy_is_requested_with_its_table():
    """Whatever automates the table does the same with the copy, in the same tick."""
    condition = refresh_on_cron("0 6 * * *")
    definitions = build("orders", typed_copy=True, automation=condition)
    found = specs(definitions)
    raw, copy = found["athena/raw/orders"], found["athena/raw/orders_parquet"]
    assert copy.automation_condition == raw.automation_condition == condition
    (sensor,) = definitions.sensors
    selected = sensor.asset_selection.resolve(definitions.resolve_asset_graph())
    assert {raw.key, copy.key} <= selected


def test_keys_follow_a_translator():
    """Another key of the view is found by the copy, which may have another one itself."""

    class Layered(DynamoDBTranslator):
        def get_view_spec(self, props):
            spec = super().get_view_spec(props)
            return spec.replace_attributes(key=["silver", props.spec.table])

        def get_copy_spec(self, props):
            spec = super().get_copy_spec(props)
            return spec.replace_attributes(key=["gold", props.spec.table])

    copy = specs(build("orders", typed_copy=True, translator=Layered()))["gold/orders"]
    assert [dep.asset_key for dep in copy.deps] == [dg.AssetKey(["silver", "orders"])]
