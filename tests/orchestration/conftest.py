"""A refresh that asks nobody, and Dagster around it."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from ddb_assets.core.export import Export, TableDescription
from ddb_assets.core.manifest import DataFile, Manifest
from ddb_assets.core.outcome import Failed, Refreshed, Started, Timings
from ddb_assets.core.ports import ExportNote, RefreshEvent
from ddb_assets.core.publication import Publication
from ddb_assets.core.spec import TableSpec
from ddb_assets.orchestration.assets import refresh_assets
from ddb_assets.orchestration.resources import AwsResource
from ddb_assets.orchestration.step import RefreshStep
from ddb_assets.schema.names import athena_name

NOW = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
ACCOUNT = "arn:aws:dynamodb:eu-central-1:123456789012"


class FakeClock:
    """Stands still."""

    def now(self):
        """Always the same."""
        return NOW

    def monotonic(self):
        """Never moves."""
        return 0.0

    def sleep(self, seconds):
        """Is the core's business."""
        raise AssertionError("the orchestration never sleeps")


class FakeAws(AwsResource):
    """Hands out gateways nobody asks anything."""

    def gateways(self, *, bucket_owners=None):
        """What the core would ask."""
        return ("gateways", bucket_owners)

    def clock(self):
        """Stands still."""
        return FakeClock()


def spec_of(name: str, **settings) -> TableSpec:
    """A complete spec of a table in the database `raw`."""
    settings = {"database": "raw", "bucket": "exports", "prefix": name, **settings}
    return TableSpec(name=name, table=athena_name(name), **settings)


class FakeRefresh:
    """Does what the core's refresh does with its collaborators, in memory.

    `failing` maps a table to the errors of its next attempts; `starts` counts exports started;
    `publication` overrides facts of a table's publication.
    """

    def __init__(self) -> None:
        self.calls: list[dict] = []
        self.failing: dict[str, list] = {}
        self.interrupt_after: str | None = None
        self.interrupt: type[BaseException] = dg.DagsterExecutionInterruptedError
        self.refusal: Exception | None = None
        self.starts: list[str] = []
        self.publication: dict[str, dict] = {}

    def __call__(self, specs, **collaborators):
        """Start or find each export, then end each table as asked."""
        self.calls.append({"tables": [spec.name for spec in specs], **collaborators})
        if self.refusal:
            raise self.refusal
        listen, ledger = collaborators["listener"], collaborators["ledger"]
        exports = {}
        for spec in specs:
            note = ledger.find(spec.name)
            if note is None:
                self.starts.append(spec.name)
                arn = f"{ACCOUNT}:table/{spec.name}/export/0177234-{len(self.starts):08x}"
                table_arn = f"{ACCOUNT}:table/{spec.name}"
                note = ExportNote(table_arn, "id-1", arn, "token", 0, NOW)
                ledger.record(spec.name, note)
                listen(RefreshEvent(spec.name, "started", f"{spec.name}: export started", NOW))
            else:
                listen(RefreshEvent(spec.name, "reattached", f"{spec.name}: found its export", NOW))
            exports[spec.name] = note
        for spec in specs:
            yield self._outcome(spec, exports[spec.name], collaborators["options"])
            if spec.name == self.interrupt_after:
                self.interrupt_after = None
                listen(RefreshEvent(spec.name, "left_running", "other: keeps running", NOW))
                raise self.interrupt

    def _outcome(self, spec, note, options):
        export = Export(
            note.export_arn,
            "COMPLETED",
            note.table_arn,
            note.table_id,
            spec.bucket,
            spec.prefix,
        )
        if errors := self.failing.get(spec.name):
            return Failed(spec, errors.pop(0).for_table(spec.name), export)
        facts = self.publication.get(spec.name, {})
        return refreshed(spec, export, **facts) if options.wait else Started(spec, export)


