"""One Dagster step that refreshes many tables: results as they land, failures at the end."""

import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import dagster as dg

from ddb_assets.core.operating.preview import first_items
from ddb_assets.core.options import RefreshOptions
from ddb_assets.core.outcome import Copied, Failed, Outcome, Refreshed
from ddb_assets.core.refreshing.refresh import refresh
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import DdbAssetsError
from ddb_assets.orchestration.copies import copy_result, published_arns
from ddb_assets.orchestration.failures import failed_tables, refused
from ddb_assets.orchestration.metadata import DEFAULT_PRICE_PER_GB, refreshed_metadata
from ddb_assets.orchestration.profiles import recorded_profile
from ddb_assets.orchestration.reattach import (
    Intent,
    MaterializationHistory,
    ObservationLedger,
    intent_of,
    is_recorded,
    materialized_in_run,
)
from ddb_assets.orchestration.resources import AwsResource
from ddb_assets.orchestration.run_config import RefreshConfig, options_from
from ddb_assets.orchestration.story import Story
from ddb_assets.orchestration.views import recorded, view_result
from ddb_assets.reading.profiling import fastest_profiling

#: `ddb_assets.core.refreshing.refresh.refresh`, or what a test puts in its place.
RefreshFunction = Callable[..., Iterator[Outcome]]

_refresh = partial(refresh, profiling=fastest_profiling)
#: What a step does with the tables that are published when others have failed.
CheckPublished = Callable[[dg.AssetExecutionContext, AwsResource, Collection[dg.AssetKey]], None]


