"""The simulation itself: AWS's contract, the virtual clock, the replay."""

import random
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from ddb_simulation.cases import Actor, Case, Happening
from ddb_simulation.exports import Ending
from ddb_simulation.families import BASES, endings, every_case, outages, races
from ddb_simulation.faults import Fault, Killed
from ddb_simulation.process import Process
from ddb_simulation.runner import run_case
from ddb_simulation.virtual_time import Turns, VirtualClock
from ddb_simulation.world import BUCKET, World

from ddb_assets.core.request import ExportRequest
from ddb_assets.errors import (
    CatalogConflictError,
    ExportNotRestorableYetError,
    RequestInvalidError,
    VersionConflictError,
)

HOUR = 3600.0


@pytest.fixture
def world():
    """A world with one table, an hour old."""
    world = World()
    world.dynamodb.create("orders")
    world.clock.reach(HOUR)
    return world


def ask(world, **changes):
    """A request for an export of the table."""
    table = world.dynamodb.tables["orders"]
    return ExportRequest(table.arn, table.table_id, BUCKET, "orders", "run", **changes)


def test_a_repeated_token_answers_with_the_export_for_eight_hours_after_its_end(world):
    """The same request is the same export, and another one once the token is forgotten."""
    first, new = world.dynamodb.start_export(ask(world), "run")
    assert new
    world.clock.reach(HOUR + 420 + 8 * HOUR)
    assert world.dynamodb.start_export(ask(world), "run") == (first, False)
    world.clock.reach(HOUR + 421 + 8 * HOUR)
    again, new = world.dynamodb.start_export(ask(world), "run")
    assert new
    assert again is not first


def test_a_token_with_another_parameter_is_refused(world):
    """AWS compares what is sent, not only the token."""
    world.dynamodb.start_export(ask(world), "run")
    with pytest.raises(RequestInvalidError):
        world.dynamodb.start_export(replace(ask(world), bucket="another"), "run")


def test_an_export_time_younger_than_the_latest_restorable_is_refused(world):
    """Point-in-time recovery lags behind."""
    moment = world.clock.now().replace(microsecond=0)
    with pytest.raises(ExportNotRestorableYetError):
        world.dynamodb.start_export(ask(world, export_time=moment), "run")
    moment -= timedelta(minutes=5)
    export, _ = world.dynamodb.start_export(ask(world, export_time=moment), "run")
    assert export.export_time == moment


def test_an_export_to_a_missing_bucket_is_accepted_and_fails(world):
    """The request is fine; the export ends at once with its code."""
    export, _ = world.dynamodb.start_export(replace(ask(world), bucket="nowhere"), "run")
    world.clock.reach(HOUR + 10)
    assert export.described().status == "FAILED"
    assert export.described().failure_code == "S3NoSuchBucket"


def test_exports_of_a_table_that_is_gone_are_described_but_not_listed(world):
    """ListExports by ARN knows only the incarnation that lives."""
    export, _ = world.dynamodb.start_export(ask(world), "run")
    world.dynamodb.drop("orders")
    world.dynamodb.create("orders")
    assert world.dynamodb.list_exports(export.table.arn) == []
    assert world.dynamodb.describe_export(export.arn).table_id == export.table.table_id


def test_glue_compares_versions_and_athena_does_not(world):
    """UpdateTable with an old version is refused; ALTER TABLE just moves the table."""
    world.audit.owners["lake", "orders_raw"] = "orders"
    table = {"Name": "orders_raw", "StorageDescriptor": {"Location": "s3://b/1/"}}

    def change(**more):
        world.glue.update_table("lake", {**table, **more}, version_id="0")

    with pytest.raises(CatalogConflictError):
        world.glue.create_table("lake", table)
    world.glue.databases.add("lake")
    world.glue.create_table("lake", table)
    with pytest.raises(VersionConflictError):
        world.glue.create_table("lake", table)
    change(Description="second")
    with pytest.raises(VersionConflictError):
        change(Description="third")
    sql = "ALTER TABLE `lake`.`orders_raw` SET LOCATION 's3://b/2/'"
    world.athena.start(sql, "t" * 40, None)
    world.clock.reach(2 * HOUR)
    assert world.glue.location(("lake", "orders_raw")) == "s3://b/2/"
    versions = world.glue.table_versions("lake", "orders_raw")
    assert [version.version_id for version in versions] == ["2", "1", "0"]


def test_nothing_a_killed_process_calls_has_an_effect(world):
    """After SIGKILL not even a clean-up reaches AWS."""
    process = Process(world, 0, 0, intent_id="run")
    world.faults = {(0, 1): Fault(1, "crash-after")}
    with pytest.raises(Killed):
        process.gateways.dynamodb.start_export(ask(world))
    assert len(world.dynamodb.exports) == 1
    with pytest.raises(Killed):
        process.gateways.objects.delete(BUCKET, ["orders"])
    assert len(world.trace) == 1


def test_the_same_seed_gives_the_same_interleaving():
    """Threads, yet nothing is left to the operating system."""

    def interleave(seed):
        clock = VirtualClock()
        turns = Turns(clock, random.Random(seed))
        heard = []

        def body(name):
            for step in range(20):
                heard.append((name, step, clock.monotonic()))
                turns.pause(1.0)

        for name in "abc":
            turns.add(name, 0.0, lambda name=name: body(name))
        turns.run()
        return heard

    assert interleave(7) == interleave(7)
    assert interleave(7) != interleave(8)


def test_an_error_of_one_process_ends_the_world():
    """The other threads are sent home and the error comes out."""
    clock = VirtualClock()
    turns = Turns(clock, random.Random(0))

    def fails():
        turns.pause(1.0)
        raise ValueError("here")

    turns.add("good", 0.0, lambda: turns.pause(1e9))
    turns.add("bad", 0.0, fails)
    with pytest.raises(ValueError, match="here"):
        turns.run()


def test_a_case_is_read_back_as_it_was_written():
    """What a failing test prints is the whole case."""
    cases = [*BASES, *endings(), *outages(), *races(3)]
    cases.append(
        Case(
            faults=(Fault(3, "slow", 1),),
            happenings=(Happening(1.0, "drop", "orders"),),
            actors=(Actor(), Actor("prune", 5.0, ("orders",))),
            endings={"orders": (Ending(5.0),)},
            seed=9,
        )
    )
    for case in cases:
        assert Case.parse(case.line()) == case


def test_a_case_runs_twice_in_the_same_way():
    """Two runs and a crash: the traces are equal, line by line."""
    case = Case(actors=(Actor(), Actor(start=10.0)), faults=(Fault(9, "crash-after", 1),), seed=5)
    assert run_case(case).world.story() == run_case(case).world.story()


@pytest.mark.slow
def test_there_are_as_many_distinct_cases_as_the_documentation_says():
    """The number in docs/simulation.md is a lower bound of what `replay.py --count` prints."""
    text = (Path(__file__).parents[2] / "docs" / "simulation.md").read_text()
    stated = re.search(r"at least ([\d,]+) distinct cases", text)
    assert stated is not None
    assert sum(1 for _ in every_case()) >= int(stated[1].replace(",", ""))
