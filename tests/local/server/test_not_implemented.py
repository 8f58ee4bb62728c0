"""What the local AWS cannot do is said at once, in the caller's own protocol."""

import http.client
import logging
import time

import pytest
from botocore.exceptions import ClientError

UNKNOWN = [
    ("glue", "list_blueprints", {}, "AWSGlue.ListBlueprints"),
    ("dynamodb", "list_imports", {}, "DynamoDB_20120810.ListImports"),
    ("sts", "decode_authorization_message", {"EncodedMessage": "x"}, "POST /"),
    ("lambda", "list_code_signing_configs", {}, "GET /2020-04-22/code-signing-configs"),
]


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "named"), UNKNOWN, ids=[case[0] for case in UNKNOWN]
)
def test_an_unknown_operation_is_a_501_that_names_it(empty, service, operation, arguments, named):
    """JSON, query (XML) and REST protocols: botocore reads code and message from each."""
    client = empty.client(service)
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**arguments)
    error = refused.value.response
    assert error["Error"]["Code"] == "LocalNotImplemented"
    assert named in error["Error"]["Message"]
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_botocore_does_not_retry_it(empty, caplog):
    """With its ordinary retries on, the refusal comes at once and once."""
    client = empty.client("glue")
    client.meta.config.retries = {"mode": "standard", "total_max_attempts": 5}
    began = time.monotonic()
    with pytest.raises(ClientError) as refused:
        client.list_blueprints()
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    assert time.monotonic() - began < 2


def test_an_error_of_s3_is_xml(empty, caplog):
    """An exception below the S3 application comes back as S3 writes errors."""
    connection = http.client.HTTPConnection("127.0.0.1", empty.port, timeout=10)
    connection.request(
        "POST",
        "/",
        headers={"Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/nosuch/x, b"},
    )
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    assert answer.status == 501
    assert "LocalNotImplemented" in body


def test_what_broke_is_logged_with_its_traceback(empty, caplog, monkeypatch):
    """The person who mends the emulator needs more than the caller does."""
    # A Dagster instance made by an earlier test ran alembic, whose fileConfig disables loggers.
    monkeypatch.setattr(logging.getLogger("ddb_assets.local.server"), "disabled", False)
    with pytest.raises(ClientError):
        empty.client("glue").list_blueprints()
    [record] = [r for r in caplog.records if r.name == "ddb_assets.local.server"]
    assert "AWSGlue.ListBlueprints" in record.getMessage()
    assert record.exc_info


def test_not_found_stays_aws_own_not_found(empty):
    """A missing key or table is no gap of the emulator."""
    s3 = empty.client("s3")
    s3.create_bucket(Bucket="some-bucket")
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket="some-bucket", Key="absent")
    assert refused.value.response["Error"]["Code"] == "NoSuchKey"
    with pytest.raises(ClientError) as refused:
        s3.head_object(Bucket="some-bucket", Key="absent")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
