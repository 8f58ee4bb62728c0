"""Whatever ended an attempt, the next one pays for no second export."""

import pytest

from ddb_assets.core.outcome import Refreshed, Started
from ddb_assets.errors import (
    ExportFailedError,
    RequestInvalidError,
    ServiceUnavailableError,
)


class Crash(BaseException):
    """The process is gone."""


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
