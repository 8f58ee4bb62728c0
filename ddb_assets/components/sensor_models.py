"""The YAML forms of the sensors."""

from typing import Literal

from pydantic import Field

from ddb_assets.components.documented import DocumentedModel
from ddb_assets.orchestration.sensors.build import Sensors
from ddb_assets.orchestration.sensors.export_watch import ExportWatch
from ddb_assets.orchestration.sensors.failed_refreshes import FailedRefreshes
from ddb_assets.orchestration.sensors.table_changes import TableChanges

_RUNNING = "Whether it is switched on when it is first loaded; otherwise switch it on in the UI."


class TableChangesModel(DocumentedModel):
    """Refreshes tables that were written to since the export they show."""

    min_interval: float = Field(
        default=3600.0,
        description="Seconds; no table is refreshed more often, and a failed refresh is not tried "
        "again sooner.",
        examples=[1800],
    )
    max_staleness: float | None = Field(
        default=86400.0,
        description="Seconds; older data is refreshed even if no write was seen; null for never.",
        examples=[43200],
    )
    source: Literal["auto", "metrics", "describe_table"] = Field(
        default="auto",
        description="metrics: CloudWatch; describe_table: item count and size, which AWS updates "
        "about every six hours; auto: metrics where they are allowed.",
        examples=["describe_table"],
    )
    interval: int = Field(
        default=900, description="Seconds between two ticks at least.", examples=[300]
    )
    running: bool = Field(default=False, description=_RUNNING, examples=[True])

    def declaration(self) -> TableChanges:
        """The same in Python."""
        return TableChanges(**self.model_dump())


class ExportWatchModel(DocumentedModel):
    """Publishes completed exports that are newer than what a table shows."""

    interval: int = Field(
        default=60, description="Seconds between two ticks at least.", examples=[300]
    )
    running: bool = Field(default=False, description=_RUNNING, examples=[True])

    def declaration(self) -> ExportWatch:
        """The same in Python."""
        return ExportWatch(**self.model_dump())


class FailedRefreshesModel(DocumentedModel):
    """Tells of each table that could not be refreshed, with cause and remedy."""

    notifier: str | None = Field(
        default=None,
        description="A function of one argument, as package.module.function; by default the "
        "messages go to the Python logger ddb_assets.failed_refreshes.",
        examples=["my_project.alerts.post"],
    )
    interval: int = Field(
        default=30, description="Seconds between two ticks at least.", examples=[60]
    )
    running: bool = Field(default=False, description=_RUNNING, examples=[True])

    def declaration(self) -> FailedRefreshes:
        """The same in Python."""
        return FailedRefreshes(**self.model_dump(exclude_none=True))


class SensorsModel(DocumentedModel):
    """Sensors; `true` is one with its defaults, and each is off until it is switched on."""

    table_changes: TableChangesModel | bool | None = Field(
        default=None,
        description="Refreshes tables that were written to since the export they show.",
        examples=[{"min_interval": 1800, "running": True}],
    )
    export_watch: ExportWatchModel | bool | None = Field(
        default=None,
        description="Publishes completed exports that are newer than what a table shows.",
        examples=[True],
    )
    failed_refreshes: FailedRefreshesModel | bool | None = Field(
        default=None,
        description="Tells of each table that could not be refreshed, with cause and remedy.",
        examples=[{"notifier": "my_project.alerts.post"}],
    )

    def declaration(self) -> Sensors:
        """The same in Python."""
        changes, watch, failed = self.table_changes, self.export_watch, self.failed_refreshes
        changes = TableChangesModel() if changes is True else changes
        watch = ExportWatchModel() if watch is True else watch
        failed = FailedRefreshesModel() if failed is True else failed
        return Sensors(
            table_changes=changes.declaration() if changes else None,
            export_watch=watch.declaration() if watch else None,
            failed_refreshes=failed.declaration() if failed else None,
        )
