"""An AWS of plain dictionaries for the core's tests: small, exact where it matters, scriptable."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ddb_core_fakes.world import World


@pytest.fixture
def world() -> World:
    """A fresh AWS, clock and ledger."""
    return World()


@pytest.fixture
def errors() -> SimpleNamespace:
    """The error classes by name."""
    import ddb_assets.errors as module  # noqa: PLC0415 - all of it, for tests only

    return SimpleNamespace(**vars(module))
