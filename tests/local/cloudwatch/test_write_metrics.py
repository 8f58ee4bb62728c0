"""DynamoDB's write metrics in CloudWatch: per table and minute, once the minute is over."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.base_backend import BackendDict

from ddb_assets import local
from ddb_assets.local import clock, settings

REGION = "us-east-1"
START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
KEYS = [{"AttributeName": "id", "KeyType": "HASH"}]
TYPES = [{"AttributeName": "id", "AttributeType": "S"}]


@pytest.fixture(scope="module")
def clients():
    """DynamoDB and CloudWatch of one account."""
    local.install(["dynamodb", "cloudwatch"])
    with mock_aws():
        yield boto3.client("dynamodb", REGION), boto3.client("cloudwatch", REGION)
    local.uninstall()


@pytest.fixture
def dynamodb(clients):
    """An account with the table `orders`, at six o'clock."""
    BackendDict.reset()
    settings.reset()
    clock.set(START)
    for name in ("orders", "users"):
        clients[0].create_table(
            TableName=name,
            KeySchema=KEYS,
            AttributeDefinitions=TYPES,
            BillingMode="PAY_PER_REQUEST",
        )
    yield clients[0]
    clock.reset()
    settings.reset()


@pytest.fixture
def asked(clients, dynamodb):
    """Values by moment of one statistic, as GetMetricData gives them."""

    def ask(table="orders", *, stat="Sum", period=60, start=START, hours=1, **given):
        answer = clients[1].get_metric_data(
            MetricDataQueries=[query(table, stat=stat, period=period)],
            StartTime=start,
            EndTime=start + timedelta(hours=hours),
            **given,
        )
        (result,) = answer["MetricDataResults"]
        assert result["Id"] == "q0"
        assert result["StatusCode"] == "Complete"
        return list(zip(result["Timestamps"], result["Values"], strict=True))

    return ask


def query(table, *, stat="Sum", period=60, number=0, metric="ConsumedWriteCapacityUnits"):
    """One query of a table's metric."""
    dimensions = [{"Name": "TableName", "Value": table}]
    named = {"Namespace": "AWS/DynamoDB", "MetricName": metric, "Dimensions": dimensions}
    return {"Id": f"q{number}", "MetricStat": {"Metric": named, "Period": period, "Stat": stat}}


def put(dynamodb, table="orders", key="a", size=0):
    """One item of about so many bytes."""
    item = {"id": {"S": key}, **({"text": {"S": "x" * size}} if size else {})}
    dynamodb.put_item(TableName=table, Item=item)


def test_a_minute_is_published_when_it_is_over(dynamodb, asked):
    """Not before; and later by the lag, where one is set."""
    put(dynamodb)
    assert asked() == []
    clock.advance(61)
    assert asked() == [(START, 1.0)]
    settings.configure(metrics_lag_seconds=120)
    assert asked() == []
    clock.advance(120)
    assert asked() == [(START, 1.0)]


def test_every_way_of_writing_counts(dynamodb, asked):
    """Put, update, delete, batch, transaction; reads do not."""
    put(dynamodb)
    dynamodb.update_item(
        TableName="orders",
        Key={"id": {"S": "a"}},
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": {"N": "1"}},
    )
    dynamodb.delete_item(TableName="orders", Key={"id": {"S": "a"}})
    dynamodb.delete_item(TableName="orders", Key={"id": {"S": "not there"}})
    puts = [{"PutRequest": {"Item": {"id": {"S": key}}}} for key in "bc"]
    dynamodb.batch_write_item(RequestItems={"orders": puts})
    dynamodb.transact_write_items(
        TransactItems=[{"Put": {"TableName": "orders", "Item": {"id": {"S": "d"}}}}]
    )
    dynamodb.scan(TableName="orders")
    clock.advance(60)
    assert asked(stat="SampleCount") == [(START, 7.0)]
    assert asked("users") == []


def test_units_are_started_kilobytes_of_the_larger_state(dynamodb, asked):
    """An item that shrinks costs what it was; the statistics follow."""
    put(dynamodb, size=3000)
    put(dynamodb)
    put(dynamodb, key="b")
    clock.advance(60)
    found = {stat: asked(stat=stat)[0][1] for stat in ("Sum", "Minimum", "Maximum", "Average")}
    assert found == {"Sum": 7.0, "Minimum": 1.0, "Maximum": 3.0, "Average": 7 / 3}


def test_periods_gather_minutes_in_the_order_that_is_asked_for(dynamodb, asked):
    """On multiples of the period, empty ones left out, newest first by default."""
    for minute in (0, 1, 7, 12):
        clock.set(START + timedelta(minutes=minute))
        put(dynamodb)
    clock.set(START + timedelta(minutes=30))
    later = [START + timedelta(minutes=m) for m in (0, 5, 10)]
    sums = list(zip(later, (2.0, 1.0, 1.0), strict=True))
    assert asked(period=300, ScanBy="TimestampAscending") == sums
    assert asked(period=300, ScanBy="TimestampDescending") == sums[::-1]
    assert asked(period=300, start=START + timedelta(minutes=6)) == sums[:0:-1]
    assert asked(period=300, start=START + timedelta(hours=1)) == []


def test_many_tables_are_answered_in_one_call_and_more_are_refused(clients, dynamodb):
    """Each query for itself, a table that is not there and other metrics without data."""
    put(dynamodb)
    clock.advance(3600)
    tables = ["orders", "users", *(f"absent-{n}" for n in range(497))]
    queries = [query(table, number=number) for number, table in enumerate(tables)]
    queries.append(query("orders", number=499, metric="TimeToLiveDeletedItemCount"))
    window = {"StartTime": START - timedelta(days=1), "EndTime": START + timedelta(hours=1)}
    answer = clients[1].get_metric_data(MetricDataQueries=queries, **window)
    found = {one["Id"]: one["Values"] for one in answer["MetricDataResults"]}
    assert len(found) == 500
    assert [name for name, values in found.items() if values] == ["q0"]
    with pytest.raises(ClientError) as refused:
        clients[1].get_metric_data(MetricDataQueries=[*queries, query("x", number=500)], **window)
    assert "size greater than 500" in str(refused.value)


def test_other_metrics_and_expressions_are_motos(clients, dynamodb):
    """What users put is there; an expression reads DynamoDB's metrics, and they are listed."""
    put(dynamodb)
    clock.advance(60)
    cloudwatch = clients[1]
    cloudwatch.put_metric_data(
        Namespace="mine", MetricData=[{"MetricName": "m", "Value": 5, "Timestamp": START}]
    )
    mine = {"Namespace": "mine", "MetricName": "m"}
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[
            {"Id": "m", "MetricStat": {"Metric": mine, "Period": 60, "Stat": "Sum"}},
            query("orders"),
            {"Id": "e", "Expression": "q0"},
        ],
        StartTime=START,
        EndTime=START + timedelta(minutes=5),
    )
    assert [one["Values"] for one in answer["MetricDataResults"]] == [[5.0], [1.0], [1.0]]
    listed = cloudwatch.list_metrics(Namespace="AWS/DynamoDB")["Metrics"]
    assert [one["MetricName"] for one in listed] == ["ConsumedWriteCapacityUnits"]


def test_minutes_are_kept_for_15_days(dynamodb, asked):
    """As long as CloudWatch keeps data points of one minute."""
    put(dynamodb)
    clock.set(START + timedelta(days=14))
    put(dynamodb)
    assert len(asked(hours=24 * 16)) == 1
    clock.set(START + timedelta(days=16))
    put(dynamodb)
    clock.advance(60)
    assert len(asked(hours=24 * 17)) == 2
