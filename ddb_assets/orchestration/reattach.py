"""How a retry finds the export that already runs: notes in Dagster's own event log.

The note is an `AssetObservation`, written the moment AWS answered. It survives the death of the
process, shows on the asset's timeline as "export started", and belongs to the run. The policy is
that of Dagster's Pipes clients: this run first, then the runs it retries *from failure*; a full
re-execution is a new intent and starts a new export.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dagster as dg

from ddb_assets.core.ports import ExportNote, PastExport
from ddb_assets.orchestration.metadata import RecordedRefresh, note_metadata, read_note

#: Set by Dagster on re-execution from failure and from asset failure (automatic retries too).
FROM_FAILURE_TAGS = frozenset({"dagster/is_resume_retry", "dagster/is_asset_resume_retry"})
#: A chain of retries longer than this is not followed further.
MAX_HOPS = 64
#: As many past exports as waiting learns from.
HISTORY_LENGTH = 20
_PAGE = 1000


@dataclass(frozen=True)
class Intent:
    """One wish to refresh, over all its attempts.

    Attributes:
        id: The root run's id: the first run of the chain of retries from failure.
        started_at: When that run started.
        run_ids: This run and those it retries, this one first.
    """

    id: str
    started_at: datetime
    run_ids: tuple[str, ...]


def intent_of(instance: dg.DagsterInstance, run: dg.DagsterRun, *, fresh: bool = False) -> Intent:
    """Follow a run back along retries from failure, and along nothing else.

    Args:
        instance: Where runs are kept.
        run: The run that asks.
        fresh: Do not follow: a new export is wanted although this run retries another one.
    """
    chain = [run]
    while not fresh and len(chain) <= MAX_HOPS and FROM_FAILURE_TAGS & chain[-1].tags.keys():
        parent = chain[-1].parent_run_id
        found = instance.get_run_by_id(parent) if parent else None
        if found is None:
            break
        chain.append(found)
    root = chain[-1].run_id
    return Intent(root, _started(instance, root), tuple(r.run_id for r in chain))


def materialized_in_run(instance: dg.DagsterInstance, run_id: str) -> frozenset[dg.AssetKey]:
    """What this run already materialized; a step's retry does not touch it again."""
    records = _records(instance, run_id, dg.DagsterEventType.ASSET_MATERIALIZATION)
    return frozenset(record.asset_key for record in records if record.asset_key is not None)


