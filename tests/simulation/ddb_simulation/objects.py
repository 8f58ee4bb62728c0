"""S3 as far as exports need it: objects with the ETags real exports have."""

import base64
import hashlib
from collections import Counter
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


def folder_of(key: str) -> str:
    """The export's folder a key lies in (`…AWSDynamoDB/ID/`); empty for any other key."""
    before, found, after = key.partition("AWSDynamoDB/")
    return f"{before}{found}{after.partition('/')[0]}/" if found and "/" in after else ""


class S3:
    """Buckets and objects, kept by export folder.

    Attributes:
        changes: Number of puts and deletes so far, for whoever caches.
        changed: The same for each folder.
    """

    def __init__(self) -> None:
        self.buckets: set[str] = set()
        self.folders: dict[tuple[str, str], dict[str, S3Object]] = {}
        self.changes = 0
        self.changed: Counter[tuple[str, str]] = Counter()

    def put(self, bucket: str, key: str, content: bytes, etag: str | None = None) -> None:
        """Store an object, with another ETag than its bytes have if one is given."""
        folder = (bucket, folder_of(key))
        self.folders.setdefault(folder, {})[key] = S3Object(
            content, etag or multipart_etag(content)
        )
        self._change(folder)

    def read(self, bucket: str, key: str) -> bytes:
        """A whole object, as the port promises it."""
        self._need(bucket)
        found = self.folders.get((bucket, folder_of(key)), {}).get(key)
        if found is None:
            raise ManifestMissingError(
                f"s3://{bucket}/{key} is not there", code="NoSuchKey", remedy="Wait a little."
            )
        return found.content

    def open(self, bucket: str, key: str) -> bytes:
        """A data object, as the port promises it."""
        self._need(bucket)
        found = self.folders.get((bucket, folder_of(key)), {}).get(key)
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
            for key, found in sorted(self.under(bucket, prefix).items())
        ]

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        """Delete keys; absent ones are no error."""
        self._need(bucket)
        for key in keys:
            folder = (bucket, folder_of(key))
            if self.folders.get(folder, {}).pop(key, None) is not None:
                self._change(folder)

    def drop_bucket(self, bucket: str) -> None:
        """Somebody deletes the bucket with everything in it."""
        self.buckets.discard(bucket)
        for folder in [folder for folder in self.folders if folder[0] == bucket]:
            del self.folders[folder]
            self._change(folder)

    def under(self, bucket: str, prefix: str) -> dict[str, S3Object]:
        """Every object below a prefix."""
        if folder := folder_of(prefix):
            folders = [self.folders.get((bucket, folder), {})]
        else:
            folders = [objects for (where, _), objects in self.folders.items() if where == bucket]
        return {
            key: stored
            for objects in folders
            for key, stored in objects.items()
            if key.startswith(prefix)
        }

    def _change(self, folder: tuple[str, str]) -> None:
        self.changes += 1
        self.changed[folder] += 1

    def _need(self, bucket: str) -> None:
        if bucket not in self.buckets:
            raise RequestInvalidError(
                f"the bucket {bucket} does not exist",
                code="NoSuchBucket",
                remedy=f"Create it: aws s3 mb s3://{bucket}",
            )
