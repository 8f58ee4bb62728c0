"""Each trouble is waited out or ends in one error; the other tables go on."""

import pytest

from ddb_assets.core.outcome import Refreshed
from ddb_assets.errors import (
    AccessDeniedError,
    DeadlineExceededError,
    LimitExceededError,
    ManifestInvalidError,
    ManifestMissingError,
    PitrDisabledError,
    ServiceUnavailableError,
    TableNotFoundError,
    TableReplacedError,
    TerminalError,
    ThrottledError,
)


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