def planned_in_run(instance: dg.DagsterInstance, run_id: str) -> frozenset[dg.AssetKey]:
    """What this run set out to materialize."""
    records = _records(instance, run_id, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    return frozenset(record.asset_key for record in records if record.asset_key is not None)


def planned_checks_in_run(instance: dg.DagsterInstance, run_id: str) -> dict[dg.AssetKey, set[str]]:
    """The checks this run set out to make: their names by their asset."""
    planned: dict[dg.AssetKey, set[str]] = {}
    for record in _records(instance, run_id, dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED):
        event = record.event_log_entry.dagster_event
        if event is not None:
            check = event.asset_check_planned_data
            planned.setdefault(check.asset_key, set()).add(check.check_name)
    return planned


def is_recorded(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    export_arn: str,
    *,
    retried: Sequence[str] = (),
) -> bool:
    """Whether the asset's newest materialization already says that it shows this export.

    Args:
        instance: Where events are kept.
        key: The asset.
        export_arn: The export.
        retried: Runs that this one retries. What they recorded does not count: they failed, so
            that what depends on the asset never ran, and Dagster skips it again unless this run
            yields the asset itself.
    """
    event = instance.get_latest_materialization_event(key)
    newest = event.asset_materialization if event is not None else None
    if event is None or newest is None or event.run_id in retried:
        return False
    return RecordedRefresh.read(newest.metadata).export_arn == export_arn


@dataclass
class ObservationLedger:
    """The ledger of one step: `record` writes to the event log, `find` reads it.

    Attributes:
        context: The step that writes.
        keys: DynamoDB table -> the asset the note is shown on.
        run_ids: This run and those it retries, this one first.
    """

    context: dg.AssetExecutionContext
    keys: Mapping[str, dg.AssetKey]
    run_ids: Sequence[str]
    _read: dict[str, dict[dg.AssetKey, ExportNote]] = field(
        default_factory=dict[str, dict[dg.AssetKey, ExportNote]], init=False, repr=False
    )

    def find(self, table: str) -> ExportNote | None:
        """The newest note for a DynamoDB table, this run's first."""
        key = self.keys[table]
        for run_id in self.run_ids:
            if note := self._notes(run_id).get(key):
                return note
        return None

    def record(self, table: str, note: ExportNote) -> None:
        """Write the note at once."""
        key = self.keys[table]
        self.context.log_event(
            dg.AssetObservation(
                asset_key=key,
                description=f"{table}: export started, {note.export_arn}",
                metadata=note_metadata(note),
            )
        )
        self._notes(self.run_ids[0])[key] = note

    def _notes(self, run_id: str) -> dict[dg.AssetKey, ExportNote]:
        """The newest readable note per asset; each run's events are read once."""
        if run_id not in self._read:
            notes: dict[dg.AssetKey, ExportNote] = {}
            kind = dg.DagsterEventType.ASSET_OBSERVATION
            for record in _records(self.context.instance, run_id, kind):
                observation = record.asset_observation
                note = observation and read_note(observation.metadata)
                if observation and note:
                    notes[observation.asset_key] = note
            self._read[run_id] = notes
        return self._read[run_id]


@dataclass
class MaterializationHistory:
    """How long earlier exports took, from the metadata of the assets' materializations.

    The newest materialization of every table is read in one query for all; it lists the exports
    before it, too. Only where it does not (another tool's, an operator's) earlier ones are read.

    Attributes:
        instance: Where events are kept.
        keys: DynamoDB table -> its asset, for the tables of one step.
    """

    instance: dg.DagsterInstance
    keys: Mapping[str, dg.AssetKey]
    _newest: dict[dg.AssetKey, RecordedRefresh] | None = field(default=None, init=False, repr=False)

    def durations(self, table: str) -> list[PastExport]:
        """The newest first; at most `HISTORY_LENGTH`."""
        key = self.keys[table]
        newest = self._recorded().get(key)
        if newest is None:
            return []
        if newest.recent is not None:
            return list(newest.recent)
        records = self.instance.fetch_materializations(key, limit=HISTORY_LENGTH).records
        read = (_facts(record.asset_materialization) for record in records)
        return [past for past in map(_past, read) if past is not None]

    def before(self, table: str, export_arn: str) -> list[PastExport]:
        """The exports before this one; with it they are `HISTORY_LENGTH` at most."""
        past = self.durations(table)
        newest = self._recorded().get(self.keys[table])
        if newest is not None and newest.export_arn == export_arn:
            past = past[1:]
        return past[: HISTORY_LENGTH - 1]

    def peers(self, table: str) -> list[PastExport]:
        """The newest export of each other table of the step."""
        own = self.keys[table]
        found = (_past(newest) for key, newest in self._recorded().items() if key != own)
        return [past for past in found if past is not None]

    def _recorded(self) -> dict[dg.AssetKey, RecordedRefresh]:
        """The newest materialization of each asset that was ever materialized."""
        if self._newest is None:
            records = self.instance.get_asset_records(list(self.keys.values()))
            self._newest = {
                record.asset_entry.asset_key: _facts(newest.asset_materialization)
                for record in records
                if (newest := record.asset_entry.last_materialization) is not None
            }
        return self._newest


def _facts(materialization: dg.AssetMaterialization | None) -> RecordedRefresh:
    return RecordedRefresh.read(materialization.metadata if materialization is not None else {})


def _past(recorded: RecordedRefresh) -> PastExport | None:
    if recorded.export_seconds is None:
        return None
    return PastExport(recorded.export_seconds, recorded.items, recorded.billed_bytes)


def _records(
    instance: dg.DagsterInstance, run_id: str, kind: dg.DagsterEventType
) -> Iterator[dg.EventLogRecord]:
    # `get_records_for_run` is not marked public; it is used here and nowhere else.
    cursor: str | None = None
    while True:
        page = instance.get_records_for_run(run_id, cursor=cursor, of_type=kind, limit=_PAGE)
        yield from page.records
        if not page.has_more:
            return
        cursor = page.cursor


def _started(instance: dg.DagsterInstance, run_id: str) -> datetime:
    """The run's start; known before its first step runs and the same for ever after."""
    record = instance.get_run_record_by_id(run_id)
    if record is None:
        raise dg.DagsterRunNotFoundError(f"run {run_id} was deleted", invalid_run_id=run_id)
    if record.start_time is None:
        return record.create_timestamp.astimezone(UTC)
    return datetime.fromtimestamp(record.start_time, tz=UTC)
