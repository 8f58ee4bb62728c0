"""Virtual time, and several processes taking turns on it."""

import heapq
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

#: Where every world begins; far enough from the epoch that export ids have their 14 digits.
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)

#: A thread that does not hand the baton back within this many real seconds hangs.
REAL_SECONDS = 60.0


class HungError(Exception):
    """A process computed for a minute of real time without a single call."""


class Abandoned(BaseException):
    """The world ended while this process waited for its turn."""


class VirtualClock:
    """Time that passes only when somebody says so, and what is due at which moment."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0

    def now(self) -> datetime:
        """The wall time."""
        return BEGINNING + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return self._elapsed

    def at(self, seconds: float, happening: Callable[[], None]) -> None:
        """Let something happen at this many seconds after the beginning."""
        self._order += 1
        heapq.heappush(self._due, (seconds, self._order, happening))

    def after(self, seconds: float, happening: Callable[[], None]) -> None:
        """Let something happen this many seconds from now."""
        self.at(self._elapsed + seconds, happening)

    def reach(self, seconds: float) -> None:
        """Go to this moment; what is due on the way happens at its own time."""
        while self._due and self._due[0][0] <= seconds:
            due, _, happening = heapq.heappop(self._due)
            self._elapsed = max(self._elapsed, due)
            happening()
        self._elapsed = max(self._elapsed, seconds)


@dataclass(eq=False)
class _Turn:
    name: str
    wake: float
    thread: threading.Thread | None = None
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    done: bool = False
    error: BaseException | None = None


class Turns:
    """Runs processes as threads of which exactly one moves at a time.

    A process runs from one call to the next; there it gives the baton back and says when it
    wants to go on. The next one is drawn from those that are due, by a seeded generator: the
    same seed gives the same interleaving.
    """

    def __init__(self, clock: VirtualClock, rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._turns: list[_Turn] = []
        self._baton = threading.Semaphore(0)
        self._abandoned = False
        self._local = threading.local()

    def add(self, name: str, start: float, body: Callable[[], None]) -> None:
        """A process that begins at this many seconds after the beginning."""
        turn = _Turn(name, start)

        def run() -> None:
            self._local.turn = turn
            try:
                self._take(turn)
                body()
            except Abandoned:
                pass
            except BaseException as error:  # noqa: BLE001 - handed to the main thread
                turn.error = error
            finally:
                turn.done = True
                self._baton.release()

        turn.thread = threading.Thread(target=run, name=name, daemon=True)
        self._turns.append(turn)

    def pause(self, seconds: float) -> None:
        """Called by a process: let the others go on, come back after this long."""
        turn: _Turn = self._local.turn
        turn.wake = self._clock.monotonic() + seconds
        self._baton.release()
        self._take(turn)

    def run(self) -> None:
        """Until every process has ended; raises what the first of them raised."""
        for turn in self._turns:
            assert turn.thread is not None
            turn.thread.start()
        try:
            while live := [t for t in self._turns if not t.done]:
                self._clock.reach(max(self._clock.monotonic(), min(t.wake for t in live)))
                now = self._clock.monotonic()
                turn = self._rng.choice([t for t in live if t.wake <= now])
                turn.go.release()
                if not self._baton.acquire(timeout=REAL_SECONDS):
                    raise HungError(turn.name)
                if turn.error is not None:
                    raise turn.error
        finally:
            self._abandoned = True
            for turn in self._turns:
                turn.go.release()
            for turn in self._turns:
                assert turn.thread is not None
                turn.thread.join(timeout=REAL_SECONDS)

    def _take(self, turn: _Turn) -> None:
        turn.go.acquire()
        if self._abandoned:
            raise Abandoned
