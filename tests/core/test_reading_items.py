"""How a refresh reads its items: in whole lines, file by file, through whoever counts them."""

import random

from ddb_assets.core.outcome import Failed, Refreshed
from ddb_assets.core.refreshing.refresh import refresh
from ddb_assets.core.verifying import data_files
from ddb_assets.errors import ServiceUnavailableError
from ddb_assets.schema.profile import Profile, profile_of_lines

MANY = [{"userId": {"S": f"{i}" * 50}, "n": {"N": f"{i}"}} for i in range(200)]


def refreshed(world, spec, profiling):
    """The outcome of one table, its items counted by this."""
    (outcome,) = refresh(
        [spec],
        intent_id="run",
        started_at=world.clock.now(),
        gateways=world.aws.gateways,
        ledger=world.ledgers["run"],
        history=world.history,
        listener=world.events.append,
        clock=world.clock,
        rng=random.Random(7),
        profiling=profiling,
    )
    return outcome


def test_whoever_counts_gets_whole_lines_and_each_item_once(world, monkeypatch):
    """However the file is cut on its way, also where a line is longer than a piece of it."""
    monkeypatch.setattr(data_files, "_TURN_BYTES", 64)
    seen = []

    def profiling():
        def count(lines):
            seen.append(lines)
            return profile_of_lines(lines)

        return count

    outcome = refreshed(world, world.table("orders", MANY), profiling)
    assert isinstance(outcome, Refreshed)
    assert outcome.profile.items == 200
    assert outcome.profile.item.children["n"].numbers.whole == 3
    assert all(lines.endswith(b"\n") for lines in seen)
    assert sum(lines.count(b"\n") for lines in seen) == 200
    assert len(seen) > 20


def test_a_file_that_breaks_off_is_counted_anew(world):
    """The part that was read before counts for nothing."""
    world.aws.faults["chunk part0.json.gz"] += [None, None, ServiceUnavailableError("reset")]
    made = []

    def profiling():
        made.append(1)
        return profile_of_lines

    outcome = refreshed(world, world.table("orders", MANY), profiling)
    assert outcome.profile.items == 200
    assert made == [1], "one for the table, so that it may learn as it reads"


def test_a_long_read_says_how_far_it_got(world):
    """At most every half minute; the end is told by what comes next."""

    def profiling():
        def count(lines):
            world.clock.sleep(0.01)
            return profile_of_lines(lines)

        return count

    refreshed(world, world.table("orders", MANY), profiling)
    told = [event.message for event in world.events if event.stage == "inferring"]
    assert told == ["orders: reading 200 items in 3 files"]
    world.events.clear()

    def slower():
        def count(lines):
            world.clock.sleep(40)
            return profile_of_lines(lines)

        return count

    refreshed(world, world.table("users", MANY), slower)
    told = [event.message for event in world.events if event.stage == "inferring"]
    assert told == ["users: reading 200 items in 3 files", "users: read 100 of 200 items"]


def test_a_line_that_is_no_item_names_its_file(world):
    """The table stays where it was."""

    def profiling():
        def count(lines):
            return profile_of_lines(lines.replace(b'{"Item"', b'{"item"', 1))

        return count

    outcome = refreshed(world, world.table("orders", MANY), profiling)
    assert isinstance(outcome, Failed)
    assert 'it has no "Item": s3://exports/orders/' in outcome.error.cause
    assert outcome.error.details["key"].endswith("part0.json.gz")
    assert world.aws.location("orders") is None


def test_absorbing_is_merging_in_place():
    """The one taken in is left as it is."""
    first, second = (
        profile_of_lines(b'{"Item":{"a":{"%s":"1"}}}\n' % code) for code in (b"S", b"N")
    )
    before, both = second.to_json(), first.merge(second)
    first.absorb(second)
    assert (first, second.to_json()) == (both, before)
    assert profile_of_lines(b"") == Profile()
