"""Rollback, adoption, status and prune know of the typed copy."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ddb_assets.core.operating.adopt import adopt
from ddb_assets.core.operating.report import published_document, status_document, status_sentence
from ddb_assets.core.operating.retention import RetentionPolicy, prune, prune_plan
from ddb_assets.core.operating.rollback import rollback
from ddb_assets.core.operating.status import table_status
from ddb_assets.core.outcome import Copied, Refreshed
from ddb_assets.errors import QueryFailedError

NOW = RetentionPolicy(keep_last=1, keep_days=0, rollback_days=0, longest_query=timedelta(0))


@pytest.fixture
def spec(world):
    """A table with view and copy."""
    return world.table("a", typed_view="a_typed", typed_copy="a_parquet")


@pytest.fixture
def copies(world, spec):
    """Three refreshes, an hour apart."""
    made = []
    for number in range(3):
        *_, copy = world.landing(spec, run=f"run-{number}")
        assert isinstance(copy, Copied)
        made.append(copy)
        world.clock.sleep(3600)
    return made


def call(world, function, *arguments, **options):
    """An operator's command against the world."""
    return function(*arguments, gateways=world.aws.gateways, clock=world.clock, **options)


def test_a_rollback_takes_the_copy_along(world, spec, copies):
    """One outcome says both; the files that are there are used."""
    queries = len(world.aws.queries)
    outcome = call(world, rollback, spec)
    assert isinstance(outcome, Refreshed)
    assert outcome.copy.location == copies[1].copy.location
    assert world.aws.location("a") == copies[1].refreshed.manifest.location
    assert len(world.aws.queries) == queries
    document = published_document(outcome)["copy"]
    assert document["name"] == "ddb.a_parquet"
    assert document["action"] == "moved"
    assert document["error"] is None


def test_the_next_refresh_takes_both_forward_again(world, spec, copies):
    """From wherever the rollback left them."""
    call(world, rollback, spec)
    *_, copy = world.landing(spec, run="next")
    assert copy.copy.location not in {made.copy.location for made in copies}
    assert world.aws.location("a_parquet") == copy.copy.location


def test_a_rollback_whose_copy_fails_says_so_and_stands(world, spec, copies):
    """Its files are gone and Athena refuses: the table went back, status shows the difference."""
    arn = copies[0].refreshed.manifest.export_arn
    for key in [k for k in world.aws.objects if "/parquet/" in k]:
        del world.aws.objects[key]
    world.aws.query_ends = ["FAILED no"] * 9
    outcome = call(world, adopt, spec, arn, allow_older=True)
    assert isinstance(outcome, Refreshed)
    assert isinstance(outcome.copy_error, QueryFailedError)
    assert published_document(outcome)["copy"]["error"]["type"] == "QueryFailedError"
    assert world.aws.location("a") == copies[0].refreshed.manifest.location
    status = call(world, table_status, spec)
    assert status.copy_differs
    document = status_document(status)["copy"]
    assert document["same_export"] is False
    assert document["published"]["export_id"] == copies[2].refreshed.manifest.export_id
    assert "its typed copy a_parquet shows" in status_sentence(status)


def test_status_shows_the_copys_export(world, spec, copies):
    """The same as the table's, or none yet."""
    status = call(world, table_status, spec)
    assert not status.copy_differs
    assert status_document(status)["copy"]["same_export"] is True
    del world.aws.glue["a_parquet"]
    missing = call(world, table_status, spec)
    assert missing.copy_differs
    assert status_document(missing)["copy"]["published"] is None
    assert "shows no export" in status_sentence(missing)


def test_prune_deletes_copies_with_their_exports_and_no_others(world, spec, copies):
    """The published one and what it showed before stay, Parquet included."""
    world.clock.sleep(3600)
    plan = call(world, prune_plan, spec, NOW)
    assert [e.export_id for e in plan.delete] == [copies[0].refreshed.manifest.export_id]
    call(world, prune, plan)
    left = [key for key in world.aws.objects if "/parquet/" in key]
    assert left
    for made, stays in zip(copies, (False, True, True), strict=True):
        folder = made.copy.location.split("/", 3)[3]
        assert any(key.startswith(folder) for key in left) is stays


def test_prune_spares_what_only_the_copy_shows(world, spec, copies):
    """Two refreshes left the copy behind: its export stays although the table has long left it."""
    for number in range(3):
        list(world.landing(replace(spec, typed_copy=None), run=f"x{number}"))
        world.clock.sleep(3600)
    plan = call(world, prune_plan, spec, NOW)
    kept = {kept.export.export_id: kept.reason for kept in plan.keep}
    shown = copies[2].refreshed.manifest.export_id
    assert kept[shown] == "shown by its typed copy"
    assert copies[1].refreshed.manifest.export_id in kept
    assert copies[0].refreshed.manifest.export_id in {e.export_id for e in plan.delete}


def test_prune_spares_the_files_of_a_copy_no_longer_declared(world, spec, copies):
    """The Glue table is still there to be queried."""
    bare = replace(spec, typed_copy=None)
    for number in range(3):
        list(world.landing(bare, run=f"x{number}"))
        world.clock.sleep(3600)
    plan = call(world, prune_plan, bare, NOW)
    kept = {kept.export.export_id: kept.reason for kept in plan.keep}
    assert kept[copies[2].refreshed.manifest.export_id] == "shown by its typed copy"


def test_prune_spares_an_export_the_copy_came_to_meanwhile(world, spec, copies):
    """Between the plan and the deletion."""
    world.clock.sleep(3600)
    plan = call(world, prune_plan, spec, NOW)
    (export,) = plan.delete
    body = world.aws.glue["a_parquet"][0][0]
    assert body["StorageDescriptor"]["Location"] == copies[0].copy.location
    world.aws.glue["a_parquet"].append((body, world.clock.now()))
    pruned = call(world, prune, plan)
    assert pruned.deleted == ()
    assert [e.export_id for e in pruned.spared] == [export.export_id]
