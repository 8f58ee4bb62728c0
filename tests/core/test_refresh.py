"""The plain path and everything that may go wrong on it, against a fake AWS on a virtual clock."""

from datetime import UTC, datetime, timedelta

import pytest

from ddb_assets.core.outcome import Failed, Refreshed, Started
from ddb_assets.errors import (
    AccessDeniedError,
    CatalogConflictError,
    DeadlineExceededError,
    DeclarationError,
    ExportFailedError,
    ExportNotRestorableYetError,
    ExportTimeError,
    LimitExceededError,
    ManifestInvalidError,
    ManifestMissingError,
    OlderExportError,
    PitrDisabledError,
    RequestInvalidError,
    ServiceUnavailableError,
    TableNotFoundError,
    TableReplacedError,
    TerminalError,
    ThrottledError,
    VersionConflictError,
)

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


class Crash(BaseException):
    """The process is gone."""


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


def test_without_waiting_the_export_is_noted_and_found_by_the_next(world):
    """Start now, finish later is the same export."""
    spec = world.table("Article")
    outcome = world.refresh(spec, wait=False)["Article"]
    assert isinstance(outcome, Started)
    assert world.clock.seconds < 1
    finished = world.refresh(spec)["Article"]
    assert finished.export.arn == outcome.export.arn
    assert world.aws.count("start_export") == 1


@pytest.mark.parametrize(
    "operation",
    ["start_export", "describe_export", "read", "list", "stream", "create_table", "get_table"],
)
def test_a_crash_anywhere_pays_for_one_export(world, operation):
    """Killed at a call and started again, the run goes on with the export that is there."""
    spec = world.table("Article")
    world.aws.faults[operation].append(Crash())
    with pytest.raises(Crash):
        world.refresh(spec)
    assert isinstance(world.refresh(spec)["Article"], Refreshed)
    assert len(world.aws.exports) == 1


def test_a_crash_before_the_note_is_healed_by_the_token(world):
    """AWS answers the same token with the same export."""
    spec = world.table("Article")
    world.aws.lost["start_export"].append(Crash())
    with pytest.raises(Crash):
        world.refresh(spec)
    assert world.ledgers["run-1"].notes == {}
    assert isinstance(world.refresh(spec)["Article"], Refreshed)
    assert len(world.aws.exports) == 1


def test_an_intent_older_than_tokens_finds_its_export_in_the_list(world):
    """After 8 hours AWS forgets the token; the list of exports does not."""
    spec = world.table("Article")
    began = world.clock.now()
    world.aws.lost["start_export"].append(Crash())
    with pytest.raises(Crash):
        world.refresh(spec, started_at=began)
    world.clock.sleep(10 * 3600.0)
    (running,) = world.aws.exports.values()
    running.request = None  # the token is forgotten
    world.aws.faults["start_export"].append(AssertionError("paid twice"))
    outcome = world.refresh(spec, started_at=began)["Article"]
    assert isinstance(outcome, Refreshed)
    assert len(world.aws.exports) == 1


def test_a_failed_export_is_replaced_by_the_next_attempt(world):
    """FAILED ends the attempt with the reason; the retry launches anew, once."""
    spec = world.table("Article")
    world.aws.failures["Article"].append(("S3NoSuchBucket", "The specified bucket does not exist"))
    failed = world.refresh(spec)["Article"]
    assert isinstance(failed.error, ExportFailedError)
    assert failed.error.code == "S3NoSuchBucket"
    assert "create-bucket" in failed.error.remedy
    assert failed.export is not None
    assert isinstance(world.refresh(spec)["Article"], Refreshed)
    assert world.ledgers["run-1"].notes["Article"].launch == 1
    assert len(world.aws.exports) == 2


def test_a_replayed_token_that_failed_raises_the_launch_at_once(world):
    """Without its note the retry meets the failed export by token and goes on to the next."""
    spec = world.table("Article")
    world.aws.failures["Article"].append(("S3AccessDenied", "no"))
    world.refresh(spec)
    world.ledgers.clear()
    assert isinstance(world.refresh(spec)["Article"], Refreshed)
    assert len(world.aws.exports) == 2
    assert world.ledgers["run-1"].notes["Article"].launch == 1


def test_a_token_used_with_other_parameters_is_an_error(world):
    """AWS calls it a conflict; nothing is started."""
    spec = world.table("Article")
    world.refresh(spec, wait=False)
    world.ledgers.clear()
    outcome = world.refresh(world.spec("Article", prefix="elsewhere"))["Article"]
    assert isinstance(outcome.error, RequestInvalidError)
    assert outcome.error.table == "Article"


