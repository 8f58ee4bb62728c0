"""CloudWatch's write metrics: the SDK's own shapes, all pages, every refusal."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.stub import Stubber

from ddb_assets.aws.cloudwatch import CloudWatchGateway, queries
from ddb_assets.core.operating.changes import QUERIES_PER_CALL, TABLES_PER_CALL
from ddb_assets.errors import AccessDeniedError, ServiceUnavailableError, UnsupportedError

START = datetime(2026, 3, 1, 6, tzinfo=UTC)
END = START + timedelta(hours=1)


@pytest.fixture
def stub():
    """A client that answers what it is told, and checks both directions against the SDK's model."""
    client = boto3.client(
        "cloudwatch", "eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def asked(tables, **more):
    """The request."""
    return {
        "MetricDataQueries": queries(tables, 60),
        "StartTime": START,
        "EndTime": END,
        "ScanBy": "TimestampDescending",
        **more,
    }


def result(query, *points, status="Complete"):
    """One metric's values: (minutes after the start, sum)."""
    return {
        "Id": query,
        "StatusCode": status,
        "Timestamps": [START + timedelta(minutes=minutes) for minutes, _ in points],
        "Values": [value for _, value in points],
    }


def last_writes(stub, tables):
    """The gateway's answer."""
    gateway = CloudWatchGateway(lambda: stub.client)
    return gateway.last_writes(tables, start=START, end=END, period_seconds=60)


def test_the_last_period_with_a_write_or_a_deletion_by_ttl_counts(stub):
    """Over both metrics and all pages; zeros are no writes."""
    tables = ["orders", "users", "idle"]
    first = [
        result("c_0", (30, 5.0), (10, 1.0), status="PartialData"),
        result("t_1", (20, 2.0)),
        result("c_2", (5, 0.0)),
    ]
    second = [result("c_0", (5, 1.0)), result("t_0", (40, 0.0)), result("c_1", (3, 1.0))]
    stub.add_response(
        "get_metric_data", {"MetricDataResults": first, "NextToken": "2"}, asked(tables)
    )
    stub.add_response(
        "get_metric_data", {"MetricDataResults": second}, asked(tables, NextToken="2")
    )
    assert last_writes(stub, tables) == {
        "orders": START + timedelta(minutes=31),
        "users": START + timedelta(minutes=21),
    }


def test_a_full_batch_is_one_call_of_the_most_queries():
    """Two metrics of 250 tables, each with an id of its own."""
    made = queries([f"t{number}" for number in range(TABLES_PER_CALL)], 300)
    assert len({query["Id"] for query in made}) == len(made) == QUERIES_PER_CALL
    assert {query["MetricStat"]["Period"] for query in made} == {300}


def test_a_missing_permission_is_named(stub):
    """Whether the call or a metric was refused."""
    stub.add_client_error("get_metric_data", "AccessDenied", "not authorized", 403)
    with pytest.raises(AccessDeniedError) as refusal:
        last_writes(stub, ["orders"])
    assert "cloudwatch:GetMetricData" in refusal.value.remedy
    stub.add_response("get_metric_data", {"MetricDataResults": [result("c_0", status="Forbidden")]})
    with pytest.raises(AccessDeniedError):
        last_writes(stub, ["orders"])


@pytest.mark.parametrize("status", ["InternalError", "PartialData"])
def test_half_an_answer_is_no_answer(stub, status):
    """No writes in it does not mean that there were none."""
    stub.add_response("get_metric_data", {"MetricDataResults": [result("c_0", status=status)]})
    with pytest.raises(ServiceUnavailableError, match=status):
        last_writes(stub, ["orders"])


def test_a_token_that_repeats_ends_in_an_error(stub):
    """Never an endless loop."""
    page = {"MetricDataResults": [], "NextToken": "same"}
    for _ in range(2):
        stub.add_response("get_metric_data", page)
    with pytest.raises(UnsupportedError, match="same NextToken"):
        last_writes(stub, ["orders"])
