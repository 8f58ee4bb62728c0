"""Time that tests move, and what they begin with."""

# ruff: noqa: D102 - the methods do what the protocols they implement say

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
ACCOUNT = "arn:aws:dynamodb:us-east-1:123456789012:table"
ITEMS = [{"userId": {"S": "a"}, "createAt": {"N": "1"}}, {"userId": {"S": "b"}}]


class FakeClock:
    """Time that only passes where somebody sleeps or a call takes time."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.alarms: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        end = self.seconds + seconds
        for alarm in sorted(self.alarms, key=lambda a: a[0]):
            if alarm[0] <= end:
                self.alarms.remove(alarm)
                self.seconds = max(self.seconds, alarm[0])
                alarm[1]()
        self.seconds = end

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something when the time comes."""
        self.alarms.append((seconds, action))
