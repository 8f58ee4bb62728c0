"""Which tables were written to, asked for in as few calls as AWS allows."""

from datetime import UTC, datetime, timedelta

import pytest

from ddb_assets.core.export import TableDescription
from ddb_assets.core.operating.changes import (
    DATA_POINTS_PER_CALL,
    TABLES_PER_CALL,
    WRITE_METRICS,
    batches,
    differs,
    written,
)

NOW = datetime(2026, 3, 1, 6, 30, 17, tzinfo=UTC)
HOURS = [1, 2, 3, 8, 24, 100, 15 * 24 + 1, 63 * 24 + 1, 400 * 24, 500 * 24]


@pytest.mark.parametrize("hours", HOURS)
@pytest.mark.parametrize("tables", [1, TABLES_PER_CALL])
def test_a_call_stays_within_what_cloudwatch_gives_and_keeps(hours, tables):
    """At most 100,800 points, on whole periods, no shorter than CloudWatch keeps them."""
    since = {f"t{number}": NOW - timedelta(hours=hours) for number in range(tables)}
    (batch,) = batches(since, NOW)
    window = (batch.end - batch.start).total_seconds()
    points = window / batch.period_seconds
    assert points * tables * len(WRITE_METRICS) <= DATA_POINTS_PER_CALL
    assert batch.start.timestamp() % batch.period_seconds == 0
    assert batch.end >= NOW
    assert batch.period_seconds % 60 == 0
    days = hours / 24
    least = 60 if days < 15 else 300 if days < 63 else 3600
    assert batch.period_seconds >= least
    assert batch.start >= NOW - timedelta(days=456)


def test_tables_of_about_the_same_age_are_asked_for_together():
    """The oldest first; one old table does not make everybody's periods long."""
    since = {f"new{n}": NOW - timedelta(hours=2) for n in range(300)}
    since |= {f"old{n}": NOW - timedelta(days=10) for n in range(200)}
    found = list(batches(since, NOW))
    assert [len(batch.tables) for batch in found] == [250, 250]
    assert sum(table.startswith("old") for table in found[0].tables) == 200
    assert found[1].period_seconds == 60
    assert {table for batch in found for table in batch.tables} == since.keys()


class Writes:
    """Answers with the end of each table's last period with a write."""

    def __init__(self, last):
        self.last = last

    def last_writes(self, tables, *, start, end, period_seconds):
        """What was given."""
        return self.last


def test_the_period_of_the_export_itself_counts_as_written():
    """A write in it may have come after the export; one in the period before did not."""
    since = {"a": NOW, "b": NOW, "c": NOW}
    (batch,) = batches(since, NOW + timedelta(hours=1))
    last = {"a": NOW + timedelta(seconds=43), "b": NOW - timedelta(seconds=17)}
    assert written(Writes(last), since, batch) == {"a"}


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        ((10, 100), False),
        ((10, 101), True),
        ((11, 100), True),
        ((12, 120), False),
        ((13, 120), True),
    ],
)
def test_numbers_of_describe_table_tell_of_changes(now, changed):
    """10 items of 100 bytes at the export, which then held 12: catching up is no change."""
    description = TableDescription("t", "arn", "id", "ACTIVE", (), *now)
    assert differs(description, items=12, live_items=10, live_size_bytes=100) is changed


def test_without_numbers_to_compare_a_table_counts_as_changed():
    """Published by an older version of this package: refresh it once."""
    description = TableDescription("t", "arn", "id", "ACTIVE", (), 1, 1)
    assert differs(description, items=1, live_items=None, live_size_bytes=None)
