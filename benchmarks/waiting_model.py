"""Exports that take as long as a distribution says, and who asks for them when.

Time is virtual: an hour of waiting costs nothing. The product's own strategy is not imitated but
run: its ExportWatch, its scheduler, its rate, its plan.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from ddb_assets.core.export import Export, ExportSummary
from ddb_assets.core.ports import PastExport
from ddb_assets.core.scheduling.calls import Rate
from ddb_assets.core.scheduling.context import DESCRIBE_BURST, DESCRIBES_PER_SECOND
from ddb_assets.core.scheduling.scheduler import Pause, Scheduler, Slots, Task
from ddb_assets.core.waiting.polling import plan
from ddb_assets.core.waiting.watch import LIST_PAGE, ExportWatch

#: Recorded publicly, in seconds; where only a range is on record, its ends.
PUBLIC = (95, 125, 155, 304, 307, 339, 368, 600, 706, 720, 726)

Draw = Callable[[random.Random], float]


def lognormal(rng: random.Random) -> float:
    """Small tables."""
    return 330.0 * math.exp(0.35 * rng.gauss(0, 1))


def uniform(rng: random.Random) -> float:
    """Two minutes to two hours."""
    return rng.uniform(120.0, 7200.0)


def public(rng: random.Random) -> float:
    """What somebody saw and wrote down."""
    return float(rng.choice(PUBLIC))


def mixed(rng: random.Random) -> float:
    """Four small tables and a large one."""
    return lognormal(rng) if rng.random() < 0.8 else uniform(rng)


DURATIONS: dict[str, Draw] = {
    "lognormal, median 5.5 min": lognormal,
    "uniform, 2 min to 2 h": uniform,
    "public record": public,
    "80/20 mix": mixed,
}


@dataclass(frozen=True)
class One:
    """An export to wait for, and what is known before it ends.

    Attributes:
        seconds: How long it takes.
        past: How long earlier exports of its table took.
        size: Bytes of its table.
        peers: The newest exports of other tables.
    """

    seconds: float
    past: Sequence[float] = ()
    size: int | None = None
    peers: Sequence[PastExport] = ()


def neighbours(rng: random.Random, number: int, scatter: float) -> list[PastExport]:
    """Tables of 1 MB to 100 GB: two minutes and 20 MB a second more, times what scatters."""
    sizes = [int(10 ** rng.uniform(6, 11)) for _ in range(number)]
    return [
        PastExport((120 + size / 2e7) * math.exp(scatter * rng.gauss(0, 1)), None, size)
        for size in sizes
    ]


@dataclass
class Waited:
    """Many exports, waited for."""

    durations: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    calls: int = 0
    given_up: int = 0

    def add(self, duration: float, noticed: float) -> None:
        """One export that was seen to be done at the age `noticed`."""
        self.durations.append(duration)
        self.lags.append(noticed - duration)

    @property
    def shares(self) -> list[float]:
        """Lag in per cent of each export's duration, smallest first."""
        pairs = zip(self.lags, self.durations, strict=True)
        return sorted(100 * lag / duration for lag, duration in pairs)

    @property
    def mean_seconds(self) -> float:
        """Mean lag."""
        return sum(self.lags) / len(self.lags)

    @property
    def mean(self) -> float:
        """Per cent."""
        return sum(self.shares) / len(self.lags)

    @property
    def p99(self) -> float:
        """Per cent."""
        return self.shares[int(0.99 * len(self.lags))]

    @property
    def each(self) -> float:
        """Calls per export."""
        return self.calls / (len(self.lags) + self.given_up)


def every(
    seconds: float, *, first: float | None = None, then: float = 0.0, most: int | None = None
) -> Callable[[Sequence[float]], Waited]:
    """Ask every so often; `then` passes before the result is used, `most` calls are made."""
    start = seconds if first is None else first

    def wait(durations: Sequence[float]) -> Waited:
        waited = Waited()
        for duration in durations:
            calls = max(0, math.ceil((duration - start) / seconds)) + 1
            if most is not None and calls > most:
                waited.given_up += 1
                waited.calls += most
                continue
            waited.add(duration, start + (calls - 1) * seconds + then)
            waited.calls += calls
        return waited

    return wait


