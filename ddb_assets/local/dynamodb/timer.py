"""Ends exports when their time has come, also if nobody asks: S3 shows their objects then."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from ddb_assets.local import clock
from ddb_assets.local.dynamodb.jobs import ExportJob
from ddb_assets.local.gate import GATE

#: The longest sleep: the clock may be set forward meanwhile, or moto be reset.
LONGEST_SLEEP_SECONDS = 0.2


class ExportTimer:
    """A thread that lives as long as there are exports to end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

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
                self._thread = threading.Thread(
                    target=self._run,
                    args=(in_progress,),
                    name="local-dynamodb-exports",
                    daemon=True,
                )
                self._thread.start()

    def _run(self, in_progress: Callable[[], Iterable[ExportJob]]) -> None:
        pause = threading.Event()
        while True:
            with self._lock:
                jobs = list(in_progress())
                if not jobs:
                    self._thread = None
                    return
            for job in jobs:
                with GATE.working():  # a snapshot must not see half of an export's objects
                    job.settle(wait_seconds=0)
            due = min(job.due_micros for job in jobs)
            left = (due - clock.now_micros()) / clock.MICROS_PER_SECOND
            pause.wait(min(max(left, 0.01), LONGEST_SLEEP_SECONDS))
