"""A query's life: states, faults, cancelling, tokens, limits, workgroups, results."""

import json
import pickle
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.athena.models import athena_backends

from ddb_assets.local import clock, settings
from ddb_assets.local.athena.executions import Execution
from ddb_assets.local.faults import QUERY_JOB, Fault

TOKEN = "t" * 32


def backend() -> Any:
    """The backend behind the account."""
    return athena_backends["123456789012"]["us-east-1"]


def refused(account: Any, sql: str = "SELECT 1", **given: Any) -> str:
    """The message StartQueryExecution refuses with."""
    with pytest.raises(ClientError) as caught:
        account.start(sql, **given)
    error = caught.value.response["Error"]
    assert error["Code"] in {"InvalidRequestException", "TooManyRequestsException"}
    return f"{error['Code']}: {error['Message']}"


def test_a_query_is_queued_runs_and_succeeds_by_the_clock(account: Any) -> None:
    """query_seconds is the emulator's time, and DDL takes effect at its end."""
    settings.configure(query_seconds=100)
    found = account.start("CREATE DATABASE later")
    seen = []
    for _ in range(4):
        seen.append(account.poll(found)["Status"]["State"])
        clock.advance(30)
    assert seen == ["QUEUED", "RUNNING", "RUNNING", "RUNNING"]
    assert account.glue.get_database(Name="later")["Database"]["Name"] == "later"
    status = account.ended(found)["Status"]
    assert status["State"] == "SUCCEEDED"
    assert status["CompletionDateTime"] >= status["SubmissionDateTime"]


def test_ddl_has_not_happened_before_its_time(account: Any) -> None:
    """While it is RUNNING the catalog is unchanged."""
    settings.configure(query_seconds=100)
    account.start("CREATE DATABASE later")
    clock.advance(99)
    with pytest.raises(ClientError):
        account.glue.get_database(Name="later")


def test_a_stopped_query_is_cancelled_and_does_nothing(account: Any) -> None:
    """CANCELLED is final, with a reason."""
    settings.configure(query_seconds=100)
    found = account.start("CREATE DATABASE later")
    account.athena.stop_query_execution(QueryExecutionId=found)
    clock.advance(200)
    status = account.poll(found)["Status"]
    assert status["State"] == "CANCELLED"
    assert status["StateChangeReason"]
    assert account.glue.get_databases()["DatabaseList"][0]["Name"] == "ddb"
    assert len(account.glue.get_databases()["DatabaseList"]) == 1
    with pytest.raises(ClientError, match="Final query state: CANCELLED"):
        account.athena.get_query_results(QueryExecutionId=found)


def test_stopping_a_query_that_ended_changes_nothing(account: Any) -> None:
    """It stays SUCCEEDED."""
    found = account.run("SELECT 1")["QueryExecutionId"]
    account.athena.stop_query_execution(QueryExecutionId=found)
    assert account.poll(found)["Status"]["State"] == "SUCCEEDED"


def test_a_query_can_fall_back_to_queued_and_still_succeed(account: Any) -> None:
    """RUNNING, QUEUED, RUNNING, then the truth."""
    backend().faults.add(Fault(QUERY_JOB, "REQUEUED"))
    found = account.start("SELECT 1")
    assert [account.poll(found)["Status"]["State"] for _ in range(3)] == [
        "RUNNING",
        "QUEUED",
        "RUNNING",
    ]
    assert account.ended(found)["Status"]["State"] == "SUCCEEDED"


def test_a_query_can_stay_queued_until_it_is_stopped(account: Any) -> None:
    """However much time passes."""
    backend().faults.add(Fault(QUERY_JOB, "STUCK"))
    found = account.start("SELECT 1")
    clock.advance(86400)
    assert account.poll(found)["Status"]["State"] == "QUEUED"
    account.athena.stop_query_execution(QueryExecutionId=found)
    assert account.poll(found)["Status"]["State"] == "CANCELLED"


@pytest.mark.parametrize(
    ("code", "state", "category", "retryable"),
    [
        ("FAILED", "FAILED", 2, False),
        ("SYSTEM", "FAILED", 1, True),
        ("CANCELLED", "CANCELLED", 0, False),
    ],
)
def test_a_query_fails_or_is_cancelled_on_order_and_does_nothing(
    account: Any, code: str, state: str, category: int, retryable: bool
) -> None:
    """The fault's message is the reason; the next query is fine."""
    backend().faults.add(Fault(QUERY_JOB, code, "no luck"))
    status = account.ended(account.start("CREATE DATABASE x"))["Status"]
    assert (status["State"], status["StateChangeReason"]) == (state, "no luck")
    if state == "FAILED":
        assert status["AthenaError"]["ErrorCategory"] == category
        assert status["AthenaError"]["Retryable"] is retryable
    account.run("CREATE DATABASE x")


def test_calls_can_be_throttled_on_order(account: Any) -> None:
    """A refused StartQueryExecution has started nothing."""
    backend().faults.add(Fault("StartQueryExecution", "TooManyRequestsException", "slow down"))
    assert "slow down" in refused(account)
    assert account.athena.list_query_executions()["QueryExecutionIds"] == []
    account.run("SELECT 1")


