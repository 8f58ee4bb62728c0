"""The refresh of many tables at once: request, wait, verify, publish, each as it lands."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime

from ddb_assets.core.clock import Clock
from ddb_assets.core.options import RefreshOptions
from ddb_assets.core.outcome import Outcome
from ddb_assets.core.ports import Gateways, History, Ledger, Listener
from ddb_assets.core.spec import TableSpec

_DEFAULTS = RefreshOptions()


def refresh(
    specs: Sequence[TableSpec],
    *,
    intent_id: str,
    started_at: datetime,
    gateways: Gateways,
    ledger: Ledger,
    history: History,
    listener: Listener,
    clock: Clock,
    options: RefreshOptions = _DEFAULTS,
    rng: random.Random | None = None,
) -> Iterator[Outcome]:
    """Refresh tables; yields each table's outcome as it lands.

    A failed table never stops the others: it is yielded as `Failed`. A BaseException that is
    not an Exception (Terminate in the UI) says which exports go on in AWS and propagates.

    Args:
        specs: The tables; all their exports are requested before the first wait.
        intent_id: The root run's id, the same along retries of that run only: with the table it
            is the identity of the export, so a retry gets the export that is already there.
        started_at: When that root run started; a consistent cut is computed from it.
        gateways: The account.
        ledger: What this run and those it retries already started.
        history: How long earlier exports took.
        listener: Hears every state change.
        clock: Time and sleep.
        options: What this refresh is asked to do.
        rng: Source of jitter; seeded in tests.

    Raises:
        DeclarationError: The specs or options contradict each other; nothing was asked of AWS.
    """
    raise NotImplementedError
