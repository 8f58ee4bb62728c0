"""Definitions from a list of tables: keys, steps, schedules, resources, refusals."""

import dagster as dg
import pytest

import ddb_assets
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.builder import build_dynamodb_assets
from ddb_assets.orchestration.check_settings import Checks
from ddb_assets.orchestration.declaration import RefreshGroup, Table
from ddb_assets.orchestration.declared import declared_tables
from ddb_assets.orchestration.executors import refresh_steps
from ddb_assets.orchestration.resources import AwsResource
from ddb_assets.orchestration.step import RefreshStep
from ddb_assets.orchestration.translator import DynamoDBTranslator


def build(*tables, **settings) -> dg.Definitions:
    """Definitions over these tables."""
    settings = {"database": "raw", "bucket": "my-exports", **settings}
    return build_dynamodb_assets(tables=list(tables), **settings)


def steps_of(definitions) -> dict[str, set[str]]:
    """Step name -> Athena tables, without their views."""
    return {
        asset.op.name: {spec.key.path[-1] for spec in asset.specs if "view" not in spec.kinds}
        for asset in definitions.assets
        if isinstance(asset, dg.AssetsDefinition) and asset.op.name.startswith("refresh")
    }


def spec_of(definitions, *key):
    """The asset spec under a key."""
    specs = definitions.resolve_all_asset_specs()
    return next(spec for spec in specs if spec.key == dg.AssetKey(key))


def test_each_table_is_a_live_asset_and_its_copy_in_athena():
    """`dynamodb/NAME` is observable; `athena/DATABASE/TABLE` depends on it, materializable."""
    definitions = build("Orders.v1")
    dg.Definitions.validate_loadable(definitions)
    live = spec_of(definitions, "dynamodb", "Orders.v1")
    copy = spec_of(definitions, "athena", "raw", "orders_v1")
    assert [dep.asset_key for dep in copy.deps] == [live.key]
    assert copy.kinds == {"athena", "s3", "json"}
    assert live.kinds == {"dynamodb"}
    assert copy.metadata["dagster/table_name"] == "raw.orders_v1"
    graph = definitions.resolve_asset_graph()
    assert graph.get(copy.key).is_materializable
    assert graph.get(live.key).is_observable


def test_tables_dagster_would_confuse_stay_apart():
    """Names that differ only in punctuation are different live tables; their copies are named."""
    definitions = build("orders-v1", Table("orders.v1", athena_name="orders_dot"))
    dg.Definitions.validate_loadable(definitions)
    assert steps_of(definitions) == {"refresh_raw": {"orders_v1", "orders_dot"}}


def test_owners_tags_group_and_description_are_shown():
    """A table's own come on top of the declaration's; illegal characters in tags are replaced."""
    definitions = build(
        Table("orders", tags={"cost center": "a/b"}, owners=["jane@example.com"], description="D"),
        owners=["team:data"],
        tags={"layer": "raw"},
    )
    copy = spec_of(definitions, "athena", "raw", "orders")
    assert list(copy.owners) == ["jane@example.com"]
    assert copy.tags["cost_center"] == "a_b"
    assert copy.tags["layer"] == "raw"
    assert (copy.group_name, copy.description) == ("raw", "D")
    assert list(spec_of(definitions, "dynamodb", "orders").owners) == ["jane@example.com"]


def test_the_first_line_of_a_description_reads_without_markup():
    """The list of assets shows it as it is; only a name that is markup itself is quoted."""
    definitions = build("shop-orders", "__old")
    shown = {
        node.key.to_user_string(): (node.description or "").partition("\n")[0]
        for node in definitions.resolve_asset_graph().asset_nodes
    }
    last = "The last export of {} from DynamoDB, queryable in Athena:"
    assert shown == {
        "dynamodb/shop-orders": "The live DynamoDB table shop-orders.",
        "athena/raw/shop_orders": last.format("shop-orders"),
        "athena/raw/shop_orders_typed": "shop-orders with real columns and exact numbers:",
        "dynamodb/__old": "The live DynamoDB table `__old`.",
        "athena/raw/__old": last.format("`__old`"),
        "athena/raw/__old_typed": "`__old` with real columns and exact numbers:",
    }


def test_each_refresh_group_has_its_step_and_asset_group():
    """Group names become legal op and asset group names."""
    definitions = build(
        "users",
        Table("orders", group="night-ly"),
        groups={"night-ly": RefreshGroup()},
    )
    assert steps_of(definitions) == {
        "refresh_raw": {"users"},
        "refresh_raw_night_ly": {"orders"},
    }
    assert spec_of(definitions, "athena", "raw", "orders").group_name == "night_ly"


