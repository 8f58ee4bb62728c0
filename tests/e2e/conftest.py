"""What the end-to-end tests share: clean environments, process bookkeeping and the UI's GraphQL."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from dagster_ui import DagsterUi
from processes import Marked

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """For `--dist loadgroup`: a folder's tests share servers, a file's at least fixtures."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(HERE).parts[0]))


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
