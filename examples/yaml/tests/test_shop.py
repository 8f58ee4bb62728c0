"""The shop's definitions against the local AWS."""

import shutil
import subprocess
from pathlib import Path

import pytest
from shop_yaml.definitions import defs

PROJECT = Path(__file__).parents[1]
STATE = PROJECT / "shop_yaml" / "defs" / ".local_defs_state"


@pytest.fixture
def no_state():
    """Nothing was discovered before, and nothing is left."""
    shutil.rmtree(STATE, ignore_errors=True)
    yield
    shutil.rmtree(STATE, ignore_errors=True)


def discover():
    """What an image build does."""
    done = subprocess.run(
        ["dg", "utils", "refresh-defs-state"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def discovered():
    """The tables and views of the database that discovery fills."""
    specs = defs().resolve_all_asset_specs()
    return {spec.key.path[2]: spec for spec in specs if spec.key.path[:2] == ["athena", "events"]}


def test_declared_tables_are_queryable(local_aws, no_state):
    """One run for all of them; post-processing and translation hold."""
    local_aws.create_table("orders", {"orderId": "S"}, items=[{"orderId": "o-1", "total": 9}])
    local_aws.create_table("legacy.Users", {"userId": "S"}, items=[{"userId": "u-1"}])
    assert local_aws.refresh(defs).success
    assert local_aws.query("SELECT count(*) AS n FROM raw.orders") == [{"n": "1"}]
    specs = {spec.key.to_user_string(): spec for spec in defs().resolve_all_asset_specs()}
    assert specs["athena/raw/orders"].owners == ["team:sales"]
    assert specs["athena/raw/users"].group_name == "raw"


def test_tables_are_discovered_by_name_and_tag(local_aws, no_state):
    """Nothing is there before the discovery; what is left out is said."""
    key = {"id": "S"}
    prod = {"stage": "prod", "team": "web"}
    local_aws.create_table("events-web", key, items=[{"id": "1"}], tags=prod)
    local_aws.create_table("events-web-tmp", key, tags=prod)
    local_aws.create_table("events-test", key, tags={"stage": "test"})
    local_aws.create_table("events-old", key, tags=prod, pitr=False)
    assert not discovered()
    assert "events-old has point-in-time recovery off" in discover()
    found = discovered()
    assert set(found) == {"events_web", "events_web_typed"}
    assert found["events_web"].tags["team"] == "web"
    assert local_aws.refresh(defs, [spec.key for spec in found.values()]).success
    assert local_aws.query("SELECT item.id.s AS id FROM events.events_web") == [{"id": "1"}]
