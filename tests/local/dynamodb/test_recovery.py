"""Point-in-time recovery and what DescribeTable says, where moto differs from AWS."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from ddb_assets.local import clock, settings

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _at_noon(_installed):
    clock.set(START)


def recovery_of(aws, name="Article"):
    """The PointInTimeRecoveryDescription."""
    answer = aws.dynamodb.describe_continuous_backups(TableName=name)
    described = answer["ContinuousBackupsDescription"]
    assert described["ContinuousBackupsStatus"] == "ENABLED"
    return described["PointInTimeRecoveryDescription"]


def test_it_is_off_until_it_is_enabled(aws):
    """ContinuousBackupsStatus reads ENABLED all the same; there are no dates."""
    aws.table(recovery=False)
    assert recovery_of(aws) == {"PointInTimeRecoveryStatus": "DISABLED"}


def test_the_latest_restorable_time_advances(aws):
    """Now, less the lag, but never before the earliest."""
    settings.configure(pitr_lag_seconds=300)
    aws.table()
    first = recovery_of(aws)
    assert first["RecoveryPeriodInDays"] == 35
    assert first["LatestRestorableDateTime"] == first["EarliestRestorableDateTime"]
    clock.advance(3600)
    later = recovery_of(aws)
    assert later["EarliestRestorableDateTime"] == first["EarliestRestorableDateTime"]
    lag = clock.now() - later["LatestRestorableDateTime"]
    assert timedelta(seconds=300) <= lag < timedelta(seconds=302)


def test_by_arn_as_by_name(aws):
    """The table may be named by its ARN."""
    arn = aws.table()
    by_arn, by_name = recovery_of(aws, arn), recovery_of(aws)
    assert by_arn["EarliestRestorableDateTime"] == by_name["EarliestRestorableDateTime"]


def test_a_table_that_is_not_there(aws):
    """TableNotFoundException for both operations."""
    for call, more in (
        (aws.dynamodb.describe_continuous_backups, {}),
        (
            aws.dynamodb.update_continuous_backups,
            {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}},
        ),
    ):
        with pytest.raises(ClientError, match="TableNotFoundException"):
            call(TableName="none", **more)


def test_the_earliest_time_moves_with_the_period(aws):
    """History older than the period is gone; what is within it is not."""
    arn = aws.table(recovery=False)
    aws.recovery("Article", on=True, RecoveryPeriodInDays=2)
    aws.bucket()
    aws.put("Article", id="one")
    clock.advance(86_400)
    aws.dynamodb.delete_item(TableName="Article", Key={"id": {"S": "one"}})
    clock.advance(86_400 + 3600)
    described = recovery_of(aws)
    assert described["RecoveryPeriodInDays"] == 2
    age = clock.now() - described["EarliestRestorableDateTime"]
    assert timedelta(days=2) <= age < timedelta(days=2, seconds=2)
    within = clock.now().replace(microsecond=0) - timedelta(days=2) + timedelta(seconds=5)
    assert aws.exported(arn, ExportTime=within) == [{"id": {"S": "one"}}]
    with pytest.raises(ClientError, match="Export Time is invalid"):
        aws.export(arn, ExportTime=within - timedelta(minutes=1))


def test_disabling_destroys_the_history(aws):
    """Enabled again, nothing before that can be exported."""
    arn = aws.table()
    aws.bucket()
    aws.put("Article", id="one")
    clock.advance(3600)
    old = clock.now().replace(microsecond=0)
    clock.advance(60)
    aws.recovery("Article", on=False)
    aws.put("Article", id="unlogged")
    clock.advance(60)
    aws.recovery("Article", on=True)
    clock.advance(60)
    aws.put("Article", id="two")
    assert recovery_of(aws)["EarliestRestorableDateTime"] > old
    with pytest.raises(ClientError, match="Export Time is invalid"):
        aws.export(arn, ExportTime=old)
    moment = clock.now().replace(microsecond=0) - timedelta(seconds=30)
    assert {item["id"]["S"] for item in aws.exported(arn, ExportTime=moment)} == {"one", "unlogged"}


def test_enabling_it_twice_keeps_the_history(aws):
    """The second time changes the period only."""
    aws.table()
    before = recovery_of(aws)["EarliestRestorableDateTime"]
    clock.advance(60)
    aws.recovery("Article", on=True, RecoveryPeriodInDays=7)
    after = recovery_of(aws)
    assert (after["EarliestRestorableDateTime"], after["RecoveryPeriodInDays"]) == (before, 7)
    clock.advance(60)
    aws.recovery("Article", on=True)
    assert recovery_of(aws)["RecoveryPeriodInDays"] == 7


def test_a_period_aws_does_not_have_is_refused(aws):
    """36 days; the SDK itself refuses 0."""
    aws.table()
    with pytest.raises(ClientError, match="Member must have value less than or equal to 35"):
        aws.recovery("Article", on=True, RecoveryPeriodInDays=36)


def test_describe_table_has_an_id_and_a_size(aws):
    """TableId from the first answer on; the size follows the items; creation by our clock."""
    made = aws.dynamodb.create_table(
        TableName="Article",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )["TableDescription"]
    assert abs(made["CreationDateTime"] - START) < timedelta(seconds=10)
    assert "BillingModeSummary" not in made
    aws.put("Article", id="one")
    table = aws.dynamodb.describe_table(TableName="Article")["Table"]
    assert table["TableId"] == made["TableId"]
    assert table["TableSizeBytes"] == len('{"id":{"S":"one"}}')
    aws.dynamodb.delete_item(TableName="Article", Key={"id": {"S": "one"}})
    empty = aws.dynamodb.describe_table(TableName="Article")["Table"]
    assert empty["TableSizeBytes"] == 0


def test_an_on_demand_table_says_so(aws):
    """BillingModeSummary is there for PAY_PER_REQUEST."""
    aws.table()
    table = aws.dynamodb.describe_table(TableName="Article")["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
