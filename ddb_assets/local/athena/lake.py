"""The objects in S3 as the query engine sees them, straight from moto's backend in the process."""

import bz2
import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.s3.models import s3_backends

from ddb_assets.local.athena.errors import QueryFailedError, unsupported
from ddb_assets.local.hive.errors import ReadError

_URI = re.compile(r"s3[an]?://([^/]+)/?(.*)\Z", re.DOTALL)
#: Codecs Hive finds by a file's suffix and that are not read here.
_OTHER_CODECS = (".zst", ".snappy", ".lzo", ".lz4", ".deflate", ".zip", ".xz")


@dataclass(frozen=True)
class StoredObject:
    """One object, and the bytes it had when it was listed.

    Attributes:
        bucket: Its bucket.
        key: Its key.
        etag: Its entity tag, without quotes.
        size: Its size in bytes.
    """

    bucket: str
    key: str
    etag: str
    size: int
    _stored: Any

    @property
    def uri(self) -> str:
        """As `"$path"` shows it."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def fingerprint(self) -> str:
        """Names the content."""
        return f"{self.uri} {self.etag} {self.size}"

    def body(self) -> bytes:
        """The bytes as stored."""
        return self._stored.value

    def lines(self) -> Iterator[bytes]:
        """The lines of a text file, uncompressed as its suffix says.

        Raises:
            ReadError: The file is damaged, or compressed in a way that is not read here.
        """
        content = _decompressed(self.key, self.body(), self.uri)
        for line in io.BytesIO(content):
            yield line.rstrip(b"\r\n")


def _decompressed(key: str, content: bytes, uri: str) -> bytes:
    if key.endswith(_OTHER_CODECS):
        raise ReadError("LOCAL_ENGINE_UNSUPPORTED", f"the compression of {uri}")
    try:
        if key.endswith(".gz"):
            return _gunzip(content)
        return bz2.decompress(content) if key.endswith(".bz2") else content
    except (zlib.error, OSError, EOFError, ValueError) as error:
        raise ReadError("HIVE_CURSOR_ERROR", f"Failed to read file at {uri}: {error}") from error


def _gunzip(content: bytes) -> bytes:
    """Every member of a gzip file; a header's flags do not matter."""
    whole: list[bytes] = []
    while content:
        member = zlib.decompressobj(wbits=31)
        whole.append(member.decompress(content))
        if not member.eof:
            raise EOFError("unexpected end of gzip file")
        content = member.unused_data
    return b"".join(whole)


class Lake:
    """S3 as one account of one partition reads and writes it."""

    def __init__(self, account_id: str, partition: str) -> None:
        self._account_id = account_id
        self._partition = partition

    def objects(self, location: str) -> list[StoredObject]:
        """What Athena reads at a location: every object below it, in key order.

        Keys with a segment that begins with `_` or `.` below the location are skipped, and so are
        folder markers.

        Raises:
            QueryFailedError: The location is no S3 location, or its bucket does not exist.
        """
        bucket_name, prefix = split(location)
        prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
        bucket = self._backend(bucket_name).buckets[bucket_name]
        found: list[StoredObject] = []
        for key in sorted(list(bucket.keys)):  # noqa: C414 - one step: writers go on meanwhile
            below = key[len(prefix) :]
            hidden = any(part[:1] in {"_", "."} for part in below.split("/") if part)
            stored = None
            if key.startswith(prefix) and not hidden and not key.endswith("/"):
                stored = bucket.keys.get(key)
            if stored is not None and hasattr(stored, "lock"):  # not a delete marker
                with stored.lock:
                    etag = stored.etag.strip('"')
                found.append(StoredObject(bucket_name, key, etag, stored.size, stored))
        return found

    def put(self, uri: str, body: bytes) -> None:
        """Write one object.

        Raises:
            QueryFailedError: The bucket does not exist.
        """
        bucket, key = split(uri)
        self._backend(bucket).put_object(bucket, key, body, etag=hashlib.md5(body).hexdigest())

    def has_bucket(self, uri: str) -> bool:
        """Whether the bucket of a location exists, in whatever account."""
        name, _ = split(uri)
        return self._owner(name) is not None

    def _backend(self, bucket: str) -> Any:
        backend = self._owner(bucket)
        if backend is None:
            raise QueryFailedError(
                f"HIVE_METASTORE_ERROR: The specified bucket does not exist: {bucket} "
                "(Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket)"
            )
        return backend

    def _owner(self, bucket: str) -> Any:
        backends: Any = s3_backends
        for account in [self._account_id, *list(backends)]:
            if bucket in backends[account][self._partition].buckets:
                return backends[account][self._partition]
        return None


def split(uri: str) -> tuple[str, str]:
    """Bucket and key, or bucket and prefix.

    Raises:
        QueryFailedError: It is no S3 location.
    """
    found = _URI.match(uri)
    if not found:
        raise unsupported(f"the location {uri!r}: only s3:// is read here")
    return found[1], found[2]
