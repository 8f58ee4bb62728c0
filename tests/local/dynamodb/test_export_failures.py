"""Why exports fail, are refused or are throttled: buckets, owners, policies, keys, limits."""

import json

import pytest
from botocore.exceptions import ClientError

from ddb_assets.local import clock, settings
from ddb_assets.local.faults import EXPORT_JOB, Fault


def code_of(refused):
    """The error's code."""
    return refused.value.response["Error"]["Code"]


def test_a_missing_bucket_is_accepted_and_fails_almost_at_once(aws):
    """FAILED within seconds, however long exports take, with S3's code and words."""
    settings.configure(export_seconds=300)
    arn = aws.table()
    export = aws.export(arn, S3Bucket="nowhere")
    assert export["ExportStatus"] == "IN_PROGRESS"
    clock.advance(2)
    failed = aws.describe(export)
    assert failed["ExportStatus"] == "FAILED"
    assert failed["FailureCode"] == "S3NoSuchBucket"
    assert "bucket does not exist (Service: Amazon S3; Status Code: 404" in failed["FailureMessage"]
    assert not {"ItemCount", "ExportManifest"} & set(failed)
    assert failed["EndTime"]


def test_a_bucket_deleted_meanwhile_fails_the_export(aws):
    """The bucket is looked at again when the files are written."""
    settings.configure(export_seconds=60)
    arn = aws.table()
    aws.bucket()
    export = aws.export(arn)
    for key in aws.objects():
        aws.s3.delete_object(Bucket="exports", Key=key)
    aws.s3.delete_bucket(Bucket="exports")
    clock.advance(61)
    assert aws.describe(export)["FailureCode"] == "S3NoSuchBucket"


@pytest.mark.parametrize("owner", [None, "123456789012"])
def test_a_foreign_bucket_needs_its_owner(aws, owner):
    """Another account's bucket without the right S3BucketOwner: S3AccessDenied."""
    aws.client("s3", account="999999999999").create_bucket(Bucket="theirs")
    arn = aws.table()
    more = {"S3BucketOwner": owner} if owner else {}
    export = aws.export(arn, S3Bucket="theirs", **more)
    clock.advance(2)
    failed = aws.describe(export)
    assert (failed["ExportStatus"], failed["FailureCode"]) == ("FAILED", "S3AccessDenied")


def test_a_foreign_bucket_with_its_owner_is_written(aws):
    """The objects lie in the owner's bucket."""
    theirs = aws.client("s3", account="999999999999")
    theirs.create_bucket(Bucket="theirs")
    arn = aws.table()
    export = aws.export(arn, S3Bucket="theirs", S3BucketOwner="999999999999")
    assert aws.describe(export)["ExportStatus"] == "COMPLETED"
    assert theirs.list_objects_v2(Bucket="theirs")["KeyCount"] == 9


def test_the_own_bucket_under_another_owner_is_denied(aws):
    """S3BucketOwner must be the bucket's."""
    arn = aws.table()
    aws.bucket()
    export = aws.export(arn, S3BucketOwner="999999999999")
    clock.advance(2)
    assert aws.describe(export)["FailureCode"] == "S3AccessDenied"


def test_a_policy_that_denies_is_obeyed(aws):
    """A bucket policy against PutObject fails the export."""
    arn = aws.table()
    aws.bucket()
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::exports/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    aws.s3.put_bucket_policy(Bucket="exports", Policy=json.dumps(policy))
    export = aws.export(arn)
    clock.advance(2)
    assert aws.describe(export)["FailureCode"] == "S3AccessDenied"


def test_a_key_encrypts_every_object(aws):
    """S3SseAlgorithm and key id reach the objects, the description and the summary."""
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    arn = aws.table()
    aws.bucket()
    export = aws.export(arn, S3SseAlgorithm="KMS", S3SseKmsKeyId=key)
    described = aws.describe(export)
    assert (described["S3SseAlgorithm"], described["S3SseKmsKeyId"]) == ("KMS", key)
    summary = json.loads(aws.read("exports", described["ExportManifest"]))
    assert (summary["s3SseAlgorithm"], summary["s3SseKmsKeyId"]) == ("KMS", key)
    for name in aws.objects():
        head = aws.s3.head_object(Bucket="exports", Key=name)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


@pytest.mark.parametrize(
    "key",
    [
        "alias/none",
        "00000000-0000-0000-0000-000000000000",
        "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000",
        "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000",
    ],
)
def test_an_unknown_key_fails_the_export(aws, key):
    """KmsNotFoundException, by id, alias and ARN."""
    arn = aws.table()
    aws.bucket()
    export = aws.export(arn, S3SseAlgorithm="KMS", S3SseKmsKeyId=key)
    clock.advance(2)
    assert aws.describe(export)["FailureCode"] == "KmsNotFoundException"


def test_an_ordered_fault_fails_the_next_export_only(aws):
    """With the code and message that were ordered; the one after it completes."""
    arn = aws.table()
    aws.bucket()
    aws.backend.faults.add(Fault(EXPORT_JOB, "S3NoSuchKey", "on order"))
    first, second = aws.export(arn), aws.export(arn)
    clock.advance(2)
    failed = aws.describe(first)
    assert (failed["FailureCode"], failed["FailureMessage"]) == ("S3NoSuchKey", "on order")
    assert aws.describe(second)["ExportStatus"] == "COMPLETED"


def test_throttling_comes_by_order_only(aws):
    """A fault by operation answers one call with its code, then all is well."""
    arn = aws.table()
    aws.bucket()
    export = aws.export(arn)
    aws.backend.faults.add(Fault("DescribeExport", "ThrottlingException", "Rate exceeded"))
    with pytest.raises(ClientError) as refused:
        aws.describe(export)
    assert code_of(refused) == "ThrottlingException"
    assert aws.describe(export)["ExportStatus"] == "COMPLETED"


def test_the_limit_of_exports_in_flight(aws):
    """One too many is LimitExceededException; a place is free again once one has ended."""
    settings.configure(export_seconds=300, max_exports_in_flight=3)
    arn = aws.table()
    aws.bucket()
    for _ in range(3):
        aws.export(arn)
    with pytest.raises(ClientError) as refused:
        aws.export(arn)
    assert code_of(refused) == "LimitExceededException"
    clock.advance(301)
    assert aws.export(arn)["ExportStatus"] == "IN_PROGRESS"
