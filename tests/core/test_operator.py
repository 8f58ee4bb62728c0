"""Adoption, rollback, retention and status: what a person does with exports that are there."""

from datetime import timedelta

import pytest

from ddb_assets.core.operating.adopt import adopt
from ddb_assets.core.operating.retention import RetentionPolicy, prune, prune_plan
from ddb_assets.core.operating.rollback import proved_target, rollback, rollback_target
from ddb_assets.core.operating.status import statuses, table_status
from ddb_assets.core.outcome import Refreshed
from ddb_assets.errors import (
    CatalogConflictError,
    DeclarationError,
    ExportFailedError,
    ExportNotFoundError,
    ExportObjectsGoneError,
    OlderExportError,
    ServiceUnavailableError,
    TableNotFoundError,
    TableReplacedError,
    VersionConflictError,
)

DAY = 86400.0


@pytest.fixture
def history(world):
    """A table with four published exports, one a day; the spec and the outcomes, oldest first."""

    def publish(method="glue"):
        spec = world.table("Article", publish_with=method)
        outcomes = []
        for number in range(4):
            world.aws.items["Article"] = [{"userId": {"S": str(n)}} for n in range(number + 1)]
            outcomes.append(world.refresh(spec, run=f"run-{number}")["Article"])
            world.clock.sleep(DAY)
        return spec, outcomes

    return publish


def test_an_export_somebody_else_started_is_waited_for_and_published(world):
    """By its ARN alone; nothing is started."""
    spec = world.table("Article")
    started = world.refresh(spec, run="somebody", wait=False)["Article"]
    outcome = adopt(spec, started.export.arn, gateways=world.aws.gateways, clock=world.clock)
    assert isinstance(outcome, Refreshed)
    assert outcome.publication.export_arn == started.export.arn
    assert len(world.aws.exports) == 1


def test_only_an_export_of_this_table_can_be_adopted(world):
    """Another table's, a failed one and one that is none are refused."""
    spec, other = world.table("Article"), world.table("Other")
    gateways, clock = world.aws.gateways, world.clock
    foreign = world.refresh(other)["Other"].export.arn
    assert isinstance(adopt(spec, foreign, gateways=gateways, clock=clock).error, DeclarationError)
    unknown = f"{world.aws.tables['Article'].arn}/export/01767225600000-ffffffff"
    error = adopt(spec, unknown, gateways=gateways, clock=clock).error
    assert isinstance(error, ExportNotFoundError)
    world.aws.failures["Article"].append(("S3AccessDenied", "Access Denied"))
    failed = world.refresh(spec)["Article"].export.arn
    assert isinstance(adopt(spec, failed, gateways=gateways, clock=clock).error, ExportFailedError)


def test_an_older_export_is_adopted_only_as_a_rollback(world, history):
    """Never backwards by accident."""
    spec, outcomes = history()
    arn = outcomes[0].export.arn
    refused = adopt(spec, arn, gateways=world.aws.gateways, clock=world.clock)
    assert isinstance(refused.error, OlderExportError)
    assert world.aws.location("article") == outcomes[3].publication.location


@pytest.mark.parametrize("method", ["glue", "athena"])
def test_a_rollback_goes_to_the_export_before_and_on_to_the_one_before_that(world, history, method):
    """Twice back is two exports back; the next refresh goes forward again."""
    spec, outcomes = history(method)
    for expected in (outcomes[2], outcomes[1]):
        outcome = rollback(spec, gateways=world.aws.gateways, clock=world.clock)
        assert isinstance(outcome, Refreshed)
        assert outcome.publication.location == expected.publication.location
        assert world.aws.location("article") == expected.publication.location
    forward = world.refresh(spec, run="run-9")["Article"]
    assert forward.publication.action == "moved"
    assert forward.publication.previous_location == outcomes[1].publication.location


