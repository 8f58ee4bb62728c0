"""The live tables of a declaration, and the schedule that looks at them."""

from collections.abc import Mapping, Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.automation import CRON_REMEDY
from ddb_assets.orchestration.observations import (
    ObservationStep,
    distinct_outputs,
    observed_assets,
)
from ddb_assets.orchestration.plan import Translated, beside


def live_assets(
    planned: Mapping[str, tuple[str, Sequence[Translated]]], resource_key: str, *, observe: bool
) -> list[dg.AssetsDefinition]:
    """The live tables as observable assets, a step for those of each refresh step.

    Args:
        planned: The refresh steps: name -> (group, tables).
        resource_key: Under which the `AwsResource` is found.
        observe: False leaves them out: Dagster allows one definition of a key in a project, and
            another declaration has it. Their copies depend on them by key all the same.
    """
    found: list[dg.AssetsDefinition] = []
    for step_name, (_, part) in planned.items() if observe else ():
        lives = {live.key: (live, table.spec) for table, live, _ in part}
        for number, keys in enumerate(distinct_outputs(lives), start=1):
            name = beside(step_name, "observe")
            step = ObservationStep({key: lives[key][1] for key in keys})
            observed = observed_assets(
                step,
                [lives[key][0] for key in keys],
                name=name if number == 1 else f"{name}_{number}",
                resource_key=resource_key,
            )
            found.append(observed)
    return found


def observation_schedules(
    jobs: Sequence[UnresolvedAssetJobDefinition], cron: str | None, *, observed: bool
) -> list[dg.ScheduleDefinition]:
    """`observe_NAME_schedule`, on from the start: who gives a cron line wants it to run.

    Args:
        jobs: The standing jobs of the declaration.
        cron: In UTC; None is no schedule.
        observed: Whether the declaration has observable live tables.

    Raises:
        DeclarationError: It is no cron line, or there is nothing to observe.
    """
    if cron is None:
        return []
    if not observed:
        raise DeclarationError(
            "observe_cron is given, but observe is false", remedy="remove one of the two"
        )
    (job,) = (one for one in jobs if one.name.startswith("observe_"))
    try:
        schedule = dg.ScheduleDefinition(
            name=f"{job.name.removesuffix('_job')}_schedule",
            job=job,
            cron_schedule=cron,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Looks at every live table; reads only.",
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise DeclarationError(f"observe_cron {cron!r} is not one", remedy=CRON_REMEDY) from error
    return [schedule]