@pytest.mark.parametrize("error", [ThrottledError, ServiceUnavailableError])
@pytest.mark.parametrize(
    "operation",
    [
        "describe_table",
        "describe_pitr",
        "start_export",
        "describe_export",
        "read",
        "list",
        "stream",
        "chunk",
        "get_table",
        "has_database",
        "create_database",
        "create_table",
    ],
)
def test_a_transient_error_of_any_call_is_retried(world, operation, error):
    """Three bad answers in a row change nothing but the time it takes."""
    spec = world.table("Article")
    world.aws.faults[operation] = [error("not now") for _ in range(3)]
    outcome = world.refresh(spec)["Article"]
    assert isinstance(outcome, Refreshed)
    assert outcome.profile.items == 2
    assert len(world.aws.exports) == 1


@pytest.mark.parametrize("operation", ["start_export", "create_table"])
def test_a_lost_answer_does_not_do_it_twice(world, operation):
    """The call took effect, its answer did not come."""
    spec = world.table("Article")
    world.aws.lost[operation].append(ServiceUnavailableError("the connection broke"))
    outcome = world.refresh(spec)["Article"]
    assert outcome.publication.action == "created"
    assert len(world.aws.exports) == 1
    assert len(world.aws.glue["article"]) == 1


def test_a_lost_answer_of_the_move_is_a_move(world):
    """The table is read back at its new place, with the old one remembered."""
    spec = world.table("Article")
    first = world.refresh(spec)["Article"]
    world.aws.lost["update_table"].append(ServiceUnavailableError("the connection broke"))
    second = world.refresh(spec, run="run-2")["Article"]
    assert second.publication.action == "moved"
    assert second.publication.previous_location == first.publication.location
    assert len(world.aws.glue["article"]) == 2


def test_an_endpoint_that_is_away_while_waiting_is_waited_for(world):
    """Ten minutes without an answer end neither the wait nor the run."""
    spec = world.table("Article")

    def away() -> None:
        if 100 < world.clock.seconds < 700:
            raise ServiceUnavailableError("connection refused")

    world.aws.hooks["describe_export"] = [away] * 10_000
    assert isinstance(world.refresh(spec)["Article"], Refreshed)
    assert 700 < world.clock.seconds < 900


def test_an_endpoint_that_stays_away_ends_in_one_error(world):
    """After a quarter of an hour the table fails, names the cause and can be retried."""
    specs = [world.table(f"t{n}") for n in range(20)]
    world.aws.hooks["describe_export"] = [_refused] * 100_000
    world.aws.hooks["list_exports"] = [_refused] * 100_000
    outcomes = world.refresh(*specs)
    assert all(isinstance(o.error, ServiceUnavailableError) for o in outcomes.values())
    assert {o.error.table for o in outcomes.values()} == set(outcomes)
    assert all(o.error.retryable for o in outcomes.values())
    assert world.clock.seconds < 1500


def _refused() -> None:
    raise ServiceUnavailableError("connection refused")


def test_too_many_exports_in_the_account_are_waited_out(world):
    """LimitExceeded for hours is no error without a deadline."""
    spec = world.table("Article")
    world.aws.faults["start_export"] = [LimitExceededError("300 exports") for _ in range(60)]
    assert isinstance(world.refresh(spec)["Article"], Refreshed)
    assert world.clock.seconds > 3600


def test_a_deadline_ends_the_wait_but_not_the_export(world):
    """The retry picks up the same export."""
    spec = world.table("Article", deadline_seconds=60.0)
    failed = world.refresh(spec)["Article"]
    assert isinstance(failed.error, DeadlineExceededError)
    assert 60 <= world.clock.seconds < 61
    assert isinstance(world.refresh(world.spec("Article"))["Article"], Refreshed)
    assert len(world.aws.exports) == 1


def test_a_deadline_ends_the_wait_for_a_free_export(world):
    """LimitExceeded is waited out within the deadline only."""
    spec = world.table("Article", deadline_seconds=600.0)
    world.aws.faults["start_export"] = [LimitExceededError("300 exports") for _ in range(60)]
    failed = world.refresh(spec)["Article"]
    assert isinstance(failed.error, DeadlineExceededError)
    assert world.clock.seconds <= 600


