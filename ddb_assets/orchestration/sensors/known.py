"""What Dagster itself knows of tables: a few queries of its storage for all, none of AWS."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import dagster as dg

from ddb_assets.core.locations import ExportPlace, parse_location
from ddb_assets.orchestration.metadata import RecordedRefresh
from ddb_assets.orchestration.reattach import planned_in_run

T = TypeVar("T")

_CHUNK = 500
_UNDER_WAY = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dataclass(frozen=True)
class Known:
    """One table.

    Attributes:
        shown: The newest materialization; None if there is none.
        shown_at: When it was recorded.
        last_run: The last run that set out to materialize it.
        last_run_at: When that run was created.
        under_way: Whether a run is refreshing it, or waits to.
    """

    shown: RecordedRefresh | None = None
    shown_at: datetime | None = None
    last_run: dg.DagsterRun | None = None
    last_run_at: datetime | None = None
    under_way: bool = False

    @property
    def place(self) -> ExportPlace | None:
        """Where the export lies that the newest materialization names."""
        return parse_location(self.shown.location) if self.shown is not None else None

    @property
    def last_run_id(self) -> str:
        """Empty where there is none."""
        return self.last_run.run_id if self.last_run is not None else ""

    @property
    def changes_count_from(self) -> datetime | None:
        """From when on writes are news: the moment of the data shown.

        After a rollback it is the moment of the rollback: somebody wanted the older data, and what
        was written before that is no reason to go forward again.
        """
        if self.shown is None or self.shown.export_time is None:
            return None
        if self.shown.operation == "rollback" and self.shown_at is not None:
            return self.shown_at
        return self.shown.export_time


def known_tables(
    instance: dg.DagsterInstance,
    keys: Collection[dg.AssetKey],
    views: Mapping[dg.AssetKey, dg.AssetKey],
) -> Mapping[dg.AssetKey, Known]:
    """What is known of each of these assets.

    Args:
        instance: Where events and runs are kept.
        keys: The exported assets.
        views: The typed view's key by its table's; a run of the view refreshes the table, too.
    """
    busy = _under_way(instance)
    records = {
        record.asset_entry.asset_key: record.asset_entry
        for chunk in _chunks(list(keys))
        for record in instance.get_asset_records(chunk)
    }
    run_ids = {entry.last_run_id for entry in records.values() if entry.last_run_id}
    runs = {
        record.dagster_run.run_id: record
        for chunk in _chunks(sorted(run_ids))
        for record in instance.get_run_records(dg.RunsFilter(run_ids=chunk))
    }
    found: dict[dg.AssetKey, Known] = {}
    for key in keys:
        entry = records.get(key)
        event = entry.last_materialization if entry is not None else None
        materialization = event.asset_materialization if event is not None else None
        run = runs.get(entry.last_run_id or "") if entry is not None else None
        found[key] = Known(
            shown=RecordedRefresh.read(materialization.metadata) if materialization else None,
            shown_at=datetime.fromtimestamp(event.timestamp, UTC) if event else None,
            last_run=run.dagster_run if run is not None else None,
            last_run_at=run.create_timestamp.astimezone(UTC) if run is not None else None,
            under_way=key in busy or views.get(key) in busy,
        )
    return found


def _under_way(instance: dg.DagsterInstance) -> frozenset[dg.AssetKey]:
    """What the runs that have not ended set out to materialize.

    An asset's own record names only the last run that wrote an event: an older run that ends while
    a newer one waits hides the newer one.
    """
    runs = instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY))
    return frozenset(key for run in runs for key in planned_in_run(instance, run.run_id))


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for first in range(0, len(items), _CHUNK):
        yield items[first : first + _CHUNK]
