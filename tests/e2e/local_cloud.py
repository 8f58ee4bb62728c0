"""The local AWS of one test, in this process, seen through boto3 as any user would."""

import base64
import json
import time
from types import SimpleNamespace

import boto3
from moto.athena.models import athena_backends
from moto.dynamodb.models import dynamodb_backends
from moto.glue.models import glue_backends

from ddb_assets.local import faults

REGION = "us-east-1"
ACCOUNT = "123456789012"


class Cloud:
    """The local AWS of one test, seen through boto3 as any user would."""

    def __init__(self) -> None:
        services = ("dynamodb", "s3", "glue", "athena")
        self.clients = SimpleNamespace(**{s: boto3.client(s, REGION) for s in services})

    def order(self, fault: faults.Fault) -> None:
        """Order a fault of DynamoDB, Glue or Athena."""
        for backends in (dynamodb_backends, glue_backends, athena_backends):
            backends[ACCOUNT][REGION].faults.add(fault)

    def exports(self, table: str) -> list[str]:
        """The ARNs of every export ever started of a table."""
        arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"
        answer = self.clients.dynamodb.list_exports(TableArn=arn)
        assert "NextToken" not in answer
        return [one["ExportArn"] for one in answer["ExportSummaries"]]

    def query(self, sql: str) -> list[list[str | None]]:
        """The rows of a query in the sample workgroup."""
        athena = self.clients.athena
        query_id = athena.start_query_execution(QueryString=sql, WorkGroup="ddb")[
            "QueryExecutionId"
        ]
        for _ in range(600):
            status = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"][
                "Status"
            ]
            if status["State"] not in {"QUEUED", "RUNNING"}:
                break
            time.sleep(0.05)
        assert status["State"] == "SUCCEEDED", status
        pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id)
        rows = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
        return [[cell.get("VarCharValue") for cell in row] for row in rows[1:]]

    def live(self, table: str) -> list[dict]:
        """Every item of the live table, as DynamoDB writes attribute values."""
        pages = self.clients.dynamodb.get_paginator("scan").paginate(TableName=table)
        return [item for page in pages for item in page["Items"]]

    def published(self, athena_table: str, database: str = "ddb") -> list[dict]:
        """Every item of the Athena table, under the attributes' own names."""
        table = self.clients.glue.get_table(DatabaseName=database, Name=athena_table)["Table"]
        parameters = table["StorageDescriptor"]["SerdeInfo"]["Parameters"]
        original = {
            key.removeprefix("mapping."): value
            for key, value in parameters.items()
            if key.startswith("mapping.")
        }
        sql = f'SELECT json_format(CAST(item AS JSON)) FROM "{database}"."{athena_table}"'
        return [_named(json.loads(row[0]), original) for row in self.query(sql)]

    def assert_same(self, table: str, athena_table: str, database: str = "ddb") -> None:
        """The Athena table has the live table's items, every value exactly."""
        published = self.published(athena_table, database)
        mapped = {name for item in published for name in _names(item)}
        expected = [_as_exported(item, mapped) for item in self.live(table)]
        assert sorted(map(_text, published)) == sorted(map(_text, expected))


def _named(value, original):
    """Athena's value with original attribute names; what is null is absent."""
    if isinstance(value, dict):
        return {original.get(k, k): _named(v, original) for k, v in value.items() if v is not None}
    return [_named(v, original) for v in value] if isinstance(value, list) else value


def _names(value):
    if isinstance(value, dict):
        for name, inside in value.items():
            yield name
            yield from _names(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _names(inside)


def _as_exported(value, spelled):
    """DynamoDB's value; a name is lower case unless Athena's table spells it as DynamoDB does."""
    if isinstance(value, dict):
        return {
            k if k in spelled else k.lower(): _as_exported(v, spelled) for k, v in value.items()
        }
    if isinstance(value, list):
        return [_as_exported(v, spelled) for v in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _text(item) -> str:
    """One item as text; sets have no order."""

    def ordered(value, name=""):
        if isinstance(value, dict):
            return {k: ordered(v, k) for k, v in sorted(value.items())}
        if isinstance(value, list):
            inside = [ordered(v) for v in value]
            return sorted(inside) if name in {"SS", "NS", "BS", "ss", "ns", "bs"} else inside
        return value

    return json.dumps(ordered(item), ensure_ascii=False)
