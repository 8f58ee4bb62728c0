"""What the end-to-end tests share: clean environments, process bookkeeping and the UI's GraphQL."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from dagster_ui import DagsterUi
from processes import Marked
from xdist.scheduler import LoadScopeScheduling


class ByServer(LoadScopeScheduling):
    """A folder's tests share servers, a file's at least fixtures: each is one worker's."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return path.partition("tests/e2e/")[2].partition("/")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """What `--dist loadscope` means here."""
    return ByServer(config, log) if config.getvalue("dist") == "loadscope" else None


@pytest.fixture
def marked():
    """A new user's environment; the test fails if it leaves a process behind."""
    environment = Marked()
    yield environment
    left = environment.gone()
    for pid in left:
        os.kill(pid, 9)
    assert not left, f"left running: {left}"


@pytest.fixture
def ui():
    """Builds a client for a UI's URL."""
    return DagsterUi
