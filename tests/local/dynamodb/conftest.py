"""DynamoDB with our exports, reached as code under test reaches it: in the process and by HTTP."""

import functools
import gzip
import json
import threading
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.dynamodb.models import dynamodb_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from ddb_assets import local
from ddb_assets.local import clock, settings

ACCOUNT = "123456789012"
REGION = "us-east-1"


@functools.cache
def _client(endpoint: str | None, service: str, region: str, account: str | None) -> Any:
    # Making a client costs more than a test; a refused call is not tried again.
    client = boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}),
    )
    if account is not None:
        client.meta.events.register(
            "before-sign.*",
            lambda request, **_: request.headers.add_header("x-moto-account-id", account),
        )
    return client


class Aws:
    """Clients, and the few things every test of exports does with them."""

    def __init__(self, endpoint: str | None) -> None:
        self._endpoint = endpoint
        self.dynamodb = self.client("dynamodb")
        self.s3 = self.client("s3")

    def client(self, service: str, region: str = REGION, account: str | None = None) -> Any:
        """A client, of another account if one is named."""
        return _client(self._endpoint, service, region, account)

    @property
    def backend(self) -> Any:
        """The emulator's own view."""
        return dynamodb_backends[ACCOUNT][REGION]

    def table(self, name: str = "Article", *, recovery: bool = True, **keys: str) -> str:
        """Make a table with recovery on; keys are name=type, the partition key first."""
        keys = keys or {"id": "S"}
        kinds = ("HASH", "RANGE")
        made = self.dynamodb.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": key, "KeyType": kind}
                for key, kind in zip(keys, kinds, strict=False)
            ],
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        if recovery:
            self.recovery(name, on=True)
        return made["TableDescription"]["TableArn"]

    def recovery(self, name: str, *, on: bool, **more: Any) -> None:
        """Switch point-in-time recovery."""
        self.dynamodb.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on, **more},
        )

    def bucket(self, name: str = "exports") -> str:
        """Make a bucket."""
        self.s3.create_bucket(Bucket=name)
        return name

    def put(self, table: str, **attributes: Any) -> None:
        """Put an item; a bare text is a string attribute."""
        item = {n: v if isinstance(v, dict) else {"S": v} for n, v in attributes.items()}
        self.dynamodb.put_item(TableName=table, Item=item)

    def export(self, table_arn: str, **parameters: Any) -> dict[str, Any]:
        """Ask for an export; the ExportDescription."""
        parameters = {"TableArn": table_arn, "S3Bucket": "exports", **parameters}
        return self.dynamodb.export_table_to_point_in_time(**parameters)["ExportDescription"]

    def describe(self, export: dict[str, Any] | str) -> dict[str, Any]:
        """The ExportDescription as it is now."""
        arn = export if isinstance(export, str) else export["ExportArn"]
        return self.dynamodb.describe_export(ExportArn=arn)["ExportDescription"]

    def exported(self, table_arn: str, **parameters: Any) -> list[dict[str, Any]]:
        """Export a table and read the items back, in no order."""
        described = self.describe(self.export(table_arn, **parameters))
        assert described["ExportStatus"] == "COMPLETED", described
        return self.items(described)

    def items(self, described: dict[str, Any]) -> list[dict[str, Any]]:
        """The items of a completed export, read as its manifests say."""
        bucket = described["S3Bucket"]
        summary = json.loads(self.read(bucket, described["ExportManifest"]))
        files = self.read(bucket, summary["manifestFilesS3Key"]).splitlines()
        found: list[dict[str, Any]] = []
        for line in files:
            body = self.read(bucket, json.loads(line)["dataFileS3Key"])
            found += [json.loads(line)["Item"] for line in gzip.decompress(body).splitlines()]
        return found

    def read(self, bucket: str, key: str) -> bytes:
        """An object's bytes."""
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def objects(self, bucket: str = "exports", prefix: str = "") -> list[str]:
        """The keys in a bucket."""
        listed = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [found["Key"] for found in listed.get("Contents", [])]


class _Quiet(WSGIRequestHandler):
    def log(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def _endpoint():
    local.install(["dynamodb"])
    server = make_server(
        "127.0.0.1",
        0,
        DomainDispatcherApplication(create_backend_app),
        threaded=True,
        request_handler=_Quiet,
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def _installed(monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    clock.reset()
    settings.reset()
    local.install(["dynamodb"])
    yield
    local.uninstall()
    clock.reset()
    settings.reset()


@pytest.fixture
def in_process(_installed):
    """The emulator in this process, without HTTP."""
    with mock_aws():
        yield Aws(None)


@pytest.fixture(params=["in process", "server"])
def aws(request, _installed):
    """The emulator, once in the process and once behind HTTP."""
    if request.param == "in process":
        with mock_aws():
            yield Aws(None)
    else:
        endpoint = request.getfixturevalue("_endpoint")
        BackendDict.reset()
        yield Aws(endpoint)
