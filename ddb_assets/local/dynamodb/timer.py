"""Ends exports when their time has come, also if nobody asks: S3 shows their objects then."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from ddb_assets.local import clock
from ddb_assets.local.dynamodb.jobs import ExportJob
from ddb_assets.local.gate import GATE

#: The longest sleep: the clock may be set forward meanwhile, or moto be reset.
LONGEST_SLEEP_SECONDS = 0.2
#: The shortest: exports of a fleet end one soon after the other.
SHORTEST_SLEEP_SECONDS = 0.02


class ExportTimer:
    """A thread that lives as long as there are exports to end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def __getstate__(self) -> dict[str, Any]:
        """For snapshots: the thread is not part of them; it starts again at the next `wake`."""
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """From a snapshot."""
        self.__init__()

    def wake(self, in_progress: Callable[[], Iterable[ExportJob]]) -> None:
        """See to it that the thread runs.

        Args:
            in_progress: The exports that have not ended; none once moto was reset.
        """
        with self._lock:
            if self._thread is None:
                self._stop = threading.Event()
                self._thread = threading.Thread(
                    target=self._run,
                    args=(in_progress, self._stop),
                    name="local-dynamodb-exports",
                    daemon=True,
                )
                self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """End the thread; exports that have not ended stay as they are.

        Args:
            timeout_seconds: How long to wait for one whose objects are being written.
        """
        with self._lock:
            # Whoever wakes the timer from now on gets a thread of his own, and does not rely on one
            # that is about to end.
            thread, self._thread = self._thread, None
            self._stop.set()
        if thread is not None:
            thread.join(timeout_seconds)

    def _run(self, in_progress: Callable[[], Iterable[ExportJob]], stop: threading.Event) -> None:
        while True:
            with self._lock:
                jobs = [] if stop.is_set() else list(in_progress())
                if not jobs:
                    if self._stop is stop:
                        self._thread = None
                    return
            now = clock.now_micros()
            for job in jobs:
                if job.due_micros <= now:
                    with GATE.working():  # a snapshot must not see half of an export's objects
                        job.settle(wait_seconds=0)
            due = min((job.due_micros for job in jobs if not job.ended), default=now)
            left = (due - clock.now_micros()) / clock.MICROS_PER_SECOND
            stop.wait(min(max(left, SHORTEST_SLEEP_SECONDS), LONGEST_SLEEP_SECONDS))
