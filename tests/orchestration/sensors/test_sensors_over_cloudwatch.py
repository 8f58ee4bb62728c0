"""The table-changes sensor of real definitions against the local AWS's own write metrics."""

from datetime import UTC, datetime, timedelta

import boto3
import dagster as dg
import pytest
from moto import mock_aws
from moto.core.base_backend import BackendDict

from ddb_assets import AwsResource, Sensors, TableChanges, build_dynamodb_assets, local
from ddb_assets.local import clock

REGION = "us-east-1"
TABLES = [f"table-{number:04d}" for number in range(260)]


@pytest.fixture
def dynamodb(monkeypatch):
    """An account whose clock can be told the time."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    local.install(["dynamodb", "cloudwatch"])
    BackendDict.reset()
    clock.reset()
    with mock_aws():
        yield boto3.client("dynamodb", REGION)
    clock.reset()
    local.uninstall()


@pytest.fixture
def tick(instance):
    """One tick of the sensor of these tables; the tables it requests."""

    def evaluate(*tables, **settings):
        definitions = build_dynamodb_assets(
            tables=list(tables),
            database="raw",
            bucket="exports",
            aws=AwsResource(region=REGION),
            sensors=Sensors(table_changes=TableChanges(min_interval=1, **settings)),
        )
        repository = definitions.get_repository_def()
        context = dg.build_sensor_context(
            instance=instance,
            repository_def=repository,
            resources={"aws": AwsResource(region=REGION)},
        )
        with context:
            sensor = repository.get_sensor_def("refresh_raw_table_changes")
            requests = sensor.evaluate_tick(context).run_requests
        chosen = [key for one in requests for key in one.asset_selection]
        return sorted(key.path[-1] for key in chosen if not key.path[-1].endswith("_typed"))

    return evaluate


def create(dynamodb, *names):
    """Tables of one key."""
    for name in names:
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def publish(instance, *names, ago):
    """What a refresh recorded that exported these tables so many seconds ago."""
    moment = datetime.now(UTC) - timedelta(seconds=ago)
    for name in names:
        arn = f"arn:aws:dynamodb:{REGION}:123456789012:table/{name}/export/01772346-00000001"
        metadata = {
            "ddb_assets/export_arn": arn,
            "ddb_assets/export_time": dg.MetadataValue.timestamp(moment),
        }
        key = ["athena", "raw", name.replace("-", "_")]
        instance.report_runless_asset_event(dg.AssetMaterialization(key, metadata=metadata))


def write(dynamodb, table, *, ago):
    """One item, so many seconds ago."""
    clock.set(datetime.now(UTC) - timedelta(seconds=ago))
    dynamodb.put_item(TableName=table, Item={"id": {"S": "a"}})
    clock.reset()


@pytest.mark.parametrize("source", ["auto", "metrics"])
def test_writes_after_the_export_are_seen_and_earlier_ones_are_not(
    dynamodb, tick, instance, source
):
    """Nothing but the writes themselves tells: no figure of the table has moved."""
    create(dynamodb, "orders", "users", "idle")
    publish(instance, "orders", "users", "idle", ago=1800)
    write(dynamodb, "orders", ago=600)
    write(dynamodb, "users", ago=7200)
    assert tick("orders", "users", "idle", source=source) == ["orders"]


def test_a_write_of_this_minute_is_seen_later(dynamodb, tick, instance):
    """A minute is published when it is over."""
    create(dynamodb, "orders")
    publish(instance, "orders", ago=1800)
    write(dynamodb, "orders", ago=0)
    assert tick("orders", source="metrics") == []
    clock.advance(120)
    # The question is asked until now, by this machine's clock; so it is, two minutes later.
    write(dynamodb, "orders", ago=180)
    assert tick("orders", source="metrics") == ["orders"]


def test_more_tables_than_one_call_can_ask_for(dynamodb, tick, instance):
    """Two batches; a written table of each is found."""
    create(dynamodb, TABLES[0], TABLES[-1])
    publish(instance, *TABLES, ago=1800)
    for name in (TABLES[0], TABLES[-1]):
        write(dynamodb, name, ago=600)
    assert tick(*TABLES, source="metrics") == ["table_0000", "table_0259"]
