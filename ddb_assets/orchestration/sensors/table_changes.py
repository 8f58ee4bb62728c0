"""Refreshes tables that were written to since the export they show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NoReturn

import dagster as dg

from ddb_assets.core.clock import Clock
from ddb_assets.core.operating.changes import WriteMetrics, batches, differs, written
from ddb_assets.core.ports import DynamoDB
from ddb_assets.errors import (
    AccessDeniedError,
    DeclarationError,
    TransientError,
    UnsupportedError,
)
from ddb_assets.orchestration.sensors.declared import SensedTables, Unit
from ddb_assets.orchestration.sensors.known import Known, known_tables
from ddb_assets.orchestration.sensors.tick import Budget, Cursor, visit

Source = Literal["auto", "metrics", "describe_table"]


@dataclass(frozen=True, kw_only=True)
class TableChanges:
    """Refresh tables that were written to.

    CloudWatch bills GetMetricData per metric asked for, two per table that may be refreshed and
    tick: a longer `interval` costs less.

    Attributes:
        min_interval: Seconds; no table is refreshed more often, whatever is written, and a refresh
            that failed is not tried again sooner.
        max_staleness: Seconds; a table is refreshed when its data is older, even if nothing was
            seen; None for never.
        source: `metrics` (CloudWatch), `describe_table` (item count and size, which AWS updates
            about every six hours), or `auto`: metrics, and describe_table where the account does
            not allow them.
        interval: Seconds between two ticks at least.
        running: Whether the sensor is switched on when the definitions are first loaded.
    """

    min_interval: float = 3600.0
    max_staleness: float | None = 86400.0
    source: Source = "auto"
    interval: int = 900
    running: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            DeclarationError: Names the setting, the value and what is allowed.
        """
        if self.min_interval <= 0:
            _refuse("min_interval", self.min_interval, "more than 0 seconds")
        if self.max_staleness is not None and self.max_staleness < self.min_interval:
            _refuse("max_staleness", self.max_staleness, "min_interval seconds or more")
        if self.source not in ("auto", "metrics", "describe_table"):
            _refuse("source", self.source, "auto, metrics or describe_table")
        if self.interval < 1:
            _refuse("interval", self.interval, "a whole second or more")


def table_changes_sensor(sensed: SensedTables, settings: TableChanges) -> dg.SensorDefinition:
    """The sensor `NAME_table_changes`.

    Each tick requests at most one run, for all tables that are due. A table is left alone while a
    run refreshes it and until `min_interval` after its last attempt, so that a tick that is
    repeated, with or without its cursor, starts nothing twice.
    """

    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        return _Tick(context, sensed, settings).result()

    return dg.SensorDefinition(
        name=f"{sensed.name}_table_changes",
        evaluation_fn=evaluate,
        job=sensed.job,
        minimum_interval_seconds=settings.interval,
        default_status=dg.DefaultSensorStatus.RUNNING
        if settings.running
        else dg.DefaultSensorStatus.STOPPED,
        required_resource_keys={sensed.resource_key},
        description="Refreshes tables that were written to since the export they show: at most "
        f"every {settings.min_interval:g} s"
        + (f", at least every {settings.max_staleness:g} s." if settings.max_staleness else "."),
    )