@dataclass(frozen=True)
class RefreshStep:
    """The tables of one step and what was declared for all of them.

    Attributes:
        tables: The exported assets' keys and what stands behind each.
        options: What was declared; a run's config is laid over it.
        price_per_gb: USD per exported GB, for the estimate.
        refresh: The core's refresh; another one in tests.
        views: The typed view's key by its table's; they are refreshed together, whichever of the
            two is selected.
        copies: The typed copy's key by its table's; made where it is selected.
        live: The live table's key by its copy's, for the column lineage.
        previews: How many items of a DynamoDB table are kept with its materialization.
        check_published: Called with the tables that are published when others have failed.
    """

    tables: Mapping[dg.AssetKey, TableSpec]
    options: RefreshOptions = field(default_factory=RefreshOptions)
    price_per_gb: float = DEFAULT_PRICE_PER_GB
    refresh: RefreshFunction = _refresh
    views: Mapping[dg.AssetKey, dg.AssetKey] = field(default_factory=dict[dg.AssetKey, dg.AssetKey])
    copies: Mapping[dg.AssetKey, dg.AssetKey] = field(
        default_factory=dict[dg.AssetKey, dg.AssetKey]
    )
    live: Mapping[dg.AssetKey, dg.AssetKey] = field(default_factory=dict[dg.AssetKey, dg.AssetKey])
    previews: Mapping[str, int] = field(default_factory=dict[str, int])
    check_published: CheckPublished | None = None

    def run(
        self, context: dg.AssetExecutionContext, config: RefreshConfig, aws: AwsResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        """Refresh what is selected and not yet published in this run.

        Raises:
            dg.Failure: The config was refused (nothing was started), or tables failed (the others
                are published); its metadata has an entry per failed table.
        """
        chosen = context.selected_asset_keys
        selected = {
            key: spec
            for key, spec in self.tables.items()
            if (self._assets(key) | self._copy(key)) & chosen
        }
        clock = aws.clock()
        try:
            options = options_from(
                config, list(selected.values()), now=clock.now(), base=self.options
            )
        except DdbAssetsError as error:
            raise refused(error) from error
        pending = self._pending(context, selected)
        if not pending:
            return
        intent = intent_of(context.instance, context.run, fresh=config.force_new)
        failed: list[Failed] = []
        published: list[dg.AssetKey] = []
        alone = frozenset(
            key for key in pending if options.adopt is None and not self._assets(key) & chosen
        )
        tables = {key: spec for key, spec in pending.items() if key not in alone}
        if isinstance(options.adopt, Mapping):
            names = {spec.name for spec in tables.values()}
            left = {table: arn for table, arn in options.adopt.items() if table in names}
            options = replace(options, adopt=left)
        try:
            if tables:
                yield from self._refreshed(
                    context, aws, tables, intent, options, failed=failed, published=published
                )
            copies = {key: spec for key, spec in pending.items() if key in alone}
            yield from self._copy_alone(context, aws, copies, intent, options, failed=failed)
        except DdbAssetsError as error:
            raise refused(error) from error
        if failed:
            if self.check_published is not None and published:
                self.check_published(context, aws, published)
            raise failed_tables(failed, total=len(pending)) from failed[0].error

    def _refreshed(
        self,
        context: dg.AssetExecutionContext,
        aws: AwsResource,
        tables: Mapping[dg.AssetKey, TableSpec],
        intent: Intent,
        options: RefreshOptions,
        *,
        failed: list[Failed],
        published: list[dg.AssetKey],
    ) -> Iterator[dg.MaterializeResult[Any]]:
        """Refresh these tables; adds those that failed and those that are published."""
        chosen, clock = context.selected_asset_keys, aws.clock()
        keys = {spec.name: key for key, spec in tables.items()}
        history = MaterializationHistory(context.instance, keys)
        outcomes = self.refresh(
            list(tables.values()),
            intent_id=intent.id,
            started_at=intent.started_at,
            gateways=aws.gateways(bucket_owners=bucket_owners(tables.values())),
            ledger=ObservationLedger(context, keys, intent.run_ids),
            history=history,
            listener=Story(context.log, tables=len(tables)),
            clock=clock,
            options=options,
        )
        for outcome in outcomes:
            key = keys[outcome.spec.name]
            if isinstance(outcome, Failed):
                failed.append(outcome)
            elif isinstance(outcome, Refreshed):
                published.append(key)
                if _is_news(context.instance, key, outcome, intent):
                    result = self._result(context, key, outcome, aws, history)
                    yield from recorded(context, result, chosen)
                view = self.views.get(key)
                if view is not None and _is_view_news(context.instance, view, outcome, intent):
                    result = view_result(view, key, outcome, now=clock.now())
                    yield from recorded(context, result, chosen)
            elif isinstance(outcome, Copied):
                copy = self.copies[key]
                if _is_copy_news(context.instance, copy, outcome, intent):
                    result = copy_result(copy, self.views[key], outcome, now=clock.now())
                    yield from recorded(context, result, chosen)

    def _copy_alone(
        self,
        context: dg.AssetExecutionContext,
        aws: AwsResource,
        tables: Mapping[dg.AssetKey, TableSpec],
        intent: Intent,
        options: RefreshOptions,
        *,
        failed: list[Failed],
    ) -> Iterator[dg.MaterializeResult[Any]]:
        """Make copies of what the tables show now; no export is started for a copy alone."""
        if not tables:
            return
        arns = published_arns(
            list(tables.values()),
            gateways=aws.gateways(bucket_owners=bucket_owners(tables.values())),
            clock=aws.clock(),
            listener=Story(context.log, tables=len(tables)),
            failed=failed,
        )
        shown = {key: spec for key, spec in tables.items() if spec.name in arns}
        if shown:
            # Each of what it shows, whatever their exports' times: nothing is moved but copies.
            options = replace(
                options, adopt=arns, export_time=None, wait=True, consistent_groups=frozenset()
            )
            yield from self._refreshed(
                context, aws, shown, intent, options, failed=failed, published=[]
            )

    def _assets(self, key: dg.AssetKey) -> frozenset[dg.AssetKey]:
        """A table and its view: always refreshed together."""
        return frozenset({key, self.views.get(key, key)})

    def _copy(self, key: dg.AssetKey) -> frozenset[dg.AssetKey]:
        """A table's typed copy, which a run may leave out."""
        return frozenset({self.copies[key]}) if key in self.copies else frozenset()

    def _result(
        self,
        context: dg.AssetExecutionContext,
        key: dg.AssetKey,
        outcome: Refreshed,
        aws: AwsResource,
        history: MaterializationHistory,
    ) -> dg.MaterializeResult[Any]:
        rows = self.previews.get(outcome.spec.name, 0)
        preview = _preview(context, outcome, aws, rows) if rows else None
        return dg.MaterializeResult(
            asset_key=key,
            metadata=refreshed_metadata(
                outcome,
                now=aws.clock().now(),
                price_per_gb=self.price_per_gb,
                catalog_id=aws.catalog_id,
                live=self.live.get(key),
                preview=preview,
                previous=recorded_profile(context.instance, key, outcome),
                past=history.before(outcome.spec.name, outcome.manifest.export_arn),
            ),
            data_version=dg.DataVersion(outcome.manifest.export_id),
        )

    def _pending(
        self, context: dg.AssetExecutionContext, selected: Mapping[dg.AssetKey, TableSpec]
    ) -> dict[dg.AssetKey, TableSpec]:
        """A step's first attempt finds nothing in its run; a retry finds what is done."""
        done = materialized_in_run(context.instance, context.run.run_id)
        pending: dict[dg.AssetKey, TableSpec] = {}
        for key, spec in selected.items():
            copy = self._copy(key) & context.selected_asset_keys
            if self._assets(key) | copy <= done:
                context.log.info("%s: already published in this run", spec.name)
            elif copy and not copy <= done:
                pending[key] = spec
            elif not self._assets(key) <= done:
                pending[key] = replace(spec, typed_copy=None)
        return pending


def _preview(
    context: dg.AssetExecutionContext, outcome: Refreshed, aws: AwsResource, rows: int
) -> list[dict[str, Any]] | None:
    """The first items; the table is published by now, so that trouble here costs the preview."""
    objects = aws.gateways(bucket_owners=bucket_owners([outcome.spec])).objects
    try:
        return first_items(objects, outcome.manifest, rows)
    except (DdbAssetsError, ValueError, KeyError, zlib.error) as error:
        context.log.warning("%s: no preview of its items: %s", outcome.spec.name, error)
        return None


def _is_news(
    instance: dg.DagsterInstance, key: dg.AssetKey, outcome: Refreshed, intent: Intent
) -> bool:
    """Whether Dagster is to hear of it: a materialization is recorded only if the data moved.

    An event for an export that was published before would reset the asset's freshness and wake
    what depends on it, for nothing. That this attempt moved no table is not enough to be silent,
    though: the attempt before may have moved it and died before its event was stored, or the
    command line or another tool moved it. So the event log decides: what its newest
    materialization of the asset names is known, anything else is news. What a run recorded that
    this one retries is news again: Dagster runs the retry's downstream steps only for what the
    retry itself yields.
    """
    unchanged = outcome.publication.action == "unchanged"
    return not (unchanged and _is_known(instance, key, outcome, intent))


def _is_view_news(
    instance: dg.DagsterInstance, key: dg.AssetKey, outcome: Refreshed, intent: Intent
) -> bool:
    """The same for the typed view."""
    if outcome.view is None:
        return False
    unchanged = outcome.view.action == outcome.publication.action == "unchanged"
    return not (unchanged and _is_known(instance, key, outcome, intent))


def _is_copy_news(
    instance: dg.DagsterInstance, key: dg.AssetKey, outcome: Copied, intent: Intent
) -> bool:
    """The same for the typed copy."""
    unchanged = outcome.copy.action == "unchanged"
    return not (unchanged and _is_known(instance, key, outcome.refreshed, intent))


def _is_known(
    instance: dg.DagsterInstance, key: dg.AssetKey, outcome: Refreshed, intent: Intent
) -> bool:
    arn = outcome.manifest.export_arn
    return is_recorded(instance, key, arn, retried=intent.run_ids[1:])


def bucket_owners(specs: Iterable[TableSpec]) -> dict[str, str]:
    """Account id per bucket, where a table declares one."""
    return {spec.bucket: spec.bucket_owner for spec in specs if spec.bucket_owner is not None}