def test_a_large_group_is_split_into_steps_of_about_equal_size():
    """250 tables in steps of at most 100 are 84, 83 and 83, in the declared order."""
    names = [f"table{number:04}" for number in range(250)]
    steps = steps_of(build(*names))
    assert {name: len(keys) for name, keys in steps.items()} == {
        "refresh_raw_part_1": 84,
        "refresh_raw_part_2": 83,
        "refresh_raw_part_3": 83,
    }
    assert steps["refresh_raw_part_1"] == set(names[:84])


def test_a_consistent_group_is_never_split():
    """Its tables are published together, so they share a step."""
    tables = [Table(f"table{number}", group="books") for number in range(7)]
    groups = {"books": RefreshGroup(consistent=True)}
    assert len(steps_of(build(*tables, groups=groups, tables_per_step=3))) == 1


def test_a_step_per_table_when_asked_for():
    """Each table has a step of its own, named after it."""
    definitions = build("orders", "users", one_step_per_table=True)
    dg.Definitions.validate_loadable(definitions)
    assert set(steps_of(definitions)) == {"refresh_raw_orders", "refresh_raw_users"}


def test_one_step_runs_in_process_and_several_side_by_side():
    """Waits of several steps overlap; a single one needs no other process."""
    one = build("orders")
    many = build("orders", "users", "carts", one_step_per_table=True)
    assert refresh_steps(one) == 1
    assert one.executor is dg.in_process_executor
    assert refresh_steps(many) == 3
    assert many.executor.name == "side_by_side"


def test_a_graph_backed_asset_beside_the_tables_is_none_of_our_steps():
    """It has no op of its own to ask for tags."""

    @dg.op
    def begun():
        return 1

    @dg.graph_asset
    def report():
        return begun()

    ours = build_dynamodb_assets(tables=["orders"], database="raw", bucket="exports")
    both = dg.Definitions.merge(ours, dg.Definitions(assets=[report]))
    assert refresh_steps(both) == 1
    assert [table.spec.name for table in declared_tables(both)] == ["orders"]


def test_a_cron_line_is_one_schedule_for_all_tables_of_the_group():
    """One run refreshes them; the timezone is passed on; switched on only if asked."""
    definitions = build(
        Table("orders", group="nightly"),
        Table("users", group="nightly"),
        "carts",
        groups={"nightly": RefreshGroup(cron="0 3 * * *", timezone="Europe/Berlin", running=True)},
    )
    (schedule,) = definitions.schedules
    assert schedule.cron_schedule == "0 3 * * *"
    assert schedule.execution_timezone == "Europe/Berlin"
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    job = definitions.resolve_job_def("refresh_raw_nightly_job")
    assert {key.path[-1] for key in job.asset_layer.executable_asset_keys} == {
        *("orders", "users", "orders_typed", "users_typed")
    }


def test_a_schedule_sleeps_until_somebody_switches_it_on():
    """The default."""
    definitions = build("orders", groups={"default": RefreshGroup(cron="@daily")})
    (schedule,) = definitions.schedules
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert schedule.name == "refresh_raw_schedule"


def test_the_tick_of_a_schedule_requests_one_run(instance):
    """Dagster's own evaluation of the schedule."""
    definitions = build("orders", "users", groups={"default": RefreshGroup(cron="0 3 * * *")})
    repository = definitions.get_repository_def()
    schedule = repository.get_schedule_def("refresh_raw_schedule")
    context = dg.build_schedule_context(instance=instance, repository_def=repository)
    assert len(schedule.evaluate_tick(context).run_requests) == 1


def test_the_resource_is_under_its_key():
    """A given one is used; without one the SDK's chain is; a foreign key is left to the project."""
    resource = AwsResource(region="eu-west-1")
    assert build("orders", aws=resource).resources == {"aws": resource}
    assert build("orders").resources == {"aws": AwsResource()}
    assert build("orders", aws=resource, resource_key="eu").resources == {"eu": resource}
    assert build("orders", resource_key="eu").resources == {}


def test_two_accounts_live_in_one_project():
    """Different keys for the resources, different databases for the assets."""
    merged = dg.Definitions.merge(
        build("orders", resource_key="a", aws=AwsResource(region="eu-west-1")),
        build("users", database="crm", resource_key="b", aws=AwsResource(region="us-east-1")),
    )
    dg.Definitions.validate_loadable(merged)
    assert set(steps_of(merged)) == {"refresh_raw", "refresh_crm"}


def test_two_declarations_share_a_database_under_different_names():
    """`name` keeps their steps apart."""
    resource = AwsResource()
    merged = dg.Definitions.merge(
        build("orders", aws=resource), build("users", aws=resource, name="crm")
    )
    dg.Definitions.validate_loadable(merged)
    assert set(steps_of(merged)) == {"refresh_raw", "refresh_crm"}


