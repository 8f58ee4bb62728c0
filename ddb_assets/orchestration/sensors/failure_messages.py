"""What of a failed run is told, and to whom: one message per table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from ddb_assets.orchestration.reattach import materialized_in_run, planned_in_run
from ddb_assets.orchestration.sensors.declared import SensedTables


@dataclass(frozen=True)
class FailedRefresh:
    """One table that was not refreshed; it stayed where it was.

    Attributes:
        table: The DynamoDB table; None where the whole run was refused before it began.
        athena_table: `database.table`.
        cause: What happened.
        remedy: What a person can do about it.
        error: The error's class.
        code: AWS's error code.
        retryable: Whether the same attempt may succeed later.
        export_arn: The export it got to; it may still be running.
        run_id: The failed run.
        job: Its job.
        step: The op that failed.
    """

    table: str | None
    cause: str
    run_id: str
    job: str
    athena_table: str | None = None
    remedy: str | None = None
    error: str | None = None
    code: str | None = None
    retryable: bool | None = None
    export_arn: str | None = None
    step: str | None = None

    @property
    def label(self) -> str:
        """What tells it from the other messages of its run; no table's name has a blank."""
        return self.table or f"step {self.step}"

    @property
    def text(self) -> str:
        """The message: the table, the cause, what to do, and the run."""
        what = f"{self.table} was not refreshed" if self.table else "A refresh was refused"
        code = f" ({self.code})" if self.code else ""
        remedy = f"\nWhat to do: {self.remedy}" if self.remedy else ""
        export = f"\nExport: {self.export_arn}" if self.export_arn else ""
        return f"{what}: {self.cause}{code}{remedy}{export}\nRun: {self.run_id} ({self.job})"


def failures_of(
    instance: dg.DagsterInstance, run: dg.DagsterRun, ended: dg.DagsterEvent, sensed: SensedTables
) -> list[FailedRefresh]:
    """What of a failed run concerns these tables, one per table, in the order of `label`.

    The order is the same however often it is asked, so that a later tick can go on.

    Args:
        instance: Where runs are kept.
        run: The failed run.
        ended: The event of its failure.
        sensed: The tables.
    """
    return sorted(
        {failure.label: failure for failure in _failures(instance, run, ended, sensed)}.values(),
        key=lambda failure: failure.label,
    )


def _failures(
    instance: dg.DagsterInstance, run: dg.DagsterRun, end: dg.DagsterEvent, sensed: SensedTables
) -> Iterator[FailedRefresh]:
    """Tables whose step did not say why (its process was killed, or never began) are there, too."""
    steps = set(sensed.steps.values())
    by_name = {spec.name: spec for spec in sensed.tables.values()}
    reasons: dict[str, str] = {}
    ended = _succeeded(instance, run.run_id)
    for event in _step_failures(instance, run.run_id):
        step = event.step_key
        if step is None or step not in steps:
            continue
        data = event.step_failure_data.user_failure_data
        if data is None:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            reasons[step] = error.message if error is not None else ""
            continue
        ended.add(step)
        entries = _entries(data.metadata)
        for table, facts in entries.items():
            if table in by_name:
                yield _failure(run, table, facts, step)
        if not entries:
            yield _refused(run, data, step)
    silent = [key for key in sensed.tables if sensed.steps[key] not in ended]
    if not silent:
        return
    left = planned_in_run(instance, run.run_id) - materialized_in_run(instance, run.run_id)
    for key in silent:
        if key not in left:
            continue
        step = sensed.steps[key]
        reason = reasons.get(step) or end.message or ""
        yield FailedRefresh(
            table=sensed.tables[key].name,
            athena_table=sensed.tables[key].athena_name,
            cause=reason.strip().partition("\n")[0] or "the run ended without a reason",
            remedy="re-execute the run from failure: exports that were started are found again",
            run_id=run.run_id,
            job=run.job_name,
            step=step,
        )


def _step_failures(instance: dg.DagsterInstance, run_id: str) -> Iterator[dg.DagsterEvent]:
    # As `RunFailureSensorContext.get_step_failure_events` reads them.
    kind = dg.DagsterEventType.STEP_FAILURE
    for record in instance.get_records_for_run(run_id=run_id, of_type=kind).records:
        if record.event_log_entry.dagster_event is not None:
            yield record.event_log_entry.dagster_event


def _succeeded(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    stats = instance.get_run_step_stats(run_id)
    return {step.step_key for step in stats if step.status and step.status.value == "SUCCESS"}


def _refused(run: dg.DagsterRun, data: Any, step: str) -> FailedRefresh:
    remedy = data.metadata.get("remedy")
    return FailedRefresh(
        table=None,
        cause=data.description or "no reason was given",
        remedy=str(remedy.value) if remedy is not None else None,
        run_id=run.run_id,
        job=run.job_name,
        step=step,
    )


def _entries(
    metadata: Mapping[str, dg.MetadataValue[Any]],
) -> dict[str, Mapping[str, Any]]:
    """The entries of failed tables; see `orchestration.failures`."""
    values = {name: value.value for name, value in metadata.items()}
    return {name: value for name, value in values.items() if isinstance(value, dict)}


def _failure(run: dg.DagsterRun, table: str, facts: Mapping[str, Any], step: str) -> FailedRefresh:
    return FailedRefresh(
        table=table,
        cause=str(facts.get("cause", "no reason was given")),
        run_id=run.run_id,
        job=run.job_name,
        athena_table=facts.get("athena_table"),
        remedy=facts.get("remedy"),
        error=facts.get("error"),
        code=facts.get("code"),
        retryable=facts.get("retryable"),
        export_arn=facts.get("export_arn"),
        step=step,
    )
