"""Exports in memory, and Arrow rows back as the values boto3 makes of the same items."""

# ruff: noqa: D102 - the methods do what the protocols they implement say

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer

from ddb_assets.core.export import Export
from ddb_assets.core.ports import Gateways, StoredObject
from ddb_assets.errors import ExportNotFoundError, ExportObjectsGoneError, ManifestMissingError
from ddb_assets.reading import native

BUCKET = "ddb-exports"
EXPORT_ID = "01700000000000-a1b2c3d4"
ROOT = f"daily/AWSDynamoDB/{EXPORT_ID}/"
TABLE_ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/Article"


def _md5(body: bytes) -> bytes:
    return hashlib.md5(body).digest()


@dataclass
class StoredExport:
    """An S3 and a DynamoDB that hold one export."""

    objects: dict[str, bytes] = field(default_factory=dict)
    arn: str = f"{TABLE_ARN}/export/{EXPORT_ID}"
    location: str = f"s3://{BUCKET}/{ROOT}data/"
    streamed: list[str] = field(default_factory=list)
    kind: str = "FULL_EXPORT"
    status: str = "COMPLETED"

    @property
    def gateways(self) -> Gateways:
        return Gateways(self, self, None, None)  # type: ignore[arg-type]

    def read(self, bucket: str, key: str) -> bytes:
        if key not in self.objects:
            raise ManifestMissingError(f"no object {key}")
        return self.objects[key]

    def stream(self, bucket: str, key: str, chunk_bytes: int = 1 << 20) -> Iterator[bytes]:
        self.streamed.append(key)
        if key not in self.objects:
            raise ExportObjectsGoneError(f"no object {key}")
        body = self.objects[key]
        for start in range(0, len(body), chunk_bytes):
            yield body[start : start + chunk_bytes]

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        for key, body in sorted(self.objects.items()):
            if key.startswith(prefix):
                yield StoredObject(key, len(body), _md5(_md5(body)).hex() + "-1")

    def describe_export(self, arn: str) -> Export:
        if arn != self.arn:
            raise ExportNotFoundError("no such export")
        return Export(
            arn,
            self.status,  # type: ignore[arg-type]
            TABLE_ARN,
            "table-id",
            BUCKET,
            "daily",
            manifest_key=f"{ROOT}manifest-summary.json",
            kind=self.kind,
        )

    def write(self, files: Sequence[bytes], counts: Sequence[int] | None = None) -> None:
        """Data files with these packed bytes, and the manifests over them."""
        counts = counts or [gzip.decompress(f).count(b"\n") for f in files]
        entries: list[dict[str, Any]] = []
        for number, (body, count) in enumerate(zip(files, counts, strict=True)):
            key = f"{ROOT}data/{number:026d}.json.gz"
            self.objects[key] = body
            entries.append(
                {
                    "itemCount": count,
                    "md5Checksum": base64.b64encode(_md5(body)).decode(),
                    "etag": _md5(_md5(body)).hex() + "-1",
                    "dataFileS3Key": key,
                }
            )
        summary = {
            "version": "2020-06-30",
            "exportArn": self.arn,
            "startTime": "2026-01-01T00:00:00.000Z",
            "endTime": "2026-01-01T00:05:00.000Z",
            "tableArn": TABLE_ARN,
            "tableId": "table-id",
            "exportTime": "2026-01-01T00:00:00.000Z",
            "s3Bucket": BUCKET,
            "s3Prefix": "daily",
            "manifestFilesS3Key": f"{ROOT}manifest-files.json",
            "billedSizeBytes": 0,
            "itemCount": sum(counts),
            "outputFormat": "DYNAMODB_JSON",
        }
        lines = "".join(json.dumps(entry) + "\n" for entry in entries).encode()
        for name, body in (("summary", json.dumps(summary).encode()), ("files", lines)):
            self.objects[f"{ROOT}manifest-{name}.json"] = body
            self.objects[f"{ROOT}manifest-{name}.md5"] = base64.b64encode(_md5(body))


