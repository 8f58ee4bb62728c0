"""What every part of one refresh shares: the account, time, the listener and the limits."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from ddb_assets.core.clock import Clock
from ddb_assets.core.options import RefreshOptions
from ddb_assets.core.ports import (
    Gateways,
    History,
    Ledger,
    Listener,
    ProfileLines,
    Profiling,
    RefreshEvent,
    Stage,
)
from ddb_assets.core.scheduling.calls import Calls, Rate
from ddb_assets.core.scheduling.scheduler import Slots, Task
from ddb_assets.errors import TerminalError, TransientError
from ddb_assets.schema.profile import profile_of_lines

T = TypeVar("T")

#: Public observations: DescribeExport is throttled near bursts of 13-18 calls, starts near 20. AWS
#: documents neither. A burst and a second's refill together stay below: 13 and 20 in any second.
DESCRIBES_PER_SECOND = 10.0
DESCRIBE_BURST = 3
STARTS_PER_SECOND = 15.0
START_BURST = 5

#: A retry that waits less than this is not worth a line in the log.
_QUIET_DELAY_SECONDS = 4.0
#: The same trouble of the same table is told at most this often.
_TELL_SECONDS = 300.0


def item_by_item() -> ProfileLines:
    """The `Profiling` that needs nothing but Python."""
    return profile_of_lines


@dataclass(frozen=True)
class RunContext:
    """The collaborators of one refresh.

    Attributes:
        profiling: How the items of a table are read for inference.
    """

    intent_id: str
    started_at: datetime
    gateways: Gateways
    ledger: Ledger
    history: History
    listener: Listener
    clock: Clock
    options: RefreshOptions
    rng: random.Random
    calls: Calls
    exports: Slots
    queries: Slots
    starts: Rate
    profiling: Profiling = item_by_item

    @classmethod
    def create(
        cls,
        *,
        intent_id: str,
        started_at: datetime,
        gateways: Gateways,
        ledger: Ledger,
        history: History,
        listener: Listener,
        clock: Clock,
        options: RefreshOptions,
        rng: random.Random | None = None,
        patience_seconds: float = math.inf,
        profiling: Profiling = item_by_item,
    ) -> "RunContext":
        """Put them together with fresh limits; `patience_seconds` caps that with every call."""
        source = rng or random.Random()  # noqa: S311 - jitter
        notify = _Retries(listener, clock)
        return cls(
            intent_id=intent_id,
            started_at=started_at,
            gateways=gateways,
            ledger=ledger,
            history=history,
            listener=listener,
            clock=clock,
            options=options,
            rng=source,
            calls=Calls(clock, source, notify, most_seconds=patience_seconds),
            exports=Slots(max(1, options.max_in_flight // options.shares)),
            queries=Slots(max(1, options.max_queries // options.shares)),
            starts=shared_rate(clock, options.shares, STARTS_PER_SECOND, START_BURST),
            profiling=profiling,
        )

    def emit(self, table: str, stage: Stage, message: str, **details: Any) -> None:
        """Tell the listener; `message` goes on after the table's name."""
        self.listener(RefreshEvent(table, stage, f"{table}: {message}", self.clock.now(), details))

    def call(
        self, table: str, action: str, call: Callable[[], T], *, deadline: float | None = None
    ) -> Task[T]:
        """One call to AWS with retries; see `Calls`."""
        return self.calls(table, action, call, deadline=deadline)


def shared_rate(clock: Clock, shares: int, per_second: float, burst: int) -> Rate:
    """This refresh's part of a call rate that belongs to the account."""
    return Rate(clock, per_second=per_second / shares, burst=max(1, burst // shares))


class _Retries:
    """Turns retried calls into events at a human rate; what is over at once is not told."""

    def __init__(self, listener: Listener, clock: Clock) -> None:
        self._listener = listener
        self._clock = clock
        self._told: dict[tuple[str, str], float] = {}

    def __call__(self, table: str, action: str, error: TransientError, delay: float) -> None:
        now = self._clock.monotonic()
        told = self._told.get((table, action))
        if delay < _QUIET_DELAY_SECONDS or (told is not None and now - told < _TELL_SECONDS):
            return
        self._told[table, action] = now
        message = f"{table}: could not {action} yet: {error.cause}; again in {delay:.0f} s"
        details = {"error": type(error).__name__, "code": error.code, "delay_seconds": delay}
        self._listener(RefreshEvent(table, "retrying", message, self._clock.now(), details))


def defect(error: Exception, table: str) -> TerminalError:
    """An Exception nobody foresaw, as an error of one table; its traceback is the cause's."""
    unforeseen = TerminalError(
        f"unexpected {type(error).__name__}: {error}",
        table=table,
        remedy="this is a defect of ddb_assets or of what it was given; see the traceback",
    )
    unforeseen.__cause__ = error
    return unforeseen
