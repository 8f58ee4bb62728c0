"""The fake AWS's S3, Glue and Athena: plain dictionaries."""

# ruff: noqa: D102 - the methods do what the protocols they implement say

import base64
import gzip
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ddb_assets.core.export import Export
from ddb_assets.core.ports import (
    CatalogTable,
    QueryStatus,
    StoredObject,
)
from ddb_assets.errors import (
    ExportObjectsGoneError,
    ManifestMissingError,
    VersionConflictError,
)


class FakeStores:
    """What `FakeAws` is besides DynamoDB; its attributes are declared there."""

    # S3

    @staticmethod
    def _root(export: Export) -> str:
        return f"{export.prefix}/AWSDynamoDB/{export.export_id}/"

    def put(self, key: str, body: bytes) -> None:
        self.objects[key] = body
        self.etags[key] = f"{hashlib.md5(hashlib.md5(body).digest()).hexdigest()}-1"

    def _write(self, export: Export, items: list[dict[str, Any]]) -> None:
        root = self._root(export)
        lines: list[bytes] = []
        for number, part in enumerate((items[::2], items[1::2], [])):
            body = gzip.compress(b"".join(json.dumps({"Item": i}).encode() + b"\n" for i in part))
            key = f"{root}data/part{number}.json.gz"
            self.put(key, body)
            entry = {
                "itemCount": len(part),
                "md5Checksum": base64.b64encode(hashlib.md5(body).digest()).decode(),
                "etag": self.etags[key],
                "dataFileS3Key": key,
            }
            lines.append(json.dumps(entry).encode() + b"\n")
        assert export.end_time is not None
        assert export.start_time is not None
        assert export.export_time is not None
        summary = {
            "version": "2020-06-30",
            "exportArn": export.arn,
            "startTime": export.start_time.isoformat(),
            "endTime": export.end_time.isoformat(),
            "tableArn": export.table_arn,
            "tableId": export.table_id,
            "exportTime": export.export_time.isoformat(),
            "s3Bucket": export.bucket,
            "s3Prefix": export.prefix,
            "manifestFilesS3Key": f"{root}manifest-files.json",
            "billedSizeBytes": 0,
            "itemCount": len(items),
            "outputFormat": "DYNAMODB_JSON",
        }
        for name, body in (
            ("manifest-summary", json.dumps(summary).encode()),
            ("manifest-files", b"".join(lines)),
        ):
            self.put(f"{root}{name}.json", body)
            self.put(f"{root}{name}.md5", base64.b64encode(hashlib.md5(body).digest()))
        if self.tamper is not None:
            for key in [k for k in self.objects if k.startswith(root)]:
                self.objects[key] = self.tamper(key, self.objects[key])

    def read(self, bucket: str, key: str) -> bytes:
        self.called("read", key.rpartition("/")[2])
        if key not in self.objects:
            raise ManifestMissingError(f"s3://{bucket}/{key} is not there", code="NoSuchKey")
        return self.objects[key]

    def stream(self, bucket: str, key: str, chunk_bytes: int = 7) -> Iterator[bytes]:
        self.called("stream", key.rpartition("/")[2])
        if key not in self.objects:
            raise ExportObjectsGoneError(f"s3://{bucket}/{key} is not there")
        body = self.objects[key]
        for start in range(0, len(body), 7):
            self.called("chunk", key.rpartition("/")[2])
            yield body[start : start + 7]

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        self.called("list", prefix)
        for key in sorted(self.objects):
            if key.startswith(prefix):
                yield StoredObject(key, len(self.objects[key]), self.etags[key])

    def write(self, bucket: str, key: str, body: bytes, **encryption: Any) -> None:
        self.called("write", key.rpartition("/")[2])
        self.encrypted[key] = encryption
        self.put(key, body)
        self.answered("write")

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        for key in keys:
            self.called("delete", key)
            self.objects.pop(key, None)

    # Glue

    def has_database(self, database: str) -> bool:
        self.called("has_database", database)
        return database in self.databases

    def create_database(self, database: str) -> None:
        self.called("create_database", database)
        self.databases.add(database)

    def get_table(self, database: str, table: str) -> CatalogTable | None:
        self.called("get_table", table)
        versions = self.glue.get(table)
        return self._version(database, table, len(versions) - 1) if versions else None

    def _version(self, database: str, table: str, number: int) -> CatalogTable:
        body, updated = self.glue[table][number]
        return CatalogTable(database, table, deepcopy(body), str(number), updated)

    def create_table(self, database: str, table_input: Any) -> None:
        self.called("create_table", table_input["Name"])
        assert database in self.databases
        if table_input["Name"] in self.glue:
            raise VersionConflictError("it exists")
        self.glue[table_input["Name"]] = [(deepcopy(dict(table_input)), self.clock.now())]
        self.answered("create_table")

    def update_table(self, database: str, table_input: Any, *, version_id: str) -> None:
        name = table_input["Name"]
        self.called("update_table", name)
        if str(len(self.glue[name]) - 1) != version_id:
            raise VersionConflictError("it is another version")
        self.glue[name].append((deepcopy(dict(table_input)), self.clock.now()))
        self.answered("update_table")

    def delete_table(self, database: str, table: str) -> None:
        self.called("delete_table", table)
        self.glue.pop(table, None)

    def table_versions(self, database: str, table: str) -> Iterator[CatalogTable]:
        self.called("table_versions", table)
        for number in reversed(range(len(self.glue.get(table, ())))):
            yield self._version(database, table, number)

    def location(self, table: str) -> str | None:
        if table not in self.glue:
            return None
        return self.glue[table][-1][0]["StorageDescriptor"]["Location"]

    # Athena

    def start(self, sql: str, *, database: str, workgroup: str, token: str) -> str:
        self.called("start", sql)
        assert 32 <= len(token) <= 128
        for query_id, query in self.queries.items():
            if query["token"] == token:
                assert query["sql"] == sql
                return query_id
        query_id = f"query-{len(self.queries)}"
        end = self.query_ends.pop(0) if self.query_ends else "SUCCEEDED"
        self.queries[query_id] = {
            "token": token,
            "sql": sql,
            "end": end,
            "workgroup": workgroup,
            "at": self.clock.seconds + 1.0,
            "state": "QUEUED",
        }
        self.answered("start")
        return query_id

    @property
    def active_queries(self) -> int:
        return sum(q["state"] == "QUEUED" for q in self.queries.values())

    def statuses(self, query_ids: Sequence[str]) -> dict[str, QueryStatus]:
        self.called("statuses", ",".join(query_ids))
        for query in self.queries.values():
            if query["state"] == "QUEUED" and self.clock.seconds >= query["at"]:
                if query["end"] == "STUCK":
                    continue
                query["state"] = query["end"].partition(" ")[0]
                if query["state"] == "SUCCEEDED" and query["sql"].startswith("ALTER"):
                    self.set_location(query["sql"])
                if query["sql"].startswith("UNLOAD"):
                    self.unload(query)
        return {
            query_id: QueryStatus(
                query_id,
                self.queries[query_id]["state"],
                reason=self.queries[query_id]["end"],
                retryable="retryable" in self.queries[query_id]["end"],
            )
            for query_id in query_ids
        }

    def unload(self, query: dict[str, Any]) -> None:
        """Only rows of the files between the bounds are written; a failed query leaves a part."""
        _, first, _, after, _, target = query["sql"].split("'")[:6]
        folder = target.split("/", 3)[3]
        if any(key.startswith(folder) for key in self.objects):
            query.update(state="FAILED", end="FAILED HIVE_PATH_ALREADY_EXISTS")
            return
        table = query["sql"].split('FROM "')[1].split('"')[2]
        data = (self.location(table) or "").split("/", 3)[3]
        rows = [
            line
            for key, body in self.objects.items()
            if key.startswith(data) and first <= f"s3://exports/{key}" < after
            for line in gzip.decompress(body).splitlines()
        ]
        if query["state"] != "SUCCEEDED":
            rows = rows[: len(rows) // 2]
        rows = rows[: self.unloaded_rows]
        for number, part in enumerate((rows[::2], rows[1::2])):
            if part:
                sink = io.BytesIO()
                pq.write_table(pa.table({"line": part}), sink)
                self.put(f"{folder}2026_{number}", sink.getvalue())

    def tail(self, bucket: str, key: str, count: int) -> bytes:
        self.called("tail", key.rpartition("/")[2])
        if key not in self.objects:
            raise ExportObjectsGoneError(f"s3://{bucket}/{key} is not there")
        return self.objects[key][-count:]

    def set_location(self, sql: str) -> None:
        """What `ALTER TABLE … SET LOCATION` does to Glue: the location alone, no version asked."""
        table = sql.split("`")[3]
        body = deepcopy(self.glue[table][-1][0])
        body["StorageDescriptor"]["Location"] = sql.split("'")[1]
        self.glue[table].append((body, self.clock.now()))

    def rows(self, query_id: str) -> Iterator[tuple[str | None, ...]]:
        """Of `SELECT count(*) FROM "database"."table"`: what lies at the table's location."""
        self.called("rows", query_id)
        prefix = (self.location(self.queries[query_id]["sql"].split('"')[3]) or "").split("/", 3)[3]
        bodies = [gzip.decompress(b) for k, b in self.objects.items() if k.startswith(prefix)]
        yield ("_col0",)
        yield (str(sum(body.count(b"\n") for body in bodies)),)

    def stop(self, query_id: str) -> None:
        self.called("stop", query_id)
        self.queries[query_id]["state"] = "CANCELLED"
