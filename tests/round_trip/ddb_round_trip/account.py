"""The local AWS inside this process: tables in, published, asked through Athena's API."""

import io
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from ddb_assets import local, read_export_table
from ddb_assets.aws.gateways import connect
from ddb_assets.aws.session import AwsConnection
from ddb_assets.core.clock import SystemClock
from ddb_assets.core.operating.operator import NoHistory, ignore
from ddb_assets.core.outcome import Copied, Failed, Refreshed
from ddb_assets.core.ports import ExportNote
from ddb_assets.core.refreshing.refresh import refresh
from ddb_assets.core.spec import TableSpec
from ddb_assets.local import clock, settings

DATABASE = "ddb"
BUCKET = "exports"
WORKGROUP = "round-trip"
#: A query of these tables takes milliseconds; on a busy machine seconds.
PATIENCE = 120.0


class _Notes:
    """The ledger of one run."""

    def __init__(self) -> None:
        self._notes: dict[str, ExportNote] = {}

    def find(self, table: str) -> ExportNote | None:
        """What was noted."""
        return self._notes.get(table)

    def record(self, table: str, note: ExportNote) -> None:
        """Note it."""
        self._notes[table] = note


class Account:
    """Short words for what tests do in it."""

    def __init__(self) -> None:
        self._clients = {name: boto3.client(name) for name in ("dynamodb", "s3", "athena", "glue")}
        self._gateways = connect(AwsConnection())
        self._runs = 0
        for bucket in (BUCKET, "answers"):
            self._clients["s3"].create_bucket(Bucket=bucket)
        self._clients["athena"].create_work_group(
            Name=WORKGROUP,
            Configuration={"ResultConfiguration": {"OutputLocation": "s3://answers/"}},
        )

    def put(
        self, table: str, items: Sequence[Mapping[str, Any]], keys: Mapping[str, str] | None = None
    ) -> None:
        """A table with these items, in DynamoDB's own form; its keys are `pk` alone by default."""
        client: Any = self._clients["dynamodb"]
        keys = keys or {"pk": "S"}
        client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": kind} for name, kind in keys.items()
            ],
            KeySchema=[
                {"AttributeName": name, "KeyType": role}
                for name, role in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        )
        client.update_continuous_backups(
            TableName=table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        requests = [{"PutRequest": {"Item": item}} for item in items]
        for start in range(0, len(requests), 25):
            answer = client.batch_write_item(RequestItems={table: requests[start : start + 25]})
            assert not answer["UnprocessedItems"]

    def publish(
        self, tables: Sequence[str], *, copies: bool = True, **settings: Any
    ) -> dict[str, Refreshed]:
        """Export and publish tables in one refresh; each has its view and its copy beside it."""
        self._runs += 1
        specs = [
            TableSpec(
                table, DATABASE, named(table), BUCKET, table,
                typed_view=f"{named(table)}_typed",
                typed_copy=f"{named(table)}_parquet" if copies else None,
                workgroup=WORKGROUP, **settings,
            )
            for table in tables
        ]  # fmt: skip
        outcomes = list(
            refresh(
                specs,
                intent_id=f"run-{self._runs}",
                started_at=datetime.now(UTC),
                gateways=self._gateways,
                ledger=_Notes(),
                history=NoHistory(),
                listener=ignore,
                clock=SystemClock(),
            )
        )
        failed = [one for one in outcomes if isinstance(one, Failed)]
        assert not failed, failed
        copied = {one.spec.name: one.copy for one in outcomes if isinstance(one, Copied)}
        published = {one.spec.name: one for one in outcomes if isinstance(one, Refreshed)}
        assert sorted(published) == sorted(tables)
        assert sorted(copied) == (sorted(tables) if copies else [])
        return {name: replace(one, copy=copied.get(name)) for name, one in published.items()}

    def query(self, sql: str) -> list[list[str | None]]:
        """The rows of a query, as GetQueryResults gives them: text, None for NULL."""
        execution = self._run(sql)
        pages = self._clients["athena"].get_paginator("get_query_results")
        answers = pages.paginate(QueryExecutionId=execution)
        rows = [row["Data"] for page in answers for row in page["ResultSet"]["Rows"]]
        return [[cell.get("VarCharValue") for cell in row] for row in rows[1:]]

    def described(self, sql: str) -> list[tuple[str, str]]:
        """Name and type of each column of a query's answer, as Athena's API describes it."""
        execution = self._run(sql)
        answer = self._clients["athena"].get_query_results(QueryExecutionId=execution)
        columns = answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        return [(one["Name"], one["Type"]) for one in columns]

    def parquet(self, location: str) -> pa.Table:
        """All Parquet files at a location in the exports' bucket, read from S3."""
        s3, prefix = self._clients["s3"], location.removeprefix(f"s3://{BUCKET}/")
        listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        assert listed, f"no Parquet at {location}"
        bodies = [s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in listed]
        return pa.concat_tables([pq.read_table(io.BytesIO(body)) for body in bodies])

    def read(self, outcome: Refreshed, **how: Any) -> pa.Table:
        """The published export through `read_export`."""
        return read_export_table(outcome.publication.location, gateways=self._gateways, **how)

    def glue(self, table: str) -> dict[str, Any]:
        """GetTable."""
        return self._clients["glue"].get_table(DatabaseName=DATABASE, Name=table)["Table"]

    def field_names(self, table: str, keys: Sequence[str]) -> dict[str, str]:
        """Key of an item or map -> field of the raw table, by what Glue says of its SerDe alone."""
        serde = self.glue(named(table))["StorageDescriptor"]["SerdeInfo"]
        mapping = {
            key: name.removeprefix("mapping.")
            for name, key in serde.get("Parameters", {}).items()
            if name.startswith("mapping.")
        }
        return {key: mapping.get(key, key.lower()) for key in keys}

    def _run(self, sql: str) -> str:
        athena = self._clients["athena"]
        started = athena.start_query_execution(QueryString=sql, WorkGroup=WORKGROUP)
        query = started["QueryExecutionId"]
        until = time.monotonic() + PATIENCE
        while True:
            status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
            if status["State"] not in {"QUEUED", "RUNNING"}:
                break
            assert time.monotonic() < until, f"no answer: {sql[:200]}"
            time.sleep(0.005)
        assert status["State"] == "SUCCEEDED", (status.get("StateChangeReason"), sql[:2000])
        return query


@contextmanager
def account() -> Iterator[Account]:
    """A new account; nothing outside of this process is touched."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        local.install()
        try:
            with mock_aws():
                yield Account()
        finally:
            local.uninstall()
            clock.reset()
            settings.reset()


def named(table: str) -> str:
    """The Athena table of a DynamoDB table."""
    return re.sub(r"[^a-z0-9_]", "_", table.lower())