def test_a_rollback_goes_to_a_given_export(world, history):
    """By ARN or by id; looking for the target changes nothing."""
    spec, outcomes = history()
    target = rollback_target(
        spec, gateways=world.aws.gateways, to=outcomes[0].export.export_id, clock=world.clock
    )
    assert target.export_arn == outcomes[0].export.arn
    assert world.aws.location("article") == outcomes[3].publication.location
    outcome = rollback(
        spec, gateways=world.aws.gateways, to=outcomes[0].export.arn, clock=world.clock
    )
    assert outcome.publication.location == outcomes[0].publication.location


def test_a_rollback_proves_that_the_objects_are_there(world, history):
    """One missing data file, and the table stays."""
    spec, outcomes = history()
    del world.aws.objects[outcomes[2].manifest.files[0].key]
    outcome = rollback(spec, gateways=world.aws.gateways, clock=world.clock)
    assert isinstance(outcome.error, ExportObjectsGoneError)
    assert world.aws.location("article") == outcomes[3].publication.location


def test_a_rollback_can_be_proved_without_going_there(world, history):
    """The proof fails as the rollback would; either way nothing moves."""
    spec, outcomes = history()
    gateways, clock = world.aws.gateways, world.clock
    target = rollback_target(spec, gateways=gateways, clock=clock)
    manifest = proved_target(spec, target, gateways=gateways, clock=clock)
    assert manifest.location == outcomes[2].publication.location
    del world.aws.objects[outcomes[2].manifest.files[0].key]
    with pytest.raises(ExportObjectsGoneError, match=r"^Article: "):
        proved_target(spec, target, gateways=gateways, clock=clock)
    running = world.refresh(spec, run="late", wait=False)["Article"].export
    target = rollback_target(spec, gateways=gateways, to=running.arn, clock=clock)
    with pytest.raises(ExportNotFoundError, match="still runs"):
        proved_target(spec, target, gateways=gateways, clock=clock)
    assert world.aws.location("article") == outcomes[3].publication.location


def test_a_deleted_old_export_is_noticed_without_waiting(world, history):
    """Its manifest is not on its way any more."""
    spec, outcomes = history()
    for key in [k for k in world.aws.objects if outcomes[2].export.export_id in k]:
        del world.aws.objects[key]
    began = world.clock.seconds
    outcome = rollback(spec, gateways=world.aws.gateways, clock=world.clock)
    assert isinstance(outcome.error, ExportObjectsGoneError)
    assert world.clock.seconds - began < 5


def test_a_rollback_reaches_exports_that_dynamodb_forgot(world, history):
    """After 90 days only the manifest knows them."""
    spec, outcomes = history()
    del world.aws.exports[outcomes[2].export.arn]
    outcome = rollback(spec, gateways=world.aws.gateways, clock=world.clock)
    assert outcome.publication.location == outcomes[2].publication.location


def test_a_rollback_brings_back_a_dropped_tables_data(world, history):
    """The live table is gone; its last exports are not. Adoption without rollback refuses."""
    spec, outcomes = history()
    gateways, clock = world.aws.gateways, world.clock
    world.aws.create("Article", [])
    arn = outcomes[2].export.arn
    error = adopt(spec, arn, gateways=gateways, clock=clock).error
    assert isinstance(error, TableReplacedError)
    del world.aws.tables["Article"]
    assert isinstance(adopt(spec, arn, gateways=gateways, clock=clock).error, TableNotFoundError)
    outcome = rollback(spec, gateways=gateways, to=arn, clock=clock)
    assert isinstance(outcome, Refreshed)
    assert outcome.description.status == "DELETED"


def test_a_rollback_without_anything_before_says_so(world):
    """No table, or no earlier export."""
    spec = world.table("Article")
    with pytest.raises(CatalogConflictError):
        rollback(spec, gateways=world.aws.gateways, clock=world.clock)
    world.refresh(spec)
    with pytest.raises(ExportNotFoundError, match="never showed an older export"):
        rollback(spec, gateways=world.aws.gateways, clock=world.clock)


