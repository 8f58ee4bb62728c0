"""Freshness promises reach Dagster, and promises nobody can keep are refused at load."""

from datetime import timedelta

import dagster as dg
import pytest

from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.builder import build_dynamodb_assets
from ddb_assets.orchestration.declaration import RefreshGroup, Table
from ddb_assets.orchestration.freshness import Freshness

DAILY = Freshness(deadline_cron="0 8 * * *", lower_bound=10800, timezone="Europe/Berlin")


def policies(**arguments):
    """The freshness policy per Athena table."""
    defs = build_dynamodb_assets(database="raw", bucket="exports", **arguments)
    found = (s for a in defs.assets if isinstance(a, dg.AssetsDefinition) for s in a.specs)
    return {spec.key.path[-1]: spec.freshness_policy for spec in found}


def test_a_window_becomes_a_time_window_policy():
    """Seconds in, Dagster's own policy out."""
    found = policies(tables=[Table("orders", freshness=Freshness(fail_after=7200, warn_after=60))])
    assert found["orders"] == dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=2), warn_window=timedelta(minutes=1)
    )


def test_a_deadline_becomes_a_cron_policy():
    """There by eight in Berlin, refreshed at five at the earliest."""
    found = policies(tables=[Table("orders", freshness=DAILY)])
    assert found["orders"] == dg.FreshnessPolicy.cron(
        deadline_cron="0 8 * * *", lower_bound_delta=timedelta(hours=3), timezone="Europe/Berlin"
    )


def test_the_nearest_promise_holds():
    """The table's own, else its group's, else the default's."""
    own, groups, default = (Freshness(fail_after=n) for n in (60, 120, 180))
    found = policies(
        tables=[
            Table("orders", group="nightly", freshness=own),
            Table("users", group="nightly"),
            "carts",
        ],
        groups={"nightly": RefreshGroup(freshness=groups)},
        freshness=default,
    )
    assert found == {
        "orders": own.policy(),
        "users": groups.policy(),
        "carts": default.policy(),
        # Views are of their tables' age.
        "orders_typed": None,
        "users_typed": None,
        "carts_typed": None,
    }


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"warn_after": 60},
        {"fail_after": 59},
        {"fail_after": 60, "warn_after": 60},
        {"deadline_cron": "0 8 * * *"},
        {"lower_bound": 60},
        {"deadline_cron": "eight", "lower_bound": 60},
        {"deadline_cron": "0 8 * * *", "lower_bound": 90000},
        {"deadline_cron": "0 8 * * *", "lower_bound": 60, "timezone": "Mars/Crater"},
        {"deadline_cron": "0 8 * * *", "lower_bound": 60, "fail_after": 7200},
        {"fail_after": 7200, "lower_bound": 60},
    ],
)
def test_a_promise_nobody_can_keep_is_refused_with_the_tables_name(settings):
    """Too short, half said, contradictory: refused at load."""
    with pytest.raises(DeclarationError, match="freshness") as refusal:
        policies(tables=[Table("orders", freshness=Freshness(**settings))])
    assert refusal.value.table == "orders"
    assert "deadline_cron" in refusal.value.remedy
