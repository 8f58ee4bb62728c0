"""What the run's log says: everything of a few tables, the milestones of very many."""

import logging
from datetime import UTC, datetime

import pytest

from ddb_assets.core.ports import RefreshEvent
from ddb_assets.orchestration.story import Story

NOW = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
WAY = ("described", "started", "completed", "inferring", "verified", "publishing", "published")


@pytest.fixture
def told(caplog):
    """Runs the events of one table past a step's story and returns what was logged."""

    def tell(tables, *events):
        story = Story(logging.getLogger("run"), tables=tables)
        with caplog.at_level(logging.INFO, logger="run"):
            for stage, details in events:
                story(RefreshEvent("orders", stage, f"orders: {stage}", NOW, details))
        return [(record.levelname, record.message) for record in caplog.records]

    return tell


def _way(stored_bytes=77):
    details = {"inferring": {"stored_bytes": stored_bytes}, "publishing": {"location": "s3://b/"}}
    return [(stage, details.get(stage, {})) for stage in WAY]


def test_every_state_change_of_a_few_tables_is_a_line(told):
    """Seven states, seven lines, in order."""
    assert told(20, *_way()) == [("INFO", f"orders: {stage}") for stage in WAY]


def test_of_many_tables_only_what_no_event_of_dagster_tells_is_logged(told):
    """The note tells of the start, the materialization of the rest: no line is left."""
    assert told(21, *_way()) == []


def test_a_long_read_is_told_of_in_a_fleet_too(told):
    """A hundred megabytes take a while: silence would look like a hang."""
    assert ("INFO", "orders: inferring") in told(1000, *_way(stored_bytes=100_000_000))


def test_trouble_is_never_left_out(told):
    """Failures, retries, exports left running, re-attachment, waiting and undone publications."""
    events = [
        *(("failed", {}), ("retrying", {}), ("left_running", {})),
        *(("reattached", {}), ("waiting", {}), ("unchanged", {}), ("publishing", {})),
    ]
    assert [level for level, _ in told(1000, *events)] == [
        *("ERROR", "WARNING", "WARNING"),
        *("INFO", "INFO", "INFO", "INFO"),
    ]
