"""The control endpoints."""

import os
import threading
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from ddb_assets.local import clock, settings


def test_health_names_process_and_versions(empty):
    """Whoever adopts a running server asks this first."""
    status, health = empty.control("health")
    assert status == 200
    assert health["status"] == "ok"
    assert health["pid"] == os.getpid()
    assert health["versions"]["moto"].startswith("5.2")
    assert health["keeps_state"] is False


def test_the_clock_is_set_advanced_and_reset(empty):
    """Set to a moment, a quarter of an hour on, and back to the wall."""
    empty.control("clock", {"set": "2030-05-06T07:08:09Z"})
    empty.control("clock", {"advance": 900})
    _, told = empty.control("clock")
    expected = datetime(2030, 5, 6, 7, 23, 9, tzinfo=UTC)
    assert abs(datetime.fromisoformat(told["now"]) - expected) < timedelta(seconds=10)
    assert abs(clock.now() - expected) < timedelta(seconds=10)
    empty.control("clock", {"reset": True})
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=10)


@pytest.mark.parametrize(
    ("path", "document", "words"),
    [
        ("clock", {"set": "tomorrow"}, "not a time"),
        ("clock", {"set": "2030-01-01", "advance": 1}, "exactly one"),
        ("clock", {}, "exactly one"),
        ("clock", {"forward": 3}, "unknown: forward"),
        ("clock", [1], "JSON object"),
        ("settings", {"export_seconds": -1}, "at least 0"),
        ("settings", {"export_seconds": "soon"}, "must be a number"),
        ("settings", {"export_minutes": 1}, "unknown: export_minutes"),
        ("faults", {"service": "s3"}, "service must be one of athena, dynamodb, glue"),
        ("faults", {"service": "glue"}, "not a fault"),
        ("faults", {"service": "glue", "operation": "X", "nth": 0}, "nth >= 1"),
        ("faults", {"service": "glue", "operation": "X", "region": "moon-1"}, "region moon-1"),
        ("seed", {"tables": 3}, "unknown: tables; it takes none"),
    ],
)
def test_a_mistake_is_a_400_that_says_what_is_wrong(empty, path, document, words):
    """And nothing changes."""
    before = settings.current()
    status, answer = empty.control(path, document)
    assert status == 400
    assert words in answer["message"]
    assert settings.current() == before


def test_unknown_endpoints_and_methods_are_told_apart(empty):
    """404 lists what there is, 405 what is taken."""
    status, answer = empty.control("reboot", {})
    assert status == 404
    assert "snapshot" in answer["message"]
    status, answer = empty.control("health", {})
    assert status == 405
    assert "GET" in answer["message"]


def test_settings_change_from_the_next_call_on(empty):
    """What is not named stays."""
    status, told = empty.control("settings", {"export_seconds": 7.5, "partitions": 2})
    assert status == 200
    assert told["export_seconds"] == 7.5
    assert settings.current().partitions == 2
    assert settings.current().max_exports_in_flight == 300
    assert empty.control("settings")[1] == told


def test_a_fault_strikes_the_named_call_once(empty):
    """The second DescribeTable is refused, the first and the third are not."""
    dynamodb = empty.client("dynamodb")
    dynamodb.create_table(
        TableName="some",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    fault = {
        "service": "dynamodb",
        "operation": "DescribeTable",
        "code": "ThrottlingException",
        "message": "Rate exceeded",
        "nth": 2,
    }
    status, told = empty.control("faults", fault)
    assert status == 200
    assert told["faults"][0]["operation"] == "DescribeTable"
    assert dynamodb.describe_table(TableName="some")
    with pytest.raises(ClientError) as refused:
        dynamodb.describe_table(TableName="some")
    assert refused.value.response["Error"]["Code"] == "ThrottlingException"
    assert dynamodb.describe_table(TableName="some")
    assert empty.control("faults?service=dynamodb")[1] == {"faults": []}


def test_faults_can_be_called_off(empty):
    """DELETE forgets them all."""
    fault = {"service": "glue", "operation": "GetTable", "code": "X", "times": 5}
    empty.control("faults", fault)
    assert empty.control("faults?service=glue", method="DELETE")[1] == {"faults": []}


def test_seeding_twice_and_at_once_creates_each_thing_once(empty):
    """Eight clients ask for the samples at the same moment."""
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(empty.control("seed", {})[1]["created"]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(len(created) for created in answers) == [0] * 7 + [6]


def test_a_snapshot_without_a_folder_is_refused(empty):
    """It says which option was missing."""
    status, answer = empty.control("snapshot", {})
    assert status == 409
    assert "--state-dir" in answer["message"]


def test_a_reset_forgets_everything_but_the_settings(empty):
    """Tables, buckets, faults and the moved clock; what is made afterwards works."""
    empty.control("seed", {})
    empty.control("settings", {"query_seconds": 0.25})
    empty.control("faults", {"service": "dynamodb", "operation": "ListTables", "code": "Nope"})
    empty.control("clock", {"advance": 9000})
    assert empty.control("reset", {}) == (200, {"reset": True})
    assert empty.client("dynamodb").list_tables()["TableNames"] == []
    assert empty.client("s3").list_buckets()["Buckets"] == []
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=10)
    assert settings.current().query_seconds == 0.25
    assert len(empty.control("seed", {})[1]["created"]) == 6