def test_twenty_ddl_queries_may_be_active(account: Any) -> None:
    """The twenty-first is refused; queries of rows do not count, ended DDL does not either."""
    settings.configure(query_seconds=60)
    first = [account.start(f"CREATE DATABASE d{number}") for number in range(20)]
    assert refused(account, "CREATE DATABASE d20").startswith("TooManyRequestsException")
    account.start("SELECT 1")
    account.start("SHOW DATABASES")
    account.start("CREATE TABLE t AS SELECT 1 AS x")
    account.athena.stop_query_execution(QueryExecutionId=first[0])
    account.start("CREATE DATABASE d20")
    clock.advance(61)
    account.ended(first[1])
    account.start("CREATE DATABASE d21")


def test_the_same_token_is_the_same_query(account: Any) -> None:
    """Another query under it is refused; a refused request does not use it up."""
    assert "mismatched" in refused(account, "SELEC 1", ClientRequestToken=TOKEN)
    first = account.start("SELECT 1", ClientRequestToken=TOKEN)
    account.ended(first)
    assert account.start("SELECT 1", ClientRequestToken=TOKEN) == first
    assert "Idempotent parameters do not match" in refused(
        account, "SELECT 2", ClientRequestToken=TOKEN
    )


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEC 1", "line 1:1: mismatched input 'SELEC'. Expecting"),
        ("SELECT FROM WHERE", "line 1:13: mismatched input 'WHERE'"),
        ("SELECT 1;\nSELECT 2", "Only one sql statement is allowed"),
        ("-- nothing", "Query string cannot be empty"),
        ("SELECT '" + "x" * 262144 + "'", "longer than 262144"),
    ],
)
def test_a_text_that_is_no_statement_is_refused_at_the_start(
    account: Any, sql: str, message: str
) -> None:
    """No query exists afterwards."""
    assert message in refused(account, sql)
    assert account.athena.list_query_executions()["QueryExecutionIds"] == []


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1;", "  -- hi\n/* there */ SELECT ';', '--', 'a\\' -- end", "(SELECT 1)", "VALUES 1"],
)
def test_comments_and_a_last_semicolon_do_not_matter(account: Any, sql: str) -> None:
    """Marks inside texts are no comments; a backslash is a character."""
    assert account.run(sql)["StatementType"] == "DML"


def test_an_output_location_is_needed(account: Any) -> None:
    """From the request or the workgroup, in a bucket that exists."""
    assert "No output location provided" in refused(account, ResultConfiguration={})
    there = {"OutputLocation": "s3://missing/x/"}
    assert "Unable to verify/create output bucket missing" in refused(
        account, ResultConfiguration=there
    )
    wrong = {"OutputLocation": "/tmp"}
    assert "not a valid S3 path" in refused(account, ResultConfiguration=wrong)
    assert "WorkGroup nope is not found" in refused(account, WorkGroup="nope")


def group(
    account: Any, name: str = "ddb", *, enforce: bool, location: str = "s3://lake/own"
) -> None:
    """A workgroup with an output location."""
    account.athena.create_work_group(
        Name=name,
        Configuration={
            "ResultConfiguration": {"OutputLocation": "s3://lake/own"},
            "EnforceWorkGroupConfiguration": enforce,
        },
    )


def test_a_workgroup_that_enforces_wins_over_the_request(account: Any) -> None:
    """One that does not is only the default."""
    group(account, "strict", enforce=True)
    group(account, "loose", enforce=False)
    strict = account.run("SELECT 1", WorkGroup="strict")
    assert strict["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/own/")
    assert strict["WorkGroup"] == "strict"
    loose = account.run("SELECT 1", WorkGroup="loose")
    assert loose["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/results/")
    default = account.run("SELECT 1", WorkGroup="loose", ResultConfiguration={})
    assert default["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/own/")


def test_update_work_group_changes_what_queries_do(account: Any) -> None:
    """Location replaced, removed, workgroup disabled."""
    group(account, enforce=True)
    update = account.athena.update_work_group
    changes = {"ResultConfigurationUpdates": {"OutputLocation": "s3://lake/new/"}}
    update(WorkGroup="ddb", Description="d", ConfigurationUpdates=changes)
    found = account.run("SELECT 1", WorkGroup="ddb")
    assert found["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/new/")
    removal = {"ResultConfigurationUpdates": {"RemoveOutputLocation": True}}
    update(WorkGroup="ddb", ConfigurationUpdates=removal)
    assert "No output location" in refused(account, WorkGroup="ddb", ResultConfiguration={})
    update(WorkGroup="ddb", State="DISABLED")
    assert "is disabled" in refused(account, WorkGroup="ddb")
    shown = account.athena.get_work_group(WorkGroup="ddb")["WorkGroup"]
    assert (shown["State"], shown["Description"]) == ("DISABLED", "d")


def test_executions_survive_a_snapshot(account: Any) -> None:
    """Ended ones as they were; one that was running is FAILED afterwards."""
    found = account.run("SELECT 1")["QueryExecutionId"]
    kept: Execution = pickle.loads(pickle.dumps(backend().queries[found]))
    assert kept.describe("SUCCEEDED") == backend().queries[found].describe("SUCCEEDED")
    kept._state = "RUNNING"
    torn: Execution = pickle.loads(pickle.dumps(kept))
    assert torn.status == "FAILED"
    assert json.dumps(torn.describe("FAILED"))
