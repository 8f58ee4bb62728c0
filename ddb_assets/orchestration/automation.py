"""Declarative automation that fires although the live table is no asset of Dagster's.

Dagster's own `on_cron` and `eager` wait for news of an asset's upstream. The upstream of an
exported table is the live DynamoDB table, which Dagster does not materialize, so that they would
never request anything (Dagster issues 30140, 30142 and 34067). The conditions here do not ask the
upstream, or ask it only where it is observed.

Dagster's default automation sensor is switched off until somebody switches it on; a declaration
that uses conditions therefore has a sensor of its own, which runs from the start.
"""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import dagster as dg
from dagster_shared.check import CheckError

from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.naming import dagster_name

CRON_REMEDY = "cron has five fields, e.g. '0 6 * * *'; timezone is like Europe/Berlin"


def refresh_on_cron(
    cron: str, *, timezone: str = "UTC", missing: bool = False
) -> dg.AutomationCondition[Any]:
    """Refresh a table once after each tick of a cron line.

    A tick that passes while the table is being refreshed is made up for when that run has ended;
    ticks that passed while the daemon was down are one refresh.

    Args:
        cron: Five fields, e.g. `0 6 * * *`.
        timezone: Of the cron line, e.g. `Europe/Berlin`.
        missing: Refresh a table that was never materialized at once, too: the first time after a
            deployment. A first refresh that fails is tried again at the next tick.

    Raises:
        DeclarationError: The cron line or the timezone is not one.

    Examples:
        ```python
        Table("orders", automation=refresh_on_cron("0 6 * * *", missing=True))
        ```
    """
    _check_timezone(timezone)
    try:
        # `since_last_handled` remembers a tick that meets a run in progress.
        due: dg.AutomationCondition[Any] = dg.AutomationCondition.cron_tick_passed(
            cron, timezone
        ).since_last_handled()
    except CheckError as error:
        raise DeclarationError(f"cron {cron!r} is not one", remedy=CRON_REMEDY) from error
    if missing:
        # Outside of `since_last_handled`: its first evaluation would reset it.
        due = due | dg.AutomationCondition.missing().newly_true()
    label = f"refresh_on_cron({cron!r}, {timezone})" + (" or missing" if missing else "")
    return (due & ~dg.AutomationCondition.in_progress()).with_label(label)


def refresh_when_missing() -> dg.AutomationCondition[Any]:
    """Refresh a table once when it is first deployed, or when its history was wiped.

    `AutomationCondition.missing()` alone would request it again at every evaluation until it is
    there.
    """
    condition = dg.AutomationCondition.missing().newly_true()
    return (condition & ~dg.AutomationCondition.in_progress()).with_label("refresh_when_missing()")


def refresh_when_observed_changed() -> dg.AutomationCondition[Any]:
    """Refresh a table when an observation of the live table gave it a new data version.

    It needs a live table that is observed; without observations it never fires. A change that is
    observed while the table is being refreshed is not forgotten.
    """
    changed = dg.AutomationCondition.any_deps_updated().since_last_handled()
    return (changed & ~dg.AutomationCondition.in_progress()).with_label(
        "refresh_when_observed_changed()"
    )


def automation_sensor(
    assets: Sequence[dg.AssetSpec], *, name: str
) -> dg.AutomationConditionSensorDefinition | None:
    """The sensor that evaluates the conditions of a declaration; None where it has none.

    Args:
        assets: The exported assets, as translated.
        name: What the declaration is called; the sensor is `NAME_automation`.
    """
    keys = [spec.key for spec in assets if spec.automation_condition is not None]  # pyright: ignore[reportUnknownMemberType] - a bare generic in Dagster
    if not keys:
        return None
    return dg.AutomationConditionSensorDefinition(
        dagster_name(f"{name}_automation"),
        target=dg.AssetSelection.assets(*keys),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Requests refreshes of the {len(keys)} tables that declare `automation`.",
    )


def _check_timezone(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DeclarationError(f"timezone {timezone!r} is not one", remedy=CRON_REMEDY) from error
