"""The emulator's one clock: journal, exports, queries, tokens and retention all ask it.

It runs like the wall clock, shifted by an offset that tests and the control endpoints change, so
that a window of fifteen minutes, a token of eight hours and a history of 35 days pass in no time.
"""

import threading
import time
from datetime import UTC, datetime

MICROS_PER_SECOND = 1_000_000

_lock = threading.Lock()
_offset_micros = 0


def now_micros() -> int:
    """The emulator's time in microseconds since the epoch."""
    return time.time_ns() // 1000 + _offset_micros


def now() -> datetime:
    """The emulator's time, in UTC."""
    return from_micros(now_micros())


def from_micros(micros: int) -> datetime:
    """Microseconds since the epoch as a UTC datetime, without a float in between."""
    seconds, rest = divmod(micros, MICROS_PER_SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def to_micros(moment: datetime) -> int:
    """An aware datetime as microseconds since the epoch, without a float in between.

    Raises:
        ValueError: The datetime has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    seconds = int(moment.replace(microsecond=0).timestamp())
    return seconds * MICROS_PER_SECOND + moment.microsecond


def set(moment: datetime) -> None:  # noqa: A001 - read as clock.set(...)
    """Let it be `moment` now; time goes on from there."""
    global _offset_micros  # noqa: PLW0603 - one clock for the process is the point
    with _lock:
        _offset_micros = to_micros(moment) - time.time_ns() // 1000


def advance(seconds: float) -> None:
    """Let this many seconds pass at once."""
    global _offset_micros  # noqa: PLW0603 - one clock for the process is the point
    with _lock:
        _offset_micros += round(seconds * MICROS_PER_SECOND)


def reset() -> None:
    """Go back to the wall clock."""
    global _offset_micros  # noqa: PLW0603 - one clock for the process is the point
    with _lock:
        _offset_micros = 0


def offset_seconds() -> float:
    """How far the clock is ahead of the wall clock, for a snapshot; give it to `advance` later."""
    return _offset_micros / MICROS_PER_SECOND
