"""Point-in-time recovery of one table: since when, for how long, up to when."""

from datetime import timedelta
from typing import Any

from ddb_assets.local import clock, settings
from ddb_assets.local.dynamodb.errors import validation
from ddb_assets.local.dynamodb.journal import Journal

#: AWS page PointInTimeRecovery_Howitworks: 1 to 35 days, 35 by default.
SHORTEST_DAYS, LONGEST_DAYS = 1, 35
_DAY_MICROS = timedelta(days=1) // timedelta(microseconds=1)


class Recovery:
    """Whether a table's past can be exported, and which part of it."""

    def __init__(self) -> None:
        self._since_micros: int | None = None
        self._days = LONGEST_DAYS

    @property
    def enabled(self) -> bool:
        """Whether recovery is on. `ContinuousBackupsStatus` says ENABLED either way."""
        return self._since_micros is not None

    def enable(self, journal: Journal, days: int | None) -> None:
        """Switch it on, or set the period of one that is on.

        Raises:
            JsonRESTError: ValidationException; a period AWS does not have.
        """
        if days is not None and not SHORTEST_DAYS <= days <= LONGEST_DAYS:
            bound = "greater than or equal to 1" if days < 1 else "less than or equal to 35"
            member = "pointInTimeRecoverySpecification.recoveryPeriodInDays"
            raise validation(
                f"1 validation error detected: Value '{days}' at '{member}' failed to satisfy "
                f"constraint: Member must have value {bound}"
            )
        if self._since_micros is None:
            self._since_micros = journal.advance_to(clock.now_micros())
            journal.keep_history()
            self._days = LONGEST_DAYS
        if days is not None:
            self._days = days

    def disable(self, journal: Journal) -> None:
        """Switch it off; the history is gone for good."""
        self._since_micros = None
        journal.drop_history()

    def earliest_micros(self) -> int:
        """EarliestRestorableDateTime.

        Raises:
            ValueError: Recovery is off.
        """
        if self._since_micros is None:
            raise ValueError("point-in-time recovery is off")
        return max(self._since_micros, clock.now_micros() - self._days * _DAY_MICROS)

    def latest_micros(self) -> int:
        """LatestRestorableDateTime: now, less the lag (300 s on AWS)."""
        lag = round(settings.current().pitr_lag_seconds * clock.MICROS_PER_SECOND)
        return max(self.earliest_micros(), clock.now_micros() - lag)

    def describe(self) -> dict[str, Any]:
        """The answer of DescribeContinuousBackups."""
        recovery: dict[str, Any] = {"PointInTimeRecoveryStatus": "DISABLED"}
        if self.enabled:
            recovery = {
                "PointInTimeRecoveryStatus": "ENABLED",
                "RecoveryPeriodInDays": self._days,
                "EarliestRestorableDateTime": clock.from_micros(self.earliest_micros()),
                "LatestRestorableDateTime": clock.from_micros(self.latest_micros()),
            }
        return {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": recovery,
        }
