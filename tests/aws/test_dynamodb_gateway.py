"""DynamoDB's gateway: what is sent, what is understood, what is refused."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import botocore
import pytest

from ddb_assets.aws.dynamodb import DynamoDBGateway
from ddb_assets.core.request import ExportRequest
from ddb_assets.core.spec import ExportFilter
from ddb_assets.errors import (
    ExportNotFoundError,
    RequestInvalidError,
    TableNotFoundError,
    UnsupportedError,
)

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/legacy.Users"
EXPORT = f"{TABLE}/export/01767225600500-1a2b3c4d"
REQUEST = ExportRequest(
    table_arn=TABLE,
    table_id="0f0e0d0c-0000-0000-0000-000000000000",
    bucket="ddb-exports",
    prefix="legacy.Users",
    intent_id="run-1",
)
ALWAYS = {
    "TableArn": TABLE,
    "S3Bucket": "ddb-exports",
    "S3Prefix": "legacy.Users",
    "ClientToken": REQUEST.client_token,
    "ExportFormat": "DYNAMODB_JSON",
    "ExportType": "FULL_EXPORT",
}


@pytest.fixture
def gateway(reached):
    """The gateway over the fake AWS."""
    return DynamoDBGateway(lambda: reached.client("dynamodb"))


def started(**fields):
    """The first answer as AWS gives it: no ExportType unless it was sent."""
    return {
        "ExportDescription": {
            "ExportArn": EXPORT,
            "ExportStatus": "IN_PROGRESS",
            "StartTime": 1767225600.5,
            "TableArn": TABLE,
            "TableId": REQUEST.table_id,
            "ExportTime": 1767225600.5,
            "ClientToken": REQUEST.client_token,
            "S3Bucket": "ddb-exports",
            "S3SseAlgorithm": "AES256",
            "ExportFormat": "DYNAMODB_JSON",
            **fields,
        }
    }


def described(**fields):
    """DescribeTable's answer, the sort key first: AWS promises no order."""
    return {
        "Table": {
            "TableName": "legacy.Users",
            "TableArn": TABLE,
            "TableId": REQUEST.table_id,
            "TableStatus": "ACTIVE",
            "AttributeDefinitions": [
                {"AttributeName": "at", "AttributeType": "N"},
                {"AttributeName": "other", "AttributeType": "B"},
                {"AttributeName": "user id", "AttributeType": "S"},
            ],
            "KeySchema": [
                {"AttributeName": "at", "KeyType": "RANGE"},
                {"AttributeName": "user id", "KeyType": "HASH"},
            ],
            "ItemCount": 7,
            "TableSizeBytes": 900,
            **fields,
        }
    }


def test_a_table_is_described_with_its_keys_and_their_types(aws, gateway):
    """Partition key first; attributes of indexes are not keys of the table."""
    aws.json(described())
    table = gateway.describe_table("legacy.Users")
    assert aws.last.json == {"TableName": "legacy.Users"}
    assert table.keys == (("user id", "S"), ("at", "N"))
    assert (table.arn, table.table_id, table.status) == (TABLE, REQUEST.table_id, "ACTIVE")
    assert (table.item_count, table.size_bytes) == (7, 900)


def test_an_unknown_table_is_named_with_its_region(aws, gateway):
    """ResourceNotFoundException is a table that does not exist."""
    aws.error("com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "Requested resource")
    with pytest.raises(TableNotFoundError, match="us-east-1") as caught:
        gateway.describe_table("nope")
    assert caught.value.table == "nope"


def test_a_table_without_id_is_no_aws(aws, gateway):
    """Without TableId nobody could tell a re-created table from the old one."""
    aws.json(described(TableId=None))
    with pytest.raises(UnsupportedError, match="DescribeTable answered without TableId") as caught:
        gateway.describe_table("legacy.Users")
    assert caught.value.table == "legacy.Users"


def test_pitr_is_read_from_its_own_status(aws, gateway):
    """ContinuousBackupsStatus always reads ENABLED and says nothing."""
    off = {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
    }
    aws.json({"ContinuousBackupsDescription": off})
    pitr = gateway.describe_pitr("legacy.Users")
    assert (pitr.enabled, pitr.earliest, pitr.latest) == (False, None, None)


def test_the_recovery_window_is_utc(aws, gateway):
    """Botocore gives local times; everything after compares UTC."""
    on = {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {
            "PointInTimeRecoveryStatus": "ENABLED",
            "EarliestRestorableDateTime": 1767225600,
            "LatestRestorableDateTime": 1767229200,
            "RecoveryPeriodInDays": 14,
        },
    }
    aws.json({"ContinuousBackupsDescription": on})
    pitr = gateway.describe_pitr("legacy.Users")
    assert pitr.enabled
    assert pitr.earliest == datetime(2026, 1, 1, tzinfo=UTC)
    assert pitr.latest == datetime(2026, 1, 1, 1, tzinfo=UTC)
    assert pitr.recovery_days == 14
    assert pitr.earliest.tzinfo is UTC


def test_tags_are_read_to_the_last_page(aws, gateway):
    """The token goes back as it came."""
    aws.json({"Tags": [{"Key": "cost center", "Value": "42"}], "NextToken": "more"})
    aws.json({"Tags": [{"Key": "team", "Value": ""}]})
    assert gateway.tags(TABLE) == {"cost center": "42", "team": ""}
    first, second = (request.json for request in aws.seen)
    assert first == {"ResourceArn": TABLE}
    assert second == {"ResourceArn": TABLE, "NextToken": "more"}


def test_a_plain_request_sends_only_what_was_set(aws, gateway):
    """No ExportTime, owner, encryption or filter that nobody asked for."""
    aws.json(started())
    export = gateway.start_export(REQUEST)
    assert aws.last.operation == "ExportTableToPointInTime"
    assert aws.last.json == ALWAYS
    assert export.arn == EXPORT
    assert export.export_id == "01767225600500-1a2b3c4d"
    assert (export.status, export.done) == ("IN_PROGRESS", False)
    assert export.kind == "FULL_EXPORT"
    assert export.export_time == datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)


