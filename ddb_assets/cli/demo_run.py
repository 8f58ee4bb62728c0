"""One real Dagster run of the project's definitions, with its progress on the terminal."""

import uuid
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from rich.console import Console
from rich.live import Live
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from ddb_assets.aws.gateways import connect
from ddb_assets.aws.session import AwsConnection
from ddb_assets.cli.preview import print_preview
from ddb_assets.definitions import defs
from ddb_assets.errors import ServiceUnavailableError
from ddb_assets.orchestration.metadata import PREFIX

#: The workgroup that `ddb-assets local --sample` creates.
WORKGROUP = "ddb"


@dataclass(frozen=True)
class PublishedAsset:
    """One materialized table as its run recorded it.

    Attributes:
        view: Its typed view, where it has one.
    """

    key: dg.AssetKey
    metadata: Mapping[str, dg.MetadataValue[Any]]
    view: dg.AssetKey | None = None

    def name(self) -> str:
        """The asset's key as one word, to sort by."""
        return self.key.to_user_string()

    def value(self, field: str) -> Any:
        """One of our own metadata fields."""
        return self.metadata[f"{PREFIX}{field}"].value


class RunProgress:
    """What each table is doing, heard from the run's own events while it waits."""

    def __init__(self, console: Console, tables: Mapping[str, dg.AssetKey]) -> None:
        self.bars = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.fields[name]}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.description}"),
            console=console,
        )
        width = max(len(name) for name in tables)
        self._tasks: dict[str, TaskID] = {
            name: self.bars.add_task("waiting for its turn", total=1, name=name.ljust(width))
            for name in tables
        }
        self._names = {key: name for name, key in tables.items()}

    def hear(self, entry: dg.EventLogEntry) -> None:
        """Take note of one event: a log line about a table, or its materialization."""
        event = entry.dagster_event
        if event is None:
            name, separator, said = entry.user_message.partition(": ")
            if separator and name in self._tasks:
                self.bars.update(self._tasks[name], description=said.splitlines()[0])
        elif event.is_step_materialization and event.asset_key in self._names:
            task = self._tasks[self._names[event.asset_key]]
            self.bars.update(task, completed=1)


def materialize_all(console: Console, home: Path) -> list[PublishedAsset]:
    """Materialize every asset of the project in one run; views are told with their tables.

    Args:
        console: Where progress is drawn.
        home: An empty folder for the Dagster instance.

    Raises:
        ServiceUnavailableError: The run failed; says which step and why.
    """
    with warnings.catch_warnings():
        # Dagster warns of a parameter that it passes to itself.
        warnings.simplefilter("ignore", dg.BetaWarning)
        definitions = defs()
        job = definitions.resolve_implicit_global_asset_job_def()
        graph = definitions.resolve_asset_graph()
    made = graph.materializable_asset_keys
    parents = {key: next(iter(graph.get(key).parent_keys)) for key in sorted(made)}
    tables = {parent.path[-1]: key for key, parent in parents.items() if parent not in made}
    views = {parent: key for key, parent in parents.items() if parent in made}
    progress = RunProgress(console, tables)
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    run_id = str(uuid.uuid4())
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        # Dagster leaves the callback's type open.
        instance.add_event_listener(run_id, progress.hear)  # pyright: ignore[reportUnknownMemberType]
        console.print(f"Dagster run {run_id} materializes {len(tables)} tables.")
        with Live(progress.bars, console=console, refresh_per_second=8):
            result = job.execute_in_process(
                instance=instance, run_id=run_id, run_config=quiet, raise_on_error=False
            )
        console.print()
    if not result.success:
        reasons = [event.message or "" for event in result.all_events if event.is_failure]
        raise ServiceUnavailableError(
            "the Dagster run failed: " + "; ".join(reasons), remedy="look at it with `make dev`"
        )
    return [
        PublishedAsset(key, event.materialization.metadata, views.get(key))
        for event in result.get_asset_materialization_events()
        if (key := event.asset_key) is not None and key not in views.values()
    ]


def show(console: Console, published: list[PublishedAsset], *, rows: int) -> None:
    """Print what was recorded of each table, then its first rows as the Athena API answers."""
    gateways = connect(AwsConnection())
    for asset in sorted(published, key=PublishedAsset.name):
        database, table = asset.key.path[-2:]
        shown = table if asset.view is None else asset.view.path[-1]
        console.print()
        console.rule(f"[bold]{database}.{table}", align="left")
        for label, value in (
            ("export", asset.value("export_arn")),
            ("location", asset.value("location")),
            ("rows of", f"{database}.{shown}"),
            ("items", f"{asset.value('items'):,}"),
            ("seconds", f"{asset.value('export_seconds'):.1f} exporting, {_ours(asset):.1f} ours"),
        ):
            # Not wrapped: an ARN is there to be copied.
            console.print(f"[dim]{label:<9}[/] {value}", soft_wrap=True, highlight=False)
        print_preview(
            console, gateways, database=database, table=shown, workgroup=WORKGROUP, rows=rows
        )


def _ours(asset: PublishedAsset) -> float:
    """Seconds that were neither AWS's export nor waiting for it."""
    return sum(asset.value(f"{step}_seconds") for step in ("verifying", "inferring", "publishing"))