def test_retention_keeps_what_is_needed_and_says_why(world, history):
    """Of four daily exports, with a window of a day and a half, the two oldest may go."""
    spec, outcomes = history()
    policy = RetentionPolicy(keep_last=1, keep_days=0, rollback_days=1.5)
    plan = prune_plan(spec, policy, gateways=world.aws.gateways, clock=world.clock)
    deleted = [export.export_id for export in plan.delete]
    assert deleted == [outcomes[1].export.export_id, outcomes[0].export.export_id]
    assert [(k.export.export_id, k.reason) for k in plan.keep] == [
        (outcomes[3].export.export_id, "published"),
        (outcomes[2].export.export_id, "shown within the rollback window"),
    ]
    assert plan.freed_bytes > 0
    assert world.aws.count("delete") == 0
    done = prune(plan, gateways=world.aws.gateways, clock=world.clock)
    assert len(done.deleted) == 2
    assert done.spared == ()
    left = {key.split("/")[2] for key in world.aws.objects}
    assert left == {outcomes[2].export.export_id, outcomes[3].export.export_id}
    again = prune_plan(spec, policy, gateways=world.aws.gateways, clock=world.clock)
    assert again.delete == ()


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        (RetentionPolicy(keep_last=3, keep_days=0, rollback_days=0), 3),
        (RetentionPolicy(keep_last=1, keep_days=3.5, rollback_days=0), 3),
        (RetentionPolicy(keep_last=1, keep_days=0, rollback_days=10), 4),
        (RetentionPolicy(keep_last=1, keep_days=0, rollback_days=0), 2),
    ],
)
def test_each_reason_to_keep_counts(world, history, policy, kept):
    """The last N, the last D days, the rollback window, and always the one before."""
    spec, _ = history()
    plan = prune_plan(spec, policy, gateways=world.aws.gateways, clock=world.clock)
    assert len(plan.keep) == kept


def test_an_export_a_query_may_still_read_is_kept(world, history):
    """The table left it an hour ago, although it is days old."""
    spec, outcomes = history()
    policy = RetentionPolicy(keep_last=1, keep_days=0, rollback_days=0)
    rollback(spec, to=outcomes[0].export.arn, gateways=world.aws.gateways, clock=world.clock)
    rollback(spec, to=outcomes[1].export.arn, gateways=world.aws.gateways, clock=world.clock)
    world.refresh(spec, run="run-9")
    world.clock.sleep(3600)
    plan = prune_plan(spec, policy, gateways=world.aws.gateways, clock=world.clock)
    deleted = {e.export_id for e in plan.delete}
    assert deleted.isdisjoint({o.export.export_id for o in outcomes[:2]})


def test_what_is_not_proved_to_be_this_tables_is_kept(world, history):
    """Another table's export below the same prefix, a running one, and incrementals' data."""
    spec, _ = history()
    other = world.table("Other", prefix="Article")
    world.refresh(other)
    world.refresh(spec, run="late", wait=False)
    world.aws.put("Article/AWSDynamoDB/data/incremental.json.gz", b"x")
    world.clock.sleep(100 * DAY)
    policy = RetentionPolicy(keep_last=1, keep_days=0, rollback_days=0)
    plan = prune_plan(spec, policy, gateways=world.aws.gateways, clock=world.clock)
    deleted = [key for export in plan.delete for key in export.keys]
    assert deleted
    assert not [key for key in deleted if "/data/incremental" in key]
    foreign = world.aws.location("other").removeprefix("s3://exports/").removesuffix("data/")
    assert not [key for key in deleted if key.startswith(foreign)]


def test_a_rollback_between_plan_and_deletion_saves_its_export(world, history):
    """The table is looked at again before anything is deleted."""
    spec, outcomes = history()
    policy = RetentionPolicy(keep_last=1, keep_days=0, rollback_days=0)
    plan = prune_plan(spec, policy, gateways=world.aws.gateways, clock=world.clock)
    rollback(spec, to=outcomes[0].export.arn, gateways=world.aws.gateways, clock=world.clock)
    done = prune(plan, gateways=world.aws.gateways, clock=world.clock)
    assert [e.export_id for e in done.spared] == [outcomes[0].export.export_id]
    assert all(file.key in world.aws.objects for file in outcomes[0].manifest.files)


