"""What a person at a keyboard needs of the refresh's machinery: one table, one call, no run.

Nothing is remembered between two such calls: they start no exports, so there is nothing to find
again.
"""

import math
import random
from collections.abc import Sequence
from typing import TypeVar

from ddb_assets.core.clock import Clock
from ddb_assets.core.options import RefreshOptions
from ddb_assets.core.ports import (
    ExportNote,
    Gateways,
    Listener,
    PastExport,
    Profiling,
    RefreshEvent,
)
from ddb_assets.core.scheduling.context import RunContext, item_by_item
from ddb_assets.core.scheduling.scheduler import Task

T = TypeVar("T")


class NoLedger:
    """Remembers nothing: for operations that start no export."""

    def find(self, table: str) -> ExportNote | None:
        """Nothing was noted."""
        return None

    def record(self, table: str, note: ExportNote) -> None:
        """An operation without a ledger must not start exports.

        Raises:
            RuntimeError: It did.
        """
        raise RuntimeError(f"{table}: export {note.export_arn} was started without a ledger")


class NoHistory:
    """Knows no earlier exports."""

    def durations(self, table: str) -> Sequence[PastExport]:
        """None."""
        return ()

    def peers(self, table: str) -> Sequence[PastExport]:
        """None."""
        return ()


def ignore(event: RefreshEvent) -> None:
    """A listener that hears nothing."""


def operator_context(
    gateways: Gateways,
    clock: Clock,
    *,
    listener: Listener = ignore,
    rng: random.Random | None = None,
    patience_seconds: float = math.inf,
    profiling: Profiling = item_by_item,
) -> RunContext:
    """A context for calls with retries outside of a run."""
    return RunContext.create(
        intent_id="operator",
        started_at=clock.now(),
        gateways=gateways,
        ledger=NoLedger(),
        history=NoHistory(),
        listener=listener,
        clock=clock,
        options=RefreshOptions(),
        rng=rng,
        patience_seconds=patience_seconds,
        profiling=profiling,
    )


def finish(task: Task[T], clock: Clock) -> T:
    """Run one task to its end, sleeping where it waits."""
    while True:
        try:
            pause = next(task)
        except StopIteration as stop:
            return stop.value
        if pause.until is None:
            raise RuntimeError("a task that runs alone cannot wait for others")
        clock.sleep(max(0.0, pause.until - clock.monotonic()))
