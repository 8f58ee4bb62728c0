"""Blocks through workers, in order, with a bounded number of them in memory.

Lanes read and unpack, one file at a time each; a pool converts. Both spend their time in C with
the interpreter released. Blocks come out in an order that depends on the number of lanes alone:
one of each lane in turn.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: How often a lane that waits for room looks whether it is still wanted.
_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True)
class _End:
    """A lane's last word."""

    error: BaseException | None = None


class _Lane(Generic[T]):
    """A thread that runs ahead of its reader by one element."""

    def __init__(self, source: Iterator[T], stop: threading.Event, name: str) -> None:
        self._source = source
        self._stop = stop
        self._queue: queue.Queue[T | _End] = queue.Queue(maxsize=1)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def next(self) -> "T | _End":
        """The next element, or how it ended."""
        return self._queue.get()

    def join(self) -> None:
        """Wait until the thread has let go of its source."""
        self._thread.join()

    def _run(self) -> None:
        try:
            for element in self._source:
                if not self._put(element):
                    return
        except BaseException as error:  # noqa: BLE001 - handed to the reader, who raises it
            self._put(_End(error))
        else:
            self._put(_End())

    def _put(self, element: "T | _End") -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(element, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
            return True
        return False


def converted(sources: Sequence[Iterator[T]], work: Callable[[T], R], workers: int) -> Iterator[R]:
    """Every element of every source through `work`.

    Args:
        sources: Each is read by a thread of its own.
        work: Runs in `workers` threads; must be safe to.
        workers: One does everything in the caller's thread.

    Raises:
        Exception: The first that a source or `work` raised, in the order of the elements.
    """
    if workers == 1:
        for source in sources:
            for element in source:
                yield work(element)
        return
    stop = threading.Event()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="ddb-assets-convert")
    lanes = deque(_Lane(s, stop, f"ddb-assets-read-{i}") for i, s in enumerate(sources))
    begun = list(lanes)
    pending: deque[Future[R]] = deque()
    try:
        while lanes or pending:
            while lanes and len(pending) <= workers:
                lane = lanes.popleft()
                found = lane.next()
                if isinstance(found, _End):
                    if found.error is not None:
                        # What came before it is still handed out; nothing after it is.
                        pending.append(_failed(found.error))
                        lanes.clear()
                    continue
                pending.append(pool.submit(work, found))
                lanes.append(lane)
            if pending:
                yield pending.popleft().result()
    finally:
        stop.set()
        for future in pending:
            future.cancel()
        pool.shutdown()
        for lane in begun:
            lane.join()


def _failed(error: BaseException) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future