def test_a_full_request_sends_everything(aws, gateway):
    """Every field of the request has its parameter, and the time is whole seconds."""
    aws.json(started())
    request = replace(
        REQUEST,
        export_time=datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        bucket_owner="210987654321",
        sse_algorithm="KMS",
        kms_key_id="alias/exports",
        filter=ExportFilter(
            key_condition="pk = :pk",
            filter="#kind = :kind",
            projection="#kind, pk",
            names=(("#kind", "kind"),),
            values=((":pk", {"S": "a"}), (":kind", {"N": "1"})),
        ),
    )
    gateway.start_export(request)
    assert aws.last.json == {
        **ALWAYS,
        "ClientToken": request.client_token,
        "ExportTime": 1767225600,
        "S3BucketOwner": "210987654321",
        "S3SseAlgorithm": "KMS",
        "S3SseKmsKeyId": "alias/exports",
        "FilterSpecification": {
            "KeyConditionExpression": "pk = :pk",
            "FilterExpression": "#kind = :kind",
            "ProjectionExpression": "#kind, pk",
            "ExpressionAttributeNames": {"#kind": "kind"},
            "ExpressionAttributeValues": {":pk": {"S": "a"}, ":kind": {"N": "1"}},
        },
    }


def test_an_empty_filter_is_no_filter(aws, gateway):
    """AWS refuses `FilterSpecification={}`; it asks for nothing."""
    aws.json(started())
    gateway.start_export(replace(REQUEST, filter=ExportFilter()))
    assert "FilterSpecification" not in aws.last.json


def test_the_same_request_is_the_same_call(aws, gateway):
    """Byte for byte: AWS compares the parameters of a repeated token."""
    aws.json(started())
    request = replace(REQUEST, export_time=datetime(2026, 1, 1, tzinfo=UTC))
    gateway.start_export(request)
    gateway.start_export(replace(request))
    assert aws.seen[0].body == aws.seen[1].body


@pytest.mark.parametrize(
    "moment",
    [datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC), datetime(2026, 1, 1)],  # noqa: DTZ001
)
def test_a_fraction_of_a_second_or_a_naive_time_never_leaves(aws, gateway, moment):
    """Either would silently change a parameter between two attempts."""
    with pytest.raises(RequestInvalidError, match="whole second"):
        gateway.start_export(replace(REQUEST, export_time=moment))
    assert aws.seen == []


@pytest.fixture
def old_sdk(tmp_path, monkeypatch, connection):
    """A gateway over a botocore whose DynamoDB model has no FilterSpecification yet."""
    data = Path(botocore.__file__).parent / "data" / "dynamodb" / "2012-08-10"
    plain = data / "service-2.json"
    if plain.exists():
        model = json.loads(plain.read_text())
    else:
        import gzip  # noqa: PLC0415 - only this packaging needs it

        model = json.loads(gzip.decompress((data / "service-2.json.gz").read_bytes()))
    del model["shapes"]["ExportTableToPointInTimeInput"]["members"]["FilterSpecification"]
    folder = tmp_path / "data" / "dynamodb" / "2012-08-10"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps(model))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "data"))
    old = connection()
    return DynamoDBGateway(lambda: old.client("dynamodb"))


