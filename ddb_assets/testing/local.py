"""The local AWS for one test: tables in, definitions refreshed, rows out."""

import importlib.util
import os
import time
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, cast

import dagster as dg

from ddb_assets.aws.gateways import connect
from ddb_assets.aws.session import AwsConnection
from ddb_assets.cli.environment import offline_aws_environment
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import QueryFailedError
from ddb_assets.local.process import LocalProcess
from ddb_assets.orchestration.declared import marks
from ddb_assets.orchestration.resources import AwsResource
from ddb_assets.testing.items import item

KeyType = Literal["S", "N", "B"]
#: What `definitions.py` holds: Definitions, or what `@dg.definitions` makes of a function.
SomeDefinitions = dg.Definitions | Callable[[], dg.Definitions]
#: Assets to refresh: keys, or a selection.
Selection = dg.AssetSelection | Sequence[dg.AssetKey | str | Sequence[str]]

#: The modules of the extra `local`; the server itself runs in a process of its own.
_EXTRA = ("moto", "flask", "duckdb", "sqlglot", "pytz")
#: API page BatchWriteItem: at most 25 requests.
_BATCH = 25
_WORKGROUP = "ddb-assets-testing"
_RESULTS = "ddb-assets-testing-results"
_QUERY_SECONDS = 60.0


class LocalAwsMissingError(ImportError):
    """The packages of the local AWS are not installed; names them and the extra."""


class LocalAws:
    """A running local AWS, empty at first. Made by `local_aws`.

    Attributes:
        process: The server; `process.control` orders faults, moves the clock and more.
        region: Where everything lives.
        connection: How this module reaches it.
        instance: The Dagster instance of `refresh`: history from one refresh to the next.
    """

    def __init__(self, process: LocalProcess, *, region: str, instance: dg.DagsterInstance) -> None:
        self.process = process
        self.region = region
        self.instance = instance
        self.connection = AwsConnection(
            region=region,
            endpoint_url=process.url,
            access_key_id=process.env["AWS_ACCESS_KEY_ID"],
            secret_access_key=process.env["AWS_SECRET_ACCESS_KEY"],
        )
        self.gateways = connect(self.connection)
        self._create_workgroup(_WORKGROUP)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead any AWS client of this or another process here."""
        return _environment(self.process, self.region)

    def create_table(
        self,
        name: str,
        keys: Mapping[str, KeyType],
        items: Iterable[Mapping[str, Any]] = (),
        *,
        pitr: bool = True,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Create a DynamoDB table and fill it.

        Args:
            name: The table.
            keys: Partition key and, if there is one, sort key, with their types.
            items: Plain Python values, see `ddb_assets.testing.items.item`.
            pitr: Switch point-in-time recovery on; without it nothing can be exported.
            tags: The table's tags.

        Raises:
            ValueError: No key, or more than two.
        """
        if not 1 <= len(keys) <= 2:
            raise ValueError(f"{name}: a table has one or two keys, not {len(keys)}")
        client: Any = self.connection.client("dynamodb")
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()
            ],
            KeySchema=[
                {"AttributeName": key, "KeyType": role}
                for key, role in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        )
        if pitr:
            client.update_continuous_backups(
                TableName=name,
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
            )
        self.put_items(name, items)

    def put_items(self, table: str, items: Iterable[Mapping[str, Any]]) -> None:
        """Write items; one with the keys of an existing item replaces it."""
        client: Any = self.connection.client("dynamodb")
        requests = [{"PutRequest": {"Item": item(one)}} for one in items]
        for start in range(0, len(requests), _BATCH):
            left: dict[str, Any] = {table: requests[start : start + _BATCH]}
            while left:
                left = client.batch_write_item(RequestItems=left).get("UnprocessedItems", {})

    def create_bucket(self, bucket: str) -> None:
        """Create an S3 bucket; that it is there already is no error."""
        client: Any = self.connection.client("s3")
        if bucket in {one["Name"] for one in client.list_buckets()["Buckets"]}:
            return
        # API page CreateBucket: us-east-1 is the one region that is not named.
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        client.create_bucket(Bucket=bucket, **({} if self.region == "us-east-1" else elsewhere))

    def refresh(
        self,
        definitions: SomeDefinitions,
        selection: Selection | None = None,
        *,
        run_config: Mapping[str, Any] | None = None,
        raise_on_error: bool = True,
    ) -> dg.ExecuteInProcessResult:
        """Materialize assets in one run in this process, against the local AWS and nothing else.

        The buckets and workgroups the tables declare are created. Whatever account, region and
        role the definitions' AWS resources name, they are led here.

        Args:
            definitions: Yours, as `definitions.py` has them.
            selection: Which assets; all that can be materialized by default.
            run_config: As at the launchpad.
            raise_on_error: Whether a failed run raises; else look at `result.success`.

        Raises:
            Exception: What made the run fail.
        """
        made = definitions if isinstance(definitions, dg.Definitions) else definitions()
        for spec in _specs(made):
            self.create_bucket(spec.bucket)
            if spec.publish_with == "athena" or spec.typed_copy is not None:
                self._create_workgroup(spec.workgroup)
        job = _led_here(made).resolve_implicit_global_asset_job_def()
        with self.environ():
            return job.execute_in_process(
                instance=self.instance,
                asset_selection=None if selection is None else _keys(made, selection),
                run_config=run_config,
                raise_on_error=raise_on_error,
            )

    def query(self, sql: str, *, database: str = "default") -> list[dict[str, str | None]]:
        """Ask Athena and wait for the rows: names and values as Athena's API gives them, text.

        Args:
            sql: One statement.
            database: For tables that are named without one.

        Raises:
            QueryFailedError: With Athena's own reason.
        """
        queries = self.gateways.queries
        started = queries.start(
            sql, database=database, workgroup=_WORKGROUP, token=uuid.uuid4().hex
        )
        deadline = time.monotonic() + _QUERY_SECONDS
        while (status := queries.statuses([started])[started]).state in {"QUEUED", "RUNNING"}:
            if time.monotonic() > deadline:
                raise QueryFailedError(f"no answer in {_QUERY_SECONDS:.0f} s", query=sql)
            time.sleep(0.02)
        if status.state != "SUCCEEDED":
            raise QueryFailedError(f"{status.state}: {status.reason}", query=sql)
        header, *rows = queries.rows(started)
        return [dict(zip(map(str, header), row, strict=True)) for row in rows]

    @contextmanager
    def environ(self) -> Generator[None]:
        """This process's environment leads here; what it was before comes back."""
        with _environ(self.environment):
            yield

    def _create_workgroup(self, name: str) -> None:
        self.create_bucket(_RESULTS)
        client: Any = self.connection.client("athena")
        location = {"OutputLocation": f"s3://{_RESULTS}/{name}/"}
        if name in {one["Name"] for one in client.list_work_groups()["WorkGroups"]}:
            client.update_work_group(
                WorkGroup=name, ConfigurationUpdates={"ResultConfigurationUpdates": location}
            )
        else:
            client.create_work_group(Name=name, Configuration={"ResultConfiguration": location})


