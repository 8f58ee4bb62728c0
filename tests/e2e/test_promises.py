"""Observe, materialize, check; break each promise and see the right check turn red, then green."""

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import dagster as dg
import pytest
from moto import mock_aws

from ddb_assets import build_dynamodb_assets, local
from ddb_assets.local import clock, samples, settings
from ddb_assets.orchestration.check_settings import Checks
from ddb_assets.orchestration.declaration import Table
from ddb_assets.orchestration.freshness import Freshness

pytestmark = pytest.mark.e2e

REGION = "us-east-1"
ARTICLE = dg.AssetKey(["athena", "ddb", "article"])
LIVE = dg.AssetKey(["dynamodb", "Article"])
ALL = {"newest_export", "schema", "drift", "pitr", "data_age", "row_count", "retention"}


@pytest.fixture
def cloud(monkeypatch):
    """A local AWS whose sample tables are an hour old; exports are done at once."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    local.install()
    with mock_aws():
        clock.advance(-3600)
        samples.seed()
        clock.reset()
        services = ("dynamodb", "s3", "glue", "athena")
        yield SimpleNamespace(**{name: boto3.client(name, REGION) for name in services})
    local.uninstall()
    clock.reset()
    settings.reset()


@pytest.fixture
def project():
    """One table with every check."""
    return build_dynamodb_assets(
        tables=[
            Table(
                "Article",
                columns={"userId": "S", "articleId": "S", "content": "S", "createAt": "N"},
                freshness=Freshness(fail_after=1800),
                checks=Checks(row_count=True, retention=True, keep_last=1, keep_days=0),
                preview_rows=5,
            )
        ],
        database="ddb",
        bucket="ddb-exports",
        workgroup="ddb",
    )


@pytest.fixture
def instance(tmp_path):
    """A real instance with its storage on disk."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


@pytest.fixture
def materialize(project, instance):
    """What the button does: the table, its view and its checks, in one run."""

    def run(**config):
        job = project.resolve_implicit_global_asset_job_def()
        config = {"ops": {"refresh_ddb": {"config": config}}} if config else None
        return job.execute_in_process(
            instance=instance,
            asset_selection=sorted(project.resolve_asset_graph().materializable_asset_keys),
            run_config=config,
            raise_on_error=False,
        )

    return run


@pytest.fixture
def checks(project, instance):
    """All checks alone, without a refresh: name -> the evaluation."""

    def run():
        job = project.resolve_job_def("check_ddb_job")
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        assert result.success
        assert not result.get_asset_materialization_events()
        found = {e.check_name: e for e in result.get_asset_check_evaluations()}
        assert set(found) == ALL
        return found

    return run


def red(found) -> set[str]:
    """The checks that failed."""
    return {name for name, evaluation in found.items() if not evaluation.passed}


def test_a_materialization_runs_its_checks_and_they_are_green(cloud, materialize, checks):
    """In the same run, after the refresh; and alone afterwards."""
    result = materialize()
    assert result.success
    evaluations = {e.check_name: e for e in result.get_asset_check_evaluations()}
    assert set(evaluations) == ALL
    assert red(evaluations) == set()
    assert evaluations["row_count"].metadata["ddb_assets/athena_rows"].value == 2
    assert red(checks()) == set()


def test_before_anything_is_published_only_the_live_tables_promise_holds(cloud, checks):
    """A red check says that nothing is published; nothing raises."""
    found = checks()
    assert red(found) == ALL - {"pitr", "retention"}
    assert "nothing is published yet" in found["newest_export"].description


def test_recovery_switched_off_and_on(cloud, materialize, checks):
    """The check names the call that switches it on."""
    materialize()

    def recovery(enabled):
        cloud.dynamodb.update_continuous_backups(
            TableName="Article",
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled},
        )

    recovery(False)
    found = checks()
    assert red(found) == {"pitr"}
    assert found["pitr"].severity == dg.AssetCheckSeverity.ERROR
    assert "update-continuous-backups --table-name Article" in found["pitr"].description
    recovery(True)
    assert red(checks()) == set()


