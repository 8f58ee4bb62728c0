"""Automation and freshness in YAML are the same as in Python."""

from datetime import timedelta

import dagster as dg
import pytest
import yaml
from dagster.components.core.component_tree import ComponentTree

from ddb_assets.components import DynamoDBTablesComponent
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.automation import refresh_on_cron, refresh_when_observed_changed


@pytest.fixture
def load():
    """Definitions of one declaration in YAML."""

    def definitions(**attributes) -> dg.Definitions:
        text = yaml.safe_dump({"database": "raw", "bucket": "exports", **attributes})
        component = DynamoDBTablesComponent.resolve_from_yaml(text)
        return component.build_defs(ComponentTree.for_test().load_context)

    return definitions


def spec_of(defs, table):
    """The exported asset."""
    key = dg.AssetKey(["athena", "raw", table])
    return next(spec for spec in defs.resolve_all_asset_specs() if spec.key == key)


def test_a_cron_condition_in_yaml_is_that_of_python(load):
    """Of a table, of a group and by default; a group with a schedule has no condition."""
    defs = load(
        defaults={"automation": {"cron": "0 5 * * *"}},
        groups={
            "early": {"automation": {"cron": "0 4 * * *", "observed_changed": True}},
            "scheduled": {"cron": "0 3 * * *"},
        },
        tables=[
            {"name": "orders", "automation": {"cron": "0 6 * * *", "missing": True}},
            {"name": "users", "group": "early"},
            {"name": "carts", "group": "scheduled"},
            "visits",
        ],
    )
    both = refresh_on_cron("0 4 * * *") | refresh_when_observed_changed()
    assert spec_of(defs, "orders").automation_condition == refresh_on_cron(
        "0 6 * * *", missing=True
    )
    assert spec_of(defs, "users").automation_condition == both
    assert spec_of(defs, "carts").automation_condition is None
    assert spec_of(defs, "visits").automation_condition == refresh_on_cron("0 5 * * *")
    (sensor,) = defs.sensors
    assert sensor.name == "refresh_raw_automation"
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


def test_freshness_in_yaml_is_that_of_python(load):
    """A window and a deadline."""
    defs = load(
        defaults={"freshness": {"fail_after": 7200, "warn_after": 3600}},
        tables=[
            {"name": "orders", "freshness": {"deadline_cron": "0 8 * * *", "lower_bound": 3600}},
            "users",
        ],
    )
    assert spec_of(defs, "orders").freshness_policy == dg.FreshnessPolicy.cron(
        "0 8 * * *", timedelta(hours=1)
    )
    assert spec_of(defs, "users").freshness_policy == dg.FreshnessPolicy.time_window(
        timedelta(hours=2), timedelta(hours=1)
    )


def test_a_declaration_without_conditions_has_no_automation_sensor(load):
    """Nothing runs that nobody asked for."""
    assert not load(tables=["orders"]).sensors


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"tables": [{"name": "orders", "automation": {}}]}, "orders: automation names no"),
        (
            {"tables": [{"name": "orders", "automation": {"cron": "noon"}}]},
            "orders: cron 'noon' is not one",
        ),
        (
            {
                "tables": [{"name": "orders", "group": "g"}],
                "groups": {"g": {"cron": "0 6 * * *", "automation": {"missing": True}}},
            },
            "the group g has cron and automation",
        ),
        (
            {
                "tables": [{"name": "orders", "group": "g", "automation": {"missing": True}}],
                "groups": {"g": {"consistent": True}},
            },
            "automation of one table of the consistent group g",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(load, attributes, said):
    """With the table's name, at load."""
    with pytest.raises(DeclarationError, match=said):
        load(**attributes)


def test_the_sensors_of_a_declaration_are_off_until_asked(load):
    """Named after the declaration; `running` switches one on; false is none."""
    defs = load(
        name="sales-eu",
        tables=["orders"],
        sensors={
            "table_changes": {"min_interval": 60, "running": True},
            "export_watch": True,
            "failed_refreshes": {"notifier": "builtins.print"},
        },
    )
    found = {sensor.name: sensor.default_status.value for sensor in defs.sensors}
    assert found == {
        "refresh_sales_eu_table_changes": "RUNNING",
        "refresh_sales_eu_export_watch": "STOPPED",
        "refresh_sales_eu_failed_refreshes": "STOPPED",
    }
    dg.Definitions.validate_loadable(defs)
    assert not load(tables=["orders"], sensors={"export_watch": False}).sensors


def test_a_group_that_does_not_wait_is_started_by_its_schedule_and_needs_the_watch(load):
    """Its run's config says so for each step; without the watch nobody would publish."""
    declared = {
        "groups": {"big": {"cron": "0 3 * * *", "wait": False}},
        "tables": [{"name": "orders", "group": "big"}, {"name": "users", "group": "big"}],
        "tables_per_step": 1,
    }
    defs = load(**declared, sensors={"export_watch": True})
    dg.Definitions.validate_loadable(defs)
    (schedule,) = defs.schedules
    with dg.build_schedule_context() as context:
        (request,) = schedule.evaluate_tick(context).run_requests
    assert list(request.run_config["ops"].values()) == [{"config": {"wait": False}}] * 2
    with pytest.raises(DeclarationError, match="nobody would publish the exports of big"):
        load(**declared)


def test_a_notifier_that_does_not_exist_is_refused_at_load(load):
    """Not when the first refresh fails."""
    for name in ("nowhere.at_all", "builtins.nothing", "builtins.True", "print"):
        with pytest.raises(DeclarationError, match="there is no notifier"):
            load(tables=["orders"], sensors={"failed_refreshes": {"notifier": name}})
