"""The multi-assets: one per refresh group, or a few where a group has very many tables."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from ddb_assets.orchestration.declared import mark
from ddb_assets.orchestration.executors import STEP_TAG
from ddb_assets.orchestration.interrupts import ended_by_interrupts
from ddb_assets.orchestration.resources import AwsResource
from ddb_assets.orchestration.run_config import RefreshConfig
from ddb_assets.orchestration.step import RefreshStep

#: Dagster's own cost per asset grows with the size of the step, and a step costs a process; about
#: here both are small (docs/benchmarks.md).
TABLES_PER_STEP = 100

#: A crash, an expired token or a throttled account; the export itself goes on meanwhile.
DEFAULT_RETRY_POLICY = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL)


def refresh_assets(
    step: RefreshStep,
    specs: Sequence[dg.AssetSpec],
    *,
    name: str,
    resource_key: str = "aws",
    retry_policy: dg.RetryPolicy | None = DEFAULT_RETRY_POLICY,
    description: str | None = None,
) -> dg.AssetsDefinition:
    """One subsettable multi-asset whose single step refreshes every selected table.

    Args:
        step: The tables and how they are refreshed; its keys are those of `specs`.
        specs: The exported assets.
        name: The op's name, unique in the code location; it is also where a run's config goes.
        resource_key: Under which the `AwsResource` is found.
        retry_policy: A retry continues running exports and skips published tables.
        description: Shown beside the op.
    """

    def refreshed(
        context: dg.AssetExecutionContext, config: RefreshConfig
    ) -> Iterator[dg.MaterializeResult[Any]]:
        aws: AwsResource = getattr(context.resources, resource_key)
        with ended_by_interrupts():
            yield from step.run(context, config, aws)

    mark(refreshed, step, resource_key)
    return dg.multi_asset(
        name=name,
        specs=list(specs),
        can_subset=True,
        required_resource_keys={resource_key},
        retry_policy=retry_policy,
        op_tags={STEP_TAG: str(len(specs))},
        description=description,
    )(refreshed)


def in_steps(tables: Sequence[Any], most: int) -> list[list[Any]]:
    """Parts of about equal size, none larger than `most`, in the declared order."""
    parts = math.ceil(len(tables) / most)
    size, larger = divmod(len(tables), parts)
    result: list[list[Any]] = []
    start = 0
    for part in range(parts):
        end = start + size + (part < larger)
        result.append(list(tables[start:end]))
        start = end
    return result
