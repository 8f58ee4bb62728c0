"""Checks of the tables that a failing step has published.

Dagster runs a step only if every step before it succeeded. The checks of a refresh step's tables
are one step after it, so that one bad table would leave all the good ones unchecked in that run.
A step that is about to fail therefore makes the good tables' checks itself.
"""

from collections.abc import Collection, Iterator, Mapping

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from ddb_assets.core.outcome import Failed
from ddb_assets.orchestration.checks import CheckedTable, check_results
from ddb_assets.orchestration.reattach import planned_checks_in_run
from ddb_assets.orchestration.resources import AwsResource
from ddb_assets.orchestration.step import CheckPublished


def published_checks(tables: Mapping[dg.AssetKey, CheckedTable]) -> CheckPublished:
    """Checks for a step that fails.

    Args:
        tables: The step's tables and what is promised of each.
    """

    def check(
        context: dg.AssetExecutionContext, aws: AwsResource, published: Collection[dg.AssetKey]
    ) -> None:
        chosen = planned_checks_in_run(context.instance, context.run.run_id)
        selected = {
            key: table for key, table in tables.items() if key in chosen and key in published
        }
        if not selected:
            return
        context.log.info(
            "checking %d published tables in this step: Dagster skips the step of the checks, "
            "because this one fails",
            len(selected),
        )
        # What cannot be found out is logged; the step fails for the tables' own failure.
        failed: list[Failed] = []
        for result in check_results(context, aws, selected, chosen, failed):
            event = _evaluation(context.instance, result)
            context.log_event(event)  # pyright: ignore[reportArgumentType] - taken, but missing in its type

    return check


def _evaluation(
    instance: dg.DagsterInstance, result: dg.AssetCheckResult
) -> dg.AssetCheckEvaluation:
    """The event; a step that does not declare a check cannot yield its result, but can log it."""
    assert result.asset_key is not None, "made with both names"
    assert result.check_name is not None, "made with both names"
    return dg.AssetCheckEvaluation(
        asset_key=result.asset_key,
        check_name=result.check_name,
        passed=result.passed,
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
        blocking=False,
        target_materialization_data=next(_target(instance, result.asset_key), None),
    )


def _target(
    instance: dg.DagsterInstance, key: dg.AssetKey
) -> Iterator[AssetCheckEvaluationTargetMaterializationData]:
    """The materialization that is judged, as Dagster itself notes it."""
    for record in instance.fetch_materializations(key, limit=1).records:
        yield AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id,
            run_id=record.event_log_entry.run_id,
            timestamp=record.timestamp,
        )
