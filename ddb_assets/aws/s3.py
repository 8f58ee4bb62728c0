"""S3: manifests, data files and listings of exports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ddb_assets.aws.errors import refused, translated
from ddb_assets.aws.subject import Subject
from ddb_assets.core.ports import StoredObject
from ddb_assets.core.spec import SseAlgorithm
from ddb_assets.errors import (
    DdbAssetsError,
    ExportObjectsGoneError,
    ManifestMissingError,
    ServiceUnavailableError,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# AWS page DeleteObjects: at most 1,000 keys a request.
DELETE_BATCH = 1000
# API page PutObject: what S3SseAlgorithm of an export is called there.
_ENCRYPTIONS: dict[SseAlgorithm, str] = {"AES256": "AES256", "KMS": "aws:kms"}
# A connection that breaks inside a large object is picked up where it broke, this many times
# without one byte of progress in between; the SDK itself only retries up to the first byte.
RESUMES = 3


class S3Gateway:
    """`core.ports.ObjectStore` over boto3.

    Attributes:
        owners: Account id per bucket; sent as ExpectedBucketOwner, so that a bucket of that name
            in somebody else's account is refused instead of read.
    """

    def __init__(
        self, client: Callable[[], S3Client], owners: Mapping[str, str] | None = None
    ) -> None:
        """Make the gateway; the client is asked for at each call and may be made then."""
        self._client = client
        self.owners = dict(owners or {})

    def read(self, bucket: str, key: str) -> bytes:
        """The whole object. Raises ManifestMissingError when there is none."""
        try:
            return b"".join(self.stream(bucket, key))
        except ExportObjectsGoneError as error:
            if error.code not in {"NoSuchKey", "404"}:
                raise
            raise ManifestMissingError(
                error.cause,
                code=error.code,
                remedy="it is written at the end of the export; it will be looked for again",
                **error.details,
            ) from error

    def stream(self, bucket: str, key: str, chunk_bytes: int = 1 << 20) -> Iterator[bytes]:
        """The object piece by piece; a broken connection is resumed where it broke.

        Raises:
            ExportObjectsGoneError: There is no such object or bucket, it is archived, or it was
                replaced between two pieces.
        """
        subject = Subject(bucket=bucket, key=key)
        request: dict[str, Any] = {"Bucket": bucket, "Key": key, **self._owner(bucket)}
        position, breaks = 0, 0
        while True:
            with translated(subject):
                answer: Any = self._client().get_object(**request)
            body = answer["Body"]
            try:
                while True:
                    with translated(subject):
                        piece: bytes = body.read(chunk_bytes)
                    if not piece:
                        return
                    yield piece
                    position, breaks = position + len(piece), 0
            except ServiceUnavailableError as error:
                breaks += 1
                # A wrong checksum is no broken connection: what was handed out is wrong.
                if breaks > RESUMES or "Checksum" in (error.code or ""):
                    raise
                request["IfMatch"] = answer["ETag"]
                if position:
                    request["Range"] = f"bytes={position}-"
            finally:
                body.close()

    def tail(self, bucket: str, key: str, count: int) -> bytes:
        """The last `count` bytes of an object that has some, or all of them if it has fewer.

        Raises:
            ExportObjectsGoneError: There is no such object or bucket, or it is archived.
        """
        with translated(Subject(bucket=bucket, key=key)):
            answer: Any = self._client().get_object(
                Bucket=bucket, Key=key, Range=f"bytes=-{count}", **self._owner(bucket)
            )
            return answer["Body"].read()

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Every object whose key begins with the prefix; a thousand per call, as they are read."""
        subject = Subject(bucket=bucket, key=prefix)
        with translated(subject):
            pages = iter(
                self._client()
                .get_paginator("list_objects_v2")
                .paginate(Bucket=bucket, Prefix=prefix, **self._owner(bucket))
            )
        while True:
            with translated(subject):
                page: Any = next(pages, None)
            if page is None:
                return
            for found in page.get("Contents", ()):
                yield StoredObject(found["Key"], found["Size"], found["ETag"].strip('"'))

    def write(
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        sse_algorithm: SseAlgorithm | None = None,
        kms_key_id: str | None = None,
    ) -> None:
        """Put a small object there, in place of what was.

        In somebody else's bucket its owner gets all rights to it, as with an export's own objects.
        """
        request: dict[str, Any] = {"Bucket": bucket, "Key": key, "Body": body}
        if sse_algorithm is not None:
            request["ServerSideEncryption"] = _ENCRYPTIONS[sse_algorithm]
        if kms_key_id is not None:
            request["SSEKMSKeyId"] = kms_key_id
        if owner := self._owner(bucket):
            request |= {**owner, "ACL": "bucket-owner-full-control"}
        with translated(Subject(bucket=bucket, key=key)):
            self._client().put_object(ContentType="application/json", **request)

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        """Delete these keys; a key that is not there is no error.

        Every batch is tried. What could not be deleted is in the error's details (`keys`).
        """
        failed: list[dict[str, Any]] = []
        for start in range(0, len(keys), DELETE_BATCH):
            batch = keys[start : start + DELETE_BATCH]
            objects: Any = {"Objects": [{"Key": key} for key in batch], "Quiet": True}
            with translated(Subject(bucket=bucket)):
                answer: Any = self._client().delete_objects(
                    Bucket=bucket, Delete=objects, **self._owner(bucket)
                )
            failed += [e for e in answer.get("Errors", ()) if e.get("Code") != "NoSuchKey"]
        if failed:
            raise _not_deleted(bucket, failed, len(keys))

    def _owner(self, bucket: str) -> dict[str, Any]:
        owner = self.owners.get(bucket)
        return {"ExpectedBucketOwner": owner} if owner else {}


def _not_deleted(bucket: str, failed: Sequence[Mapping[str, Any]], asked: int) -> DdbAssetsError:
    first = failed[0]
    error = refused(
        str(first.get("Code") or "Unknown"),
        str(first.get("Message") or ""),
        "DeleteObjects",
        Subject(bucket=bucket, key=first.get("Key")),
    )
    error.details["reason"] = error.cause
    error.details["keys"] = tuple(str(each.get("Key")) for each in failed)
    error.cause = f"{len(failed)} of {asked} objects in {bucket} were not deleted: {error.cause}"
    return error
