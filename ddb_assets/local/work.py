"""The work that goes on behind the calls: exports being written, queries being executed."""

import time
from typing import Any, Protocol, runtime_checkable

from moto.core.base_backend import BackendDict


@runtime_checkable
class HasWork(Protocol):
    """A backend that works in threads of its own."""

    def end_work(self, timeout_seconds: float) -> None:
        """Finish what runs, or fail it when the time is up, and end the threads."""
        ...


def end_work(timeout_seconds: float) -> None:
    """End the work of every backend in use, all within the one time limit."""
    deadline = time.monotonic() + timeout_seconds
    in_use: list[Any] = list(vars(BackendDict)["_instances"])
    for registry in in_use:
        for _, _, backend in registry.iter_backends():
            if isinstance(backend, HasWork):
                backend.end_work(max(0.0, deadline - time.monotonic()))
