"""Which sensors a declaration has."""

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg

from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.declaration import RefreshGroup
from ddb_assets.orchestration.naming import dagster_name
from ddb_assets.orchestration.sensors.declared import SensedTables
from ddb_assets.orchestration.sensors.export_watch import ExportWatch, export_watch_sensor
from ddb_assets.orchestration.sensors.failed_refreshes import (
    FailedRefreshes,
    failed_refreshes_sensor,
)
from ddb_assets.orchestration.sensors.table_changes import TableChanges, table_changes_sensor


@dataclass(frozen=True, kw_only=True)
class Sensors:
    """The sensors of one declaration; what is None is not there.

    Each is switched off until somebody switches it on in the UI, or `running` says otherwise.

    Attributes:
        table_changes: Refreshes tables that were written to.
        export_watch: Publishes completed exports, whoever started them.
        failed_refreshes: Tells what could not be refreshed.

    Examples:
        ```python
        Sensors(
            table_changes=TableChanges(min_interval=1800, running=True),
            export_watch=ExportWatch(running=True),
            failed_refreshes=FailedRefreshes(notifier=post_to_chat, running=True),
        )
        ```
    """

    table_changes: TableChanges | None = None
    export_watch: ExportWatch | None = None
    failed_refreshes: FailedRefreshes | None = None


def declared_sensors(
    sensors: Sensors | None,
    *,
    name: str,
    tables: Mapping[dg.AssetKey, TableSpec],
    views: Mapping[dg.AssetKey, dg.AssetKey],
    copies: Mapping[dg.AssetKey, dg.AssetKey],
    steps: Mapping[str, dg.AssetsDefinition],
    groups: Mapping[str, RefreshGroup],
    resource_key: str,
) -> list[dg.SensorDefinition]:
    """The sensors of one declaration.

    Args:
        sensors: What was declared.
        name: Of the declaration.
        tables: The exported assets and what stands behind each.
        views: The typed view's key by its table's.
        copies: The typed copy's key by its table's.
        steps: The op's name and its multi-asset.
        groups: The declared refresh groups.
        resource_key: Under which the `AwsResource` is found.

    Raises:
        DeclarationError: A group does not wait for its exports and nobody would publish them, or
            a notifier does not exist.
    """
    wanted = sensors or Sensors()
    unattended = frozenset(label for label, group in groups.items() if not group.wait)
    if unattended and wanted.export_watch is None:
        raise DeclarationError(
            f"nobody would publish the exports of {', '.join(sorted(unattended))}: wait is false",
            remedy="declare the sensor export_watch, or let the group wait",
        )
    sensed = SensedTables(
        name=dagster_name(f"refresh_{name}"),
        tables=tables,
        views=views,
        copies=copies,
        steps={key: op for op, step in steps.items() for key in step.keys if key in tables},
        definitions=tuple(steps.values()),
        consistent=frozenset(label for label, group in groups.items() if group.consistent),
        unattended=unattended,
        resource_key=resource_key,
    )
    made: list[dg.SensorDefinition] = []
    if wanted.table_changes is not None:
        made.append(table_changes_sensor(sensed, wanted.table_changes))
    if wanted.export_watch is not None:
        made.append(export_watch_sensor(sensed, wanted.export_watch))
    if wanted.failed_refreshes is not None:
        made.append(failed_refreshes_sensor(sensed, wanted.failed_refreshes))
    return made