def test_a_filter_is_refused_where_the_sdk_is_too_old(aws, old_sdk):
    """The error names the installed version and the remedy, and nothing was asked of AWS."""
    filtered = replace(REQUEST, filter=ExportFilter(filter="a = :a", values=((":a", {"S": "1"}),)))
    with pytest.raises(UnsupportedError, match="FilterSpecification") as caught:
        old_sdk.start_export(filtered)
    assert botocore.__version__ in str(caught.value)
    assert "pip install --upgrade boto3" in caught.value.remedy
    assert caught.value.table == "legacy.Users"
    assert aws.seen == []


def test_an_old_sdk_still_exports_without_a_filter(aws, old_sdk):
    """Only what needs the new parameter is refused."""
    aws.json(started())
    assert old_sdk.start_export(REQUEST).arn == EXPORT


def test_a_completed_export_has_its_numbers_and_its_manifest(aws, gateway):
    """DescribeExport at the end."""
    aws.json(
        started(
            ExportStatus="COMPLETED",
            EndTime=1767225968.25,
            ItemCount=7,
            BilledSizeBytes=900,
            S3Prefix="legacy.Users",
            ExportManifest="legacy.Users/AWSDynamoDB/01767225600500-1a2b3c4d/manifest-summary.json",
        )
    )
    export = gateway.describe_export(EXPORT)
    assert aws.last.json == {"ExportArn": EXPORT}
    assert export.done
    assert (export.item_count, export.billed_bytes, export.prefix) == (7, 900, "legacy.Users")
    assert export.manifest_key.endswith("manifest-summary.json")
    assert export.end_time == datetime(2026, 1, 1, 0, 6, 8, 250_000, tzinfo=UTC)


def test_a_failed_export_has_its_code_and_message(aws, gateway):
    """The code is what core.waiting.failures turns into a remedy."""
    aws.json(started(ExportStatus="FAILED", FailureCode="S3NoSuchBucket", FailureMessage="gone"))
    export = gateway.describe_export(EXPORT)
    assert (export.failure_code, export.failure_message) == ("S3NoSuchBucket", "gone")


def test_an_unknown_export_is_named_with_its_table(aws, gateway):
    """ExportNotFoundException."""
    aws.error("ExportNotFoundException", "Export not found")
    with pytest.raises(ExportNotFoundError, match="90 days") as caught:
        gateway.describe_export(EXPORT)
    assert caught.value.table == "legacy.Users"


def test_an_export_arn_of_a_form_aws_never_gives_is_refused(aws, gateway):
    """An emulator's ARN has no export id; its location could not be known."""
    arn = f"{TABLE}/import/0123456789abcdef0123456789abcdef"
    aws.json(started(ExportArn=arn))
    with pytest.raises(UnsupportedError, match="import/0123456789abcdef") as caught:
        gateway.start_export(REQUEST)
    assert "ddb-assets local" in caught.value.remedy


def test_all_pages_of_exports_are_read_one_call_at_a_time(aws, gateway):
    """Botocore cannot page ListExports; a page is asked for when it is needed."""
    arns = [f"{TABLE}/export/0176722560050{n}-1a2b3c4d" for n in range(3)]
    one, two, three = ({"ExportArn": arn, "ExportStatus": "COMPLETED"} for arn in arns)
    aws.json({"ExportSummaries": [one, two], "NextToken": "more"})
    aws.json({"ExportSummaries": [], "NextToken": "even more"})
    aws.json({"ExportSummaries": [three | {"ExportType": "INCREMENTAL_EXPORT"}]})
    exports = gateway.list_exports(TABLE)
    assert next(exports).arn == arns[0]
    assert len(aws.seen) == 1
    rest = list(exports)
    assert [summary.arn for summary in rest] == arns[1:]
    assert [summary.kind for summary in rest] == ["FULL_EXPORT", "INCREMENTAL_EXPORT"]
    assert [seen.json for seen in aws.seen] == [
        {"TableArn": TABLE, "MaxResults": 25},
        {"TableArn": TABLE, "MaxResults": 25, "NextToken": "more"},
        {"TableArn": TABLE, "MaxResults": 25, "NextToken": "even more"},
    ]


def test_all_exports_of_the_account_are_listed_without_a_table(aws, gateway):
    """One call watches many tables."""
    aws.json({"ExportSummaries": []})
    assert list(gateway.list_exports()) == []
    assert aws.last.json == {"MaxResults": 25}


def test_a_token_that_repeats_does_not_loop_for_ever(aws, gateway):
    """A broken endpoint ends in an error."""
    aws.json({"ExportSummaries": [], "NextToken": "again"})
    with pytest.raises(UnsupportedError, match="twice"):
        list(gateway.list_exports())