def test_one_bad_table_stops_nobody(world):
    """Each bad table ends in its own error, the good ones are published."""
    good = world.table("good")
    denied, gone, off = world.table("denied"), world.spec("gone"), world.table("off")
    world.aws.faults["start_export denied"].append(AccessDeniedError("not authorized"))
    world.aws.pitr["off"] = world.aws.pitr["off"].__class__(False)
    broken = world.table("broken")
    world.aws.faults["describe_pitr broken"].append(ValueError("a defect"))
    outcomes = world.refresh(denied, gone, off, broken, good)
    assert isinstance(outcomes["good"], Refreshed)
    assert isinstance(outcomes["denied"].error, AccessDeniedError)
    assert isinstance(outcomes["gone"].error, TableNotFoundError)
    assert isinstance(outcomes["off"].error, PitrDisabledError)
    assert "update-continuous-backups --table-name off" in outcomes["off"].error.remedy
    assert outcomes["off"].error.remedy.endswith(" --region us-east-1")
    assert isinstance(outcomes["broken"].error, TerminalError)
    assert isinstance(outcomes["broken"].error.__cause__, ValueError)
    assert all(str(o.error).startswith(name) for name, o in outcomes.items() if name != "good")


def test_terminate_says_that_the_export_goes_on(world):
    """The run ends at once; every running export is named, no further call is made."""
    specs = [world.table("a"), world.table("b")]

    def terminate() -> None:
        raise KeyboardInterrupt

    world.clock.at(100, terminate)
    with pytest.raises(KeyboardInterrupt):
        world.refresh(*specs)
    left = [e for e in world.events if e.stage == "left_running"]
    assert [e.table for e in left] == ["a", "b"]
    assert world.events[-2:] == left
    assert "retry" in left[0].message


def test_a_table_deleted_while_exporting_is_not_published(world):
    """The export is whole, but its table is gone."""
    spec = world.table("Article")
    world.clock.at(100, lambda: world.aws.tables.pop("Article"))
    outcome = world.refresh(spec)["Article"]
    assert isinstance(outcome.error, TableReplacedError)
    assert world.aws.location("article") is None


def test_a_table_recreated_while_exporting_is_not_published(world):
    """Another table id under the same name; the next run exports the new table."""
    spec = world.table("Article")
    world.clock.at(100, lambda: world.aws.create("Article", []))
    assert isinstance(world.refresh(spec)["Article"].error, TableReplacedError)
    again = world.refresh(spec)["Article"]
    assert again.manifest.table_id == world.aws.tables["Article"].table_id


def test_an_export_of_a_deleted_table_that_never_ends_is_noticed(world):
    """AWS may leave it IN_PROGRESS for ever."""
    spec = world.table("Article")
    world.aws.seconds["Article"] = 1e9
    world.clock.at(100, lambda: world.aws.tables.pop("Article"))
    assert isinstance(world.refresh(spec)["Article"].error, TableReplacedError)
    assert world.clock.seconds < 2000


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


@pytest.mark.parametrize(
    "broken", ["manifest-summary.json", "manifest-files.json", "manifest-files.md5"]
)
def test_a_broken_manifest_moves_nothing(world, broken):
    """One changed byte is enough."""
    spec = world.table("Article")
    world.aws.tamper = lambda key, body: body + b" x" if key.endswith(broken) else body
    outcome = world.refresh(spec)["Article"]
    assert isinstance(outcome.error, ManifestInvalidError)
    assert world.aws.location("article") is None


def test_a_late_manifest_is_waited_for(world):
    """COMPLETED may be seen before the manifest."""
    spec = world.table("Article")
    world.aws.faults["read"] = [ManifestMissingError("not there", code="NoSuchKey")] * 4
    assert isinstance(world.refresh(spec)["Article"], Refreshed)


def test_a_manifest_that_never_comes_ends_in_an_error(world):
    """Within the bound, with the key named."""
    spec = world.table("Article")
    world.aws.faults["read"] = [ManifestMissingError("not there", code="NoSuchKey")] * 400
    outcome = world.refresh(spec)["Article"]
    assert isinstance(outcome.error, ManifestMissingError)
    assert "s3://exports/Article/AWSDynamoDB" in outcome.error.remedy
    assert world.clock.seconds < 1000


def test_every_item_is_read_even_if_a_file_breaks_off(world):
    """A file that breaks off is read again from its start; nothing is seen twice."""
    spec = world.table("Article")
    world.aws.faults["chunk"] = [None, None, ServiceUnavailableError("reset")] * 3
    outcome = world.refresh(spec)["Article"]
    assert outcome.profile.items == 2


def test_heartbeats_come_at_a_human_rate(world):
    """An hour's wait is some fifteen lines, with elapsed and expected time."""
    spec = world.table("Article")
    world.aws.seconds["Article"] = 3600.0
    world.refresh(spec)
    beats = [e for e in world.events if e.stage == "waiting"]
    assert 10 <= len(beats) <= 25
    assert beats[0].details["elapsed_seconds"] == pytest.approx(30, abs=1)
    assert "no earlier export" in beats[0].message
