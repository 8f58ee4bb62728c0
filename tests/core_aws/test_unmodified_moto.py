"""Stock moto, without the local AWS: what works there, and which answer it cannot give."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from moto import mock_aws

from ddb_assets.aws.dynamodb import DynamoDBGateway
from ddb_assets.aws.gateways import connect
from ddb_assets.aws.session import AwsConnection
from ddb_assets.core.export import TableDescription
from ddb_assets.core.outcome import Failed
from ddb_assets.core.ports import Gateways
from ddb_assets.core.refreshing.refresh import refresh
from ddb_assets.core.request import ExportRequest
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import (
    ExportObjectsGoneError,
    ManifestMissingError,
    PitrDisabledError,
    TableNotFoundError,
    UnsupportedError,
    VersionConflictError,
)

BUCKET = "ddb-exports"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/Article"
REQUEST = ExportRequest(
    table_arn=TABLE, table_id="unknown", bucket=BUCKET, prefix="Article", intent_id="run-1"
)
TABLE_INPUT = {
    "Name": "article",
    "TableType": "EXTERNAL_TABLE",
    "Parameters": {"EXTERNAL": "TRUE"},
    "StorageDescriptor": {
        "Location": f"s3://{BUCKET}/Article/old/data/",
        "Columns": [{"Name": "item", "Type": "struct<userId:struct<s:string>>"}],
    },
}


@pytest.fixture
def connection(monkeypatch):
    """A connection to moto in this process, with one table and one bucket."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        reached = AwsConnection(region="us-east-1")
        reached.client("dynamodb").create_table(
            TableName="Article",
            KeySchema=[{"AttributeName": "userId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "userId", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        reached.client("s3").create_bucket(Bucket=BUCKET)
        yield reached


@pytest.fixture
def gateways(connection) -> Gateways:
    """The gateways over it."""
    return connect(connection)


def enable_pitr(connection):
    """What a user does once per table."""
    connection.client("dynamodb").update_continuous_backups(
        TableName="Article",
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )


def test_moto_s_missing_table_id_is_named(gateways):
    """The first answer that is impossible; nothing was started or paid for."""
    with pytest.raises(UnsupportedError, match="DescribeTable answered without TableId") as caught:
        gateways.dynamodb.describe_table("Article")
    assert caught.value.table == "Article"
    assert "ddb-assets local" in caught.value.remedy


def test_moto_s_export_arn_is_named(connection, gateways):
    """`…/import/<hex>` has no export id: the export's location could not be known."""
    enable_pitr(connection)
    with pytest.raises(UnsupportedError, match=r"export ARN .*/import/") as caught:
        gateways.dynamodb.start_export(REQUEST)
    assert caught.value.table == "Article"


def test_moto_s_refusals_are_understood(connection, gateways):
    """An unknown table and PITR switched off mean there what they mean in AWS."""
    with pytest.raises(TableNotFoundError):
        gateways.dynamodb.describe_table("Nobody")
    assert not gateways.dynamodb.describe_pitr("Article").enabled
    with pytest.raises(PitrDisabledError, match="--table-name Article"):
        gateways.dynamodb.start_export(REQUEST)
    enable_pitr(connection)
    assert gateways.dynamodb.describe_pitr("Article").enabled


def test_objects_work_against_moto(connection, gateways):
    """Read, stream, list and delete are real S3 calls."""
    put = connection.client("s3").put_object
    for n in range(12):
        put(Bucket=BUCKET, Key=f"many/{n:04}", Body=b"x" * (n % 3))
    listed = list(gateways.objects.list(BUCKET, "many/"))
    assert [each.key for each in listed] == [f"many/{n:04}" for n in range(12)]
    assert [each.size for each in listed[:4]] == [0, 1, 2, 0]
    assert gateways.objects.read(BUCKET, "many/0002") == b"xx"
    assert list(gateways.objects.stream(BUCKET, "many/0002", chunk_bytes=1)) == [b"x", b"x"]
    with pytest.raises(ManifestMissingError):
        gateways.objects.read(BUCKET, "nothing")
    with pytest.raises(ExportObjectsGoneError):
        list(gateways.objects.list("no-such-bucket", ""))
    gone = [f"gone/{n}" for n in range(1000)]
    gateways.objects.delete(BUCKET, [*gone, *(each.key for each in listed)])
    assert list(gateways.objects.list(BUCKET, "many/")) == []


def test_the_catalog_works_against_moto(gateways):
    """Create, read, move and drop; only moto's ignored VersionId is not AWS."""
    catalog = gateways.catalog
    assert not catalog.has_database("ddb")
    catalog.create_database("ddb")
    catalog.create_database("ddb")
    assert catalog.has_database("ddb")
    assert catalog.get_table("ddb", "article") is None
    catalog.create_table("ddb", TABLE_INPUT)
    with pytest.raises(VersionConflictError):
        catalog.create_table("ddb", TABLE_INPUT)
    table = catalog.get_table("ddb", "article")
    moved = dict(table.table_input)
    location = f"s3://{BUCKET}/Article/new/data/"
    moved["StorageDescriptor"] = dict(moved["StorageDescriptor"], Location=location)
    catalog.update_table("ddb", moved, version_id=table.version_id)
    after = catalog.get_table("ddb", "article")
    assert after.location == location
    assert after.columns == table.columns
    assert len(list(catalog.table_versions("ddb", "article"))) == 2
    catalog.delete_table("ddb", "article")
    catalog.delete_table("ddb", "article")
    assert catalog.get_table("ddb", "article") is None


def test_a_query_is_started_against_moto(gateways):
    """Moto accepts it and runs nothing."""
    token = replace(REQUEST).client_token
    assert gateways.queries.start("SELECT 1", database="ddb", workgroup="primary", token=token)


class Notes:
    """A ledger in memory."""

    def __init__(self):
        self.notes = {}

    def find(self, table):
        """What was recorded."""
        return self.notes.get(table)

    def record(self, table, note):
        """Keep it."""
        self.notes[table] = note


class NoHistory:
    """No export was ever made."""

    def durations(self, table):
        """None."""
        return ()

    def peers(self, table):
        """None either."""
        return ()


class HurriedClock:
    """Sleeps without waiting; a refresh that would hang runs out of its hour instead."""

    def __init__(self):
        self.slept = 0.0

    def now(self):
        """Wall time, moved on by what was slept."""
        return datetime.now(UTC) + timedelta(seconds=self.slept)

    def monotonic(self):
        """Seconds slept."""
        return self.slept

    def sleep(self, seconds):
        """At once."""
        self.slept += seconds
        assert self.slept < 3600, "the refresh waits for an answer moto never gives"


def outcomes(gateways, ledger):
    """Refresh Article as the project would."""
    spec = TableSpec(
        name="Article", database="ddb", table="article", bucket=BUCKET, prefix="Article"
    )
    clock = HurriedClock()
    return list(
        refresh(
            [spec],
            intent_id="run-1",
            started_at=clock.now(),
            gateways=gateways,
            ledger=ledger,
            history=NoHistory(),
            listener=lambda event: None,
            clock=clock,
        )
    )


def test_a_refresh_against_moto_names_the_impossible_answer(connection, gateways):
    """One Failed outcome with table, cause and remedy; no KeyError, no hang, nothing started."""
    enable_pitr(connection)
    ledger = Notes()
    (outcome,) = outcomes(gateways, ledger)
    assert isinstance(outcome, Failed)
    assert type(outcome.error) is UnsupportedError
    assert "DescribeTable answered without TableId" in str(outcome.error)
    assert outcome.error.table == "Article"
    assert ledger.notes == {}
    assert list(gateways.objects.list(BUCKET, "")) == []


class WithTableId(DynamoDBGateway):
    """What is missing first is filled in, to see what is missing next."""

    def describe_table(self, name):
        """Moto's answer with the TableId it leaves out."""
        found = self._client().describe_table(TableName=name)["Table"]
        return TableDescription(
            name=name,
            arn=found["TableArn"],
            table_id="0f0e0d0c-0000-0000-0000-000000000000",
            status=found["TableStatus"],
            keys=(("userId", "S"),),
        )


def test_with_a_table_id_a_refresh_ends_at_moto_s_export_arn(connection, gateways):
    """The next impossible answer is named as well: an export without an id has no location."""
    enable_pitr(connection)
    dynamodb = WithTableId(lambda: connection.client("dynamodb"))
    (outcome,) = outcomes(replace(gateways, dynamodb=dynamodb), Notes())
    assert isinstance(outcome, Failed)
    assert type(outcome.error) is UnsupportedError
    assert "/import/" in str(outcome.error)
    assert outcome.error.table == "Article"
