"""What a run's log says of its tables: a story for a few, the milestones for very many."""

import logging
from dataclasses import dataclass

import dagster as dg

from ddb_assets.core.ports import RefreshEvent

_LEVELS = {
    "failed": logging.ERROR,
    "retrying": logging.WARNING,
    "warned": logging.WARNING,
    "left_running": logging.WARNING,
}

#: From so many tables on, a step logs milestones only.
_MANY = 20
#: What Dagster's own events say as well (the note of the started export, the materialization with
#: its items and seconds) or what takes a moment.
_DETAILS = frozenset(
    {"described", "started", "completed", "inferring", "verified", "published", "copying", "copied"}
)
#: Reading this much takes long enough to be told about, in bytes as stored.
_LONG_READ_BYTES = 100_000_000


@dataclass(frozen=True)
class Story:
    """The core's state changes as the run's log lines.

    A line is a write to Dagster's database of some milliseconds, and it is written while every
    other table of the step waits: of a fleet only that is told which no other event tells.

    Attributes:
        log: The step's.
        tables: How many tables the step refreshes.
    """

    log: dg.DagsterLogManager
    tables: int = 1

    def __call__(self, event: RefreshEvent) -> None:
        """One line; the message is made to be read."""
        if self.tables > _MANY and _is_detail(event):
            return
        self.log.log(_LEVELS.get(event.stage, logging.INFO), event.message)


def _is_detail(event: RefreshEvent) -> bool:
    if event.stage == "inferring":
        return event.details.get("stored_bytes", 0) < _LONG_READ_BYTES
    if event.stage == "publishing":
        # Without a location it is the undoing of a publication, which nothing else tells.
        return "location" in event.details
    return event.stage in _DETAILS
