"""The project's own definitions in a real Dagster instance on the local AWS, queried in SQL."""

from datetime import timedelta
from typing import ClassVar

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from local_cloud import REGION, Cloud
from moto import mock_aws

import ddb_assets
from ddb_assets import local
from ddb_assets.core.clock import SystemClock
from ddb_assets.definitions import defs
from ddb_assets.local import clock, faults, samples, settings

pytestmark = pytest.mark.e2e

TABLES = {
    "Article": "article",
    "shop-orders": "shop_orders",
    "legacy.Users": "legacy_users",
    "waiting_list": "waiting_list",
}
QUICK_RETRY = dg.RetryPolicy(max_retries=2, delay=0.01)


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
        yield Cloud()
    local.uninstall()
    clock.reset()
    settings.reset()


@pytest.fixture
def dagster_instance(tmp_path):
    """A real instance with its storage on disk."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


@pytest.fixture
def refresh(dagster_instance):
    """One run of these definitions (by default the project's), as the UI launches it."""

    def run(definitions=None, *, select=None, config=None, retry_of=None):
        definitions = definitions or defs()
        job = definitions.resolve_implicit_global_asset_job_def()
        keys = definitions.resolve_asset_graph().materializable_asset_keys
        if select:
            keys = {dg.AssetKey(["athena", "ddb", name]) for name in select}
        job = job.get_subset(asset_selection=keys)
        (step,) = (
            asset.op.name
            for asset in definitions.assets
            if isinstance(asset, dg.AssetsDefinition) and asset.is_materializable
        )
        made = dagster_instance.create_run_for_job(
            job,
            run_config={"ops": {step: {"config": config or {}}}},
            asset_selection=frozenset(keys),
            parent_run_id=retry_of,
            root_run_id=retry_of,
            tags={"dagster/is_resume_retry": "true"} if retry_of else {},
        )
        return execute_run(InMemoryJob(job), made, dagster_instance, raise_on_error=False)

    return run


@pytest.fixture
def recorded(dagster_instance):
    """One of our metadata fields of a table's latest materialization."""

    def read(table, field, database="ddb"):
        key = dg.AssetKey(["athena", database, table])
        event = dagster_instance.get_latest_materialization_event(key)
        return event.asset_materialization.metadata[field].value if event else None

    return read


def failure(result) -> dg.Failure:
    """What the UI shows of the step that failed."""
    event = next(e for e in result.all_events if e.is_step_failure)
    return event.step_failure_data.user_failure_data


def test_all_four_tables_return_their_exact_rows(cloud, refresh, recorded):
    """Every item and every value of every sample table, read back through Athena."""
    assert refresh().success
    for table, athena_table in TABLES.items():
        cloud.assert_same(table, athena_table)
        assert recorded(athena_table, "dagster/row_count") == len(cloud.live(table))
    rows = cloud.query(
        "SELECT item.userid.s, item.articleid.s, item.content.s, item.createat.n "
        'FROM "ddb"."article" ORDER BY 2'
    )
    user = "7155dc64-982a-4559-9f94-5320dc4d003d"
    assert rows == [
        [user, "XXXXXXX", "hoge", "1577804400"],
        [user, "YYYYYY", "foo", "1577804401"],
    ]


def test_a_second_run_moves_the_tables_to_a_new_export(cloud, refresh, recorded):
    """It sees what was written meanwhile and records where the table was before."""
    refresh(select=["article"])
    first = recorded("article", "ddb_assets/location")
    clock.advance(60)
    article = {"userId": {"S": "u"}, "articleId": {"S": "ZZ"}, "content": {"S": ""}}
    cloud.clients.dynamodb.put_item(TableName="Article", Item=article)
    assert refresh(select=["article"]).success
    assert recorded("article", "ddb_assets/previous_location") == first
    assert recorded("article", "ddb_assets/location") != first
    assert recorded("article", "dagster/row_count") == 3
    assert len(cloud.exports("Article")) == 2
    cloud.assert_same("Article", "article")


def test_a_rerun_after_a_failure_pays_for_no_second_export(cloud, refresh, recorded):
    """Glue refused one table; the rerun publishes the export that is already there."""
    cloud.order(faults.Fault("CreateTable", "AccessDeniedException", "not authorized"))
    first = refresh()
    assert not first.success
    started = {table: cloud.exports(table) for table in TABLES}
    assert all(len(arns) == 1 for arns in started.values())
    (failed,) = failure(first).metadata
    assert recorded(TABLES[failed], "ddb_assets/location") is None
    assert refresh(retry_of=first.run_id).success
    assert {table: cloud.exports(table) for table in TABLES} == started
    for table, athena_table in TABLES.items():
        cloud.assert_same(table, athena_table)


class CrashingClock:
    """Sleeps like the machine's clock, but the first sleep ends the attempt."""

    crashes: ClassVar[list[str]] = []

    now, monotonic = SystemClock().now, SystemClock().monotonic

    def sleep(self, seconds):
        """A crash nobody declared, as a defect or a killed worker would be."""
        if not self.crashes:
            self.crashes.append("crashed")
            raise RuntimeError("the worker lost its mind")
        SystemClock().sleep(seconds)


class CrashingAws(ddb_assets.AwsResource):
    """The real gateways, with a clock that crashes once."""

    def clock(self):
        """The clock that crashes once."""
        return CrashingClock()


def test_a_step_retry_pays_for_no_second_export(cloud, refresh):
    """The attempt died while it waited; the step's own retry picks the exports up."""
    CrashingClock.crashes.clear()
    definitions = ddb_assets.build_dynamodb_assets(
        tables=["Article", "legacy.Users"],
        database="ddb",
        bucket="ddb-exports",
        retry_policy=QUICK_RETRY,
        aws=CrashingAws(),
    )
    assert refresh(definitions).success
    assert CrashingClock.crashes == ["crashed"]
    assert [len(cloud.exports(table)) for table in ("Article", "legacy.Users")] == [1, 1]
    cloud.assert_same("Article", "article")


def test_bad_tables_fail_with_their_remedy_and_good_ones_are_published(cloud, refresh, recorded):
    """PITR off, no bucket, no table: three causes, three remedies; the rest goes on."""
    cloud.clients.dynamodb.update_continuous_backups(
        TableName="shop-orders",
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False},
    )
    definitions = ddb_assets.build_dynamodb_assets(
        tables=[
            "Article",
            "shop-orders",
            ddb_assets.Table("waiting_list", bucket="no-such-bucket"),
            "no-such-table",
            "legacy.Users",
        ],
        database="ddb",
        bucket="ddb-exports",
    )
    result = refresh(definitions)
    assert not result.success
    entries = {name: entry.value for name, entry in failure(result).metadata.items()}
    assert {name: entry["error"] for name, entry in entries.items()} == {
        "shop-orders": "PitrDisabledError",
        "waiting_list": "ExportFailedError",
        "no-such-table": "TableNotFoundError",
    }
    assert "update-continuous-backups --table-name shop-orders" in entries["shop-orders"]["remedy"]
    assert "no-such-bucket" in entries["waiting_list"]["remedy"]
    assert "(3 of 5 tables failed)" in failure(result).description
    for table in ("Article", "legacy.Users"):
        cloud.assert_same(table, TABLES[table])
    assert recorded("shop_orders", "ddb_assets/location") is None


