"""The standing checks as asset checks: they run after each refresh, or alone at any time."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import dagster as dg

from ddb_assets.core.operating.health import TableHealth, Verdict
from ddb_assets.core.operating.operator import operator_context
from ddb_assets.core.outcome import Failed
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import DdbAssetsError, TransientError
from ddb_assets.orchestration.check_settings import DESCRIPTIONS, Checks
from ddb_assets.orchestration.failures import failed_tables
from ddb_assets.orchestration.freshness import Freshness
from ddb_assets.orchestration.interrupts import ended_by_interrupts
from ddb_assets.orchestration.metadata import PREFIX
from ddb_assets.orchestration.promises import oldest_allowed
from ddb_assets.orchestration.resources import AwsResource
from ddb_assets.orchestration.step import bucket_owners
from ddb_assets.orchestration.story import Story

#: A check only reads: it tries again for a few minutes, then says that it cannot be made.
PATIENCE_SECONDS = 300.0
#: Once that was in vain, each further table is tried so long.
IMPATIENCE_SECONDS = 10.0

_SEVERITIES = {"warn": dg.AssetCheckSeverity.WARN, "error": dg.AssetCheckSeverity.ERROR}


@dataclass(frozen=True)
class CheckedTable:
    """One table and what is promised of it."""

    spec: TableSpec
    checks: Checks
    freshness: Freshness | None = None

    def chosen(self) -> dict[str, dg.AssetCheckSeverity]:
        """The names of its checks, each with its severity."""
        return {
            name: _SEVERITIES[severity]
            for name, severity in self.checks.chosen()
            if (name != "data_age" or self.freshness is not None)
            and (name != "drift" or self.spec.infer)
        }


def table_checks(
    tables: Mapping[dg.AssetKey, CheckedTable], *, name: str, resource_key: str = "aws"
) -> dg.AssetChecksDefinition | None:
    """One op whose single step makes every selected check; None where no table has one.

    Args:
        tables: The exported assets and what is promised of each.
        name: The op's name, unique in the code location.
        resource_key: Under which the `AwsResource` is found.
    """
    specs = [
        dg.AssetCheckSpec(check, asset=key, description=DESCRIPTIONS[check])
        for key, table in tables.items()
        for check in table.chosen()
    ]
    if not specs:
        return None

    def checked(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        aws: AwsResource = getattr(context.resources, resource_key)
        with ended_by_interrupts():
            yield from _results(context, aws, tables)

    return dg.multi_asset_check(
        name=name,
        specs=specs,
        can_subset=True,
        required_resource_keys={resource_key},
        description=f"Checks what is promised of {len(tables)} tables; reads only.",
    )(checked)


def _results(
    context: dg.AssetCheckExecutionContext,
    aws: AwsResource,
    tables: Mapping[dg.AssetKey, CheckedTable],
) -> Iterator[dg.AssetCheckResult]:
    """The verdicts, table by table; what could not be found out fails the step at the end."""
    chosen: dict[dg.AssetKey, set[str]] = {}
    for check in context.selected_asset_check_keys:
        chosen.setdefault(check.asset_key, set()).add(check.name)
    selected = {key: table for key, table in tables.items() if key in chosen}
    failed: list[Failed] = []
    yield from check_results(context, aws, selected, chosen, failed)
    if failed:
        raise failed_tables(failed, total=len(selected)) from failed[0].error


def check_results(
    context: dg.AssetCheckExecutionContext | dg.AssetExecutionContext,
    aws: AwsResource,
    tables: Mapping[dg.AssetKey, CheckedTable],
    chosen: Mapping[dg.AssetKey, Collection[str]],
    failed: list[Failed],
) -> Iterator[dg.AssetCheckResult]:
    """Make checks, table by table.

    Args:
        context: The step.
        aws: How AWS is reached.
        tables: What is looked at.
        chosen: The names of the checks of each.
        failed: Gets an entry for each table of which something could not be found out.
    """
    clock = aws.clock()
    gateways = aws.gateways(bucket_owners=bucket_owners(table.spec for table in tables.values()))
    patience = PATIENCE_SECONDS
    for key, table in tables.items():
        run = operator_context(
            gateways,
            clock,
            listener=Story(context.log, tables=len(tables)),
            patience_seconds=patience,
        )
        run = replace(run, intent_id=f"{context.run.run_id} {context.retry_number}")
        health = TableHealth(run, table.spec)
        makers = _verdicts(health, table, clock.now())
        for name, severity in table.chosen().items():
            if name not in chosen[key]:
                continue
            try:
                verdict = makers[name]()
            except DdbAssetsError as error:
                named = error.for_table(table.spec.name)
                context.log.warning("%s: could not check %s", named, name)
                if not any(one.spec is table.spec for one in failed):
                    failed.append(Failed(table.spec, named))
                if isinstance(error, TransientError):
                    # Patience is at its end: the table's other checks would wait as long, and so
                    # would each of the other tables where it is AWS that is away.
                    patience = IMPATIENCE_SECONDS
                    break
                continue
            if not verdict.kept:
                context.log.warning("%s: %s", table.spec.name, verdict.reason)
            yield dg.AssetCheckResult(
                passed=verdict.kept,
                asset_key=key,
                check_name=name,
                severity=_SEVERITIES.get(verdict.severity or "", severity),
                description=verdict.reason,
                metadata=verdict_metadata(verdict),
            )


def _verdicts(
    health: TableHealth, table: CheckedTable, now: datetime
) -> dict[str, Callable[[], Verdict]]:
    checks = table.checks

    def data_age() -> Verdict:
        assert table.freshness is not None, "chosen only with a promise"
        since, promise = oldest_allowed(table.freshness, now)
        return health.data_age(since=since, promise=promise)

    return {
        "newest_export": health.newest_export,
        "schema": lambda: health.schema(undeclared=checks.undeclared),
        "drift": lambda: health.drift(
            checks.drift_severities.by_kind(), undeclared=checks.undeclared
        ),
        "pitr": lambda: health.pitr(days=checks.pitr_days),
        "data_age": data_age,
        "row_count": health.row_count,
        "retention": lambda: health.retention(checks.policy),
    }


def verdict_metadata(verdict: Verdict) -> dict[str, Any]:
    """The facts of a verdict; numbers plot, what is not known or empty is left out."""
    return {
        f"{PREFIX}{name}": dg.MetadataValue.timestamp(fact) if isinstance(fact, datetime) else fact
        for name, fact in verdict.facts.items()
        if fact is not None and fact != []
    }
