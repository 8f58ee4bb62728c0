"""The write capacity a table consumed, minute by minute, as its CloudWatch metric tells it.

DynamoDB publishes ConsumedWriteCapacityUnits per table once a minute; a minute without a write has
no data point here (AWS page "DynamoDB Metrics and dimensions"). A standard write costs one unit per
started KB of the item, of the larger of its two states (AWS page "DynamoDB read and write
operations"). Left out: the double price of transactions, refused conditional writes, and indexes.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ddb_assets.local import clock

PERIOD_SECONDS = 60
#: AWS page "Metrics retention": data points of one minute are kept for 15 days.
RETENTION_SECONDS = 15 * 86400
UNIT_BYTES = 1024


@dataclass
class Minute:
    """The writes that began in one minute.

    Attributes:
        start: Its first second since the epoch.
        units: All units; CloudWatch's Sum.
        writes: How many writes; SampleCount.
        least: Units of the smallest write; Minimum.
        most: Units of the largest; Maximum.
    """

    start: int
    units: float = 0.0
    writes: int = 0
    least: float = math.inf
    most: float = 0.0


class Consumption:
    """The minutes of one table, the oldest first. Whoever writes the table holds the lock."""

    def __init__(self) -> None:
        self._minutes: dict[int, Minute] = {}

    def note(self, old_bytes: int, new_bytes: int) -> None:
        """One write of an item that had and now has so many bytes; 0 is: no item."""
        units = float(max(1, math.ceil(max(old_bytes, new_bytes) / UNIT_BYTES)))
        now = clock.now_micros() // clock.MICROS_PER_SECOND
        start = now - now % PERIOD_SECONDS
        minute = self._minutes.get(start)
        if minute is None:
            self._forget(start - RETENTION_SECONDS)
            minute = self._minutes[start] = Minute(start)
        minute.units += units
        minute.writes += 1
        minute.least = min(minute.least, units)
        minute.most = max(minute.most, units)

    def minutes(self, before: float) -> Iterator[Minute]:
        """The minutes that ended at this second since the epoch or earlier, the oldest first."""
        for start in sorted(self._minutes):
            if start + PERIOD_SECONDS <= before:
                yield self._minutes[start]

    def _forget(self, before: int) -> None:
        # A clock that tests set back makes old minutes young again: all are looked at.
        for start in [one for one in self._minutes if one < before]:
            del self._minutes[start]
