"""The documented metadata keys are those that are written, event by event."""

import re
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from ddb_assets.core.operating import drift, health
from ddb_assets.core.operating.observe import observe
from ddb_assets.orchestration.copies import copy_metadata
from ddb_assets.orchestration.metadata import refreshed_metadata
from ddb_assets.orchestration.metadata_keys import CHECK, KEYS, MATERIALIZATION, OBSERVATION
from ddb_assets.orchestration.observations import observed_metadata
from ddb_assets.schema.declaration import parse_columns

LIVE = dg.AssetKey(["dynamodb", "orders"])
RAW = {
    "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
    "LatestStreamLabel": "2026-01-01T00:00:00.000",
    "DeletionProtectionEnabled": False,
}


def documented(event):
    """The keys of one event, as the docs have them."""
    return {key.name for key in KEYS if event in key.on}


@pytest.mark.parametrize("query", [None, "query-1"])
def test_materializations(world, query):
    """All that a full outcome records, whichever service published it."""
    spec = world.table("orders", columns=parse_columns({"userId": "S", "total": "N"}))
    world.refresh(spec, run="first")
    world.aws.items["orders"] = [{"userId": {"S": "a"}}]
    world.clock.sleep(60)
    outcome = world.refresh(spec, run="second")["orders"]
    publication = replace(
        outcome.publication,
        query_execution_id=query,
        previous_location="s3://exports/before/",
        notes=("a note",),
    )
    written = refreshed_metadata(
        replace(outcome, publication=publication),
        now=world.clock.now(),
        live=LIVE,
        preview=[{"userId": {"S": "a"}}],
    )
    only_athena = {"ddb_assets/query_execution_id", "ddb_assets/query_console"}
    of_copies = {"ddb_assets/scanned_bytes", "ddb_assets/copying_seconds"}
    expected = documented(MATERIALIZATION) - of_copies
    assert written.keys() == expected - (set() if query else only_athena)


def test_materializations_of_copies(world):
    """Nothing that is not documented, and what only copies have."""
    spec = world.table("orders", typed_view="orders_typed", typed_copy="orders_parquet")
    *_, outcome = world.landing(spec)
    copy = replace(outcome.copy, scanned_bytes=77, previous_location="s3://exports/before/")
    written = copy_metadata(LIVE, replace(outcome, copy=copy), now=world.clock.now())
    assert written.keys() <= documented(MATERIALIZATION)
    assert written["ddb_assets/scanned_bytes"].value == 77
    assert written["ddb_assets/estimated_cost_usd"].value == pytest.approx(5 * 10 / 2**20)
    assert "ddb_assets/copying_seconds" in written


def test_observations(world):
    """A provisioned table with a stream, seen with every permission but one."""
    spec = world.table("orders")
    world.aws.tables["orders"] = replace(world.aws.tables["orders"], raw=RAW)
    world.aws.pitr["orders"] = replace(world.aws.pitr["orders"], recovery_days=35)
    (seen,) = observe(["orders"], gateways=world.aws.gateways, clock=world.clock)
    written = observed_metadata(replace(seen, unseen=("tags: refused",)), spec)
    assert written.keys() == documented(OBSERVATION)


def test_checks():
    """Every fact a verdict may have; read from the code, since no single verdict has them all."""
    code = "".join(Path(module.__file__).read_text() for module in (health, drift))
    facts = set(re.findall(r'^\s*"(\w+)": ', code, re.MULTILINE))
    facts |= set(re.findall(r'[{ ]"(\w+)": ', code))
    assert {f"ddb_assets/{fact}" for fact in facts} == documented(CHECK)


def test_no_key_is_documented_twice():
    """One row says where a key is written."""
    assert len({key.name for key in KEYS}) == len(KEYS)
