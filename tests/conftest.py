"""Settings of the whole suite."""

import logging
import os

import pytest
from hypothesis import settings

# No deadline: a shared machine is slow now and then. In CI the same cases each time, so that a red
# run is about the change; everywhere else new ones.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def _loggers_are_heard():
    """Dagster migrates its SQLite files with alembic, whose fileConfig disables other loggers."""
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("ddb_assets") and isinstance(logger, logging.Logger):
            logger.disabled = False
