"""Athena's gateway: start, watch, stop and read queries."""

import pytest

from ddb_assets.aws.athena import AthenaGateway
from ddb_assets.errors import (
    DeclarationError,
    LimitExceededError,
    RequestInvalidError,
    ThrottledError,
)

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def gateway(reached):
    """The gateway over the fake AWS."""
    return AthenaGateway(lambda: reached.client("athena"))


def execution(query_id, state="SUCCEEDED", **status):
    """One QueryExecution."""
    return {
        "QueryExecutionId": query_id,
        "Status": {"State": state, **status},
        "Statistics": {"DataScannedInBytes": 42},
        "ResultConfiguration": {"OutputLocation": f"s3://b/{query_id}.csv"},
    }


def start(gateway):
    """Any query."""
    return gateway.start("SELECT 1", database="ddb", workgroup="team", token=TOKEN)


def test_a_query_is_started_once_under_its_token(aws, gateway):
    """Text, database, workgroup and token; the result location is the workgroup's."""
    aws.json({"QueryExecutionId": "q-1"})
    assert start(gateway) == "q-1"
    assert aws.last.json == {
        "QueryString": "SELECT 1",
        "QueryExecutionContext": {"Database": "ddb"},
        "WorkGroup": "team",
        "ClientRequestToken": TOKEN,
    }


def test_a_foreign_catalog_needs_its_name_in_athena(aws, reached):
    """Without it the statement would change this account's table of the same name."""
    gateway = AthenaGateway(lambda: reached.client("athena"), catalog_id="210987654321")
    with pytest.raises(DeclarationError, match="data_catalog"):
        start(gateway)
    assert aws.seen == []


def test_a_named_data_source_is_sent(aws, reached):
    """Athena's name for another account's catalog."""
    gateway = AthenaGateway(
        lambda: reached.client("athena"), data_catalog="central", catalog_id="210987654321"
    )
    aws.json({"QueryExecutionId": "q-1"})
    start(gateway)
    assert aws.last.json["QueryExecutionContext"] == {"Database": "ddb", "Catalog": "central"}


def test_too_many_active_queries_are_not_too_many_calls(aws, gateway):
    """One exception, two limits."""
    aws.error(
        "TooManyRequestsException",
        "You have exceeded the limit for the number of queries",
        Reason="CONCURRENT_QUERY_LIMIT_EXCEEDED",
    )
    with pytest.raises(LimitExceededError):
        start(gateway)
    aws.answers.clear()
    aws.error("TooManyRequestsException", "Rate exceeded")
    with pytest.raises(ThrottledError):
        start(gateway)


def test_a_workgroup_without_result_location_gets_the_call_that_sets_one(aws, gateway):
    """The most frequent first error in Athena."""
    aws.error(
        "InvalidRequestException",
        "No output location provided. An output location is required either through the Workgroup "
        "result configuration setting or as an API input.",
    )
    with pytest.raises(RequestInvalidError) as caught:
        start(gateway)
    assert "aws athena update-work-group --work-group team" in caught.value.remedy


def test_an_unknown_workgroup_is_named(aws, gateway):
    """The remedy creates it."""
    aws.error("InvalidRequestException", "WorkGroup is not found.")
    with pytest.raises(RequestInvalidError) as caught:
        start(gateway)
    assert "create-work-group --name team" in caught.value.remedy


def test_states_are_asked_for_fifty_at_a_time(aws, gateway):
    """AWS takes no more ids per call; one asked for twice is sent once."""
    ids = [f"q-{n}" for n in range(101)]
    for batch in (ids[:50], ids[50:100], ids[100:]):
        aws.json({"QueryExecutions": [execution(each) for each in batch]})
    found = gateway.statuses([*ids, "q-0"])
    assert list(found) == ids
    assert [len(seen.json["QueryExecutionIds"]) for seen in aws.seen] == [50, 50, 1]


def test_nothing_to_ask_asks_nothing(aws, gateway):
    """An empty list is an error in AWS."""
    assert gateway.statuses([]) == {}
    assert aws.seen == []


