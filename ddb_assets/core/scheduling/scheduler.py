"""One thread, many waits: generator tasks, a heap of due times and an injected clock.

A task yields a `Pause` (until a moment, until a signal, or whichever comes first) and is resumed
when it is over. Nothing here knows of AWS; a thousand waiting tasks are a thousand heap entries.
"""

import heapq
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ddb_assets.core.clock import Clock

T = TypeVar("T")

#: What a task's `yield` hands out; `yield from` a Task returns its T.
Task = Generator["Pause", None, T]


class Signal:
    """A one-way switch that tasks wait for; once set it stays set."""

    def __init__(self) -> None:
        self.is_set = False
        self._wakers: list[Callable[[], None]] = []

    def set(self) -> None:
        """Wake everyone who waits for it."""
        self.is_set = True
        wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()

    def subscribe(self, wake: Callable[[], None]) -> None:
        """Call `wake` once when it is set; at once if it is."""
        if self.is_set:
            wake()
        else:
            self._wakers.append(wake)


@dataclass(frozen=True)
class Pause:
    """What a task waits for.

    Attributes:
        until: The clock's monotonic time at which to go on; None waits for the signal alone.
        signal: Goes on as soon as it is set; None waits for the time alone.
    """

    until: float | None = None
    signal: Signal | None = None


class Slots:
    """At most `limit` holders at a time, first come, first served."""

    def __init__(self, limit: int) -> None:
        self.free = limit
        self._queue: deque[Signal] = deque()

    def acquire(self) -> Task[None]:
        """Wait for a slot and take it."""
        if self.free > 0 and not self._queue:
            self.free -= 1
            return
        turn = Signal()
        self._queue.append(turn)
        try:
            yield Pause(signal=turn)
        except BaseException:
            if turn.is_set:
                self.release()
            else:
                self._queue.remove(turn)
            raise

    def release(self) -> None:
        """Hand the slot to the next in the queue, or back."""
        if self._queue:
            self._queue.popleft().set()
        else:
            self.free += 1


@dataclass(eq=False)
class _Running(Generic[T]):
    """A task and how to wake it; `turn` tells a stale alarm from the current one."""

    key: str
    task: Generator[Pause, None, T]
    background: bool
    turn: int = 0
    ready: bool = field(default=True)


@dataclass(frozen=True)
class Finished(Generic[T]):
    """A task that returned, or the Exception that ended it."""

    key: str
    value: T | None = None
    error: Exception | None = None


class Scheduler(Generic[T]):
    """Runs tasks until those in the foreground are done.

    A task's Exception ends that task alone and is handed out; a BaseException (Terminate) ends
    everything at once.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: deque[_Running[Any]] = deque()
        self._alarms: list[tuple[float, int, _Running[Any], int]] = []
        self._sequence = 0
        self._foreground = 0

    def spawn(
        self, key: str, task: Generator[Pause, None, Any], *, background: bool = False
    ) -> None:
        """Add a task; it first runs when its turn comes, in the order of spawning."""
        self._foreground += not background
        self._ready.append(_Running(key, task, background))

    def run(self) -> Iterator[Finished[T]]:
        """Run, and hand out each foreground task as it ends.

        Raises:
            RuntimeError: A task waits for a signal that nobody can set any more, or a background
                task ended: both are defects of the program, not of AWS.
        """
        while self._foreground:
            if not self._ready:
                self._sleep()
                continue
            running = self._ready.popleft()
            finished = self._step(running)
            if finished is None:
                continue
            if running.background:
                raise RuntimeError(f"background task {running.key} ended") from finished.error
            self._foreground -= 1
            yield finished

    def _step(self, running: _Running[Any]) -> Finished[T] | None:
        running.turn += 1
        running.ready = False
        try:
            pause = next(running.task)
        except StopIteration as stop:
            return Finished(running.key, value=stop.value)
        except Exception as error:  # noqa: BLE001 - one task's error must not reach the others
            return Finished(running.key, error=error)
        turn = running.turn
        if pause.signal is not None:
            pause.signal.subscribe(lambda: self._wake(running, turn))
        if pause.until is not None and not running.ready:
            self._sequence += 1
            heapq.heappush(self._alarms, (pause.until, self._sequence, running, turn))
        return None

    def _wake(self, running: _Running[Any], turn: int) -> None:
        if running.turn == turn and not running.ready:
            running.ready = True
            self._ready.append(running)

    def _sleep(self) -> None:
        while self._alarms and self._alarms[0][2].turn != self._alarms[0][3]:
            heapq.heappop(self._alarms)
        if not self._alarms:
            raise RuntimeError("every task waits for a signal that nobody will set")
        wait = self._alarms[0][0] - self._clock.monotonic()
        if wait > 0:
            self._clock.sleep(wait)
        now = self._clock.monotonic()
        while self._alarms and self._alarms[0][0] <= now:
            _, _, running, turn = heapq.heappop(self._alarms)
            self._wake(running, turn)
