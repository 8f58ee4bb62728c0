"""Lets many calls pass at a time, or one snapshot while no call is under way."""

import threading
from collections.abc import Generator
from contextlib import contextmanager


class Gate:
    """Shared by calls, exclusive for a snapshot; a waiting snapshot holds new calls back."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._closed = False

    @contextmanager
    def passing(self) -> Generator[None]:
        """Around one call."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def closed(self) -> Generator[None]:
        """Around a snapshot: waits for the calls under way and lets none in."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._closed = True
            self._changed.wait_for(lambda: self._inside == 0)
        try:
            yield
        finally:
            with self._changed:
                self._closed = False
                self._changed.notify_all()
