"""The operators' commands on the local AWS: status, schema, rollback, adopt and prune."""

import importlib
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import boto3
import dagster as dg
import pytest
import yaml

from ddb_assets.cli import main as root
from ddb_assets.local.process import LocalProcess
from ddb_assets.schema.declaration import parse_columns
from ddb_assets.schema.layout import table_layout

pytestmark = pytest.mark.e2e

#: The project: two sample tables; its clock can be set back, as the local AWS's can.
PROJECT = """
import os
from datetime import timedelta

from ddb_assets import AwsResource, build_dynamodb_assets
from ddb_assets.core.clock import SystemClock


class Past(SystemClock):
    def now(self):
        return super().now() - timedelta(days=float(os.environ.get("DAYS_AGO", "0")))


class PastAws(AwsResource):
    def clock(self):
        return Past()


defs = build_dynamodb_assets(
    tables=["Article", "shop-orders"], database="ddb", bucket="ddb-exports", aws=PastAws()
)
"""

POLICY = ("--keep-last", "1", "--keep-days", "1", "--rollback-days", "1")


class Site:
    """A project's folder and the local AWS it talks to."""

    def __init__(self, folder, local, monkeypatch, capsys) -> None:
        self.folder = folder
        self.local = local
        self.monkeypatch = monkeypatch
        self.capsys = capsys
        keys = {
            "endpoint_url": local.url,
            "region_name": "us-east-1",
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
        }
        self.s3 = boto3.client("s3", **keys)
        self.glue = boto3.client("glue", **keys)

    def process(self, *arguments) -> subprocess.CompletedProcess:
        """`ddb-assets …` as its user starts it, in the project's folder."""
        kept = {n: os.environ[n] for n in ("PATH", "HOME", "LANG") if n in os.environ}
        return subprocess.run(
            [sys.executable, "-m", "ddb_assets.cli.main", *arguments],
            cwd=self.folder,
            env={**kept, **self.local.env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def command(self, *arguments):
        """The same in this process: a Dagster import for each command would take minutes."""
        argv = ["ddb-assets", *arguments, "-m", "project"]
        self.monkeypatch.setattr(sys, "argv", argv)
        with pytest.raises(SystemExit) as ended:
            root.main()
        written = self.capsys.readouterr()
        out = json.loads(written.out) if "--json" in arguments and written.out else written.out
        return SimpleNamespace(code=ended.value.code or 0, out=out, err=written.err)

    def refresh(self, *, days_ago=0.0) -> None:
        """One Dagster run of both tables, so many days ago."""
        job = importlib.import_module("project").defs.resolve_implicit_global_asset_job_def()
        self.monkeypatch.setenv("DAYS_AGO", str(days_ago))
        self.local.control("clock", {"reset": True})
        self.local.control("clock", {"advance": -days_ago * 86400})
        with dg.DagsterInstance.ephemeral() as instance:
            assert job.execute_in_process(instance=instance).success
        self.local.control("clock", {"reset": True})
        self.monkeypatch.delenv("DAYS_AGO")
        self.capsys.readouterr()

    def status(self, table):
        """One table's status document."""
        return self.command("status", table, "--json").out["tables"][0]

    def location(self, athena_table) -> str:
        """Where the Glue table points."""
        table = self.glue.get_table(DatabaseName="ddb", Name=athena_table)["Table"]
        return table["StorageDescriptor"]["Location"]

    def objects(self) -> set[str]:
        """Every object of the exports' bucket."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="ddb-exports")
        return {stored["Key"] for page in pages for stored in page.get("Contents", ())}


@pytest.fixture
def site(tmp_path, monkeypatch, capsys):
    """A project on a local AWS whose tables are a month old."""
    (tmp_path / "project.py").write_text(PROJECT)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dg.project]\nroot_module = "project"\ncode_location_target_module = "project"\n'
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with LocalProcess.start(sample=False) as local:
        for name, value in local.env.items():
            monkeypatch.setenv(name, value)
        local.control("clock", {"advance": -30 * 86400})
        local.control("seed", {})
        yield Site(tmp_path, local, monkeypatch, capsys)
    sys.modules.pop("project", None)


def test_back_and_forward_again(site):
    """Two refreshes, back, the newer one waits, the next refresh goes forward."""
    empty = site.process("status")
    assert empty.returncode == 3, empty.stderr
    assert empty.stdout.splitlines()[1].split()[:3] == ["Article", "ddb.article", "missing"]
    site.refresh()
    site.refresh()
    second = site.status("Article")
    assert second["newer"] == []
    first = second["published"]["previous"]
    assert site.command("status").code == 0

    assert site.command("rollback", "Article").code == 0
    assert site.location("article") == first["location"]
    back = site.status("Article")
    assert back["published"]["export_id"] == first["export_id"]
    assert [one["export_arn"] for one in back["newer"]] == [second["published"]["export_arn"]]
    assert back["items"] == 2

    site.refresh()
    forward = site.status("Article")
    assert forward["newer"] == []
    assert forward["published"]["previous"]["export_id"] == first["export_id"]
    assert forward["published"]["export_time"] > second["published"]["export_time"]
    adopted = site.command("adopt", "Article", second["published"]["export_arn"], "--json")
    assert adopted.code == 1
    assert adopted.out["error"]["type"] == "OlderExportError"


def test_a_rollback_to_what_is_gone_is_refused(site):
    """Somebody deleted the data files: the table stays, dry or not, and the error says so."""
    site.refresh()
    site.refresh()
    before = site.location("article")
    earlier = site.status("Article")["published"]["previous"]["location"]
    for key in site.objects():
        if key.startswith(earlier.removeprefix("s3://ddb-exports/")):
            site.s3.delete_object(Bucket="ddb-exports", Key=key)
    for dry in ([], ["--dry-run"]):
        refused = site.command("rollback", "Article", "--json", *dry)
        assert refused.code == 1
        assert refused.out["error"]["type"] == "ExportObjectsGoneError"
    assert site.location("article") == before


def test_prune_deletes_exactly_what_its_dry_run_listed(site):
    """Of four exports in the past, two may go; without --yes nothing does."""
    for days in (20, 15, 10, 5):
        site.refresh(days_ago=days)
    dry = site.command("prune", *POLICY, "--dry-run", "--json")
    assert dry.code == 0, dry.err
    planned = {one["location"]: one["objects"] for t in dry.out["tables"] for one in t["delete"]}
    assert [len(table["delete"]) for table in dry.out["tables"]] == [2, 2]
    before = site.objects()

    refused = site.command("prune", *POLICY)
    assert refused.code == 2
    assert "add --yes" in refused.err
    assert site.objects() == before

    done = site.command("prune", *POLICY, "--yes", "--json")
    assert done.code == 0, done.err
    gone = before - site.objects()
    roots = [
        location.removeprefix("s3://ddb-exports/").removesuffix("data/") for location in planned
    ]
    assert gone == {key for key in before if any(key.startswith(root) for root in roots)}
    assert len(gone) == sum(planned.values())
    assert site.command("rollback", "shop-orders").code == 0
    assert site.status("shop-orders")["items"] == 3000


def test_the_schema_that_is_printed_is_the_schema_that_is_there(site):
    """From the profile in S3, or from all items; pasted, it leads to the columns Glue has."""
    site.refresh()
    shown = site.command("schema", "shop-orders", "--json")
    assert shown.code == 0, shown.err
    assert shown.out["source"] == "profile"
    place = shown.out["export"]["location"].removeprefix("s3://ddb-exports/")
    key = f"{place.removesuffix('data/')}ddb_assets-profile.json"
    assert key in site.objects()
    pasted = yaml.safe_load(site.command("schema", "shop-orders", "--yaml").out)["columns"]
    columns = table_layout(parse_columns(pasted)).columns
    storage = site.glue.get_table(DatabaseName="ddb", Name="shop_orders")["Table"]
    glue = storage["StorageDescriptor"]["Columns"]
    assert [(c["Name"], c["Type"], c["Comment"]) for c in glue] == list(columns)
    view = site.glue.get_table(DatabaseName="ddb", Name="shop_orders_typed")["Table"]
    names = {column["Name"] for column in view["StorageDescriptor"]["Columns"]}
    read_as = {c["name"] for place in shown.out["attributes"] for c in place["athena"]}
    assert read_as >= names

    site.s3.delete_object(Bucket="ddb-exports", Key=key)
    counted = site.command("schema", "shop-orders", "--json")
    assert "reading 3,000 items" in counted.err
    assert counted.out == {**shown.out, "source": "items"}
    assert key not in site.objects()
