"""What operators do, as jobs of the Dagster UI: status, adopt, rollback and prune.

Each declaration has the four, as op jobs of one step: they start no export and are seldom run. What
a rollback or an adoption publishes is logged as a materialization of the exported asset, so that
the asset's history says which export was shown when; its view's history likewise.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, NoReturn

import dagster as dg
from dagster._check import CheckError

from ddb_assets.core.clock import Clock
from ddb_assets.core.operating import report
from ddb_assets.core.operating.adopt import adopt
from ddb_assets.core.operating.retention import RetentionPolicy, check_policy, prune, prune_plan
from ddb_assets.core.operating.rollback import proved_target, rollback, rollback_target
from ddb_assets.core.operating.status import statuses
from ddb_assets.core.outcome import Copied, Failed, Outcome, Refreshed
from ddb_assets.core.ports import Gateways
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import DdbAssetsError, DeclarationError
from ddb_assets.orchestration.copies import copy_metadata
from ddb_assets.orchestration.declared import marks, named_tables, refuse_shared_folder
from ddb_assets.orchestration.failures import failed_tables, refused
from ddb_assets.orchestration.job_configs import (
    AdoptConfig,
    PruneConfig,
    RollbackConfig,
    StatusConfig,
)
from ddb_assets.orchestration.metadata import (
    DEFAULT_PRICE_PER_GB,
    PREFIX,
    Metadata,
    refreshed_metadata,
)
from ddb_assets.orchestration.naming import dagster_name
from ddb_assets.orchestration.reattach import intent_of, is_recorded, materialized_in_run
from ddb_assets.orchestration.resources import AwsResource
from ddb_assets.orchestration.run_config import (
    export_arn_of,
    export_reference,
    verify_level,
)
from ddb_assets.orchestration.step import Story, bucket_owners
from ddb_assets.orchestration.views import view_metadata
from ddb_assets.reading.profiling import fastest_profiling

Operation = Literal["adopt", "rollback"]


def operator_jobs(
    tables: Mapping[dg.AssetKey, TableSpec],
    *,
    name: str,
    views: Mapping[dg.AssetKey, dg.AssetKey],
    copies: Mapping[dg.AssetKey, dg.AssetKey],
    resource_key: str = "aws",
    price_per_gb: float = DEFAULT_PRICE_PER_GB,
) -> list[dg.JobDefinition]:
    """`status_NAME`, `adopt_NAME`, `rollback_NAME` and `prune_NAME`.

    Args:
        tables: The declaration's exported assets and what stands behind each.
        name: Of the declaration; what Dagster does not allow in a name becomes `_`.
        views: The typed view's key by its table's.
        copies: The typed copy's likewise.
        resource_key: Under which the `AwsResource` is found.
        price_per_gb: USD per exported GB, for the estimate in the metadata.
    """

    def operate(context: dg.OpExecutionContext) -> "_Operator":
        aws: AwsResource = getattr(context.resources, resource_key)
        return _Operator(context, aws, tables, views, copies, price_per_gb)

    def status(context: dg.OpExecutionContext, config: StatusConfig) -> None:
        operate(context).status(config)

    def adopt(context: dg.OpExecutionContext, config: AdoptConfig) -> None:
        operate(context).adopt(config)

    def rollback(context: dg.OpExecutionContext, config: RollbackConfig) -> None:
        operate(context).rollback(config)

    def prune(context: dg.OpExecutionContext, config: PruneConfig) -> None:
        operate(context).prune(config)

    makers: list[tuple[Callable[..., None], str, dict[str, str]]] = [
        (status, "What each table shows, how old it is, which exports run or wait.", {}),
        (adopt, "Publish an export that is already there, by its ARN.", {}),
        (
            rollback,
            "Show an earlier export again; the next refresh goes forward.",
            # Run twice, it goes back twice: nobody but a person repeats it.
            {"dagster/max_retries": "0"},
        ),
        (prune, "Delete old exports from S3; by default only says which.", {}),
    ]
    return [
        _job(function, f"{function.__name__}_{dagster_name(name)}", about, resource_key, tags)
        for function, about, tags in makers
    ]


def _job(
    function: Callable[..., None],
    name: str,
    about: str,
    resource_key: str,
    tags: Mapping[str, str],
) -> dg.JobDefinition:
    # A job's graph has the job's name, and no op may have the same.
    op = dg.op(
        name=f"run_{name}",
        description=about,
        required_resource_keys={resource_key},
        out=dg.Out(dg.Nothing),
    )(function)

    @dg.job(  # pyright: ignore[reportUnknownMemberType] - a bare PathLike in Dagster
        name=name, description=about, executor_def=dg.in_process_executor, tags=dict(tags)
    )
    def job() -> None:
        op()

    return job


@dataclass(frozen=True)
class _Operator:
    """One run of one of the four jobs."""

    context: dg.OpExecutionContext
    aws: AwsResource
    tables: Mapping[dg.AssetKey, TableSpec]
    views: Mapping[dg.AssetKey, dg.AssetKey]
    copies: Mapping[dg.AssetKey, dg.AssetKey]
    price_per_gb: float
    failed: list[Failed] = field(default_factory=list[Failed])
    documents: list[report.Document] = field(default_factory=list[report.Document])

    def status(self, config: StatusConfig) -> None:
        """Log how each table stands."""
        specs = self._chosen(config.tables)
        with self._collected(specs) as (gateways, clock):
            for status in statuses(specs, gateways=gateways, listener=self._story, clock=clock):
                self.documents.append(report.status_document(status))
                if status.error is not None:
                    self._fail(status.spec, status.error)
                elif status.published is None:
                    self.context.log.warning(report.status_sentence(status))
                else:
                    self.context.log.info(report.status_sentence(status))

    def adopt(self, config: AdoptConfig) -> None:
        """Publish the export."""
        (spec,) = self._chosen([config.table])
        with _refusing():
            arn = export_arn_of(config.arn, spec, setting="arn")
        with self._collected([spec]) as (gateways, clock):
            outcome = adopt(
                spec,
                arn,
                gateways=gateways,
                allow_older=config.allow_older,
                accept_changes=config.accept_changes,
                verify=verify_level(config.verify),
                listener=self._story,
                clock=clock,
                profiling=fastest_profiling,
            )
            self._ended(outcome, "adopt", clock)

    def rollback(self, config: RollbackConfig) -> None:
        """Take every named table back; what this run or the one it retries took back, stays."""
        if not config.tables:
            self._refuse("tables is empty", "name the tables that are to go back")
        specs = self._chosen(config.tables)
        to = config.to
        if to is not None:
            if len(specs) != 1:
                self._refuse(f"to is of one table, named are {len(specs)}", "name one table")
            with _refusing():
                to = export_reference(to, specs[0])
        done = self._done_before()
        with self._collected(specs) as (gateways, clock):
            for spec in specs:
                if spec.name in done:
                    self.context.log.info("%s: this run has taken it back already", spec.name)
                    continue
                try:
                    if config.dry_run:
                        self._prove(spec, to, gateways, clock)
                        continue
                    outcome = rollback(
                        spec,
                        gateways=gateways,
                        to=to,
                        verify=verify_level(config.verify),
                        listener=self._story,
                        clock=clock,
                        profiling=fastest_profiling,
                    )
                except DdbAssetsError as error:
                    self._fail(spec, error)
                else:
                    self._ended(outcome, "rollback", clock)

    def prune(self, config: PruneConfig) -> None:
        """Say what may be deleted; delete it unless that is all."""
        policy = RetentionPolicy(config.keep_last, config.keep_days, config.rollback_days)
        with _refusing():
            check_policy(policy)
        specs = self._chosen(config.tables)
        neighbours = self._declared_everywhere()
        with self._collected(specs) as (gateways, clock):
            for spec in specs:
                try:
                    refuse_shared_folder(spec, neighbours)
                    plan = prune_plan(
                        spec, policy, gateways=gateways, listener=self._story, clock=clock
                    )
                    self.context.log.info(report.plan_sentence(plan))
                    pruned = None
                    if plan.delete and not config.dry_run:
                        pruned = prune(plan, gateways=gateways, listener=self._story, clock=clock)
                        self.context.log.info(report.pruned_sentence(plan, pruned))
                    self.documents.append(report.prune_document(spec, plan, pruned))
                except DdbAssetsError as error:
                    self._fail(spec, error)

    def _prove(self, spec: TableSpec, to: str | None, gateways: Gateways, clock: Clock) -> None:
        story = self._story
        target = rollback_target(spec, gateways=gateways, to=to, listener=story, clock=clock)
        manifest = proved_target(spec, target, gateways=gateways, listener=story, clock=clock)
        self.context.log.info(report.target_sentence(spec, target, manifest))
        self.documents.append(report.target_document(spec, target, manifest))

    def _ended(self, outcome: Outcome, operation: Operation, clock: Clock) -> None:
        """Log the materialization at once: what is published is published."""
        if isinstance(outcome, Failed):
            self.failed.append(outcome)
            return
        assert isinstance(outcome, Refreshed), "an export that is there is waited for"
        key = next(key for key, spec in self.tables.items() if spec is outcome.spec)
        now = clock.now()
        metadata = refreshed_metadata(
            outcome, now=now, price_per_gb=self.price_per_gb, catalog_id=self.aws.catalog_id
        )
        moved = outcome.publication.action != "unchanged"
        self._record(key, outcome, operation, metadata, moved=moved)
        view = self.views.get(key)
        if view is not None and outcome.view is not None:
            metadata = view_metadata(key, outcome, now=now)
            moved = moved or outcome.view.action != "unchanged"
            self._record(view, outcome, operation, metadata, moved=moved)
        copy = outcome.copy
        if view is not None and copy is not None:
            metadata = copy_metadata(view, Copied(outcome, copy), now=now)
            moved = copy.action != "unchanged"
            self._record(self.copies[key], outcome, operation, metadata, moved=moved)
        if outcome.copy_error is not None:
            error = outcome.copy_error
            self.failed.append(Failed(outcome.spec, error, outcome.export, of_copy=True))
        self.documents.append(report.published_document(outcome))

    def _record(
        self,
        key: dg.AssetKey,
        outcome: Refreshed,
        operation: Operation,
        metadata: Metadata,
        *,
        moved: bool,
    ) -> None:
        """Log the materialization of one asset, unless it shows the export and Dagster knows."""
        arn = outcome.manifest.export_arn
        if not moved and is_recorded(self.context.instance, key, arn):
            return
        said = "rolled back to" if operation == "rollback" else "adopted"
        self.context.log_event(
            dg.AssetMaterialization(
                asset_key=key,
                description=f"{outcome.spec.name}: {said} export {outcome.manifest.export_id}",
                metadata={**metadata, f"{PREFIX}operation": dg.MetadataValue.text(operation)},
                # The same data version as a refresh to this export gives the asset.
                tags={"dagster/data_version": outcome.manifest.export_id},
            )
        )

    @contextmanager
    def _collected(self, specs: Sequence[TableSpec]) -> Generator[tuple[Gateways, Clock]]:
        """Hand out the services; end with all failures in one, or with all documents."""
        with _refusing():
            gateways = self.aws.gateways(bucket_owners=bucket_owners(specs))
        yield gateways, self.aws.clock()
        if self.failed:
            raise failed_tables(self.failed, total=len(specs)) from self.failed[0].error
        self.context.add_output_metadata({"tables": dg.MetadataValue.json(self.documents)})

    def _fail(self, spec: TableSpec, error: DdbAssetsError) -> None:
        self.context.log.error(str(error.for_table(spec.name)))
        self.failed.append(Failed(spec, error))

    def _chosen(self, names: Sequence[str]) -> tuple[TableSpec, ...]:
        known = tuple(self.tables.values())
        with _refusing():
            return named_tables(known, names) if names else known

    def _done_before(self) -> frozenset[str]:
        """DynamoDB names of what this run, or the run it retries from failure, materialized."""
        instance = self.context.instance
        runs = intent_of(instance, self.context.run).run_ids
        done = {key for run_id in runs for key in materialized_in_run(instance, run_id)}
        return frozenset(spec.name for key, spec in self.tables.items() if key in done)

    def _declared_everywhere(self) -> list[TableSpec]:
        """The tables of every declaration of this code location."""
        try:
            assets = self.context.repository_def.assets_defs_by_key.values()
        except CheckError:
            # `execute_in_process` runs a job without its repository.
            return list(self.tables.values())
        return [spec for found in marks(assets) for spec in found.step.tables.values()]

    @property
    def _story(self) -> Story:
        return Story(self.context.log)

    def _refuse(self, cause: str, remedy: str) -> NoReturn:
        raise refused(DeclarationError(cause, remedy=remedy))


@contextmanager
def _refusing() -> Generator[None]:
    """What is wrong with the config ends the run before anything is asked of AWS."""
    try:
        yield
    except DdbAssetsError as error:
        raise refused(error) from error
