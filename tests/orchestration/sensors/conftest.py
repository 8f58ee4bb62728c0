"""Sensors over an account in memory, a clock moved by hand and a real Dagster instance."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from ddb_assets.core.export import Export, ExportSummary, TableDescription
from ddb_assets.core.ports import CatalogTable, Gateways
from ddb_assets.core.publishing.published import (
    EXPORT_ARN,
    EXPORT_TIME,
    PREVIOUS_LOCATION,
    TABLE_ARN,
    TABLE_ID,
)
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import TableNotFoundError
from ddb_assets.orchestration.resources import AwsResource
from ddb_assets.orchestration.sensors.declared import SensedTables

HOME = "arn:aws:dynamodb:eu-central-1:123456789012"


class HandClock:
    """Time that moves when somebody sleeps, or a call takes a while."""

    def __init__(self):
        self.at = datetime.now(UTC).replace(microsecond=0)
        self.elapsed = 0.0

    def now(self):
        """The wall time."""
        return self.at

    def monotonic(self):
        """Seconds since the beginning."""
        return self.elapsed

    def sleep(self, seconds):
        """Move on."""
        self.elapsed += seconds
        self.at += timedelta(seconds=seconds)


class Account:
    """DynamoDB, Glue and CloudWatch in memory; counts every call."""

    def __init__(self, clock):
        self.clock = clock
        self.calls = Counter()
        self.call_seconds = 0.02
        self.errors = {}
        self.exports = {}
        self.shown = {}
        self.writes = {}
        self.sizes = {}
        self.gateways = Gateways(dynamodb=self, objects=None, catalog=self, queries=None)
        self.numbers = 0

    def _called(self, operation, subject=None):
        self.calls[operation] += 1
        self.clock.sleep(self.call_seconds)
        error = self.errors.get((operation, subject)) or self.errors.get(operation)
        if error is not None:
            raise error

    def describe_table(self, name):
        """Item count and size."""
        self._called("describe_table", name)
        if name not in self.sizes:
            raise TableNotFoundError("it does not exist", table=name)
        items, size = self.sizes[name]
        arn = f"{HOME}:table/{name}"
        return TableDescription(name, arn, "id-1", "ACTIVE", (("id", "S"),), items, size)

    def list_exports(self, table_arn=None):
        """Newest first."""
        self._called("list_exports", table_arn.rpartition("/")[2])
        of_table = [e for e in self.exports.values() if e.table_arn == table_arn]
        for export in sorted(of_table, key=lambda e: e.export_id, reverse=True):
            yield ExportSummary(export.arn, export.status, export.kind)

    def describe_export(self, arn):
        """One of them."""
        self._called("describe_export", arn)
        return self.exports[arn]

    def get_table(self, database, table):
        """What Athena shows."""
        self._called("get_table", table)
        return self.shown.get(table)

    def last_writes(self, tables, *, start, end, period_seconds):
        """CloudWatch."""
        self._called("get_metric_data")
        assert len(tables) <= 250
        assert len(tables) * 2 * (end - start).total_seconds() / period_seconds <= 100_800
        last = {t: self.writes[t] for t in tables if self.writes.get(t, start) > start}
        period = timedelta(seconds=period_seconds)
        return {t: start + ((m - start) // period + 1) * period for t, m in last.items()}

    def export(self, name, *, ago=0.0, of=None, status="COMPLETED", **facts):
        """An export that began so many seconds ago, of that moment."""
        began = self.clock.now() - timedelta(seconds=ago)
        self.numbers += 1
        export_id = f"{int(began.timestamp() * 1000):014d}-{self.numbers:08x}"
        facts = {"table_id": "id-1", "export_time": of or began, "start_time": began, **facts}
        export = Export(
            arn=f"{HOME}:table/{name}/export/{export_id}",
            status=status,
            table_arn=f"{HOME}:table/{name}",
            bucket="exports",
            prefix=name,
            **facts,
        )
        self.exports[export.arn] = export
        return export

    def show(self, name, export, *, previous=None):
        """Point the Athena table at an export."""
        parameters = {
            EXPORT_ARN: export.arn,
            EXPORT_TIME: export.export_time.isoformat(),
            TABLE_ARN: export.table_arn,
            TABLE_ID: export.table_id,
        }
        if previous is not None:
            parameters[PREVIOUS_LOCATION] = location(name, previous)
        table_input = {
            "StorageDescriptor": {"Location": location(name, export)},
            "Parameters": parameters,
        }
        self.shown[name] = CatalogTable("raw", name, table_input, "1", self.clock.now())


def location(name, export):
    """Where an export's data lies."""
    return f"s3://exports/{name}/AWSDynamoDB/{export.export_id}/data/"


class SensedAws(AwsResource):
    """Hands out the account of the test."""

    def gateways(self, *, bucket_owners=None):
        """The services."""
        return CURRENT[0].gateways

    def write_metrics(self):
        """CloudWatch."""
        return CURRENT[0]

    def clock(self):
        """The clock moved by hand."""
        return CURRENT[0].clock


