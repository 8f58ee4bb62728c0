"""Tells somebody what failed: one message per table, with its cause and its remedy."""

import importlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import dagster as dg

from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.reattach import materialized_in_run, planned_in_run
from ddb_assets.orchestration.sensors.declared import SensedTables

#: Dagster's tag of a failed run that its own run retries repeat.
_WILL_RETRY_TAG = "dagster/will_retry"


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

    @property
    def text(self) -> str:
        """The message: the table, the cause, what to do, and the run."""
        what = f"{self.table} was not refreshed" if self.table else "A refresh was refused"
        code = f" ({self.code})" if self.code else ""
        remedy = f"\nWhat to do: {self.remedy}" if self.remedy else ""
        export = f"\nExport: {self.export_arn}" if self.export_arn else ""
        return f"{what}: {self.cause}{code}{remedy}{export}\nRun: {self.run_id} ({self.job})"


class Notifier(Protocol):
    """Takes one message; any function with one argument will do.

    What it raises turns the tick red; the other messages are delivered all the same.
    """

    def __call__(self, failure: FailedRefresh) -> Any:
        """Tell somebody."""
        ...


@dataclass(frozen=True)
class LogNotifier:
    """Writes the messages to a Python logger, at level ERROR."""

    logger: str = "ddb_assets.failed_refreshes"

    def __call__(self, failure: FailedRefresh) -> None:
        """One record; the failure itself is its attribute `failure`."""
        logging.getLogger(self.logger).error("%s", failure.text, extra={"failure": failure})


@dataclass(frozen=True, kw_only=True)
class FailedRefreshes:
    """Tell of failed refreshes.

    Attributes:
        notifier: A function of one `FailedRefresh`, or its name as `package.module.function`; a
            logger by default.
        interval: Seconds between two ticks at least.
        running: Whether the sensor is switched on when the definitions are first loaded.
    """

    notifier: Callable[[FailedRefresh], Any] | str = LogNotifier()
    interval: int = 30
    running: bool = False

    def resolved(self) -> Callable[[FailedRefresh], Any]:
        """The function itself.

        Raises:
            DeclarationError: There is none of that name.
        """
        if not isinstance(self.notifier, str):
            return self.notifier
        module, _, name = self.notifier.rpartition(".")
        try:
            found = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise _no_notifier(self.notifier, str(error)) from error
        if not callable(found):
            raise _no_notifier(self.notifier, "it cannot be called")
        return found


def failed_refreshes_sensor(sensed: SensedTables, settings: FailedRefreshes) -> dg.SensorDefinition:
    """The sensor `NAME_failed_refreshes`.

    It hears of every failed run of the code location, however it was started. A run that Dagster
    retries by itself is not told of; its last retry is.
    """
    notify = settings.resolved()

    @dg.run_failure_sensor(  # pyright: ignore[reportUnknownMemberType] - a bare PathLike in Dagster
        name=f"{sensed.name}_failed_refreshes",
        minimum_interval_seconds=settings.interval,
        default_status=dg.DefaultSensorStatus.RUNNING
        if settings.running
        else dg.DefaultSensorStatus.STOPPED,
        description="Tells of each table that could not be refreshed, with cause and remedy.",
    )
    def failed_refreshes(context: dg.RunFailureSensorContext) -> None:
        if context.dagster_run.tags.get(_WILL_RETRY_TAG) == "true":
            return
        undelivered: list[Exception] = []
        for failure in failures_of(context, sensed):
            try:
                notify(failure)
            except Exception as error:
                context.log.exception("not delivered: %s", failure.text)
                undelivered.append(error)
        if undelivered:
            raise dg.DagsterError(
                f"{len(undelivered)} messages could not be delivered; they are in the tick's log"
            ) from undelivered[0]

    return failed_refreshes


def failures_of(
    context: dg.RunFailureSensorContext, sensed: SensedTables
) -> Iterator[FailedRefresh]:
    """What of a failed run concerns these tables, one per table.

    Tables whose step did not say why (its process was killed, or never began) are told of, too.
    """
    run, steps = context.dagster_run, set(sensed.steps.values())
    by_name = {spec.name: spec for spec in sensed.tables.values()}
    reasons: dict[str, str] = {}
    ended = _succeeded(context.instance, run.run_id)
    for event in context.get_step_failure_events():
        if event.step_key not in steps:
            continue
        data = event.step_failure_data.user_failure_data
        if data is None:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            reasons[event.step_key] = error.message if error is not None else ""
            continue
        ended.add(event.step_key)
        entries = _entries(data.metadata)
        for table, facts in entries.items():
            if table in by_name:
                yield _failure(run, table, facts)
        if not entries:
            yield _refused(run, data)
    silent = [key for key in sensed.tables if sensed.steps[key] not in ended]
    if not silent:
        return
    planned = planned_in_run(context.instance, run.run_id)
    left = planned - materialized_in_run(context.instance, run.run_id)
    for key in silent:
        if key not in left:
            continue
        reason = reasons.get(sensed.steps[key]) or context.failure_event.message or ""
        yield FailedRefresh(
            table=sensed.tables[key].name,
            athena_table=sensed.tables[key].athena_name,
            cause=reason.strip().partition("\n")[0] or "the run ended without a reason",
            remedy="re-execute the run from failure: exports that were started are found again",
            run_id=run.run_id,
            job=run.job_name,
        )


def _succeeded(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    stats = instance.get_run_step_stats(run_id)
    return {step.step_key for step in stats if step.status and step.status.value == "SUCCESS"}


def _refused(run: dg.DagsterRun, data: Any) -> FailedRefresh:
    remedy = data.metadata.get("remedy")
    return FailedRefresh(
        table=None,
        cause=data.description or "no reason was given",
        remedy=str(remedy.value) if remedy is not None else None,
        run_id=run.run_id,
        job=run.job_name,
    )


def _entries(
    metadata: Mapping[str, dg.MetadataValue[Any]],
) -> dict[str, Mapping[str, Any]]:
    """The entries of failed tables; see `orchestration.failures`."""
    values = {name: value.value for name, value in metadata.items()}
    return {name: value for name, value in values.items() if isinstance(value, dict)}


def _failure(run: dg.DagsterRun, table: str, facts: Mapping[str, Any]) -> FailedRefresh:
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
    )


def _no_notifier(name: str, reason: str) -> DeclarationError:
    return DeclarationError(
        f"failed_refreshes: there is no notifier {name!r}: {reason}",
        remedy="name a function of one argument as package.module.function",
    )
