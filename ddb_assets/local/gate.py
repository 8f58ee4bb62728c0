"""Lets many calls and workers pass at a time, or one snapshot while none is under way."""

import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager


class Gate:
    """Shared by whatever changes the backends, exclusive for a snapshot of them.

    A waiting snapshot holds new calls back, but not workers: a call that is inside may be waiting
    for one. A thread that is inside may pass again.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._wanted = False
        self._taken = False
        self._mine = threading.local()

    def passing(self) -> AbstractContextManager[None]:
        """Around one call."""
        return self._enter(lambda: not self._wanted)

    def working(self) -> AbstractContextManager[None]:
        """Around one step of a worker."""
        return self._enter(lambda: not self._taken)

    @contextmanager
    def _enter(self, allowed: Callable[[], bool]) -> Generator[None]:
        depth: int = getattr(self._mine, "depth", 0)
        if depth == 0:
            with self._changed:
                self._changed.wait_for(allowed)
                self._inside += 1
        self._mine.depth = depth + 1
        try:
            yield
        finally:
            self._mine.depth = depth
            if depth == 0:
                with self._changed:
                    self._inside -= 1
                    self._changed.notify_all()

    @contextmanager
    def closed(self) -> Generator[None]:
        """Around a snapshot: waits for those inside and lets nobody in."""
        with self._changed:
            self._changed.wait_for(lambda: not self._wanted)
            self._wanted = True
            self._changed.wait_for(lambda: self._inside == 0)
            self._taken = True
        try:
            yield
        finally:
            with self._changed:
                self._wanted = self._taken = False
                self._changed.notify_all()


#: The gate of this process, which is one local AWS: calls pass it in the server, exports and
#: queries in their workers.
GATE = Gate()