def test_athena_publishes_where_it_is_asked_to(cloud, refresh, recorded):
    """`ALTER TABLE … SET LOCATION` in the workgroup; its query is on record."""
    definitions = ddb_assets.build_dynamodb_assets(
        tables=["Article", "waiting_list"],
        database="ddb",
        bucket="ddb-exports",
        workgroup="ddb",
        publish_with="athena",
    )
    assert refresh(definitions).success
    clock.advance(60)
    assert refresh(definitions).success
    cloud.assert_same("Article", "article")
    query_id = recorded("article", "ddb_assets/query_execution_id")
    execution = cloud.clients.athena.get_query_execution(QueryExecutionId=query_id)
    assert "SET LOCATION" in execution["QueryExecution"]["Query"].upper()
    assert execution["QueryExecution"]["WorkGroup"] == "ddb"


def test_started_now_is_published_later_by_its_arn(cloud, refresh, recorded):
    """`wait: false` ends at once; another run adopts the export."""
    assert refresh(select=["article"], config={"wait": False}).success
    assert recorded("article", "ddb_assets/location") is None
    (arn,) = cloud.exports("Article")
    assert refresh(select=["article"], config={"adopt": arn}).success
    assert recorded("article", "ddb_assets/export_arn") == arn
    assert cloud.exports("Article") == [arn]
    cloud.assert_same("Article", "article")


def test_an_export_time_is_exported_as_asked(cloud, refresh, recorded):
    """What was written after that second is not in the table."""
    moment = (clock.now() - timedelta(minutes=10)).replace(microsecond=0)
    article = {"userId": {"S": "u"}, "articleId": {"S": "late"}}
    cloud.clients.dynamodb.put_item(TableName="Article", Item=article)
    assert refresh(select=["article"], config={"export_time": moment.isoformat()}).success
    assert recorded("article", "ddb_assets/export_time") == moment.timestamp()
    assert recorded("article", "dagster/row_count") == 2


def test_a_consistent_group_shows_one_moment(cloud, refresh, recorded, dagster_instance):
    """Every table is of the same second, five minutes before the run's start."""
    article = {"userId": {"S": "u"}, "articleId": {"S": "late"}}
    cloud.clients.dynamodb.put_item(TableName="Article", Item=article)
    definitions = ddb_assets.build_dynamodb_assets(
        tables=[ddb_assets.Table(name, group="cut") for name in ("Article", "legacy.Users")],
        database="ddb",
        bucket="ddb-exports",
        groups={"cut": ddb_assets.RefreshGroup(consistent=True)},
    )
    result = refresh(definitions)
    assert result.success
    started = dagster_instance.get_run_record_by_id(result.run_id).start_time
    times = {recorded(t, "ddb_assets/export_time") for t in ("article", "legacy_users")}
    assert times == {int(started) - 300}
    assert recorded("article", "dagster/row_count") == 2
    cloud.assert_same("legacy.Users", "legacy_users")


def test_without_credentials_the_error_says_what_to_do(refresh, monkeypatch):
    """Every table fails with the settings to make, or `make dev`."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    result = refresh()
    assert not result.success
    entries = [entry.value for entry in failure(result).metadata.values()]
    assert {entry["error"] for entry in entries} == {"CredentialsMissingError"}
    assert "AWS_PROFILE" in entries[0]["remedy"]
    assert "make dev" in entries[0]["remedy"]
