"""`ALTER TABLE … SET LOCATION` through Athena: every end state, few at a time, never backwards."""

import pytest

from ddb_assets.core.outcome import Refreshed
from ddb_assets.errors import (
    AccessDeniedError,
    LimitExceededError,
    OlderExportError,
    QueryFailedError,
    QueryStuckError,
    ServiceUnavailableError,
    ThrottledError,
)


class Crash(BaseException):
    """The process is gone."""


@pytest.fixture
def spec(world):
    """A table published through Athena that was already published once."""
    spec = world.table("Article", publish_with="athena", workgroup="ddb")
    world.refresh(spec, run="run-0")
    world.clock.sleep(60)
    return spec


def test_the_table_is_moved_by_a_statement_in_its_workgroup_and_sealed(world, spec):
    """Location by Athena, provenance after it, the query's id in the result."""
    before = world.aws.location("article")
    outcome = world.refresh(spec)["Article"]
    (query,) = world.aws.queries.values()
    assert query["sql"].startswith("ALTER TABLE `ddb`.`article` SET LOCATION")
    assert query["workgroup"] == "ddb"
    assert outcome.publication.action == "moved"
    assert outcome.publication.query_execution_id == "query-0"
    assert outcome.publication.previous_location == before
    parameters = world.aws.glue["article"][-1][0]["Parameters"]
    assert parameters["ddb_assets.export_arn"] == outcome.export.arn
    assert parameters["ddb_assets.previous_location"] == before


def test_a_published_table_is_left_alone(world, spec):
    """The same run again: no statement, no update."""
    world.refresh(spec)
    world.aws.calls.clear()
    assert world.refresh(spec)["Article"].publication.action == "unchanged"
    assert world.aws.count("start") == world.aws.count("update_table") == 0


@pytest.mark.parametrize(
    ("end", "queries"),
    [("FAILED SYNTAX_ERROR", 2), ("CANCELLED by ann", 2), ("FAILED retryable GENERIC", 4)],
)
def test_a_statement_that_ends_badly_is_one_error(world, spec, end, queries):
    """The reason is Athena's; what may help is tried again, what cannot is not."""
    before = world.aws.location("article")
    world.aws.query_ends = [end] * 10
    outcome = world.refresh(spec)["Article"]
    assert isinstance(outcome.error, QueryFailedError)
    assert end.split(maxsplit=1)[1] in str(outcome.error)
    assert len(world.aws.queries) == queries
    assert world.aws.location("article") == before


def test_a_failure_that_passes_is_overcome(world, spec):
    """One system error of Athena's and then success."""
    world.aws.query_ends = ["FAILED retryable GENERIC"]
    assert world.refresh(spec)["Article"].publication.action == "moved"


def test_a_statement_failed_in_an_earlier_attempt_is_not_replayed_for_ever(world, spec):
    """Its token answers with the failed query; the retry runs a new one."""
    world.aws.query_ends = ["FAILED denied", "FAILED denied"]
    assert isinstance(world.refresh(spec)["Article"].error, QueryFailedError)
    assert world.refresh(spec)["Article"].publication.action == "moved"


def test_a_statement_stuck_in_the_queue_is_cancelled(world, spec):
    """A quarter of an hour is enough; the table may be tried again later."""
    world.aws.query_ends = ["STUCK"]
    began = world.clock.seconds
    outcome = world.refresh(spec)["Article"]
    assert isinstance(outcome.error, QueryStuckError)
    assert outcome.error.retryable
    assert world.aws.count("stop") == 1
    assert world.clock.seconds - began < 300 + 1000


def test_a_stuck_statement_that_cannot_be_cancelled_is_still_called_stuck(world, spec):
    """The missing permission is a detail, not the error."""
    world.aws.query_ends = ["STUCK"]
    world.aws.faults["stop"] = [AccessDeniedError("not authorized")]
    error = world.refresh(spec)["Article"].error
    assert isinstance(error, QueryStuckError)
    assert "not authorized" in error.details["not_cancelled"]


def test_a_crash_while_the_statement_runs_runs_it_once(world, spec):
    """The deterministic token finds the query again."""
    world.aws.faults["statuses"].append(Crash())
    with pytest.raises(Crash):
        world.refresh(spec)
    assert world.refresh(spec)["Article"].publication.action == "moved"
    assert len(world.aws.queries) == 1


def test_a_crash_between_statement_and_seal_is_finished_by_the_retry(world, spec):
    """The unsealed table is recognised and sealed."""
    before = world.aws.location("article")
    world.aws.faults["table_versions"].append(Crash())
    with pytest.raises(Crash):
        world.refresh(spec)
    outcome = world.refresh(spec)["Article"]
    parameters = world.aws.glue["article"][-1][0]["Parameters"]
    assert parameters["ddb_assets.export_arn"] == outcome.export.arn
    assert parameters["ddb_assets.previous_location"] == before
    assert len(world.aws.queries) == 1


def test_a_newer_export_the_statement_ran_over_is_put_back(world, spec):
    """Two runs race: the older statement runs last, the newer export is published in the end."""
    world.aws.seconds["Article"] = 3000.0
    slow = world.landing(spec, run="slow")
    world.refresh(spec, run="slow", wait=False)
    world.clock.sleep(10)
    world.aws.seconds["Article"] = 100.0
    newer = []
    world.aws.hooks["start"] = [lambda: newer.append(world.refresh(spec, run="quick")["Article"])]
    (outcome,) = slow
    assert isinstance(newer[0], Refreshed)
    assert isinstance(outcome.error, OlderExportError)
    assert world.aws.location("article") == newer[0].publication.location
    parameters = world.aws.glue["article"][-1][0]["Parameters"]
    assert parameters["ddb_assets.export_arn"] == newer[0].export.arn


def test_at_most_so_many_statements_are_active(world):
    """Twenty is the account's limit; here it is two."""
    specs = [world.table(f"t{n}", publish_with="athena") for n in range(9)]
    world.refresh(*specs, run="run-0")
    most = 0

    def look() -> None:
        nonlocal most
        most = max(most, world.aws.active_queries)

    world.aws.hooks["statuses"] = [look] * 10_000
    outcomes = world.refresh(*specs, max_queries=2)
    assert {o.publication.action for o in outcomes.values()} == {"moved"}
    assert most == 2


@pytest.mark.parametrize("error", [ThrottledError, ServiceUnavailableError, LimitExceededError])
def test_transient_errors_of_athena_are_waited_out(world, spec, error):
    """Too many requests, too many queries, no answer."""
    world.aws.faults["start"] = [error("not now")] * 4
    world.aws.faults["statuses"] = [error("not now")] * 4
    assert world.refresh(spec)["Article"].publication.action == "moved"


def test_a_lost_answer_does_not_run_the_statement_twice(world, spec):
    """The token of the repeated call is the same."""
    world.aws.lost["start"].append(ServiceUnavailableError("the connection broke"))
    assert world.refresh(spec)["Article"].publication.action == "moved"
    assert len(world.aws.queries) == 1


def test_new_attributes_are_columns_before_the_table_moves(world, spec):
    """What is read in between reads as before."""
    world.aws.items["Article"] = [{"userId": {"S": "a"}, "title": {"S": "new"}}]
    outcome = world.refresh(spec)["Article"]
    assert "title" in outcome.publication.columns[0][1]
    assert "createat" in outcome.publication.columns[0][1]
    operations = [o for o, _ in world.aws.calls]
    statement = len(operations) - 1 - operations[::-1].index("start")
    assert "update_table" in operations[:statement]
