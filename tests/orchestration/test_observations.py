"""Live tables as observable assets: one step, each table by itself, names that would collide."""

from dataclasses import replace

import dagster as dg
import pytest

from ddb_assets import Table, build_dynamodb_assets
from ddb_assets.errors import AccessDeniedError

ORDERS = dg.AssetKey(["dynamodb", "orders"])


@pytest.fixture
def observe(world_resource, instance):
    """Runs the job that observes, and gives its result."""

    def run(*tables):
        definitions = build_dynamodb_assets(
            tables=list(tables), database="raw", bucket="exports", aws=world_resource
        )
        job = definitions.resolve_job_def("observe_raw_job")
        return job.execute_in_process(instance=instance, raise_on_error=False)

    return run


def observed(result):
    """The observed assets."""
    return {event.asset_key for event in result.get_asset_observation_events()}


def test_one_step_observes_many_tables(observe, world):
    """And starts no export."""
    for name in ("orders", "users"):
        world.aws.create(name)
    result = observe("orders", "users")
    assert result.success
    assert observed(result) == {ORDERS, dg.AssetKey(["dynamodb", "users"])}
    assert {event.step_key for event in result.all_events if event.step_key} == {"observe_raw"}
    assert not world.aws.exports


def test_the_data_version_moves_with_the_table_only(observe, world, instance):
    """Twice the same figures are one version."""
    world.aws.create("orders")

    def version():
        assert observe("orders").success
        return instance.fetch_observations(ORDERS, limit=1).records[0].asset_observation

    first = version()
    assert version().data_version == first.data_version
    world.aws.tables["orders"] = replace(world.aws.tables["orders"], item_count=7)
    assert version().data_version != first.data_version


def test_a_missing_table_fails_the_step_after_the_others(observe, world):
    """The failure names it and what to do; the rest is observed."""
    world.aws.create("orders")
    result = observe("gone", "orders")
    assert not result.success
    assert observed(result) == {ORDERS}
    failure = next(e for e in result.all_events if e.is_step_failure).step_failure_data
    assert set(failure.user_failure_data.metadata) == {"gone"}


def test_what_is_not_permitted_is_said_and_does_not_fail(observe, world, instance, log_lines):
    """The figures alone are worth having."""
    world.aws.create("orders")
    world.aws.faults["tags"].append(AccessDeniedError("tags refused", remedy="allow it"))
    result = observe("orders")
    assert result.success
    note = instance.fetch_observations(ORDERS, limit=1).records[0].asset_observation
    assert note.metadata["ddb_assets/not_permitted"].value == "tags refused — allow it"
    assert "ddb_assets/tags" not in note.metadata
    assert "orders: tags refused — allow it" in log_lines(result.run_id)


def test_tables_whose_output_names_would_collide_have_a_step_each():
    """`orders-v1` and `orders.v1` are two tables of one account."""
    definitions = build_dynamodb_assets(
        tables=["orders-v1", Table("orders.v1", athena_name="dotted"), "users"],
        database="raw",
        bucket="exports",
    )
    dg.Definitions.validate_loadable(definitions)
    steps = {
        asset.op.name: {key.path[-1] for key in asset.keys}
        for asset in definitions.assets
        if isinstance(asset, dg.AssetsDefinition) and not asset.is_materializable
    }
    assert steps == {"observe_raw": {"orders-v1", "users"}, "observe_raw_2": {"orders.v1"}}


def test_external_live_tables_when_asked_for():
    """Where another declaration of the project observes them."""
    definitions = build_dynamodb_assets(
        tables=["orders"], database="raw", bucket="exports", observe=False
    )
    assert [a.key for a in definitions.assets if isinstance(a, dg.AssetSpec)] == [ORDERS]
    assert not [job for job in definitions.jobs if job.name.startswith("observe")]
