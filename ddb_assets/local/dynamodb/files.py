"""The bytes of an export: data files and manifests, as found in real exports.

Field orders, checksums and names are those of exports that AWS made; nothing here does any I/O.
"""

import base64
import hashlib
import secrets
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from ddb_assets.local import clock
from ddb_assets.local.dynamodb.journal import Key, dump

#: What DynamoDB (Java's GZIPOutputStream) starts a file with: no name, no time, unknown system.
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_GZIP_LEVEL = 6
_NAME_LENGTH = 26
_MANIFEST_VERSION = "2020-06-30"


@dataclass(frozen=True)
class DataFile:
    """One data file and what the manifest says of it."""

    name: str
    body: bytes
    item_count: int

    @property
    def etag(self) -> str:
        """That of a multipart upload of one part: the MD5 of the MD5."""
        return hashlib.md5(hashlib.md5(self.body).digest()).hexdigest() + "-1"


def compress(data: bytes) -> bytes:
    """Gzip as DynamoDB writes it; the empty file is 20 bytes, byte for byte that of AWS."""
    deflate = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    trailer = struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    return _GZIP_HEADER + deflate.compress(data) + deflate.flush() + trailer


def checksum(body: bytes) -> str:
    """The MD5 as manifests and .md5 files have it: base64."""
    return base64.b64encode(hashlib.md5(body).digest()).decode("ascii")


def partition_of(key: Key, partitions: int) -> int:
    """The partition an item lies in: one partition key, one partition, one file."""
    return int.from_bytes(hashlib.md5(key[0].encode()).digest()[:4], "big") % partitions


def data_files(items: Iterable[tuple[Key, bytes]], partitions: int) -> list[DataFile]:
    """One file per partition, empty ones as well.

    Args:
        items: Stored keys and images.
        partitions: How many partitions the table has.
    """
    lines: list[list[bytes]] = [[] for _ in range(partitions)]
    for key, image in items:
        lines[partition_of(key, partitions)].append(b'{"Item":' + image + b"}\n")
    return [
        DataFile(f"{_random_name()}.json.gz", compress(b"".join(part)), len(part)) for part in lines
    ]


def manifest_files(files: Iterable[DataFile], folder: str) -> bytes:
    """manifest-files.json: a JSON object per data file and line.

    Args:
        files: The data files.
        folder: Where they lie, from the root of the bucket, with a slash at the end.
    """
    return b"".join(
        dump(
            {
                "itemCount": file.item_count,
                "md5Checksum": checksum(file.body),
                "etag": file.etag,
                "dataFileS3Key": folder + file.name,
            }
        ).encode()
        + b"\n"
        for file in files
    )


@dataclass(frozen=True)
class Summary:
    """The values of manifest-summary.json of a full export. Times are microseconds."""

    export_arn: str
    start_micros: int
    end_micros: int
    table_arn: str
    table_id: str
    export_micros: int
    bucket: str
    prefix: str | None
    encryption: str
    kms_key: str | None
    manifest_files_key: str
    billed_size_bytes: int
    item_count: int
    data_format: str

    def body(self) -> bytes:
        """The file: one compact object, no newline at its end."""
        return dump(
            {
                "version": _MANIFEST_VERSION,
                "exportArn": self.export_arn,
                "startTime": iso(self.start_micros),
                "endTime": iso(self.end_micros),
                "tableArn": self.table_arn,
                "tableId": self.table_id,
                "exportTime": iso(self.export_micros),
                "s3Bucket": self.bucket,
                "s3Prefix": self.prefix,
                "s3SseAlgorithm": self.encryption,
                "s3SseKmsKeyId": self.kms_key,
                "manifestFilesS3Key": self.manifest_files_key,
                "billedSizeBytes": self.billed_size_bytes,
                "itemCount": self.item_count,
                "outputFormat": self.data_format,
            }
        ).encode()


def iso(micros: int) -> str:
    """A time as manifests write it: UTC, with milliseconds and a Z."""
    moment = clock.from_micros(micros)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _random_name() -> str:
    return base64.b32encode(secrets.token_bytes(17)).decode("ascii").lower()[:_NAME_LENGTH]
