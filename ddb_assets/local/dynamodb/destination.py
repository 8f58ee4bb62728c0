"""The bucket an export is written to: whether it can be, and the writing."""

import secrets
from dataclasses import dataclass
from typing import Any, cast

from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import MissingBucket
from moto.s3.models import S3Backend, s3_backends

from ddb_assets.local.dynamodb.requests import KMS, ExportRequest
from ddb_assets.local.plumbing import require_members

require_members(S3Backend, "put_object", "get_bucket", "create_bucket")
require_members(s3_backends, "bucket_accounts")


class DestinationError(Exception):
    """S3 or KMS refuses the export: it ends FAILED with this code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Destination:
    """A bucket that takes the objects of one export.

    Attributes:
        bucket: The bucket's name.
        encryption: As S3 names it: AES256 or aws:kms.
        kms_key: The key, if one was asked for.
        account: The bucket's account.
        partition: The bucket's AWS partition.
    """

    bucket: str
    encryption: str
    kms_key: str | None
    account: str
    partition: str

    @classmethod
    def open(cls, request: ExportRequest) -> "Destination":
        """Find the bucket and see whether the export may write there.

        Without an owner in the request the bucket must be the caller's own (AWS docs). A bucket
        policy that denies is obeyed; policies that allow are not asked for.

        Raises:
            DestinationError: No such bucket or key, or no right to write.
        """
        place = s3_backends.bucket_accounts.get(request.bucket)
        if place is None:
            raise _no_such_bucket()
        partition, account = place
        if request.sent.get("S3BucketOwner", request.table.account) != account:
            raise _access_denied()
        try:
            bucket = cast("Any", s3_backends[account][partition].get_bucket(request.bucket))
        except MissingBucket as cause:
            raise _no_such_bucket() from cause
        resource = f"arn:{partition}:s3:::{request.bucket}/{request.prefix}AWSDynamoDB/"
        if bucket.get_permission("s3:PutObject", resource) == PermissionResult.DENIED:
            raise _access_denied()
        if request.kms_key is not None:
            _require_key(request.kms_key, account, bucket.region_name)
        encryption = "aws:kms" if request.encryption == KMS else request.encryption
        return cls(request.bucket, encryption, request.kms_key, account, partition)

    def put(self, key: str, body: bytes, *, etag: str | None = None) -> None:
        """Write one object.

        Args:
            key: The object's key.
            body: Its bytes.
            etag: Its ETag, if it is not the MD5 of the bytes.

        Raises:
            DestinationError: The bucket is gone.
        """
        try:
            s3_backends[self.account][self.partition].put_object(
                bucket_name=self.bucket,
                key_name=key,
                value=body,
                etag=etag,
                encryption=self.encryption,
                kms_key_id=self.kms_key,
            )
        except MissingBucket as cause:
            raise _no_such_bucket() from cause


def _require_key(key: str, account: str, region: str) -> None:
    from moto.kms.models import kms_backends  # noqa: PLC0415 - only exports with a key need KMS

    owner, place = account, region
    if key.startswith("arn:"):
        parts = key.split(":", 5)
        owner, place = parts[4] or account, parts[3] or region
    backend = kms_backends[owner][place]
    alias = backend.get_alias_name(key)
    named = alias.startswith("alias/")
    found = backend.get_key_id_from_alias(alias) if named else backend.get_key_id(key)
    if place != region or not found or found not in backend.keys:
        raise DestinationError(
            "KmsNotFoundException",
            f"Key '{key}' does not exist {_service(400, 'KMS.NotFoundException')}",
        )


def _no_such_bucket() -> DestinationError:
    return DestinationError(
        "S3NoSuchBucket", f"The specified bucket does not exist {_service(404, 'NoSuchBucket')}"
    )


def _access_denied() -> DestinationError:
    return DestinationError("S3AccessDenied", f"Access Denied {_service(403, 'AccessDenied')}")


def _service(status: int, code: str) -> str:
    """How the SDK inside DynamoDB ends S3's messages."""
    return (
        f"(Service: Amazon S3; Status Code: {status}; Error Code: {code}; "
        f"Request ID: {secrets.token_hex(8).upper()}; Proxy: null)"
    )
