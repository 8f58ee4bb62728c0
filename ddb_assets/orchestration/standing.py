"""Jobs for what stands beside the refresh: all checks of a declaration, and all observations."""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from ddb_assets.orchestration.executors import executor_for


def standing_jobs(
    checks: Sequence[dg.AssetChecksDefinition],
    observations: Sequence[dg.AssetsDefinition],
    *,
    name: str,
) -> list[UnresolvedAssetJobDefinition]:
    """`check_NAME_job` and `observe_NAME_job`, for a schedule or the launchpad; no export starts.

    Args:
        checks: The declaration's checks; without any there is no such job.
        observations: Its observable live tables; likewise.
        name: Of the declaration, as Dagster allows it.
    """
    jobs: list[UnresolvedAssetJobDefinition] = []
    if checks:
        jobs.append(
            dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - a bare PathLike in Dagster
                f"check_{name}_job",
                selection=dg.AssetSelection.checks(*checks),
                executor_def=executor_for(len(checks)),
                description="Check what is promised of every table; reads only.",
            )
        )
    if observations:
        jobs.append(
            dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - a bare PathLike in Dagster
                f"observe_{name}_job",
                selection=dg.AssetSelection.assets(*observations),
                # AWS allows ten of its calls a second in all: steps side by side gain nothing.
                executor_def=dg.in_process_executor,
                description="Look at every live table; reads only.",
            )
        )
    return jobs