def refreshed(spec: TableSpec, export: Export, **publication) -> Refreshed:
    """A table that stands at an export of 2 items in one file."""
    location = f"s3://{spec.bucket}/{spec.prefix}/AWSDynamoDB/{export.export_id}/data/"
    started = NOW - timedelta(minutes=10)
    manifest = Manifest(
        export_arn=export.arn,
        table_arn=export.table_arn,
        table_id=export.table_id,
        export_time=NOW - timedelta(minutes=15),
        start_time=started,
        end_time=started + timedelta(seconds=368),
        bucket=spec.bucket,
        prefix=spec.prefix,
        location=location,
        files=(DataFile("k", 2, "m", "e", 77),),
        items=2,
        billed_bytes=5 * 2**30,
        stored_bytes=77,
    )
    facts = {
        "action": "moved",
        "previous_location": "s3://exports/old/",
        "version_id": "4",
        "columns": (("item", "struct<id:struct<s:string>>", ""),),
        **publication,
    }
    published = Publication(
        spec.database, spec.table, location, export.arn, manifest.export_time, **facts
    )
    description = TableDescription(
        spec.name, export.table_arn, export.table_id, "ACTIVE", (("id", "S"),)
    )
    return Refreshed(spec, description, export, manifest, published, Timings(1.5, 0.5, 0.25, 0.75))


@pytest.fixture
def clock_now():
    """What the fake clock says."""
    return NOW


@pytest.fixture
def fake_refresh():
    """One fake refresh per test."""
    return FakeRefresh()


@pytest.fixture
def make_spec():
    """Builds TableSpecs."""
    return spec_of


@pytest.fixture
def make_refreshed():
    """Builds a Refreshed outcome."""

    def build(spec, **publication):
        arn = f"{ACCOUNT}:table/{spec.name}/export/01772346-00000001"
        export = Export(arn, "COMPLETED", f"{ACCOUNT}:table/{spec.name}", "id-1", spec.bucket)
        return refreshed(spec, export, **publication)

    return build


@pytest.fixture
def fake_aws():
    """A resource that reaches nobody."""
    return FakeAws()


@pytest.fixture
def fake_aws_class():
    """Its class, for definitions that make their own."""
    return FakeAws


@pytest.fixture
def make_step(fake_refresh):
    """A multi-asset over named tables, refreshed by the fake."""

    def build(*names, retry_policy=None, options=None, **settings):
        specs = [spec_of(name, **settings) for name in names]
        keys = {dg.AssetKey(["athena", spec.database, spec.table]): spec for spec in specs}
        given = {} if options is None else {"options": options}
        step = RefreshStep(tables=keys, refresh=fake_refresh, **given)
        assets = [dg.AssetSpec(key, deps=[["dynamodb", s.name]]) for key, s in keys.items()]
        return refresh_assets(step, assets, name="refresh_raw", retry_policy=retry_policy)

    return build


@pytest.fixture
def instance():
    """A real instance in memory."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def materialize(instance, fake_aws):
    """Materializes with the fake resource; config is the step's own."""

    def run(assets, *, config=None, **arguments):
        run_config = {"ops": {"refresh_raw": {"config": config}}} if config else None
        arguments = {"instance": instance, "raise_on_error": False, **arguments}
        return dg.materialize(
            [assets], resources={"aws": fake_aws}, run_config=run_config, **arguments
        )

    return run


@pytest.fixture
def rerun_from_failure(instance, fake_aws):
    """What the UI's "Re-execute from failure" makes of a run: a child with Dagster's own tags."""

    def run(assets, parent_id, *, config=None, tag="dagster/is_resume_retry"):
        definitions = dg.Definitions(
            assets=[assets], resources={"aws": fake_aws}, executor=dg.in_process_executor
        )
        job = definitions.resolve_implicit_global_asset_job_def()
        parent = instance.get_run_by_id(parent_id)
        child = instance.create_run_for_job(
            job,
            run_config={"ops": {"refresh_raw": {"config": config or {}}}},
            parent_run_id=parent_id,
            root_run_id=parent.root_run_id or parent_id,
            tags={tag: "true"} if tag else {},
        )
        return execute_run(InMemoryJob(job), child, instance, raise_on_error=False)

    return run


@pytest.fixture
def log_lines(instance):
    """The run's log messages that people wrote, in order."""

    def read(run_id):
        events = instance.all_logs(run_id)
        return [e.user_message for e in events if e.dagster_event is None]

    return read
