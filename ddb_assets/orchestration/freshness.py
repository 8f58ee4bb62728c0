"""How old a table may be before Dagster calls it stale."""

from dataclasses import dataclass
from datetime import timedelta

import dagster as dg
from dagster_shared.check import CheckError

from ddb_assets.errors import DeclarationError

_FORMS = "give fail_after (and warn_after) in seconds, or deadline_cron and lower_bound in seconds"


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """The promise of one table: never older than so many seconds, or there by a deadline.

    Dagster measures from the last materialization; no materialization is recorded unless the data
    moved (Dagster page "Freshness policies").

    Attributes:
        fail_after: Seconds since the last materialization after which the table fails; 60 or more.
        warn_after: Seconds after which it warns; fewer than `fail_after`.
        deadline_cron: When the table must have been refreshed, e.g. `0 8 * * *`.
        lower_bound: How many seconds before the deadline a refresh counts; at most the cron's
            interval.
        timezone: Of the deadline.

    Examples:
        ```python
        Freshness(fail_after=93600, warn_after=90000)
        Freshness(deadline_cron="0 8 * * *", lower_bound=10800, timezone="Europe/Berlin")
        ```
    """

    fail_after: float | None = None
    warn_after: float | None = None
    deadline_cron: str | None = None
    lower_bound: float | None = None
    timezone: str = "UTC"

    def policy(self) -> dg.FreshnessPolicy:
        """The same for Dagster.

        Raises:
            DeclarationError: Values contradict each other, or Dagster refuses one.
        """
        window = self.fail_after is not None
        deadline = self.deadline_cron is not None and self.lower_bound is not None
        mixed = self.warn_after is not None and not window
        half = not deadline and (self.deadline_cron is not None or self.lower_bound is not None)
        if window == deadline or mixed or half:
            raise DeclarationError("freshness is no promise that can be kept", remedy=_FORMS)
        try:
            if self.deadline_cron is not None and self.lower_bound is not None:
                return dg.FreshnessPolicy.cron(
                    deadline_cron=self.deadline_cron,
                    lower_bound_delta=timedelta(seconds=self.lower_bound),
                    timezone=self.timezone,
                )
            return dg.FreshnessPolicy.time_window(
                fail_window=timedelta(seconds=self.fail_after or 0),
                warn_window=None if self.warn_after is None else timedelta(seconds=self.warn_after),
            )
        except CheckError as error:
            raise DeclarationError(f"freshness: {_sentence(error)}", remedy=_FORMS) from error


def _sentence(error: Exception) -> str:
    return str(error).removeprefix("Invariant failed. Description: ")