def test_a_rollback_during_the_deletion_steps_back(world, history):
    """Pruned between its proof and its publication, the export is not left published."""
    spec, outcomes = history()
    policy = RetentionPolicy(keep_last=1, keep_days=0, rollback_days=0)
    gateways, clock = world.aws.gateways, world.clock
    plan = prune_plan(spec, policy, gateways=gateways, clock=clock)
    world.aws.hooks["update_table"] = [lambda: prune(plan, gateways=gateways, clock=clock)]
    outcome = rollback(spec, to=outcomes[0].export.arn, gateways=gateways, clock=clock)
    assert isinstance(outcome.error, ExportObjectsGoneError)
    assert world.aws.location("article") == outcomes[3].publication.location


def test_retention_refuses_to_guess(world):
    """Nothing is superfluous as long as nothing is published; zero is no number to keep."""
    spec = world.table("Article")
    world.refresh(world.spec("Article", table="elsewhere"))
    world.clock.sleep(100 * DAY)
    plan = prune_plan(spec, gateways=world.aws.gateways, clock=world.clock)
    assert plan.delete == ()
    assert [kept.reason for kept in plan.keep] == ["nothing is published"]
    for policy in (
        RetentionPolicy(keep_last=0),
        RetentionPolicy(keep_days=-1),
        RetentionPolicy(rollback_days=float("nan")),
        RetentionPolicy(keep_days=float("inf")),
    ):
        with pytest.raises(DeclarationError, match=r"^Article: "):
            prune_plan(spec, policy, gateways=world.aws.gateways)


def test_status_tells_what_is_shown_what_runs_and_what_waits(world, history):
    """Published export, age, items, running exports, newer unpublished ones."""
    spec, outcomes = history()
    rollback(spec, gateways=world.aws.gateways, clock=world.clock)
    running = world.refresh(spec, run="late", wait=False)["Article"]
    status = table_status(spec, gateways=world.aws.gateways, clock=world.clock)
    assert status.published.export_arn == outcomes[2].export.arn
    assert status.items == 3
    age = world.clock.now() - outcomes[2].manifest.export_time
    assert status.age_seconds == pytest.approx(age / timedelta(seconds=1))
    assert [e.arn for e in status.running] == [running.export.arn]
    assert [e.arn for e in status.newer] == [outcomes[3].export.arn]


def test_status_of_many_tables_survives_one(world):
    """A table that does not exist has an error, the others their status."""
    good, gone = world.table("good"), world.spec("gone")
    found = list(statuses([gone, good], gateways=world.aws.gateways, clock=world.clock))
    assert isinstance(found[0].error, TableNotFoundError)
    assert found[1].published is None
    assert found[1].error is None


def test_status_does_not_wait_long_for_an_endpoint_that_is_away(world):
    """Somebody sits in front of it: patience is theirs to set, and they hear of it."""
    spec = world.table("Article")
    world.aws.faults["get_table"] = [ServiceUnavailableError("no answer")] * 100
    (status,) = statuses(
        [spec],
        gateways=world.aws.gateways,
        clock=world.clock,
        listener=world.events.append,
        patience_seconds=20,
    )
    assert isinstance(status.error, ServiceUnavailableError)
    assert 20 <= world.clock.seconds < 60
    assert "retrying" in world.stages("Article")


def test_a_rollback_that_somebody_moves_away_at_once_says_so(world, history):
    """Nobody is fought over the table."""
    spec, outcomes = history()

    def meddle() -> None:
        world.aws.set_location(
            f"ALTER TABLE `ddb`.`article` SET LOCATION '{outcomes[1].publication.location}'"
        )

    world.aws.hooks["get_table"] = [lambda: None] * 3 + [meddle]
    outcome = rollback(
        spec, to=outcomes[0].export.arn, gateways=world.aws.gateways, clock=world.clock
    )
    assert isinstance(outcome.error, VersionConflictError)