class _Tick:
    """One evaluation."""

    def __init__(
        self, context: dg.SensorEvaluationContext, sensed: SensedTables, settings: TableChanges
    ) -> None:
        self.context = context
        self.sensed = sensed
        self.settings = settings
        self.clock: Clock = sensed.aws(context).clock()
        self.now: datetime = self.clock.now()
        self.known = known_tables(context.instance, sensed.tables.keys(), sensed.views)
        self.due: dict[str, tuple[Unit, str]] = {}

    def result(self) -> dg.SensorResult | dg.SkipReason:
        ask: list[Unit] = []
        for unit in self.sensed.units:
            verdict = self._verdict(unit)
            if verdict == "ask":
                ask.append(unit)
            elif verdict is not None:
                self.due[unit.name] = unit, verdict
        cursor = Cursor.load(self.context.cursor)
        try:
            cursor = self._ask(ask) if ask else cursor
        except TransientError as error:
            # What is due for its age alone does not have to wait for AWS.
            if not self.due:
                raise
            self.context.log.warning("this tick ends early: %s", error)
        if not self.due:
            said = f"no writes to {len(ask)} tables that may be refreshed" if ask else "none is due"
            return dg.SensorResult(skip_reason=said, cursor=cursor.dump())
        return dg.SensorResult(run_requests=[self._request()], cursor=cursor.dump())

    def _verdict(self, unit: Unit) -> str | None:
        """Why it is due without asking AWS, "ask" if AWS has to be asked, None if it is not."""
        members = [self.known[key] for key, _ in unit.tables]
        if any(known.under_way for known in members):
            return None
        pause = timedelta(seconds=self.settings.min_interval)
        tried = [known.last_run_at for known in members if known.last_run_at is not None]
        if tried and self.now - max(tried) < pause:
            return None
        since = [known.changes_count_from for known in members]
        moments = [moment for moment in since if moment is not None]
        if len(moments) < len(since):
            return "it was never refreshed"
        age = self.now - min(moments)
        if age < pause:
            return None
        limit = self.settings.max_staleness
        if limit is not None and age >= timedelta(seconds=limit):
            return "its data is older than max_staleness"
        return "ask"

    def _ask(self, units: list[Unit]) -> Cursor:
        """Look which of these were written to."""
        if self.settings.source != "describe_table":
            try:
                self._ask_metrics(units, self.sensed.aws(self.context).write_metrics())
                return Cursor()
            except (AccessDeniedError, UnsupportedError) as error:
                if self.settings.source == "metrics":
                    raise
                self.context.log.warning(
                    "no write metrics, DescribeTable is asked instead: %s", error
                )
        dynamodb = self.sensed.gateways(self.context).dynamodb
        budget = Budget(self.clock)
        return visit(
            self.context, units, budget, lambda unit: self._describe(unit, dynamodb, budget)
        )

    def _ask_metrics(self, units: list[Unit], metrics: WriteMetrics) -> None:
        unit_of = {spec.name: unit for unit in units for _, spec in unit.tables}
        since = self._since(units)
        budget = Budget(self.clock)
        for number, batch in enumerate(batches(since, self.now)):
            if budget.spent and number:
                # The oldest were asked for first; what is left is asked for at the next tick.
                self.context.log.warning("the tick ends before all metrics were asked for")
                return
            budget.pace()
            changed = written(metrics, since, batch)
            for table in changed:
                self.due[unit_of[table].name] = unit_of[table], "it was written to"

    def _since(self, units: list[Unit]) -> Mapping[str, datetime]:
        moments = {
            spec.name: self.known[key].changes_count_from
            for unit in units
            for key, spec in unit.tables
        }
        return {table: moment for table, moment in moments.items() if moment is not None}

    def _describe(self, unit: Unit, dynamodb: DynamoDB, budget: Budget) -> None:
        for key, spec in unit.tables:
            budget.pace()
            description = dynamodb.describe_table(spec.name)
            shown = self.known[key].shown
            if shown is not None and differs(
                description,
                items=shown.items,
                live_items=shown.live_items,
                live_size_bytes=shown.live_size_bytes,
            ):
                self.due[unit.name] = unit, "its item count or size changed"
                return

    def _request(self) -> dg.RunRequest:
        tables = [entry for unit, _ in self.due.values() for entry in unit.tables]
        for unit, reason in self.due.values():
            self.context.log.info("%s: %s", unit.name, reason)
        return self.sensed.request(
            (key for key, _ in tables),
            identity=(_identity(spec.name, self.known[key]) for key, spec in tables),
            config={
                self.sensed.steps[key]: {"wait": False}
                for key, spec in tables
                if spec.group in self.sensed.unattended
            },
        )


def _identity(table: str, known: Known) -> str:
    """The same until the table is refreshed or tried again."""
    export = known.shown.export_arn if known.shown is not None else None
    return f"{table} {export or 'never'} {known.last_run_id}"


def _refuse(setting: str, value: object, allowed: str) -> NoReturn:
    raise DeclarationError(
        f"table_changes: {setting} {value!r} is not allowed", remedy=f"allowed: {allowed}"
    )
