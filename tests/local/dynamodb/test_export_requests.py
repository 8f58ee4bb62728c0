"""Which requests are refused, in which words, and what a client token stands for."""

# ruff: noqa: E501 - the texts of AWS, one a line

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ddb_assets.local import clock, settings

ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = {"ExportFromTime": START, "ExportToTime": START + timedelta(hours=1)}


@pytest.fixture
def unchecked(in_process):
    """A client that sends what the SDK itself would refuse."""
    return boto3.client(
        "dynamodb",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )


def refusal(call, *args, **kwargs):
    """Code and message of a call that is refused."""
    with pytest.raises(ClientError) as refused:
        call(*args, **kwargs)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"ExportFormat": "CSV"}, "Value 'CSV' at 'exportFormat' failed to satisfy constraint: Member must satisfy enum value set: [DYNAMODB_JSON, ION]"),
        ({"ExportFormat": ""}, "Value '' at 'exportFormat' failed"),
        ({"ExportType": "X"}, "Value 'X' at 'exportType' failed to satisfy constraint: Member must satisfy enum value set: [FULL_EXPORT, INCREMENTAL_EXPORT]"),
        ({"S3SseAlgorithm": "Q"}, "Value 'Q' at 's3SseAlgorithm' failed"),
        ({"S3Bucket": ""}, "Value '' at 's3Bucket' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z0-9A-Z]+"),
        ({"S3Bucket": "-a"}, "Value '-a' at 's3Bucket' failed"),
        ({"S3Bucket": "b" * 256}, "Member must have length less than or equal to 255"),
        ({"S3Prefix": "p" * 1025}, "Member must have length less than or equal to 1024"),
        ({"S3BucketOwner": "12345"}, "Value '12345' at 's3BucketOwner' failed"),
        ({"ClientToken": "a$b"}, "Value 'a$b' at 'clientToken' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[^\\$]+$"),
        ({"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": {"ExportViewType": "NEW_IMAGES"}}, "'incrementalExportSpecification.exportViewType'"),
    ],
)  # fmt: skip
def test_a_value_outside_the_model_is_named(aws, parameters, message):
    """A ValidationException that counts one error and names the member as AWS does."""
    arn = aws.table()
    code, text = refusal(aws.export, arn, **parameters)
    assert code == "ValidationException"
    assert text.startswith("1 validation error detected: ")
    assert message in text


def test_several_violations_are_said_at_once(aws):
    """The count comes first, then each."""
    code, text = refusal(aws.export, aws.table(), S3Bucket="", ExportFormat="CSV")
    assert code == "ValidationException"
    assert text.startswith("2 validation errors detected: ")
    assert "'s3Bucket'" in text
    assert "'exportFormat'" in text


def test_required_members_are_required(unchecked):
    """Without table and bucket."""
    code, text = refusal(unchecked.export_table_to_point_in_time)
    assert code == "ValidationException"
    assert "Value null at 'tableArn' failed to satisfy constraint: Member must not be null" in text
    assert "Value null at 's3Bucket'" in text


@pytest.mark.parametrize(
    ("arn", "code", "message"),
    [
        ("Article", "ValidationException", "One or more parameter values were invalid: tableArn is not a valid ARN"),
        (ARN + "Article/index/by-date", "ValidationException", "Invalid Request: Table ARN is invalid."),
        (ARN, "ValidationException", "Invalid Request: Table ARN is invalid."),
        ("arn:aws:s3:us-east-1:123456789012:table/Article", "ValidationException", "Invalid Request: Table ARN is invalid."),
        ("arn:aws:dynamodb:us-east-1:999999999999:table/Article", "AccessDeniedException", "Access is denied"),
        (ARN + "Other", "TableNotFoundException", f"Table not found: {ARN}Other"),
        ("arn:aws:dynamodb:eu-west-1:123456789012:table/Article", "TableNotFoundException", "Table not found: arn:aws:dynamodb:eu-west-1:123456789012:table/Article"),
    ],
)  # fmt: skip
def test_a_table_arn_that_is_none_of_ours_is_refused(aws, arn, code, message):
    """Malformed, of an index, of another account, region or service, or of no table."""
    aws.table()
    assert refusal(aws.export, arn) == (code, message)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"S3SseKmsKeyId": "k"}, "Invalid Request: KMS Key Id is not supported for this encryption type"),
        ({"S3SseKmsKeyId": "k", "S3SseAlgorithm": "AES256"}, "Invalid Request: KMS Key Id is not supported for this encryption type"),
        ({"IncrementalExportSpecification": WINDOW}, "Invalid Request: Export Type expected to be Incremental Export when incremental export specification is provided"),
        ({"ExportType": "FULL_EXPORT", "IncrementalExportSpecification": WINDOW}, "Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be provided"),
        ({"ExportType": "INCREMENTAL_EXPORT"}, "Invalid Request: Incremental Export Specification expected when export type is set as Incremental Export"),
        ({"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": {"ExportToTime": START}}, "Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification"),
        ({"FilterSpecification": {}}, "Invalid Request: Invalid FilterSpecification: The specification can not be empty"),
    ],
)  # fmt: skip
def test_parameters_that_do_not_go_together_are_refused(aws, parameters, message):
    """Each coupling with the text of AWS."""
    assert refusal(aws.export, aws.table(), **parameters) == ("ValidationException", message)


