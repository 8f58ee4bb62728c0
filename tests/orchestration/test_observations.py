"""Live tables as observable assets: one step, each table by itself, names that would collide."""

from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from ddb_assets import AwsResource, Table, build_dynamodb_assets
from ddb_assets.errors import AccessDeniedError, DeclarationError

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


def declared(database, **settings):
    """One of several declarations of a project that export the same table."""
    return build_dynamodb_assets(
        tables=["orders"], database=database, bucket="exports", aws=AwsResource(), **settings
    )


def test_two_declarations_of_one_table_share_its_live_table():
    """One has it, the other names it as upstream; a resource of equal settings is one."""
    both = dg.Definitions.merge(declared("raw"), declared("lake", observe=False))
    dg.Definitions.validate_loadable(both)
    graph = both.resolve_asset_graph()
    copies = {dg.AssetKey(["athena", name, "orders"]) for name in ("raw", "lake")}
    assert copies <= graph.get(ORDERS).child_keys
    assert graph.get(ORDERS).is_observable


def test_the_same_table_observed_by_two_declarations_is_refused_at_load():
    """Dagster names the key; docs/other-projects.md says what to do."""
    both = dg.Definitions.merge(declared("raw"), declared("lake"))
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=r"\['dynamodb', 'orders'\]"):
        dg.Definitions.validate_loadable(both)
    page = (Path(__file__).parents[2] / "docs" / "other-projects.md").read_text()
    assert "Duplicate asset key: AssetKey(['dynamodb', …])" in page


def test_resources_of_other_settings_are_not_mixed_up():
    """Two accounts under one key stay Dagster's error."""
    other = build_dynamodb_assets(
        tables=["users"], database="crm", bucket="exports", aws=AwsResource(region="eu-west-1")
    )
    with pytest.raises(dg.DagsterInvariantViolationError, match="same key 'aws'"):
        dg.Definitions.merge(declared("raw"), other)


def test_observations_are_scheduled_from_the_start_where_a_cron_line_is_given():
    """In one process however many steps: the account's call rate is the limit."""
    names = [f"table-{number:04}" for number in range(300)]
    definitions = build_dynamodb_assets(
        tables=names, database="raw", bucket="exports", observe_cron="*/30 * * * *"
    )
    (schedule,) = definitions.schedules
    assert schedule.name == "observe_raw_schedule"
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    job = definitions.resolve_job_def("observe_raw_job")
    assert job.executor_def is dg.in_process_executor
    assert len(job.all_node_defs) == 3
    assert not build_dynamodb_assets(tables=["orders"], database="raw", bucket="exports").schedules


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"observe_cron": "hourly, please"}, "observe_cron 'hourly, please' is not one"),
        ({"observe_cron": "0 * * * *", "observe": False}, "but observe is false"),
    ],
)
def test_a_wrong_observation_schedule_is_refused_when_it_is_declared(settings, said):
    """At load, in words."""
    with pytest.raises(DeclarationError, match=said):
        declared("raw", **settings)
