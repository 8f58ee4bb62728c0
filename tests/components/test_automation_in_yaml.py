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
