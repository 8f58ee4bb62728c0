"""docs/iam-policy.md names every permission that finding and observing tables needs."""

from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from ddb_assets import local
from ddb_assets.aws.inventory import InventoryGateway
from ddb_assets.core.operating.inventory import TableFilter, take_inventory
from ddb_assets.core.operating.observe import observe
from ddb_assets.core.ports import Gateways

PAGE = Path(__file__).parents[2] / "docs" / "iam-policy.md"
REGION = "us-east-1"
KEYS = [{"AttributeName": "id", "KeyType": "HASH"}]
TYPES = [{"AttributeName": "id", "AttributeType": "S"}]


@pytest.fixture
def asked(monkeypatch):
    """The gateway of an account with one table, and which API actions it has called so far."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    local.install(["dynamodb"])
    with mock_aws():
        clients = {name: boto3.client(name, REGION) for name in ("dynamodb", "sts")}
        clients["dynamodb"].create_table(
            TableName="orders",
            KeySchema=KEYS,
            AttributeDefinitions=TYPES,
            BillingMode="PAY_PER_REQUEST",
        )
        actions = set()
        for name, client in clients.items():
            client.meta.events.register(
                "before-call.*.*",
                lambda model, service=name, **_: actions.add(f"{service}:{model.name}"),
            )
        yield InventoryGateway(lambda: clients["dynamodb"], lambda: clients["sts"]), actions
    local.uninstall()


def row(beginning):
    """The line of the page's table that begins so."""
    return next(line for line in PAGE.read_text().splitlines() if line.startswith(beginning))


def test_discovery(asked):
    """Every action of a search for tables with their tags, and no other."""
    gateway, actions = asked
    wanted = TableFilter(without_pitr=True, account=gateway.account())
    assert [table.name for table in take_inventory(gateway, wanted).tables] == ["orders"]
    said = row("| discovery")
    assert {action for action in actions if f"`{action}`" not in said} == set()
    assert said.count("`dynamodb:") == len([one for one in actions if one.startswith("dynamodb")])


def test_observations(asked):
    """Every action of a look at a live table, and no other."""
    gateway, actions = asked
    (seen,) = observe(["orders"], gateways=Gateways(gateway, None, None, None))
    assert seen.description.name == "orders"
    said = row("| observations")
    assert {action for action in actions if f"`{action}`" not in said} == set()
    assert said.count("`dynamodb:") == len(actions)