def test_a_newer_export_nobody_published_and_its_adoption(cloud, materialize, checks):
    """Made as the console does; adopting it from the launchpad mends the promise."""
    materialize()
    clock.advance(600)
    started = cloud.dynamodb.export_table_to_point_in_time(
        TableArn=cloud.dynamodb.describe_table(TableName="Article")["Table"]["TableArn"],
        S3Bucket="ddb-exports",
        S3Prefix="Article",
        ExportFormat="DYNAMODB_JSON",
    )["ExportDescription"]["ExportArn"]
    deadline = time.monotonic() + 30
    while (
        cloud.dynamodb.describe_export(ExportArn=started)["ExportDescription"]["ExportStatus"]
        == "IN_PROGRESS"
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    found = checks()
    assert red(found) == {"newest_export"}
    assert started in found["newest_export"].description
    assert materialize(adopt=started).success
    assert red(checks()) == set()


def test_a_schema_edited_by_hand_and_its_refresh(cloud, materialize, checks):
    """A field lost in the Glue console is a warning, and the next refresh puts it back."""
    materialize()
    table = cloud.glue.get_table(DatabaseName="ddb", Name="article")["Table"]
    kept = ("Name", "StorageDescriptor", "Parameters", "TableType", "PartitionKeys")
    body = {name: table[name] for name in kept if name in table}
    body["StorageDescriptor"]["Columns"][0]["Type"] = "struct<userid:struct<s:string>>"
    cloud.glue.update_table(DatabaseName="ddb", TableInput=body)
    found = checks()
    assert red(found) == {"schema"}
    assert found["schema"].severity == dg.AssetCheckSeverity.WARN
    assert "createat" in found["schema"].description
    clock.advance(600)
    assert materialize().success
    assert red(checks()) == set()


def test_a_new_attribute_and_the_next_export(cloud, materialize, checks):
    """Counted when it comes, red until the next export holds the same; no item is read for it."""
    materialize()
    clock.advance(600)
    item = {"userId": {"S": "u"}, "articleId": {"S": "7"}, "note": {"S": "new"}}
    cloud.dynamodb.put_item(TableName="Article", Item=item)
    result = materialize()
    assert result.success
    (event,) = [
        found for found in result.get_asset_materialization_events() if found.asset_key == ARTICLE
    ]
    metadata = {
        name.partition("/")[2]: v.value for name, v in event.materialization.metadata.items()
    }
    assert (metadata["drift_new"], metadata["drift_retyped"]) == (1, 0)
    found = checks()
    assert red(found) == {"drift"}
    assert found["drift"].severity == dg.AssetCheckSeverity.WARN
    assert "since the last export: 1 new (note: S)" in found["drift"].description
    clock.advance(600)
    assert materialize().success
    assert red(checks()) == set()


def test_data_older_than_promised_and_its_refresh(cloud, materialize, checks):
    """An export of forty minutes ago breaks a promise of thirty, however new it is itself."""
    moment = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=40)
    assert materialize(export_time=moment.isoformat()).success
    found = checks()
    assert red(found) == {"data_age"}
    assert "40 min old" in found["data_age"].description
    assert materialize().success
    assert red(checks()) == set()


def test_an_observation_shows_the_live_table_and_its_version_moves(cloud, project, instance):
    """Figures, indexes, PITR, stream and tags; a version that follows the table's figures."""
    arn = cloud.dynamodb.describe_table(TableName="Article")["Table"]["TableArn"]
    cloud.dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "cost center", "Value": "a/b"}])

    def observe():
        job = project.resolve_job_def("observe_ddb_job")
        assert job.execute_in_process(instance=instance).success
        records = instance.fetch_observations(LIVE, limit=1).records
        return records[0].asset_observation

    first = observe()
    metadata = {name.partition("/")[2]: value.value for name, value in first.metadata.items()}
    assert metadata["live_items"] == metadata["row_count"] == 2
    assert metadata["pitr_enabled"] is True
    assert metadata["pitr_window_seconds"] > 0
    assert metadata["stream"] == "off"
    assert metadata["table_status"] == "ACTIVE"
    assert metadata["tags"] == {"cost center": "a/b"}
    assert first.tags["cost_center"] == "a_b"
    assert metadata["indexes"].records[0].data["partition key"] == "userId (S)"
    columns = {c.name: c.type for c in metadata["column_schema"].columns}
    assert columns["createAt"] == "number"
    assert observe().data_version == first.data_version
    item = {"userId": {"S": "u"}, "articleId": {"S": "new"}}
    cloud.dynamodb.put_item(TableName="Article", Item=item)
    assert observe().data_version != first.data_version


def test_the_columns_and_the_preview_are_for_people(cloud, materialize, instance):
    """Each attribute under the path a query reads it by, its origin, and the first items."""
    materialize()
    event = instance.get_latest_materialization_event(ARTICLE)
    metadata = event.asset_materialization.metadata
    columns = {c.name: c for c in metadata["dagster/column_schema"].schema.columns}
    assert columns["item"].type.startswith("struct<")
    assert columns["item.createat.n"].type == "string"
    assert columns["item.createat.n"].description.startswith("createAt: number, as exact text")
    lineage = metadata["dagster/column_lineage"].value.deps_by_column
    assert lineage["item.createat.n"] == [dg.TableColumnDep(asset_key=LIVE, column_name="createAt")]
    records = [record.data for record in metadata["ddb_assets/preview"].records]
    assert {record["createAt"] for record in records} == {"1577804400", "1577804401"}
