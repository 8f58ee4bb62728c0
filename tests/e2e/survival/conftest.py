"""One Dagster deployment and one local AWS for all tests of survival."""

import socket
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from locations import one_step, side_by_side
from real_aws import RealAws
from real_dagster import RealDagster


@pytest.fixture(scope="session")
def aws(tmp_path_factory):
    """A local AWS that keeps its state, with the tables of both code locations."""
    running = RealAws(tmp_path_factory.mktemp("survival") / "aws")
    for table in [*one_step.TABLES, one_step.WITHOUT_BUCKET, *side_by_side.TABLES]:
        running.create_table(table, recovery=table not in one_step.WITHOUT_RECOVERY)
    yield running
    running.process.stop()


@pytest.fixture(scope="session")
def _deployment(aws, tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    deployment = RealDagster(tmp_path_factory.mktemp("survival"), aws, port)
    yield deployment
    deployment.stop()


@pytest.fixture
def dagster(_deployment, ui):
    """The deployment, spoken to as the UI does."""
    _deployment.speak(ui)
    return _deployment