def test_a_state_has_its_reason_and_its_numbers(aws, gateway):
    """What publishing and its errors need."""
    failed = execution(
        "q-1",
        "FAILED",
        StateChangeReason="TABLE_NOT_FOUND: line 1",
        AthenaError={"ErrorCategory": 2, "Retryable": True, "ErrorMessage": "other words"},
    )
    aws.json({"QueryExecutions": [failed]})
    status = gateway.statuses(["q-1"])["q-1"]
    assert (status.state, status.reason) == ("FAILED", "TABLE_NOT_FOUND: line 1")
    assert (status.retryable, status.error_category) == (True, 2)
    assert (status.scanned_bytes, status.output_location) == (42, "s3://b/q-1.csv")


def test_a_reason_may_be_missing(aws, gateway):
    """StateChangeReason is optional; AthenaError's words stand in."""
    with_words = execution("q-1", "FAILED", AthenaError={"ErrorMessage": "other words"})
    aws.json({"QueryExecutions": [with_words, execution("q-2", "CANCELLED")]})
    found = gateway.statuses(["q-1", "q-2"])
    assert found["q-1"].reason == "other words"
    assert (found["q-2"].reason, found["q-2"].retryable) == (None, False)


def test_an_unprocessed_query_is_asked_for_alone(aws, gateway):
    """One id the batch could not tell does not keep the others."""
    aws.json(
        {
            "QueryExecutions": [execution("q-2")],
            "UnprocessedQueryExecutionIds": [{"QueryExecutionId": "q-1", "ErrorCode": "X"}],
        }
    )
    aws.json({"QueryExecution": execution("q-1", "RUNNING")})
    found = gateway.statuses(["q-1", "q-2"])
    assert {k: v.state for k, v in found.items()} == {"q-2": "SUCCEEDED", "q-1": "RUNNING"}


def test_a_query_athena_does_not_know_is_failed_with_its_words(aws, gateway):
    """It will never succeed, so it must not be waited for."""
    aws.json({"UnprocessedQueryExecutionIds": [{"QueryExecutionId": "q-1"}]})
    aws.error("InvalidRequestException", "QueryExecution q-1 was not found")
    status = gateway.statuses(["q-1"])["q-1"]
    assert status.state == "FAILED"
    assert "q-1 was not found" in status.reason


def test_a_query_athena_is_too_busy_to_tell_is_not_failed(aws, gateway):
    """A throttled question says nothing about the query."""
    aws.json({"UnprocessedQueryExecutionIds": [{"QueryExecutionId": "q-1"}]})
    aws.error("ThrottlingException", "Rate exceeded")
    with pytest.raises(ThrottledError):
        gateway.statuses(["q-1"])


def test_a_query_is_stopped(aws, gateway):
    """StopQueryExecution."""
    aws.json({})
    gateway.stop("q-1")
    assert (aws.last.operation, aws.last.json) == (
        "StopQueryExecution",
        {"QueryExecutionId": "q-1"},
    )


def test_all_rows_of_all_pages_are_read_as_text(aws, gateway):
    """NULL is an empty cell; an empty string is an empty string."""

    def page(rows, token=None):
        cells = [{"Data": [{} if c is None else {"VarCharValue": c} for c in row]} for row in rows]
        body = {"ResultSet": {"Rows": cells}}
        return body | ({"NextToken": token} if token else {})

    aws.json(page([("id", "content"), ("1", None)], "t")).json(page([("2", "")]))
    rows = gateway.rows("q-1")
    assert next(rows) == ("id", "content")
    assert len(aws.seen) == 1
    assert list(rows) == [("1", None), ("2", "")]
    assert aws.last.json["NextToken"] == "t"


def test_a_statement_without_rows_has_none(aws, gateway):
    """DDL answers an empty result set."""
    aws.json({"ResultSet": {}})
    assert list(gateway.rows("q-1")) == []
