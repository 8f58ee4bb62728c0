"""What a FAILED export tells the person who reads it."""

import pytest

from ddb_assets.core.waiting.failures import enable_pitr, remedy_for_failure
from ddb_assets.errors import ExportFailedError, ExportInterruptedError


def test_a_missing_bucket_is_named_with_the_call_that_creates_it():
    """S3NoSuchBucket: somebody has to create the bucket first."""
    error, remedy = remedy_for_failure(
        "S3NoSuchBucket", "The specified bucket does not exist", bucket="lost"
    )
    assert error is ExportFailedError
    assert "create-bucket --bucket lost" in remedy


def test_a_denied_bucket_lists_the_three_actions_dynamodb_needs():
    """S3AccessDenied: the caller's rights on the bucket are missing."""
    error, remedy = remedy_for_failure("S3AccessDenied", "Access Denied", bucket="b")
    assert error is ExportFailedError
    for part in ("s3:PutObject,", "s3:PutObjectAcl", "s3:AbortMultipartUpload", ":s3:::b/*"):
        assert part in remedy


def test_a_missing_key_is_named():
    """KmsNotFoundException: the key must be in the bucket's region."""
    error, remedy = remedy_for_failure(
        "KmsNotFoundException", None, bucket="b", kms_key_id="alias/gone"
    )
    assert error is ExportFailedError
    assert "alias/gone" in remedy
    assert "region of the bucket b" in remedy


def test_without_a_named_key_the_remedy_speaks_of_the_bucket_s():
    """A bucket may have a default key the declaration never mentions."""
    _, remedy = remedy_for_failure("KmsAccessDeniedException", None, bucket="b")
    assert "the bucket's KMS key" in remedy
    assert "kms:GenerateDataKey" in remedy


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InternalServerError", None),
        ("S3Whatever", "We encountered an internal error (Service: Amazon S3; Status Code: 500;"),
        ("S3SlowDown", "Reduce your rate (Service: Amazon S3; Status Code: 503; …)"),
        (None, None),
    ],
)
def test_what_aws_did_itself_may_be_tried_again(code, message):
    """Nobody has to mend anything: a new export may succeed."""
    assert remedy_for_failure(code, message, bucket="b")[0] is ExportInterruptedError


def test_an_unknown_code_is_judged_by_its_message():
    """A 403 of KMS under a name never seen still names the KMS actions."""
    error, remedy = remedy_for_failure(
        "Odd", "refused (Service: AWSKMS; Status Code: 403; …)", bucket="b", kms_key_id="k"
    )
    assert error is ExportFailedError
    assert "kms:Decrypt" in remedy


def test_an_unknown_code_without_a_hint_needs_a_person():
    """What nobody has seen before is not paid for twice."""
    assert remedy_for_failure("Odd", "odd", bucket="b")[0] is ExportFailedError


def test_the_call_that_enables_pitr_can_be_pasted():
    """Table and region are in it."""
    assert enable_pitr("legacy.Users", "eu-west-1") == (
        "aws dynamodb update-continuous-backups --table-name legacy.Users "
        "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true --region eu-west-1"
    )
