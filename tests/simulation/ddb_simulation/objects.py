"""S3 as far as exports need it: objects with the ETags real exports have."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from ddb_assets.core.ports import StoredObject
from ddb_assets.errors import (
    ExportObjectsGoneError,
    ManifestMissingError,
    RequestInvalidError,
)


def md5_base64(content: bytes) -> str:
    """What the manifests call md5Checksum."""
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def multipart_etag(content: bytes) -> str:
    """ETag of a one-part multipart upload: what exports write (aws-contract, section 4)."""
    return hashlib.md5(hashlib.md5(content).digest()).hexdigest() + "-1"


@dataclass(frozen=True)
class S3Object:
    """Bytes, and the ETag S3 lists for them."""

    content: bytes
    etag: str


class S3:
    """Buckets and objects. `changes` counts every put and delete, for whoever caches."""

    def __init__(self) -> None:
        self.buckets: set[str] = set()
        self.stored: dict[tuple[str, str], S3Object] = {}
        self.changes = 0

    def put(self, bucket: str, key: str, content: bytes, etag: str | None = None) -> None:
        """Store an object, with another ETag than its bytes have if one is given."""
        self.stored[bucket, key] = S3Object(content, etag or multipart_etag(content))
        self.changes += 1

    def read(self, bucket: str, key: str) -> bytes:
        """A whole object, as the port promises it."""
        self._need(bucket)
        found = self.stored.get((bucket, key))
        if found is None:
            raise ManifestMissingError(
                f"s3://{bucket}/{key} is not there", code="NoSuchKey", remedy="Wait a little."
            )
        return found.content

    def open(self, bucket: str, key: str) -> bytes:
        """A data object, as the port promises it."""
        self._need(bucket)
        found = self.stored.get((bucket, key))
        if found is None:
            raise ExportObjectsGoneError(
                f"s3://{bucket}/{key} is gone", code="NoSuchKey", remedy="Export the table again."
            )
        return found.content

    def list(self, bucket: str, prefix: str) -> list[StoredObject]:
        """What lies under a prefix, in key order."""
        self._need(bucket)
        return [
            StoredObject(key, len(found.content), found.etag)
            for (where, key), found in sorted(self.stored.items(), key=lambda entry: entry[0])
            if where == bucket and key.startswith(prefix)
        ]

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        """Delete keys; absent ones are no error."""
        self._need(bucket)
        for key in keys:
            if self.stored.pop((bucket, key), None) is not None:
                self.changes += 1

    def drop_bucket(self, bucket: str) -> None:
        """Somebody deletes the bucket with everything in it."""
        self.buckets.discard(bucket)
        for where, key in list(self.stored):
            if where == bucket:
                del self.stored[where, key]
        self.changes += 1

    def _need(self, bucket: str) -> None:
        if bucket not in self.buckets:
            raise RequestInvalidError(
                f"the bucket {bucket} does not exist",
                code="NoSuchBucket",
                remedy=f"Create it: aws s3 mb s3://{bucket}",
            )
