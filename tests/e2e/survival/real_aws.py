"""The local AWS as a child process that can be killed and brought back, and its bookkeeping.

What AWS was asked for is counted where AWS keeps it: in the account's list of exports.
"""

import json
import urllib.request
from pathlib import Path

import boto3

from ddb_assets.local.process import LocalProcess

#: An export takes this long: longer than killing a run and starting it again.
EXPORT_SECONDS = 20.0

DATABASE = "survivors"


class RealAws:
    """The local AWS as a child process that can be killed and brought back."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self.process = LocalProcess.start(export_seconds=EXPORT_SECONDS, state_dir=state)
        self._port = int(self.process.url.rpartition(":")[2])
        self.env = dict(self.process.env)

    def come_back(self) -> None:
        """Start again on the same port with the state that was kept."""
        self.process = LocalProcess.start(
            port=self._port, export_seconds=EXPORT_SECONDS, state_dir=self._state
        )

    def client(self, service):
        """Any AWS client."""
        return boto3.client(
            service,
            endpoint_url=self.process.url,
            region_name=self.env["AWS_DEFAULT_REGION"],
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
        )

    def control(self, path, body=None):
        """One of the emulator's own endpoints."""
        request = urllib.request.Request(
            f"{self.process.url}/_local/{path}",
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def create_table(self, name, *, recovery=True) -> None:
        """A table of three items."""
        dynamodb = self.client("dynamodb")
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for number in range(3):
            dynamodb.put_item(
                TableName=name, Item={"id": {"S": f"{number}"}, "total": {"N": f"{number}.5"}}
            )
        if recovery:
            self.switch_recovery_on(name)

    def switch_recovery_on(self, name) -> None:
        """Point-in-time recovery: without it DynamoDB exports nothing."""
        self.client("dynamodb").update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )

    def exports(self, table):
        """Every export AWS was ever asked for: (ARN, status)."""
        dynamodb = self.client("dynamodb")
        listed, page = [], {}
        while True:
            page = dynamodb.list_exports(**page)
            listed += [(e["ExportArn"], e["ExportStatus"]) for e in page["ExportSummaries"]]
            if not page.get("NextToken"):
                return [export for export in listed if f":table/{table}/" in export[0]]
            page = {"NextToken": page["NextToken"]}

    def all_running(self, tables) -> bool:
        """Whether each table has an export in progress."""
        return all("IN_PROGRESS" in [status for _, status in self.exports(t)] for t in tables)

    def assert_exported_once_and_published(self, tables) -> None:
        """One export per table was ever asked for; it is what Athena reads now."""
        for table in tables:
            exports = self.exports(table)
            assert [status for _, status in exports] == ["COMPLETED"], (table, exports)
            assert f"/{exports[0][0].rpartition('/')[2]}/" in self.location(table)

    def location(self, table) -> str:
        """Where the published table reads."""
        return self.published(table)["StorageDescriptor"]["Location"]

    def published(self, table):
        """The Glue table that stands for a DynamoDB table, or None."""
        glue = self.client("glue")
        try:
            return glue.get_table(DatabaseName=DATABASE, Name=athena(table))["Table"]
        except glue.exceptions.EntityNotFoundException:
            return None


def athena(table) -> str:
    """The Athena table's name."""
    return table.replace("-", "_")


def key(table) -> list[str]:
    """The asset of a table of the test's code locations."""
    return ["athena", DATABASE, athena(table)]
