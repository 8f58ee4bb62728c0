"""Tables of a cut are of one second and move together, or stay where they are."""

from datetime import timedelta

import pytest

from ddb_assets.core.outcome import Failed, Refreshed
from ddb_assets.errors import (
    AccessDeniedError,
    ExportFailedError,
    GroupHeldBackError,
    ManifestInvalidError,
    PitrDisabledError,
    ServiceUnavailableError,
)

CUT = frozenset({"cut"})


class Crash(BaseException):
    """The process is gone."""


@pytest.fixture(params=["glue", "athena"])
def specs(world, request):
    """Three tables of one cut, published once before, and published either way."""
    made = [world.table(n, group="cut", publish_with=request.param) for n in ("a", "b", "c")]
    world.refresh(*made, run="run-0", consistent_groups=CUT)
    world.clock.sleep(3600)
    return made


def locations(world):
    """Where the three tables lie."""
    return [world.aws.location(name) for name in ("a", "b", "c")]


def test_all_tables_are_of_the_same_second(world, specs):
    """The root run's start less the lag, in whole seconds; a table outside the group is not."""
    other = world.table("other")
    began = world.clock.now() + timedelta(microseconds=123456)
    outcomes = world.refresh(*specs, other, consistent_groups=CUT, started_at=began)
    moments = {outcomes[name].manifest.export_time for name in "abc"}
    assert moments == {began.replace(microsecond=0) - timedelta(seconds=300)}
    assert outcomes["other"].manifest.export_time not in moments


def test_nothing_moves_before_all_are_verified(world, specs):
    """The quick tables wait for the slow one."""
    before = locations(world)
    world.aws.seconds["c"] = 3000.0
    world.clock.at(world.clock.seconds + 2900, lambda: seen.append(locations(world)))
    seen = []
    outcomes = world.refresh(*specs, consistent_groups=CUT)
    assert seen == [before]
    assert all(isinstance(o, Refreshed) for o in outcomes.values())


def test_a_failed_export_holds_all_back(world, specs):
    """The culprit has its own error, the others name it; nobody waits to the end for nothing."""
    before = locations(world)
    world.aws.failures["b"].append(("S3AccessDenied", "Access Denied"))
    world.aws.seconds.update(b=60.0, c=30000.0)
    began = world.clock.seconds
    outcomes = world.refresh(*specs, consistent_groups=CUT)
    assert isinstance(outcomes["b"].error, ExportFailedError)
    for name in "ac":
        assert isinstance(outcomes[name].error, GroupHeldBackError)
        assert "b of the consistent cut" in outcomes[name].error.cause
    assert locations(world) == before
    assert world.clock.seconds - began < 500


def test_a_table_that_cannot_be_exported_costs_the_others_nothing(world, specs):
    """PITR is off for one: no export is started."""
    world.aws.pitr["c"] = world.aws.pitr["c"].__class__(False)
    world.aws.calls.clear()
    outcomes = world.refresh(*specs, consistent_groups=CUT)
    assert isinstance(outcomes["c"].error, PitrDisabledError)
    assert isinstance(outcomes["a"].error, GroupHeldBackError)
    assert world.aws.count("start_export") == 0


def test_a_broken_export_holds_all_back(world, specs):
    """Verification of one fails after others are ready."""
    before = locations(world)
    world.aws.seconds["b"] = 900.0
    world.aws.tamper = lambda key, body: b"x" if "b/" in key and "files.json" in key else body
    outcomes = world.refresh(*specs, consistent_groups=CUT)
    assert isinstance(outcomes["b"].error, ManifestInvalidError)
    assert all(isinstance(o, Failed) for o in outcomes.values())
    assert locations(world) == before


def test_a_failure_halfway_puts_the_moved_ones_back(world, specs):
    """The last table is refused: the first two return, with their provenance."""
    before = {n: world.aws.glue[n][-1][0] for n in "abc"}
    operation = "update_table c" if specs[0].publish_with == "glue" else "start"
    faults = [AccessDeniedError("not authorized")]
    world.aws.faults[operation] = faults if operation != "start" else [None, None, *faults]
    outcomes = world.refresh(*specs, consistent_groups=CUT)
    assert isinstance(outcomes["c"].error, AccessDeniedError)
    assert isinstance(outcomes["a"].error, GroupHeldBackError)
    assert {n: world.aws.glue[n][-1][0] for n in "abc"} == before


