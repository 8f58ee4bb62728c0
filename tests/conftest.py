"""Settings of the whole suite."""

import importlib.util
import logging
import os
from pathlib import Path

import pytest
from hypothesis import settings

from ddb_assets import AwsResource

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


@pytest.fixture(scope="session")
def core_fakes():
    """The module of the core's own fakes."""
    path = Path(__file__).parent / "core" / "conftest.py"
    spec = importlib.util.spec_from_file_location("core_fakes", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def world(core_fakes):
    """The core's own fake AWS, clock and ledger, for tests of what is built on the core."""
    return core_fakes.World()


@pytest.fixture
def world_resource(world):
    """A resource that reaches the fake AWS."""

    class FakeAws(AwsResource):
        def gateways(self, *, bucket_owners=None):
            return world.aws.gateways

        def clock(self):
            return world.clock

    return FakeAws()
