"""Conditions of a real declaration, its live table really observed, over simulated days."""

from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest

from ddb_assets import Table, build_dynamodb_assets, refresh_on_cron, refresh_when_observed_changed

ORDERS = dg.AssetKey(["athena", "raw", "orders"])


@pytest.fixture
def over_days(world, world_resource, instance):
    """Looks at the table every six hours, evaluates, and refreshes what is requested.

    Returns the hours at which Dagster requested a refresh; before those in `written` an item comes.
    """
    world.aws.create("orders")

    def run(condition, *, days, written=(), observe=True):
        definitions = build_dynamodb_assets(
            tables=[Table("orders", automation=condition)],
            database="raw",
            bucket="exports",
            aws=world_resource,
        )
        look = definitions.resolve_job_def("observe_raw_job")
        refresh = definitions.resolve_implicit_global_asset_job_def()
        cursor, fired, began = None, [], world.clock.now()
        for hour in range(0, 24 * days, 6):
            world.clock.seconds = max(world.clock.seconds, 3600.0 * hour)
            if hour in written:
                table = world.aws.tables["orders"]
                world.aws.tables["orders"] = replace(table, item_count=table.item_count + 1)
            if observe:
                assert look.execute_in_process(instance=instance).success
            result = dg.evaluate_automation_conditions(
                defs=definitions,
                instance=instance,
                cursor=cursor,
                evaluation_time=began + timedelta(hours=hour),
            )
            cursor = result.cursor
            if result.get_num_requested(ORDERS):
                fired.append(hour)
                chosen = [ORDERS]
                ended = refresh.execute_in_process(instance=instance, asset_selection=chosen)
                assert ended.success
        return fired

    return run


def test_each_observed_change_is_one_refresh(over_days):
    """Three days of looking: the first sight, and the two changes; equal figures fire nothing."""
    fired = over_days(refresh_when_observed_changed(), days=3, written={30, 54})
    assert fired[-2:] == [30, 54]
    assert set(fired) <= {0, 6, 30, 54}


def test_the_cron_condition_fires_daily_whatever_is_observed(over_days):
    """Changes of the live table do not add to it, and looking does not hold it up."""
    fired = over_days(refresh_on_cron("0 18 * * *"), days=3, written={12, 36})
    assert len(fired) == 3
    assert [hour - fired[0] for hour in fired] == [0, 24, 48]


def test_without_observations_an_observed_change_never_fires(over_days):
    """Why docs/automation.md asks for `observe_cron` beside it."""
    condition = refresh_when_observed_changed()
    assert over_days(condition, days=1, written={6}, observe=False) == []