@pytest.mark.parametrize("stop", [[], [AccessDeniedError("not authorized")]])
def test_a_statement_lost_from_sight_does_not_tear_the_cut(world, stop):
    """Watching it is refused once: it is stopped, or its late effect is put back."""
    specs = [world.table(n, group="cut", publish_with="athena") for n in ("a", "b", "c")]
    world.refresh(*specs, run="run-0", consistent_groups=CUT)
    world.clock.sleep(3600)
    before = locations(world)
    world.aws.faults["statuses query-2"] = [None, AccessDeniedError("not authorized")]
    world.aws.faults["stop"] = list(stop)

    def late() -> None:
        query = world.aws.queries.get("query-2")
        if query is not None and query["state"] == "QUEUED":
            world.aws.set_location(query["sql"])

    for second in range(300, 400, 7):
        world.clock.at(world.clock.seconds + second, late)
    outcomes = world.refresh(*specs, consistent_groups=CUT)
    assert isinstance(outcomes["c"].error, AccessDeniedError)
    assert isinstance(outcomes["a"].error, GroupHeldBackError)
    assert locations(world) == before


def test_tables_created_halfway_are_dropped_again(world):
    """Where a table was not, it is not."""
    specs = [world.table(n, group="cut") for n in "abc"]
    world.aws.faults["create_table c"].append(AccessDeniedError("not authorized"))
    outcomes = world.refresh(*specs, consistent_groups=CUT)
    assert all(isinstance(o, Failed) for o in outcomes.values())
    assert locations(world) == [None, None, None]


def test_a_lost_answer_of_the_last_move_is_a_success(world, specs):
    """All moved; the answer that was lost is found by reading."""
    world.aws.lost["update_table"] = [ServiceUnavailableError("the connection broke")]
    outcomes = world.refresh(*specs, consistent_groups=CUT)
    assert all(isinstance(o, Refreshed) for o in outcomes.values())


def test_a_crash_halfway_is_completed_by_the_retry(world, specs):
    """The torn cut becomes whole; no export is paid for twice."""
    before = locations(world)
    exports = len(world.aws.exports)
    world.aws.faults["get_table c"] = [None, None, None, Crash()]
    with pytest.raises(Crash):
        world.refresh(*specs, consistent_groups=CUT)
    torn = locations(world)
    assert torn[2] == before[2]
    assert torn[0] != before[0]
    outcomes = world.refresh(*specs, consistent_groups=CUT, started_at=_began(world))
    assert all(isinstance(o, Refreshed) for o in outcomes.values())
    assert len({o.manifest.export_time for o in outcomes.values()}) == 1
    assert len(world.aws.exports) == exports + 3


def test_a_torn_cut_whose_retry_fails_goes_back(world, specs):
    """What the first attempt moved is undone when the second fails for one member."""
    before = locations(world)
    world.aws.faults["get_table c"] = [None, None, None, Crash()]
    with pytest.raises(Crash):
        world.refresh(*specs, consistent_groups=CUT)
    assert locations(world) != before
    world.aws.faults["describe_table b"] = [AccessDeniedError("not authorized")]
    outcomes = world.refresh(*specs, consistent_groups=CUT, started_at=_began(world))
    assert isinstance(outcomes["b"].error, AccessDeniedError)
    assert locations(world) == before


def test_a_whole_cut_stays_when_a_later_attempt_fails(world, specs):
    """All had moved before the crash: they are consistent, so they stay."""
    world.refresh(*specs, consistent_groups=CUT)
    after = locations(world)
    world.aws.faults["describe_table b"] = [AccessDeniedError("not authorized")]
    world.refresh(*specs, consistent_groups=CUT, started_at=_began(world))
    assert locations(world) == after


def test_a_table_that_cannot_be_put_back_says_so(world):
    """It is ahead of the others, and its error is not that it stayed where it was."""
    specs = [world.table(n, group="cut") for n in ("a", "b", "c")]
    world.refresh(*specs, run="run-0", consistent_groups=CUT)
    world.clock.sleep(3600)
    world.aws.faults["update_table c"] = [AccessDeniedError("not authorized")]
    world.aws.faults["update_table a"] = [None, AccessDeniedError("not authorized")]
    before = locations(world)
    outcomes = world.refresh(*specs, consistent_groups=CUT)
    assert "could not be put back" in outcomes["a"].error.cause
    assert isinstance(outcomes["b"].error, GroupHeldBackError)
    assert locations(world)[1:] == before[1:]
    again = world.refresh(*specs, consistent_groups=CUT, started_at=_began(world))
    assert all(isinstance(o, Refreshed) for o in again.values())


def _began(world):
    """The root run's start, as its retry knows it: the cut's second plus the lag."""
    note = world.ledgers["run-1"].notes["a"]
    return note.export_time + timedelta(seconds=300)
