"""The plain path and everything that may go wrong on it, against a fake AWS on a virtual clock."""

from datetime import UTC, datetime, timedelta

import pytest

from ddb_assets.core.outcome import Failed, Refreshed
from ddb_assets.errors import (
    CatalogConflictError,
    DeclarationError,
    ExportNotRestorableYetError,
    ExportTimeError,
    OlderExportError,
    VersionConflictError,
)

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def test_a_table_is_exported_verified_created_and_read_back(world):
    """The whole chain: ARN, location, columns, provenance and stages."""
    spec = world.table("Article")
    outcome = world.refresh(spec)["Article"]
    assert isinstance(outcome, Refreshed)
    export_id = outcome.export.export_id
    assert outcome.publication.action == "created"
    assert outcome.publication.location == f"s3://exports/Article/AWSDynamoDB/{export_id}/data/"
    assert world.aws.location("article") == outcome.publication.location
    assert outcome.manifest.items == 2
    assert outcome.profile.items == 2
    assert "userid" in outcome.publication.columns[0][1]
    assert outcome.publication.previous_location is None
    assert world.stages("Article") == [
        "described",
        "started",
        "waiting",
        *["waiting"] * 4,
        "completed",
        "inferring",
        "verified",
        "publishing",
        "published",
    ]
    parameters = world.aws.glue["article"][-1][0]["Parameters"]
    assert parameters["ddb_assets.export_arn"] == outcome.export.arn
    assert parameters["ddb_assets.table_id"] == outcome.description.table_id
    assert parameters["ddb_assets.item_count"] == "2"


def test_a_second_run_moves_the_table_forward(world):
    """The next run starts its own export and remembers where the table was."""
    spec = world.table("Article")
    first = world.refresh(spec)["Article"]
    second = world.refresh(spec, run="run-2")["Article"]
    assert second.publication.action == "moved"
    assert second.publication.previous_location == first.publication.location
    assert world.aws.count("start_export") == 2
    assert len(world.aws.glue["article"]) == 2


def test_a_published_table_is_not_touched_again_by_the_same_run(world):
    """A re-execution finds the export published: no write, no inference."""
    spec = world.table("Article")
    world.refresh(spec)
    world.aws.calls.clear()
    outcome = world.refresh(spec)["Article"]
    assert outcome.publication.action == "unchanged"
    for operation in ("start_export", "update_table", "create_table", "stream"):
        assert world.aws.count(operation) == 0
    assert world.stages("Article")[-1] == "unchanged"


def test_all_exports_are_requested_before_the_first_wait(world):
    """Ten tables wait side by side: the run takes as long as one export."""
    specs = [world.table(f"t{n}") for n in range(10)]
    world.refresh(*specs)
    operations = [operation for operation, _ in world.aws.calls]
    last_start = max(i for i, o in enumerate(operations) if o == "start_export")
    assert "describe_export" not in operations[:last_start]
    assert world.clock.seconds < 330


def test_outcomes_land_one_by_one(world):
    """A quick table does not wait for a slow one."""
    slow, quick = world.table("slow"), world.table("quick")
    world.aws.seconds.update(slow=3000.0, quick=100.0)
    landing = world.landing(slow, quick)
    assert next(landing).spec is quick
    assert world.clock.seconds < 150
    assert next(landing).spec is slow


@pytest.mark.parametrize(
    "limits", [{"max_in_flight": 3}, {"max_in_flight": 7, "shares": 2}], ids=["alone", "shared"]
)
def test_at_most_so_many_exports_are_in_flight(world, limits):
    """Slots are handed on as exports end; one of two steps side by side takes half of them."""
    specs = [world.table(f"t{n}") for n in range(7)]
    outcomes = world.refresh(*specs, **limits)
    assert all(isinstance(o, Refreshed) for o in outcomes.values())
    began = [(r.export.start_time, r.done_at) for r in world.aws.exports.values()]
    most = max(
        sum(other <= start and (start - START).total_seconds() < end for other, end in began)
        for start, _ in began
    )
    assert most == 3


def test_an_empty_table_is_published_with_its_keys(world):
    """No items, but a table to ask; its key is a column."""
    outcome = world.refresh(world.table("waiting", []))["waiting"]
    assert outcome.manifest.items == 0
    assert "userid" in outcome.publication.columns[0][1]


def test_an_emptied_table_keeps_the_columns_it_had(world):
    """A query that worked yesterday works today."""
    spec = world.table("Article")
    before = world.refresh(spec)["Article"].publication.columns
    world.aws.items["Article"] = []
    assert world.refresh(spec, run="run-2")["Article"].publication.columns == before


