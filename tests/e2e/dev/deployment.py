"""A user's project served by `dagster dev` on a local AWS, and AWS seen from beside it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import boto3
from dagster_ui import DagsterUi
from processes import Marked, until

from ddb_assets.cli.environment import offline_aws_environment
from ddb_assets.local.process import LocalProcess

PROJECT = Path(__file__).parent / "project"
#: The project's tables: Athena database -> DynamoDB tables.
TABLES = {
    "shop": (
        *("Orders", "customers", "ledger", "prices"),
        *("returns", "coupons", "parcels", "vouchers"),
    ),
    "feeds": ("clicks", "visits", "searches", "waybills"),
}
BUCKET = "shop-exports"
EXPORT_SECONDS = 1

INSTANCE_YAML = """\
telemetry: {enabled: false}
run_queue: {dequeue_interval_seconds: 1}
run_monitoring: {enabled: true, poll_interval_seconds: 2}
"""


def key(table: str) -> tuple[str, ...]:
    """The asset of a table of the project."""
    database = next(name for name, tables in TABLES.items() if table in tables)
    return ("athena", database, table.lower())


def view(table: str) -> tuple[str, ...]:
    """The asset of its typed view."""
    *path, name = key(table)
    return (*path, f"{name}_typed")


class Aws:
    """The local AWS with the project's tables, three items in each."""

    def __init__(self) -> None:
        self.process = LocalProcess.start(export_seconds=EXPORT_SECONDS, sample=False)
        self.client("s3").create_bucket(Bucket=BUCKET)
        self.client("athena").create_work_group(
            Name="shop",
            Configuration={
                "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/athena-results/"}
            },
        )
        for tables in TABLES.values():
            for table in tables:
                self._create(table)

    def client(self, service):
        """Any AWS client."""
        environment = self.process.env
        return boto3.client(
            service,
            endpoint_url=self.process.url,
            region_name=environment["AWS_DEFAULT_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )

    def _create(self, table) -> None:
        self.client("dynamodb").create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for number in range(3):
            self.write(table, f"{number}")
        self.recovery(table, on=True)

    def write(self, table, item_id) -> None:
        """Put one item."""
        item = {"id": {"S": item_id}, "total": {"N": "1.50"}}
        self.client("dynamodb").put_item(TableName=table, Item=item)

    def recovery(self, table, *, on) -> None:
        """Point-in-time recovery."""
        self.client("dynamodb").update_continuous_backups(
            TableName=table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on},
        )

    def exports(self, table) -> list[str]:
        """The ARNs of every export AWS was ever asked for, oldest first."""
        found = self.client("dynamodb").list_exports(
            TableArn=self._describe(table)["TableArn"], MaxResults=25
        )
        assert "NextToken" not in found
        return sorted(summary["ExportArn"] for summary in found["ExportSummaries"])

    def export_in_the_console(self, table) -> str:
        """Ask for an export as a person does; its ARN, once it is complete."""
        dynamodb = self.client("dynamodb")
        arn = dynamodb.export_table_to_point_in_time(
            TableArn=self._describe(table)["TableArn"], S3Bucket=BUCKET, S3Prefix="by-hand"
        )["ExportDescription"]["ExportArn"]

        def completed():
            found = dynamodb.describe_export(ExportArn=arn)["ExportDescription"]
            return found["ExportStatus"] == "COMPLETED"

        until(completed, 30, f"{arn} completed")
        return arn

    def _describe(self, table):
        return self.client("dynamodb").describe_table(TableName=table)["Table"]

    def published(self, table):
        """The Glue table as a TableInput."""
        _, database, name = key(table)
        found = self.client("glue").get_table(DatabaseName=database, Name=name)["Table"]
        fields = ("Name", "StorageDescriptor", "Parameters", "TableType", "PartitionKeys")
        return {field: found[field] for field in fields if field in found}

    def edit(self, table, body) -> None:
        """Change the Glue table as its console does."""
        self.client("glue").update_table(DatabaseName=key(table)[1], TableInput=body)

    def rows(self, table) -> int:
        """What Athena counts."""
        athena = self.client("athena")
        _, database, name = key(table)
        query_id = athena.start_query_execution(
            QueryString=f'SELECT count(*) FROM "{database}"."{name}"', WorkGroup="shop"
        )["QueryExecutionId"]

        def ended():
            status = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            return status["Status"]["State"] not in ("QUEUED", "RUNNING") and status["Status"]

        status = until(ended, 30, "the query ended")
        assert status["State"] == "SUCCEEDED", status
        results = athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
        return int(results[1]["Data"][0]["VarCharValue"])


class Deployment:
    """`dagster dev` in the project's folder: webserver, daemon, code server, run processes."""

    def __init__(self, folder: Path, aws: Aws) -> None:
        self._alerts = folder / "alerts"
        self._printed = folder / "printed"
        home = folder / "dagster"
        home.mkdir()
        (home / "dagster.yaml").write_text(INSTANCE_YAML)
        project = shutil.copytree(PROJECT, folder / "project")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._marked = Marked()
        with self._printed.open("wb") as printed:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "dagster", "dev", "--host", "127.0.0.1"),
                    *("--port", str(port), "--log-level", "warning"),
                ],
                env={
                    **offline_aws_environment(self._marked.env),
                    **aws.process.env,
                    "DAGSTER_HOME": str(home),
                    "FRESHNESS_DAEMON_INTERVAL_SECONDS": "2",
                    "SHOP_ALERTS": str(self._alerts),
                },
                cwd=project,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.ui = DagsterUi(f"http://127.0.0.1:{port}", "shop")

    def printed(self) -> str:
        """What `dagster dev` wrote to the terminal."""
        return self._printed.read_text(errors="replace")

    def alerts(self):
        """The messages the project's notifier was given, in order."""
        lines = self._alerts.read_text().splitlines() if self._alerts.exists() else []
        return [json.loads(line) for line in lines]

    def wait_until_loaded(self):
        """Code location -> None, or its error."""

        def loaded():
            assert self._process.poll() is None, self.printed()
            return self.ui.locations()

        return until(loaded, 120, self.printed)

    def stop(self) -> None:
        """End it as Ctrl-C does, or by force where Dagster takes too long; none is left behind."""
        os.killpg(self._process.pid, signal.SIGINT)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            for pid in self._marked.processes():
                os.kill(pid, signal.SIGKILL)
            self._process.wait(10)
        left = self._marked.gone()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left, f"left running: {left}"
