"""What users test definitions with: real exports, isolated tests, no way to a real account."""

import importlib.util
import os
from decimal import Decimal

import dagster as dg
import pytest

import ddb_assets
from ddb_assets.errors import PitrDisabledError, QueryFailedError
from ddb_assets.testing import LocalAwsMissingError, local_aws
from ddb_assets.testing.local import require_extra

pytestmark = pytest.mark.slow

ORDERS = [{"orderId": f"o-{n}", "total": Decimal("9.95"), "tags": {"a", "b"}} for n in range(60)]


def build(**given):
    """One table's definitions, of an account nobody here may reach."""
    elsewhere = ddb_assets.AwsResource(
        region="eu-central-1",
        endpoint_url="http://127.0.0.1:9",
        role_arn="arn:aws:iam::999999999999:role/production",
    )
    return ddb_assets.build_dynamodb_assets(
        **{"database": "raw", "bucket": "exports", "tables": ["orders"], "aws": elsewhere, **given}
    )


def counted(aws):
    """How many orders Athena sees."""
    (row,) = aws.query("SELECT count(*) AS n FROM raw.orders")
    return int(row["n"])


def test_items_come_back_from_athena_whatever_account_the_definitions_name(local_aws):
    """More items than one BatchWriteItem takes; the bucket is made; values are exact."""
    local_aws.create_table("orders", {"orderId": "S"}, items=ORDERS)
    assert local_aws.refresh(build()).success
    assert counted(local_aws) == 60
    assert local_aws.query("SELECT DISTINCT item.total.n AS total FROM raw.orders") == [
        {"total": "9.95"}
    ]


def test_a_second_refresh_shows_what_was_written_since(local_aws):
    """The Dagster instance has the history of both."""
    local_aws.create_table("orders", {"orderId": "S", "at": "N"}, items=[{"orderId": "1", "at": 1}])
    definitions = build()
    local_aws.refresh(definitions)
    local_aws.put_items("orders", [{"orderId": "1", "at": 2}])
    local_aws.refresh(definitions)
    assert counted(local_aws) == 2
    key = dg.AssetKey(["athena", "raw", "orders"])
    records = local_aws.instance.fetch_materializations(key, limit=10).records
    assert len(records) == 2


def test_definitions_made_by_a_function_and_athenas_own_publishing_work(local_aws):
    """`@dg.definitions`; the declared workgroup is made, too."""
    local_aws.create_table("orders", {"orderId": "S"}, items=ORDERS[:1])

    @dg.definitions
    def defs():
        return build(publish_with="athena", workgroup="etl")

    assert local_aws.refresh(defs).success
    assert counted(local_aws) == 1


@pytest.mark.parametrize(
    "selection",
    [
        [["athena", "raw", "orders"]],
        [dg.AssetKey(["athena", "raw", "orders"])],
        dg.AssetSelection.assets(["athena", "raw", "orders"]),
    ],
    ids=["path", "key", "selection"],
)
def test_only_selected_assets_are_refreshed(local_aws, selection):
    """The other table need not exist."""
    local_aws.create_table("orders", {"orderId": "S"}, items=ORDERS[:1])
    result = local_aws.refresh(build(tables=["orders", "absent"]), selection)
    assert result.success
    assert counted(local_aws) == 1


def test_a_failed_refresh_raises_or_is_looked_at(local_aws):
    """As the test wants it; the cause is the product's own error."""
    local_aws.create_table("orders", {"orderId": "S"}, pitr=False)
    assert not local_aws.refresh(build(), raise_on_error=False).success
    with pytest.raises(dg.Failure) as caught:
        local_aws.refresh(build())
    assert isinstance(caught.value.__cause__, PitrDisabledError)


def test_each_test_begins_with_an_empty_aws_and_settings_as_they_were_1(local_aws):
    """Leave something behind."""
    _leave_something(local_aws)


def test_each_test_begins_with_an_empty_aws_and_settings_as_they_were_2(local_aws):
    """In whichever order the two run, the second finds nothing of the first."""
    _leave_something(local_aws)


def _leave_something(aws):
    assert aws.connection.client("dynamodb").list_tables()["TableNames"] == []
    assert aws.process.control("settings")["export_seconds"] == 0
    aws.create_table("left", {"id": "S"}, tags={"team": "web"})
    aws.process.control("settings", {"export_seconds": 99})
    aws.process.control("clock", {"advance": 3600})


def test_a_wrong_query_raises_with_athenas_words(local_aws):
    """Not an empty answer."""
    with pytest.raises(QueryFailedError, match="nowhere"):
        local_aws.query("SELECT * FROM nowhere.orders")


def test_a_table_has_one_or_two_keys(local_aws):
    """Said before AWS is asked."""
    for keys in ({}, {"a": "S", "b": "S", "c": "S"}):
        with pytest.raises(ValueError, match="one or two keys"):
            local_aws.create_table("orders", keys)


def test_the_environment_leads_to_the_local_aws_and_comes_back(monkeypatch):
    """In the wanted region; a profile and a service's own endpoint do not get through."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    before = dict(os.environ)
    with local_aws(region="eu-central-1") as aws:
        assert os.environ["AWS_ENDPOINT_URL"] == aws.process.url
        assert os.environ["AWS_DEFAULT_REGION"] == "eu-central-1"
        assert "AWS_PROFILE" not in os.environ
        assert "AWS_ENDPOINT_URL_DYNAMODB" not in os.environ
        aws.create_table("orders", {"orderId": "S"}, items=ORDERS[:1])
        aws.refresh(build())
        assert counted(aws) == 1
    assert dict(os.environ) == before
    assert aws.process.returncode is not None


def test_a_missing_extra_is_named(monkeypatch):
    """Instead of the child's stack trace."""
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "duckdb" else real(name)
    )
    with pytest.raises(
        LocalAwsMissingError, match=r"needs duckdb: pip install 'ddb-assets\[local\]'"
    ):
        require_extra()