def test_a_given_export_time_is_asked_for_and_waited_for(world):
    """A second that is not restorable yet becomes so in a few minutes."""
    spec = world.table("Article")
    moment = world.clock.now()
    outcome = world.refresh(spec, export_time=moment)["Article"]
    assert outcome.manifest.export_time == moment
    assert world.clock.seconds > 600


def test_a_moment_aws_calls_too_recent_is_tried_again(world):
    """LatestRestorable allowed it, the request did not yet."""
    spec = world.table("Article")
    moment = world.clock.now() - timedelta(seconds=400)
    world.aws.faults["start_export"] = [ExportNotRestorableYetError("too recent")] * 5
    outcome = world.refresh(spec, export_time=moment)["Article"]
    assert outcome.manifest.export_time == moment


def test_a_moment_before_the_recovery_window_is_refused(world):
    """Nothing is started."""
    spec = world.table("Article")
    moment = world.clock.now() - timedelta(days=40)
    assert isinstance(world.refresh(spec, export_time=moment)["Article"].error, ExportTimeError)
    assert world.aws.count("start_export") == 0


def test_contradictions_are_refused_before_anything_is_asked(world):
    """Programming errors raise; they concern no table."""
    a, b = world.table("a"), world.table("b")
    moment = world.clock.now()
    for specs, options in (
        ([a, a], {}),
        ([a, world.spec("b", table="a")], {}),
        ([a, b], {"adopt": "arn"}),
        ([a], {"adopt": "arn", "wait": False}),
        ([a], {"export_time": moment.replace(microsecond=5)}),
        ([a], {"export_time": moment.replace(tzinfo=None)}),
        ([a], {"max_in_flight": 0}),
    ):
        with pytest.raises(DeclarationError):
            world.landing(*specs, **options)
    assert world.aws.calls == []


def test_a_key_without_kms_fails_its_table_only(world):
    """A declaration AWS would refuse is refused before."""
    bad = world.table("bad", kms_key_id="key")
    outcomes = world.refresh(bad, world.table("good"))
    assert isinstance(outcomes["bad"].error, DeclarationError)
    assert isinstance(outcomes["good"], Refreshed)


def test_an_older_export_does_not_replace_a_newer_one(world):
    """The slow run comes second and finds something newer."""
    spec = world.table("Article")
    world.aws.seconds["Article"] = 3000.0
    slow = world.landing(spec, run="slow")
    world.refresh(spec, run="slow", wait=False)
    world.clock.sleep(10)
    world.aws.seconds["Article"] = 100.0
    newer = world.refresh(spec, run="quick")["Article"]
    (outcome,) = slow
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, OlderExportError)
    assert world.aws.location("article") == newer.publication.location


def test_a_table_dropped_while_it_is_unchanged_is_created_by_the_retry(world):
    """It was there, so nothing was inferred; a table without columns would be worse than none."""
    spec = world.table("Article")
    world.refresh(spec)
    world.aws.hooks["get_table"] = [lambda: None, world.aws.glue.clear]
    assert isinstance(world.refresh(spec)["Article"].error, VersionConflictError)
    assert world.refresh(spec)["Article"].publication.action == "created"


def test_a_competing_change_between_read_and_update_is_seen(world):
    """The swap is lost, the table read again, and somebody's property survives."""
    spec = world.table("Article")
    world.refresh(spec)

    def meddle() -> None:
        body, _ = world.aws.glue["article"][-1]
        changed = {**body, "Parameters": {**body["Parameters"], "owner": "ann"}}
        world.aws.glue["article"].append((changed, world.clock.now()))

    world.aws.hooks["update_table"] = [meddle]
    outcome = world.refresh(spec, run="run-2")["Article"]
    assert outcome.publication.action == "moved"
    assert world.aws.glue["article"][-1][0]["Parameters"]["owner"] == "ann"


def test_a_view_of_that_name_costs_no_export(world):
    """A table that cannot be ours is refused before anything is paid for."""
    spec = world.table("Article")
    view = {"Name": "article", "TableType": "VIRTUAL_VIEW", "StorageDescriptor": {}}
    world.aws.glue["article"] = [(view, world.clock.now())]
    assert isinstance(world.refresh(spec)["Article"].error, CatalogConflictError)
    assert world.aws.count("start_export") == 0


def test_heartbeats_come_at_a_human_rate(world):
    """An hour's wait is some fifteen lines, with elapsed and expected time."""
    spec = world.table("Article")
    world.aws.seconds["Article"] = 3600.0
    world.refresh(spec)
    beats = [e for e in world.events if e.stage == "waiting"]
    assert 10 <= len(beats) <= 25
    assert beats[0].details["elapsed_seconds"] == pytest.approx(30, abs=1)
    assert "no earlier export" in beats[0].message
