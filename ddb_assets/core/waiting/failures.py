"""Why AWS ended an export as FAILED, and what a person does about it.

AWS documents no list of FailureCodes. Three have been seen (S3NoSuchBucket, S3AccessDenied,
KmsNotFoundException); the others here are the names the same causes have elsewhere in S3 and KMS.
What is not known is judged by the S3 or KMS status in the message.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from ddb_assets.errors import DdbAssetsError, ExportFailedError, ExportInterruptedError

# DynamoDB writes with the caller's rights (AWS page S3DataExport_Requesting).
EXPORT_S3_ACTIONS = ("s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload")
EXPORT_KMS_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")

_SERVER_SIDE = re.compile(r"Status Code: 5\d\d")
_REFUSED = re.compile(r"Status Code: 403|access ?denied|not authorized", re.IGNORECASE)


@dataclass(frozen=True)
class _Place:
    """Where the export was to be written."""

    bucket: str
    kms_key_id: str | None

    @property
    def key(self) -> str:
        return f"the KMS key {self.kms_key_id}" if self.kms_key_id else "the bucket's KMS key"


def enable_pitr(table: str, region: str | None = None) -> str:
    """The exact call that switches point-in-time recovery on."""
    where = f" --region {region}" if region else ""
    return (
        f"aws dynamodb update-continuous-backups --table-name {table} "
        f"--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true{where}"
    )


def remedy_for_failure(
    code: str | None, message: str | None, *, bucket: str, kms_key_id: str | None = None
) -> tuple[type[DdbAssetsError], str]:
    """Judge a FAILED export: the error to raise and what to do.

    Args:
        code: DescribeExport's FailureCode.
        message: Its FailureMessage; such texts end in `(Service: …; Status Code: 404; …)`.
        bucket: The bucket the export was to be written to.
        kms_key_id: The key it was to be encrypted with, if one was named.

    Returns:
        ExportFailedError where somebody has to mend something first, ExportInterruptedError where
        a new export may simply succeed.
    """
    place = _Place(bucket, kms_key_id)
    known = _REMEDIES.get((code or "").lower())
    if known:
        return ExportFailedError, known(place)
    if (code or "").lower() in _INTERRUPTED or _SERVER_SIDE.search(message or ""):
        return ExportInterruptedError, "AWS failed on its own side; a new export may succeed"
    if _REFUSED.search(f"{code} {message}"):
        refused = _kms_denied if "kms" in f"{code} {message}".lower() else _s3_denied
        return ExportFailedError, refused(place)
    if code is None:
        return ExportInterruptedError, "AWS gave no reason; a new export may succeed"
    return (
        ExportFailedError,
        f"look the code up, check the bucket {bucket} and its policy, then refresh the table again",
    )


def _no_bucket(place: _Place) -> str:
    return (
        f"create the bucket (aws s3api create-bucket --bucket {place.bucket} …) or correct its "
        "name in the declaration, then refresh the table again"
    )


def _s3_denied(place: _Place) -> str:
    return (
        f"allow {', '.join(EXPORT_S3_ACTIONS)} on arn:aws:s3:::{place.bucket}/* to the role that "
        "starts the export, in its IAM policy and (for a bucket of another account) in the "
        "bucket's policy; bucket_owner must be the account that owns the bucket"
    )


def _kms_missing(place: _Place) -> str:
    return (
        f"{place.key} was not found: it must exist in the region of the bucket {place.bucket}; "
        "name it by its ARN in kms_key_id"
    )


def _kms_denied(place: _Place) -> str:
    return (
        f"allow {' and '.join(EXPORT_KMS_ACTIONS)} on {place.key} to the role that starts the "
        "export, in its IAM policy and in the key's policy"
    )


def _kms_unusable(place: _Place) -> str:
    return f"enable {place.key}, or name another one in kms_key_id"


_REMEDIES: dict[str, Callable[[_Place], str]] = {
    "s3nosuchbucket": _no_bucket,
    "nosuchbucket": _no_bucket,
    "s3accessdenied": _s3_denied,
    "accessdenied": _s3_denied,
    "allaccessdisabled": _s3_denied,
    "kmsnotfoundexception": _kms_missing,
    "kms.notfoundexception": _kms_missing,
    "notfoundexception": _kms_missing,
    "kmsaccessdeniedexception": _kms_denied,
    "kmsaccessdenied": _kms_denied,
    "kmsdisabledexception": _kms_unusable,
    "kms.disabledexception": _kms_unusable,
    "kmsinvalidstateexception": _kms_unusable,
    "kms.invalidstateexception": _kms_unusable,
}

_INTERRUPTED = frozenset(
    {
        "internalerror",
        "internalfailure",
        "internalservererror",
        "s3internalerror",
        "s3slowdown",
        "serviceunavailable",
        "slowdown",
        "unknown",
        "unknown_error",
    }
)
