"""Makes the helpers importable, which are too large for fixtures, and the account they work in."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ddb_round_trip.account import Account, account


@pytest.fixture(scope="module")
def aws() -> Iterator[Account]:
    """An account of the local AWS inside this process, empty at first; tables have own names."""
    with account() as made:
        yield made