def lines_of(items: Sequence[Mapping[str, Any]], *, ascii_only: bool = False) -> bytes:
    """Items as an export writes them."""
    return b"".join(
        json.dumps({"Item": item}, separators=(",", ":"), ensure_ascii=ascii_only).encode() + b"\n"
        for item in items
    )


def stored(items: Sequence[Mapping[str, Any]], files: int = 2, **how: Any) -> StoredExport:
    """An export of these items, dealt to so many files."""
    export = StoredExport()
    export.write([gzip.compress(lines_of(items[n::files], **how), 1) for n in range(files)])
    return export


def by_boto3(item: Mapping[str, Any]) -> dict[str, Any]:
    """What boto3's deserializer makes of an exported item; bytes for its Binary."""
    deserializer = TypeDeserializer()
    return {name: _unwrapped(deserializer.deserialize(_wire(v))) for name, v in item.items()}


def _wire(typed: Mapping[str, Any]) -> dict[str, Any]:
    """The export writes binary as base64; on the wire, under boto3, it is bytes."""
    ((code, value),) = typed.items()
    if code == "B":
        value = base64.b64decode(value)
    elif code == "BS":
        value = [base64.b64decode(each) for each in value]
    elif code == "L":
        value = [_wire(each) for each in value]
    elif code == "M":
        value = {name: _wire(each) for name, each in value.items()}
    return {code: value}


def _unwrapped(value: Any) -> Any:
    if isinstance(value, Binary):
        return bytes(value)
    if isinstance(value, set):
        return {_unwrapped(each) for each in value}
    if isinstance(value, list):
        return [_unwrapped(each) for each in value]
    if isinstance(value, dict):
        return {name: _unwrapped(each) for name, each in value.items()}
    return value


def items_of(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as boto3 gives items, by nothing but the schema's metadata."""
    columns = [column.to_pylist(maps_as_pydicts="strict") for column in table.columns]
    rows = [dict(enumerate(row)) for row in zip(*columns, strict=True)] if columns else []
    if len(table.schema) == 1 and not (table.schema[0].metadata or {}).get(b"dynamodb.attribute"):
        return [_value(row[0], table.schema[0]) for row in rows]
    return [_attributes(row, list(table.schema)) for row in rows]


def _attributes(row: Mapping[int, Any], fields: Sequence[pa.Field]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for position, each in enumerate(fields):
        value = row[position]
        if value is None:
            continue
        name = each.metadata[b"dynamodb.attribute"].decode()
        assert name not in found, "two columns of one attribute are not null"
        is_null = each.metadata[b"dynamodb.type"] == b"NULL"
        found[name] = None if is_null else _value(value, each)
    return found


def _value(value: Any, described: pa.Field) -> Any:  # noqa: PLR0911 - one per type
    code = described.metadata[b"dynamodb.type"].decode()
    if value is None:
        return None
    if code == "N":
        return Decimal(value)
    if code == "NS":
        return {Decimal(each) for each in value}
    if code in {"SS", "BS"}:
        return set(value)
    if code == "L":
        return [_value(each, described.type.value_field) for each in value]
    if code == "M" and pa.types.is_map(described.type):
        return {k: _value(v, described.type.item_field) for k, v in value.items()}
    if code == "M":
        fields = list(described.type)
        return _attributes({i: value[f.name] for i, f in enumerate(fields)}, fields)
    if code == "JSON":
        return by_boto3({"x": json.loads(value)})["x"]
    if "|" in code:
        ((member, inner),) = (
            (f, value[f.name]) for f in described.type if value[f.name] is not None
        )
        return _value(inner, member)
    return value


@pytest.fixture(params=["in C", "by pyarrow"], autouse=True)
def reader(request, monkeypatch):
    """Every test here with the C extension and without: nobody may see a difference."""
    if request.param == "in C":
        assert native.extension() is not None, "the C extension is not built: run `make install`"
    else:
        monkeypatch.setattr(native, "extension", lambda: None)
    return request.param


@pytest.fixture
def exports() -> SimpleNamespace:
    """The helpers of this file."""
    return SimpleNamespace(
        stored=stored,
        lines_of=lines_of,
        by_boto3=by_boto3,
        items_of=items_of,
        StoredExport=StoredExport,
        root=ROOT,
        bucket=BUCKET,
    )
