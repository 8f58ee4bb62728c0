"""One `dagster dev` and one local AWS for all tests of a user's project."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from deployment import TABLES, Aws, Deployment, key, view


@pytest.fixture(scope="session")
def aws():
    """A local AWS with the project's tables."""
    running = Aws()
    yield running
    running.process.stop()


@pytest.fixture(scope="session")
def deployment(aws, tmp_path_factory):
    """The project, served and loaded."""
    running = Deployment(tmp_path_factory.mktemp("project"), aws)
    try:
        loaded = running.wait_until_loaded()
        assert loaded == {"shop": None}, loaded
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def ui(deployment):
    """The buttons and pages of the UI."""
    return deployment.ui


@pytest.fixture(scope="session")
def switched_on(ui):
    """Every schedule and sensor as it was before anybody touched a switch: RUNNING or STOPPED."""
    return ui.automation()


@pytest.fixture(scope="session")
def everything(ui, switched_on):
    """The run of Materialize all, which every table has behind it."""
    tables = [table for tables in TABLES.values() for table in tables]
    run_id = ui.materialize([asset for table in tables for asset in (key(table), view(table))])
    assert ui.wait(run_id, 600) == "SUCCESS", ui.errors(run_id)
    return run_id