@contextmanager
def local_aws(*, region: str = "us-east-1", export_seconds: float = 0.0) -> Generator[LocalAws]:
    """A local AWS of its own, empty, ended afterwards; this process's AWS variables lead to it.

    Args:
        region: Where everything lives.
        export_seconds: How long an export stays IN_PROGRESS; minutes on the real one.

    Raises:
        LocalAwsMissingError: The extra `local` is not installed.
        LocalProcessError: It did not start; says what it printed.
    """
    require_extra()
    with (
        LocalProcess.start(sample=False, export_seconds=export_seconds) as process,
        connected(process, region=region) as aws,
    ):
        yield aws


@contextmanager
def connected(process: LocalProcess, *, region: str) -> Generator[LocalAws]:
    """A running server as a test sees it, with a Dagster instance in memory."""
    # Dagster leaves the type of its settings open.
    ephemeral = cast("Callable[[], dg.DagsterInstance]", dg.DagsterInstance.ephemeral)  # pyright: ignore[reportUnknownMemberType]
    # The environment first: a client is not even made under a profile that does not exist.
    with _environ(_environment(process, region)), ephemeral() as instance:
        yield LocalAws(process, region=region, instance=instance)


def require_extra() -> None:
    """Make sure that the server can be started.

    Raises:
        LocalAwsMissingError: Names what is missing.
    """
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        raise LocalAwsMissingError(
            f"the local AWS needs {', '.join(missing)}: pip install 'ddb-assets[local]'"
        )


def _environment(process: LocalProcess, region: str) -> dict[str, str]:
    own = {"AWS_DEFAULT_REGION": region, "AWS_REGION": region}
    return {**offline_aws_environment(os.environ), **process.env, **own}


@contextmanager
def _environ(variables: Mapping[str, str]) -> Generator[None]:
    before = dict(os.environ)
    _replace_environ(variables)
    try:
        yield
    finally:
        _replace_environ(before)


def _replace_environ(variables: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(variables):
        del os.environ[name]
    os.environ.update(variables)


def _specs(definitions: dg.Definitions) -> Iterator[TableSpec]:
    assets = (one for one in definitions.assets or () if isinstance(one, dg.AssetsDefinition))
    for marked in marks(assets):
        yield from marked.step.tables.values()


def _led_here(definitions: dg.Definitions) -> dg.Definitions:
    """The assets with AWS resources that have nothing but the environment to go by."""
    given: Mapping[str, Any] = definitions.resources or {}
    return dg.Definitions(
        assets=definitions.assets,
        asset_checks=definitions.asset_checks,
        resources={
            key: AwsResource() if isinstance(one, AwsResource) else one
            for key, one in given.items()
        },
    )


def _keys(definitions: dg.Definitions, selection: Selection) -> list[dg.AssetKey]:
    graph = definitions.resolve_asset_graph()
    if not isinstance(selection, dg.AssetSelection):
        selection = dg.AssetSelection.assets(*selection)
    # Dagster leaves the graph's type open.
    chosen = selection.resolve(graph)  # pyright: ignore[reportUnknownMemberType]
    return sorted(chosen & graph.materializable_asset_keys)
