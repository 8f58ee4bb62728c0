"""A run killed with SIGKILL while it waits: its retry picks the same export up."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import boto3
import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

import ddb_assets
from ddb_assets.local.process import LocalProcess

pytestmark = pytest.mark.e2e

DEFINITIONS = """
import ddb_assets

defs = ddb_assets.build_dynamodb_assets(
    tables=["Article", "waiting_list"], database="ddb", bucket="ddb-exports"
)
"""
KEY = dg.AssetKey(["athena", "ddb", "article"])
TABLE_ARN = "arn:aws:dynamodb:us-east-1:123456789012:table"


def noted(instance, process, seconds=120) -> str:
    """The run id, once both exports are noted in the event log."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert process.poll() is None, "the run ended by itself"
        for run in instance.get_runs():
            kind = dg.DagsterEventType.ASSET_OBSERVATION
            if len(instance.all_logs(run.run_id, of_type=kind)) == 2:
                return run.run_id
        time.sleep(0.2)
    raise AssertionError(f"no export was noted in {seconds} s")


def test_a_killed_runs_export_is_continued_by_its_retry(marked, tmp_path, monkeypatch):
    """Killed between start and publication; after the retry each table has had one export."""
    (tmp_path / "project.py").write_text(DEFINITIONS)
    (tmp_path / "dagster.yaml").touch()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    command = [str(Path(sys.executable).with_name("dagster")), "asset", "materialize"]
    with LocalProcess.start(export_seconds=20) as aws, dg.DagsterInstance.get() as instance:
        with subprocess.Popen(
            [*command, "-f", "project.py", "--select", 'key:"athena/*"'],
            cwd=tmp_path,
            env={**marked.env, **aws.env, "DAGSTER_HOME": str(tmp_path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            killed = noted(instance, process)
            os.kill(process.pid, signal.SIGKILL)
        # What Dagster's run monitoring does when a worker is gone.
        instance.report_run_failed(instance.get_run_by_id(killed))
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        for name, value in aws.env.items():
            monkeypatch.setenv(name, value)
        job = ddb_assets.build_dynamodb_assets(
            tables=["Article", "waiting_list"], database="ddb", bucket="ddb-exports"
        ).resolve_implicit_global_asset_job_def()
        retry = instance.create_run_for_job(
            job,
            parent_run_id=killed,
            root_run_id=killed,
            tags={"dagster/is_resume_retry": "true"},
        )
        assert execute_run(InMemoryJob(job), retry, instance, raise_on_error=False).success
        dynamodb = boto3.client("dynamodb")
        exports = {
            table: [
                one["ExportArn"]
                for one in dynamodb.list_exports(TableArn=f"{TABLE_ARN}/{table}")["ExportSummaries"]
            ]
            for table in ("Article", "waiting_list")
        }
        assert [len(arns) for arns in exports.values()] == [1, 1]
        event = instance.get_latest_materialization_event(KEY)
        published = event.asset_materialization.metadata["ddb_assets/export_arn"].value
        assert [published] == exports["Article"]
