"""An emulated account per test; clients are made once per module, because making them is slow."""

import gzip
import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws
from moto.core.base_backend import BackendDict

from ddb_assets import local
from ddb_assets.local import clock, settings

REGION = "us-east-1"
#: Errors arrive as the service gave them.
CONFIG = Config(retries={"total_max_attempts": 1})
BUCKET = "lake"
OUTPUT = f"s3://{BUCKET}/results/"


class Account:
    """An account with the bucket `lake`, and short words for what tests do in it."""

    def __init__(self, clients: SimpleNamespace) -> None:
        self.s3 = clients.s3
        self.glue = clients.glue
        self.athena = clients.athena

    def put(self, key: str, *lines: Any, raw: bytes | None = None) -> None:
        """One object: JSON lines, gzipped where the key ends in .gz."""
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        body = raw if raw is not None else text.encode()
        self.s3.put_object(
            Bucket=BUCKET, Key=key, Body=gzip.compress(body) if key.endswith(".gz") else body
        )

    def keys(self, prefix: str) -> list[str]:
        """Keys below a prefix."""
        answer = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [one["Key"] for one in answer.get("Contents", [])]

    def read(self, uri: str) -> bytes:
        """One object's bytes."""
        key = uri.removeprefix(f"s3://{BUCKET}/")
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def start(self, sql: str, database: str = "ddb", **given: Any) -> str:
        """Start a query; its id."""
        arguments = {
            "QueryExecutionContext": {"Database": database},
            "ResultConfiguration": {"OutputLocation": OUTPUT},
            **given,
        }
        return self.athena.start_query_execution(QueryString=sql, **arguments)["QueryExecutionId"]

    def poll(self, execution_id: str) -> dict[str, Any]:
        """GetQueryExecution once."""
        return self.athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]

    def ended(self, execution_id: str) -> dict[str, Any]:
        """The query, once it has ended; at most 30 s."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            found = self.poll(execution_id)
            if found["Status"]["State"] not in {"QUEUED", "RUNNING"}:
                return found
        raise AssertionError(f"{execution_id} has not ended")

    def run(self, sql: str, **given: Any) -> dict[str, Any]:
        """A query that must succeed."""
        found = self.ended(self.start(sql, **given))
        assert found["Status"]["State"] == "SUCCEEDED", found["Status"]
        return found

    def rows(self, sql: str, **given: Any) -> list[list[str | None]]:
        """A query's rows, without the header."""
        found = self.run(sql, **given)
        rows: list[list[str | None]] = []
        pages = self.athena.get_paginator("get_query_results")
        for page in pages.paginate(QueryExecutionId=found["QueryExecutionId"]):
            rows += [
                [one.get("VarCharValue") for one in row["Data"]]
                for row in page["ResultSet"]["Rows"]
            ]
        return rows[1:] if found["SubstatementType"] == "SELECT" else rows

    def reason(self, sql: str, **given: Any) -> str:
        """Why a query FAILED."""
        status = self.ended(self.start(sql, **given))["Status"]
        assert status["State"] == "FAILED", status
        assert status["AthenaError"]["ErrorMessage"] == status["StateChangeReason"]
        return status["StateChangeReason"]

    def table(self, name: str, database: str = "ddb") -> dict[str, Any]:
        """GetTable."""
        return self.glue.get_table(DatabaseName=database, Name=name)["Table"]


@pytest.fixture(scope="module")
def _clients() -> Iterator[SimpleNamespace]:
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            environment.delenv(name, raising=False)
        local.install()
        with mock_aws():
            yield SimpleNamespace(
                **{
                    name: boto3.client(name, REGION, config=CONFIG)
                    for name in ("s3", "glue", "athena")
                }
            )
        local.uninstall()


@pytest.fixture
def account(_clients: SimpleNamespace) -> Iterator[Account]:
    """An account with the bucket `lake` and the database `ddb`."""
    BackendDict.reset()
    clock.reset()
    settings.reset()
    made = Account(_clients)
    made.s3.create_bucket(Bucket=BUCKET)
    made.glue.create_database(DatabaseInput={"Name": "ddb"})
    yield made
    clock.reset()
    settings.reset()