def test_a_table_without_recovery_is_refused(aws):
    """The message names the table."""
    assert refusal(aws.export, aws.table(recovery=False)) == (
        "PointInTimeRecoveryUnavailableException",
        "Point in time recovery is not enabled for table 'Article'",
    )


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        (60, "Export Time is invalid"),
        (-7200, "Export Time is invalid"),
        (-1, "Point in Time Recovery is not available for specified export time"),
    ],
    ids=["in the future", "before recovery was enabled", "not restorable yet"],
)
def test_a_time_that_cannot_be_exported_is_refused(aws, seconds, message):
    """After now, before recovery, or within the lag of five minutes."""
    clock.set(START)
    settings.configure(pitr_lag_seconds=300)
    arn = aws.table()
    aws.bucket()
    clock.advance(3600)
    moment = clock.now().replace(microsecond=0) + timedelta(seconds=seconds)
    assert refusal(aws.export, arn, ExportTime=moment) == ("InvalidExportTimeException", message)
    restorable = clock.now().replace(microsecond=0) - timedelta(seconds=301)
    assert aws.export(arn, ExportTime=restorable)["ExportTime"] == restorable


def test_ion_is_refused_by_name(aws):
    """The message says what the local AWS can do; a bad value is refused before."""
    arn = aws.table()
    aws.bucket()
    code, text = refusal(aws.export, arn, ExportFormat="ION")
    assert code == "ValidationException"
    assert text == (
        "Invalid Request: the local AWS writes DYNAMODB_JSON only, not ExportFormat ION"
    )


def incremental(aws, arn, start, end, **window):
    """Ask for an incremental export of START + seconds."""
    window = {
        "ExportFromTime": START + timedelta(seconds=start),
        "ExportToTime": START + timedelta(seconds=end),
        **window,
    }
    return aws.export(arn, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=window)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (-60, 3600, "Incremental export period from time cannot be less than the table creation time : 2026-03-01T11:59:00Z"),
        (0, 200_000, "Incremental export period to time cannot be greater than the current time : 2026-03-03T19:33:20Z"),
        (0, 899, "Difference between export period from time and export period to time is less than 15 minutes"),
        (0, 86_401, "Difference between export period from time and export period to time is greater than 24 hours"),
    ],
)  # fmt: skip
def test_a_bad_window_is_refused_before_anything_else(aws, start, end, message):
    """Also with recovery off, whose error comes last."""
    clock.set(START)
    arn = aws.table(recovery=False)
    clock.advance(100_000)
    assert refusal(incremental, aws, arn, start, end) == ("InvalidExportTimeException", message)


def test_an_incremental_export_is_refused_clearly(aws):
    """A sound request: with recovery off for that, else because it cannot be done here yet."""
    clock.set(START)
    arn = aws.table(recovery=False)
    clock.advance(3600)
    code, _ = refusal(incremental, aws, arn, 0, 1800)
    assert code == "PointInTimeRecoveryUnavailableException"
    aws.recovery("Article", on=True)
    assert refusal(incremental, aws, arn, 0, 1800) == (
        "ValidationException",
        "Invalid Request: the local AWS does not do incremental exports yet",
    )