class VirtualAccount:
    """A clock that jumps and a DynamoDB whose exports end when they are meant to."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0
        self.exports: dict[str, tuple[float, float]] = {}

    def now(self) -> datetime:
        """The clock's wall time."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """The clock's elapsed time."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Jump."""
        self.seconds += seconds

    def start(self, name: str, duration: float) -> Export:
        """An export that ends after `duration`."""
        self.exports[name] = (self.seconds, duration)
        return self._shown(name)

    def describe_export(self, arn: str) -> Export:
        """One call."""
        self.calls += 1
        return self._shown(arn)

    def list_exports(self, table_arn: str | None = None) -> Iterator[ExportSummary]:
        """One call a page, oldest first: all that were ever started."""
        for index, name in enumerate(list(self.exports)):
            self.calls += index % LIST_PAGE == 0
            yield ExportSummary(name, self._shown(name).status)

    def _shown(self, name: str) -> Export:
        began, duration = self.exports[name]
        done = self.seconds - began >= duration
        return Export(name, "COMPLETED" if done else "IN_PROGRESS", "", "", "")


def product(exports: Sequence[One], *, together: int = 1, seed: int = 1) -> Waited:
    """Each export through the product's own watch.

    `together` of them are in flight at a time, in one watch as in one refresh.
    """
    waited = Waited()
    rng = random.Random(seed)
    if together == 1:
        for one in exports:
            _refresh([one], 1, waited, rng)
    else:
        _refresh(exports, together, waited, rng)
    return waited


def _refresh(
    exports: Sequence[One],
    together: int,
    into: Waited,
    rng: random.Random,
) -> None:
    account = VirtualAccount()
    rate = Rate(account, per_second=DESCRIBES_PER_SECOND, burst=DESCRIBE_BURST)
    watch = ExportWatch(account, account, rng, rate, _no_trouble)  # type: ignore[arg-type]
    slots = Slots(together)

    def wait(name: str, one: One) -> Task[None]:
        yield from slots.acquire()
        began = account.seconds
        past = [PastExport(seconds) for seconds in one.past]
        poll = plan(past, size_bytes=one.size, peers=one.peers)
        watched = watch.add(name, account.start(name, one.seconds), poll, age_seconds=0.0)
        yield Pause(signal=watched.signal)
        slots.release()
        into.add(one.seconds, account.seconds - began)

    scheduler = Scheduler[None](account)
    for index, one in enumerate(exports):
        scheduler.spawn(str(index), wait(f"e{index}", one))
    scheduler.spawn("watch", watch.run(), background=True)
    for finished in scheduler.run():
        if finished.error is not None:
            raise finished.error
    into.calls += account.calls


def _no_trouble(_table: str, _doing: str, error: Exception, _delay: float) -> None:
    raise error


def best(durations: Sequence[float], cost: float) -> tuple[float, float]:
    """The best plan there is for a known distribution, by dynamic programming.

    `cost` is what a call may cost in shares of the duration. Returns its mean lag in per cent and
    its calls. No plan that knows no more than this does better at both.
    """
    logs = np.sort(np.log(np.asarray(durations)))
    low, high, cells = logs[0], logs[-1] + 1e-9, 700
    edges = np.linspace(low, high, cells + 1)
    weight = np.histogram(logs, edges)[0] / len(logs)
    inverse = np.histogram(logs, edges, weights=np.exp(-logs))[0] / len(logs)
    mass, moment = np.append(0, weight.cumsum()), np.append(0, inverse.cumsum())
    total, lag, calls = (np.zeros(cells + 1) for _ in range(3))
    for here in range(cells - 1, -1, -1):
        alive = 1 - mass[here]
        if alive < 1e-9:
            continue
        there = np.arange(here + 1, cells + 1)
        found = (mass[there] - mass[here]) / alive
        late = np.exp(edges[there]) * (moment[there] - moment[here]) / alive - found
        left = 1 - found
        choice = int(np.argmin(cost + late + left * total[there]))
        target, rest = there[choice], left[choice]
        total[here] = cost + late[choice] + rest * total[target]
        lag[here] = late[choice] + rest * lag[target]
        calls[here] = 1 + rest * calls[target]
    return 100 * float(lag[0]), float(calls[0])
