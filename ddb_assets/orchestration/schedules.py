"""One schedule per refresh group that names a cron line: one run for all its tables."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.declaration import RefreshGroup
from ddb_assets.orchestration.executors import executor_for


def group_schedule(
    group: RefreshGroup, cron: str, steps: Sequence[dg.AssetsDefinition], *, name: str, label: str
) -> dg.ScheduleDefinition:
    """The schedule of one group.

    Args:
        group: Its timezone and whether it starts switched on.
        cron: Its cron line.
        steps: The group's multi-assets; the schedule's job runs all of them.
        name: Unique in the code location.
        label: The group's name as declared, for messages.

    Raises:
        DeclarationError: The cron line or the timezone is not one.
    """
    job = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - a bare PathLike in Dagster
        f"{name}_job",
        selection=dg.AssetSelection.assets(*steps),
        executor_def=executor_for(len(steps)),
        description=f"Refresh every table of the group {label}.",
    )
    status = dg.DefaultScheduleStatus
    try:
        return dg.ScheduleDefinition(
            name=f"{name}_schedule",
            job=job,
            cron_schedule=cron,
            execution_timezone=group.timezone,
            run_config=None if group.wait else _unattended(steps),
            default_status=status.RUNNING if group.running else status.STOPPED,
            description=f"Refreshes every table of the group {label} in one run.",
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise DeclarationError(
            f"group {label}: {str(error).partition(chr(10))[0]}",
            remedy="cron has five fields, e.g. '0 6 * * *'; timezone is like Europe/Berlin",
        ) from error


def _unattended(steps: Sequence[dg.AssetsDefinition]) -> dict[str, Any]:
    """Start the exports and end; the sensor export_watch publishes them."""
    return {"ops": {step.op.name: {"config": {"wait": False}} for step in steps}}