def test_the_same_token_gives_the_same_export(aws):
    """Running and ended, completed and failed."""
    settings.configure(export_seconds=60)
    arn = aws.table()
    aws.bucket()
    for bucket, ending in (("exports", "COMPLETED"), ("nowhere", "FAILED")):
        first = aws.export(arn, ClientToken=bucket, S3Bucket=bucket)
        again = aws.export(arn, ClientToken=bucket, S3Bucket=bucket)
        assert again["ExportArn"] == first["ExportArn"]
        assert again["ExportStatus"] == "IN_PROGRESS"
        clock.advance(61)
        ended = aws.export(arn, ClientToken=bucket, S3Bucket=bucket)
        assert (ended["ExportArn"], ended["ExportStatus"]) == (first["ExportArn"], ending)
    assert len(aws.dynamodb.list_exports()["ExportSummaries"]) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"S3Prefix": "q"},
        {"S3Bucket": "other"},
        {"ExportFormat": "DYNAMODB_JSON"},
        {"S3BucketOwner": "123456789012"},
        {"S3SseAlgorithm": "AES256"},
        {"ExportType": "FULL_EXPORT"},
        {"ExportTime": START},
        {"TableArn": ARN + "Other"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_same_token_with_another_parameter_conflicts(aws, change):
    """Parameters are compared as they were sent: a default that is spelt out is another one."""
    clock.set(START)
    arn = aws.table()
    aws.table("Other")
    clock.advance(60)
    aws.bucket()
    aws.export(arn, ClientToken="t", S3Prefix="p")
    parameters = {"S3Prefix": "p", "TableArn": arn, "S3Bucket": "exports", **change}
    assert refusal(aws.dynamodb.export_table_to_point_in_time, ClientToken="t", **parameters) == (
        "ExportConflictException",
        "Export conflict: Duplicate request detected with conflicting parameters",
    )


def test_a_token_lasts_eight_hours_from_the_end_of_its_export(aws):
    """After that the same request starts another export."""
    settings.configure(export_seconds=600)
    arn = aws.table()
    aws.bucket()
    first = aws.export(arn, ClientToken="t")["ExportArn"]
    clock.advance(8 * 3600 + 590)
    assert aws.export(arn, ClientToken="t")["ExportArn"] == first
    clock.advance(11)
    assert aws.export(arn, ClientToken="t")["ExportArn"] != first


def test_a_refused_request_does_not_use_up_its_token(aws):
    """The corrected request starts an export under it."""
    arn = aws.table()
    aws.bucket()
    assert refusal(aws.export, arn, ClientToken="t", S3Bucket="")[0] == "ValidationException"
    moment = clock.now() + timedelta(days=1)
    code, _ = refusal(aws.export, arn, ClientToken="t", ExportTime=moment)
    assert code == "InvalidExportTimeException"
    assert aws.export(arn, ClientToken="t")["ClientToken"] == "t"


def test_a_token_replayed_after_the_table_is_gone_finds_no_table(aws):
    """The table is looked up before the token."""
    arn = aws.table()
    aws.bucket()
    aws.export(arn, ClientToken="t")
    aws.dynamodb.delete_table(TableName="Article")
    assert refusal(aws.export, arn, ClientToken="t")[0] == "TableNotFoundException"


def test_two_requests_without_a_token_are_two_exports(unchecked, in_process):
    """The answer names the token that was made up."""
    arn = in_process.table()
    in_process.bucket()
    exports = [
        in_process.backend.start_export({"TableArn": arn, "S3Bucket": "exports"}) for _ in range(2)
    ]
    assert len({export["ExportArn"] for export in exports}) == 2
    assert len({export["ClientToken"] for export in exports}) == 2


@pytest.mark.parametrize(
    ("arn", "code", "message"),
    [
        ("arn:aws:dynamodb:us-east-1:123456789012:table/Article", "ValidationException", "Invalid Export ARN"),
        ("not-an-arn-but-long-enough-to-pass-the-length", "ValidationException", "Invalid Export ARN"),
        (ARN + "Article/export/01767225600000-0a1b2c3d", "ExportNotFoundException", f"Export not found: Export not found: {ARN}Article/export/01767225600000-0a1b2c3d"),
        ("arn:aws:dynamodb:eu-west-1:123456789012:table/Article/export/01767225600000-0a1b2c3d", "ExportNotFoundException", "Export not found: Invalid export arn"),
        ("arn:aws:dynamodb:us-east-1:999999999999:table/Article/export/01767225600000-0a1b2c3d", "AccessDeniedException", "Access is denied"),
        ("arn:odd:s3:nowhere-1:999999999999:bucket/whatever", "AccessDeniedException", "Access is denied"),
    ],
)  # fmt: skip
def test_an_export_arn_that_is_none_of_ours_is_refused(aws, arn, code, message):
    """Another account is denied first, whatever the rest looks like."""
    assert refusal(aws.describe, arn) == (code, message)
