"""Each sensor's tick leads to a run that does what the sensor promised, on the local AWS."""

import time

import boto3
import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from moto import mock_aws
from moto.glue.models import glue_backends

import ddb_assets
from ddb_assets import local
from ddb_assets.local import clock, faults, samples, settings

pytestmark = pytest.mark.e2e

REGION = "us-east-1"
ACCOUNT = "123456789012"
ARTICLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Article"


@pytest.fixture
def aws(monkeypatch):
    """A local AWS whose sample tables are an hour old; exports are done at once."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    local.install()
    with mock_aws():
        clock.advance(-3600)
        samples.seed()
        clock.reset()
        yield lambda service: boto3.client(service, REGION)
    local.uninstall()
    clock.reset()
    settings.reset()


@pytest.fixture
def instance(tmp_path):
    """A real instance with its storage on disk."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


class Project:
    """One declaration in one Dagster instance."""

    def __init__(self, instance, **declared):
        self.instance = instance
        self.cursors = {}
        self.keys = set()
        self.defs = ddb_assets.build_dynamodb_assets(
            tables=["Article", "waiting_list"],
            database="ddb",
            bucket="ddb-exports",
            retry_policy=None,
            **declared,
        )

    def tick(self, name):
        """One evaluation of a sensor; requests Dagster has not seen."""
        sensor = next(s for s in self.defs.sensors if s.name == f"refresh_ddb_{name}")
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursors.get(name),
            definitions=self.defs,
            sensor_name=sensor.name,
            resources=dict(self.defs.resources),
        )
        data = sensor.evaluate_tick(context)
        self.cursors[name] = data.cursor
        fresh = [r for r in data.run_requests or [] if r.run_key not in self.keys]
        self.keys |= {request.run_key for request in fresh}
        return fresh

    def run(self, request=None, *, job="refresh_ddb_requested_job", config=None):
        """Execute a request as the daemon does, or everything."""
        if request is None:
            definition = self.defs.resolve_implicit_global_asset_job_def()
            keys = [k for k in self.defs.resolve_all_asset_keys() if k.path[0] == "athena"]
            run_config = {"ops": {"refresh_ddb": {"config": config or {}}}}
        else:
            definition = self.defs.resolve_job_def(job)
            keys, run_config = request.asset_selection, request.run_config
        made = self.instance.create_run_for_job(
            definition.get_subset(asset_selection=set(keys)),
            run_config=run_config,
            asset_selection=frozenset(keys),
        )
        subset = definition.get_subset(asset_selection=set(keys))
        return execute_run(InMemoryJob(subset), made, self.instance, raise_on_error=False)

    def shown(self, table="article"):
        """The export the newest materialization names."""
        event = self.instance.get_latest_materialization_event(
            dg.AssetKey(["athena", "ddb", table])
        )
        return event and event.asset_materialization.metadata["ddb_assets/export_arn"].value


def exports(aws):
    """The ARNs of every export of the articles."""
    found = aws("dynamodb").list_exports(TableArn=ARTICLE)["ExportSummaries"]
    return [one["ExportArn"] for one in found]


def tables(request):
    """Athena tables (not views) of a request."""
    names = sorted(key.path[-1] for key in request.asset_selection)
    return [name for name in names if not name.endswith("_typed")]


def test_a_written_table_is_refreshed(aws, instance):
    """The first tick refreshes everything, the next the table that was written to, then none."""
    changes = ddb_assets.TableChanges(
        min_interval=1, max_staleness=None, source="describe_table", running=True
    )
    project = Project(instance, sensors=ddb_assets.Sensors(table_changes=changes))
    (first,) = project.tick("table_changes")
    assert tables(first) == ["article", "waiting_list"]
    assert project.run(first).success
    time.sleep(1.5)
    assert project.tick("table_changes") == []
    item = {"userId": {"S": "u"}, "articleId": {"S": "ZZ"}, "content": {"S": "new"}}
    aws("dynamodb").put_item(TableName="Article", Item=item)
    (second,) = project.tick("table_changes")
    assert tables(second) == ["article"]
    before = project.shown()
    assert project.run(second).success
    assert project.shown() != before
    time.sleep(1.5)
    assert project.tick("table_changes") == []


def test_an_export_made_in_the_console_is_published(aws, instance):
    """Adopted by its ARN, once; a repeated tick finds nothing."""
    project = Project(instance, sensors=ddb_assets.Sensors(export_watch=ddb_assets.ExportWatch()))
    assert project.run().success
    made = aws("dynamodb").export_table_to_point_in_time(
        TableArn=ARTICLE, S3Bucket="ddb-exports", S3Prefix="by-hand"
    )["ExportDescription"]["ExportArn"]
    (request,) = project.tick("export_watch")
    assert tables(request) == ["article"]
    assert project.run(request).success
    assert project.shown() == made
    assert project.tick("export_watch") == []
    glue = aws("glue").get_table(DatabaseName="ddb", Name="article")["Table"]
    assert glue["StorageDescriptor"]["Location"].startswith("s3://ddb-exports/by-hand/")
    assert len(exports(aws)) == 2


@pytest.mark.parametrize("consistent", [False, True])
def test_exports_nobody_waits_for_are_published_when_they_are_done(aws, instance, consistent):
    """The first run ends at once and publishes nothing; the watch's run publishes all."""
    group = ddb_assets.RefreshGroup(cron="0 1 * * *", wait=False, consistent=consistent)
    declared = {
        "groups": {"default": group},
        "sensors": ddb_assets.Sensors(export_watch=ddb_assets.ExportWatch()),
        "cut_lag_seconds": 2,
    }
    project = Project(instance, **declared)
    assert project.run(config={"wait": False}).success
    assert project.shown() is None
    (request,) = project.tick("export_watch")
    assert tables(request) == ["article", "waiting_list"]
    assert project.run(request).success
    assert [project.shown()] == exports(aws)
    assert project.shown("waiting_list") is not None
    assert project.tick("export_watch") == []


def test_a_failed_table_is_told_of_with_its_remedy(aws, instance):
    """Glue refused one of two tables: one message about that one."""
    told = []
    failed = ddb_assets.FailedRefreshes(notifier=told.append)
    project = Project(instance, sensors=ddb_assets.Sensors(failed_refreshes=failed))
    glue_backends[ACCOUNT][REGION].faults.add(
        faults.Fault("CreateTable", "AccessDeniedException", "not authorized")
    )
    (sensor,) = [s for s in project.defs.sensors if s.name.endswith("failed_refreshes")]
    cursor = sensor.evaluate_tick(dg.build_sensor_context(instance=instance)).cursor
    result = project.run()
    assert not result.success
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    data = sensor.evaluate_tick(context)
    assert [reaction.error for reaction in data.dagster_run_reactions] == [None]
    (failure,) = told
    assert failure.table in {"Article", "waiting_list"}
    assert "glue:CreateTable" in failure.remedy
    assert failure.run_id == result.run_id


# `evaluate_automation_conditions` selects sources, which is beta in Dagster.
@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_automation_refreshes_what_is_missing_and_then_waits_for_its_tick(aws, instance):
    """Dagster's evaluator over the real definitions; the requested run publishes."""
    daily = ddb_assets.refresh_on_cron("0 6 * * *", missing=True)
    project = Project(instance, automation=daily)
    (sensor,) = project.defs.sensors
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    first = dg.evaluate_automation_conditions(defs=project.defs, instance=instance)
    assert first.total_requested == 2
    assert project.run().success
    second = dg.evaluate_automation_conditions(
        defs=project.defs, instance=instance, cursor=first.cursor
    )
    assert second.total_requested == 0