def test_a_translator_changes_keys_and_groups():
    """The dependency follows the live table's key."""

    class Ours(DynamoDBTranslator):
        def get_live_spec(self, props):
            return super().get_live_spec(props).replace_attributes(key=["live", props.spec.table])

        def group_name(self, props):
            return "everything"

    definitions = build("orders", "users", translator=Ours())
    copy = spec_of(definitions, "athena", "raw", "orders")
    assert [dep.asset_key for dep in copy.deps] == [dg.AssetKey(["live", "orders"])]
    assert copy.group_name == "everything"


class OneKey(DynamoDBTranslator):
    """Gives every export the same key."""

    def get_asset_spec(self, props):
        """One for all."""
        return super().get_asset_spec(props).replace_attributes(key="all")


class OneIdentifier(DynamoDBTranslator):
    """Keys that Dagster turns into one output name."""

    def get_asset_spec(self, props):
        """`a/x-y` and `a/x.y`."""
        separator = "-" if props.spec.name == "orders" else "."
        return super().get_asset_spec(props).replace_attributes(key=["a", f"x{separator}y"])


@pytest.mark.parametrize(
    ("tables", "settings", "said"),
    [
        (["orders", "users"], {"translator": OneKey()}, "'orders' and 'users' both become the as"),
        (
            ["orders", "users"],
            {"translator": OneIdentifier()},
            "'orders' and 'users' both become the output name",
        ),
        ([Table("orders", owners=["jane"])], {}, "orders: Invalid owner 'jane'"),
        (
            [Table("orders", group="a-b"), Table("users", group="a.b")],
            {"groups": {"a-b": RefreshGroup(), "a.b": RefreshGroup()}},
            "refresh groups 'a-b' and 'a.b' both become the asset group 'a_b'",
        ),
        (
            [Table("orders", group="g")],
            {"groups": {"g": RefreshGroup(cron="61 * * * *")}},
            "group g: .*invalid cron",
        ),
        (
            [Table("orders", group="g")],
            {"groups": {"g": RefreshGroup(cron="0 * * * *", timezone="Mars/Olympus")}},
            "group g: .*Mars/Olympus",
        ),
        (
            [Table("orders", group="g")],
            {"groups": {"g": RefreshGroup(consistent=True)}, "one_step_per_table": True},
            "one_step_per_table, but consistent: g",
        ),
        (["orders"], {"aws": AwsResource(access_key_id="AKIA")}, "secret_access_key"),
        (["orders"], {"tables_per_step": 0}, "tables_per_step is 0"),
        (["orders"], {"max_in_flight": 0}, "max_in_flight is 0"),
        (["orders"], {"max_queries": 0}, "max_queries is 0"),
        (["orders"], {"cut_lag_seconds": -1}, "cut_lag_seconds is -1"),
        (["orders"], {"price_per_gb": -0.1}, "price_per_gb is -0.1"),
    ],
)
def test_what_cannot_work_is_refused_at_load(tables, settings, said):
    """With the names of what is wrong, before Dagster trips over it."""
    with pytest.raises(DeclarationError, match=said):
        build(*tables, **settings)


def test_numbers_of_the_declaration_reach_every_step(fake_refresh, fake_aws_class, monkeypatch):
    """Limits, cut and consistent groups are the core's options."""
    monkeypatch.setattr("ddb_assets.orchestration.builder.RefreshStep", step_with(fake_refresh))
    definitions = build(
        Table("orders", group="books"),
        groups={"books": RefreshGroup(consistent=True)},
        aws=fake_aws_class(),
        max_in_flight=7,
        max_queries=3,
        cut_lag_seconds=60,
        observe=False,
        checks=Checks.none(),
    )
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process()
    assert result.success
    options = fake_refresh.calls[0]["options"]
    assert (options.max_in_flight, options.max_queries, options.cut_lag_seconds) == (7, 3, 60)
    assert options.consistent_groups == {"books"}


def step_with(fake):
    """The real step, refreshed by the fake."""
    return lambda **given: RefreshStep(refresh=fake, **given)


def test_the_public_name_is_the_builder():
    """`ddb_assets.build_dynamodb_assets` is what the README shows."""
    assert ddb_assets.build_dynamodb_assets is build_dynamodb_assets


def test_a_thousand_tables_load_in_seconds():
    """Building and validating stays linear; the target is 3 s on a quiet machine."""
    definitions = build(*(f"table{number:04}" for number in range(1000)))
    assert len(steps_of(definitions)) == 10
