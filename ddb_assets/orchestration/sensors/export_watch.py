"""Publishes exports that are done and that nobody waits for: whoever started them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dagster as dg

from ddb_assets.core.export import Export
from ddb_assets.core.operating.newer import newer_exports
from ddb_assets.core.ports import Gateways
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.sensors.declared import SensedTables, Unit
from ddb_assets.orchestration.sensors.known import Known, known_tables
from ddb_assets.orchestration.sensors.tick import Budget, visit


@dataclass(frozen=True, kw_only=True)
class ExportWatch:
    """Publish completed exports that are newer than what a table shows.

    Attributes:
        interval: Seconds between two ticks at least.
        running: Whether the sensor is switched on when the definitions are first loaded.
    """

    interval: int = 60
    running: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            DeclarationError: The interval is no time.
        """
        if self.interval < 1:
            raise DeclarationError(
                f"export_watch: interval {self.interval!r} is not allowed",
                remedy="allowed: a whole second or more",
            )


def export_watch_sensor(sensed: SensedTables, settings: ExportWatch) -> dg.SensorDefinition:
    """The sensor `NAME_export_watch`.

    It finds exports of runs that crashed, of runs with `wait: false`, of other tools and of the
    console, and requests one run per tick that adopts them. Tables of a consistent group are
    adopted together, when each has an export of the same second. An export whose adoption failed is
    not requested again: the run's log says why, and "Re-execute from failure" repeats it.
    """

    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return _Tick(context, sensed).result()

    return dg.SensorDefinition(
        name=f"{sensed.name}_export_watch",
        evaluation_fn=evaluate,
        job=sensed.job,
        minimum_interval_seconds=settings.interval,
        default_status=dg.DefaultSensorStatus.RUNNING
        if settings.running
        else dg.DefaultSensorStatus.STOPPED,
        required_resource_keys={sensed.resource_key},
        description="Publishes completed exports that are newer than what a table shows, whoever "
        "started them.",
    )


class _Tick:
    """One evaluation."""

    def __init__(self, context: dg.SensorEvaluationContext, sensed: SensedTables) -> None:
        self.context = context
        self.sensed = sensed
        self.gateways: Gateways = sensed.gateways(context)
        self.budget = Budget(sensed.aws(context).clock())
        self.known = known_tables(context.instance, sensed.tables.keys(), sensed.views)
        self.found: dict[dg.AssetKey, str] = {}
        self._home: str | None = None

    def result(self) -> dg.SensorResult:
        cursor = visit(self.context, self.sensed.units, self.budget, self._look)
        if not self.found:
            return dg.SensorResult(
                skip_reason="nothing newer than what the tables show", cursor=cursor.dump()
            )
        return dg.SensorResult(run_requests=[self._request()], cursor=cursor.dump())

    def _look(self, unit: Unit) -> None:
        if any(self.known[key].under_way for key, _ in unit.tables):
            return
        newer: dict[dg.AssetKey, tuple[Export, ...]] = {}
        for key, spec in unit.tables:
            exports = self._newer(key, spec)
            if not exports:
                # Of a consistent group all move, or none.
                return
            newer[key] = exports
        chosen = _of_one_second(newer) if len(newer) > 1 else {k: e[0] for k, e in newer.items()}
        if all(_tried(self.known[key], export) for key, export in chosen.items()):
            return
        self.found |= {key: export.arn for key, export in chosen.items()}

    def _newer(self, key: dg.AssetKey, spec: TableSpec) -> tuple[Export, ...]:
        arn = self._table_arn(key, spec)
        found = newer_exports(
            spec,
            gateways=self.gateways,
            table_arn=arn,
            known=self.known[key].place,
            pace=self.budget.pace,
        )
        return found.exports if found is not None else ()

    def _table_arn(self, key: dg.AssetKey, spec: TableSpec) -> str:
        """All tables of a declaration are in one account and region: one of them tells."""
        if self._home is None:
            shown = self.known[key].shown
            arn = shown.export_arn if shown is not None else None
            if arn is None:
                self.budget.pace()
                arn = self.gateways.dynamodb.describe_table(spec.name).arn
            self._home = arn.partition(":table/")[0]
        return f"{self._home}:table/{spec.name}"

    def _request(self) -> dg.RunRequest:
        by_step: dict[str, list[str]] = {}
        for key, arn in self.found.items():
            by_step.setdefault(self.sensed.steps[key], []).append(arn)
            self.context.log.info("%s: export %s is to be adopted", self._name(key), arn)
        return self.sensed.request(
            self.found,
            identity=(f"{arn} {self.known[key].last_run_id}" for key, arn in self.found.items()),
            config={step: {"adopt": " ".join(sorted(arns))} for step, arns in by_step.items()},
        )

    def _name(self, key: dg.AssetKey) -> str:
        return self.sensed.tables[key].name


def _of_one_second(
    newer: Mapping[dg.AssetKey, tuple[Export, ...]],
) -> dict[dg.AssetKey, Export]:
    """The newest cut: an export of each table, all of the same second; empty if there is none."""
    by_moment: dict[datetime, dict[dg.AssetKey, Export]] = {}
    for key, exports in newer.items():
        for export in exports:
            if export.export_time is not None:
                by_moment.setdefault(export.export_time, {}).setdefault(key, export)
    whole = [moment for moment, exports in by_moment.items() if len(exports) == len(newer)]
    return by_moment[max(whole)] if whole else {}


def _tried(known: Known, export: Export) -> bool:
    """Whether the table's last run was to adopt this very export, and has ended."""
    if known.last_run is None:
        return False
    run_config: dict[str, Any] = dict(known.last_run.run_config)
    ops: dict[str, dict[str, Any]] = run_config.get("ops") or {}
    configs: list[dict[str, Any]] = [op.get("config") or {} for op in ops.values()]
    return any(export.arn in str(config.get("adopt")).split() for config in configs)
