"""What a freshness promise means for the data itself: of which moment it must be.

Dagster's own freshness policy looks at when something was materialized. An export that waited, or a
table rolled back, is materialized now and shows an old moment: that is what the check sees.
"""

from datetime import UTC, datetime, timedelta

from dagster._utils.schedules import reverse_cron_string_iterator

from ddb_assets.core.waiting.waiting import spoken
from ddb_assets.orchestration.freshness import Freshness


def oldest_allowed(freshness: Freshness, now: datetime) -> tuple[datetime, str]:
    """The oldest moment of data that keeps the promise, and the promise in words.

    Of a deadline that is the last one passed, less the lower bound: data of the window before it.
    """
    if freshness.fail_after is not None:
        allowed = timedelta(seconds=freshness.fail_after)
        return now - allowed, f"at most {spoken(freshness.fail_after)}"
    assert freshness.deadline_cron is not None, "Freshness.policy() was asked at load"
    # `cron_string_iterator`'s counterpart is not public; it is used here and nowhere else.
    ticks = reverse_cron_string_iterator(
        now.timestamp(), freshness.deadline_cron, freshness.timezone
    )
    deadline = next(tick for tick in ticks if tick <= now).astimezone(UTC)
    since = deadline - timedelta(seconds=freshness.lower_bound or 0.0)
    return since, f"data of {since:%Y-%m-%d %H:%M:%S} UTC or later"
