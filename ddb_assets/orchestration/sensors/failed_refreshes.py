"""Tells somebody what failed: one message per table, with its cause and its remedy."""

import importlib
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import dagster as dg
from dagster._core.definitions.run_request import DagsterRunReaction
from dagster_shared.error import SerializableErrorInfo

from ddb_assets.core.clock import Clock, SystemClock
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.sensors.declared import SensedTables
from ddb_assets.orchestration.sensors.failure_messages import FailedRefresh, failures_of
from ddb_assets.orchestration.sensors.telling import Round, Told
from ddb_assets.orchestration.sensors.tick import Budget

#: Dagster's tag of a failed run that its own run retries repeat.
_WILL_RETRY_TAG = "dagster/will_retry"
#: Failed runs read at once; Dagster's own default of `DAGSTER_RUN_STATUS_SENSOR_FETCH_LIMIT`.
_PAGE = 25


class Notifier(Protocol):
    """Takes one message; any function with one argument will do.

    What it raises turns the tick red; the other messages are delivered all the same, and this one
    is tried again in the next two ticks. It is called in a thread of its own and has ten seconds.
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


def failed_refreshes_sensor(
    sensed: SensedTables, settings: FailedRefreshes, *, clock: Clock | None = None
) -> dg.SensorDefinition:
    """The sensor `NAME_failed_refreshes`.

    It hears of every failed run of the code location, however it was started. A run that Dagster
    retries by itself is not told of; its last retry is.

    Dagster's `run_failure_sensor` knows whole runs only: it would begin the messages of a thousand
    tables anew in each tick that is killed. This one keeps its place within the run.
    """
    notify = settings.resolved()

    def evaluate(
        context: dg.SensorEvaluationContext,
    ) -> Iterator[DagsterRunReaction | dg.SkipReason]:
        yield from _Tick(context, sensed, notify, clock or SystemClock()).results()

    return dg.SensorDefinition(
        name=f"{sensed.name}_failed_refreshes",
        evaluation_fn=evaluate,
        minimum_interval_seconds=settings.interval,
        default_status=dg.DefaultSensorStatus.RUNNING
        if settings.running
        else dg.DefaultSensorStatus.STOPPED,
        description="Tells of each table that could not be refreshed, with cause and remedy.",
    )


class _Tick:
    """One evaluation."""

    def __init__(
        self,
        context: dg.SensorEvaluationContext,
        sensed: SensedTables,
        notify: Callable[[FailedRefresh], Any],
        clock: Clock,
    ) -> None:
        self.context = context
        self.instance = context.instance
        self.sensed = sensed
        self.budget = Budget(clock)
        self.round = Round(notify, self.budget, context.log)
        self.good: list[DagsterRunReaction] = []
        self.bad: list[DagsterRunReaction] = []

    def results(self) -> Iterator[DagsterRunReaction | dg.SkipReason]:
        """Tell; the cursor moves although the tick turns red, because what is told is told."""
        told = Told.load(self.context.cursor)
        if told is None:
            if self.context.cursor:
                self.context.log.warning(
                    "the cursor cannot be read: runs that failed before now are not told of"
                )
            told = Told(self._newest())
            self.context.update_cursor(told.dump())
            yield dg.SkipReason("begins with the next run that fails")
            return
        self.context.update_cursor(self._tell(told).dump())
        if not self.good and not self.bad:
            tried = self.round.tried
            yield dg.SkipReason(f"{tried} messages; the next tick goes on" if tried else "no news")
        # The last one decides the colour of the tick.
        yield from self.good
        yield from self.bad

    def _tell(self, told: Told) -> Told:
        while True:
            page = self._failed_runs(told.after)
            runs = self._runs({record.event_log_entry.run_id for record in page})
            for record in page:
                run, event = (
                    runs.get(record.event_log_entry.run_id),
                    record.event_log_entry.dagster_event,
                )
                if run is not None and event is not None and self._concerns(run):
                    if self.round.tried and self.budget.spent:
                        return told
                    messages = failures_of(self.instance, run, event, self.sensed)
                    left = self.round.tell(told, run.run_id, messages)
                    self._react(run, finished=bool(messages) and left is None)
                    if left is not None:
                        return left
                told = Told(record.storage_id)
            if len(page) < _PAGE:
                return told

    def _newest(self) -> int:
        kind = dg.DagsterEventType.RUN_FAILURE
        newest = self.instance.fetch_run_status_changes(kind, limit=1).records
        return newest[0].storage_id if newest else -1

    def _failed_runs(self, after: int) -> list[dg.EventLogRecord]:
        wanted = dg.RunStatusChangeRecordsFilter(
            event_type=dg.DagsterEventType.RUN_FAILURE, after_storage_id=after
        )
        found = self.instance.fetch_run_status_changes(wanted, limit=_PAGE, ascending=True)
        return list(found.records)

    def _runs(self, run_ids: set[str]) -> dict[str, dg.DagsterRun]:
        if not run_ids:
            return {}
        records = self.instance.get_run_records(filters=dg.RunsFilter(run_ids=sorted(run_ids)))
        return {record.dagster_run.run_id: record.dagster_run for record in records}

    def _concerns(self, run: dg.DagsterRun) -> bool:
        """Of this code location, as `run_failure_sensor` compares; and nobody retries it."""
        if run.tags.get(_WILL_RETRY_TAG) == "true":
            return False
        origin = run.remote_job_origin
        theirs = (
            (
                origin.repository_origin.code_location_origin.location_name,
                origin.repository_origin.repository_name,
            )
            if origin
            else (None, None)
        )
        here = self.context.code_location_origin
        return theirs == (here.location_name if here else None, self.context.repository_name)

    def _react(self, run: dg.DagsterRun, *, finished: bool) -> None:
        undelivered, self.round.undelivered = self.round.undelivered, []
        failed = dg.DagsterRunStatus.FAILURE
        if undelivered:
            info = SerializableErrorInfo(
                f"{len(undelivered)} messages could not be delivered; they are in the tick's log",
                stack=[],
                cls_name="DagsterError",
                cause=SerializableErrorInfo.from_traceback(
                    traceback.TracebackException.from_exception(undelivered[0])
                ),
            )
            self.bad.append(DagsterRunReaction(run, run_status=failed, error=info))
        elif finished:
            self.good.append(DagsterRunReaction(run, run_status=failed))


def _no_notifier(name: str, reason: str) -> DeclarationError:
    return DeclarationError(
        f"failed_refreshes: there is no notifier {name!r}: {reason}",
        remedy="name a function of one argument as package.module.function",
    )