#: A resource is configured by Dagster and cannot carry objects.
CURRENT: list[Account] = []


@pytest.fixture
def account():
    """An empty account."""
    made = Account(HandClock())
    CURRENT[:] = [made]
    yield made
    CURRENT.clear()


@pytest.fixture
def sensed():
    """The tables of one declaration: `sensed("orders", g=("a", "b"))`, g a consistent group."""

    def build(*names, failing=(), unattended=(), steps=1, **groups):
        group_of = {name: group for group, members in groups.items() for name in members}
        every = [*names, *group_of]
        tables = {
            dg.AssetKey(["athena", "raw", name]): TableSpec(
                name=name,
                database="raw",
                table=name,
                bucket="exports",
                prefix=name,
                group=group_of.get(name, "default"),
            )
            for name in every
        }
        keys = list(tables)
        parts = [keys[number::steps] for number in range(steps)]
        definitions = [_step(f"refresh_{n}", part, failing) for n, part in enumerate(parts)]
        return SensedTables(
            name="refresh_raw",
            tables=tables,
            steps={key: f"refresh_{n}" for n, part in enumerate(parts) for key in part},
            definitions=definitions,
            consistent=frozenset(groups),
            unattended=frozenset(unattended),
        )

    return build


def _step(name, keys, failing):
    class Config(dg.Config):
        adopt: str | None = None
        wait: bool = True

    @dg.multi_asset(name=name, specs=[dg.AssetSpec(key) for key in keys], can_subset=True)
    def step(context: dg.AssetExecutionContext, config: Config):
        """Fail where told to; materialize otherwise, as of now."""
        if any(key.path[-1] in failing for key in context.selected_asset_keys):
            raise dg.Failure("no")
        if not config.wait:
            return
        arns = {arn.split("/")[1]: arn for arn in (config.adopt or "").split()}
        account = CURRENT[0]
        for key in sorted(context.selected_asset_keys):
            table = key.path[-1]
            export = account.exports.get(arns.get(table)) or account.export(table)
            account.show(table, export)
            yield dg.MaterializeResult(asset_key=key, metadata=shown_metadata(account, export))

    return step


def shown_metadata(account, export, **more):
    """What a materialization says."""
    table = export.table_arn.rpartition("/")[2]
    items, size = account.sizes.get(table, (0, 0))
    return {
        "ddb_assets/export_arn": export.arn,
        "ddb_assets/export_time": dg.MetadataValue.timestamp(export.export_time),
        "ddb_assets/location": location(table, export),
        "ddb_assets/items": items,
        "ddb_assets/live_items": items,
        "ddb_assets/live_size_bytes": size,
        **more,
    }


@pytest.fixture
def publish(account, instance):
    """Publishes an export of a table that began so long ago, and records it."""

    def done(name, *, ago=0.0, export=None, **more):
        export = export or account.export(name, ago=ago)
        account.show(name, export)
        metadata = shown_metadata(account, export, **more)
        instance.report_runless_asset_event(
            dg.AssetMaterialization(dg.AssetKey(["athena", "raw", name]), metadata=metadata)
        )
        return export

    return done


class Daemon:
    """Evaluates one sensor as Dagster's daemon does, and runs what it requests."""

    def __init__(self, instance, sensed, make):
        self.instance = instance
        self.sensed = sensed
        self.sensor = make(sensed)
        self.cursor = None
        self.keys = set()
        self.defs = dg.Definitions(
            assets=list(sensed.definitions),
            jobs=[sensed.job],
            sensors=[self.sensor],
            resources={"aws": SensedAws()},
            executor=dg.in_process_executor,
        )

    def tick(self, *, keep_cursor=True):
        """One evaluation; its requests whose run key is new."""
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            definitions=self.defs,
            sensor_name=self.sensor.name,
            resources={"aws": SensedAws()},
        )
        data = self.sensor.evaluate_tick(context)
        if keep_cursor:
            self.cursor = data.cursor
        self.skipped = data.skip_message
        return [request for request in data.run_requests or [] if request.run_key not in self.keys]

    def submit(self, request, *, status=None):
        """Create the run, as the daemon does before it is launched."""
        self.keys.add(request.run_key)
        job = self.defs.resolve_job_def(self.sensed.job.name).get_subset(
            asset_selection=set(request.asset_selection)
        )
        run = self.instance.create_run_for_job(
            job,
            run_config=request.run_config,
            tags=request.tags,
            asset_selection=frozenset(request.asset_selection),
            status=status,
        )
        return job, run

    def run(self, request):
        """Create the run and execute it."""
        job, run = self.submit(request)
        return execute_run(InMemoryJob(job), run, self.instance, raise_on_error=False)


@pytest.fixture
def daemon(instance, account):
    """Builds a daemon for one sensor."""

    def build(tables, make):
        return Daemon(instance, tables, make)

    return build


@pytest.fixture
def tables_of():
    """The table names of requests."""

    def names(requests):
        return sorted(key.path[-1] for request in requests for key in request.asset_selection)

    return names
