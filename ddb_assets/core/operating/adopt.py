"""Publishes an export that is already there, by its ARN; also the second half of a rollback.

A thin door to `refresh`: the export is waited for if it still runs, verified, published and read
back exactly as one of our own.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from ddb_assets.core.clock import Clock, SystemClock
from ddb_assets.core.operating.operator import NoHistory, NoLedger, ignore
from ddb_assets.core.options import RefreshOptions
from ddb_assets.core.outcome import Copied, Failed, Outcome, Refreshed
from ddb_assets.core.ports import Gateways, Listener, Profiling
from ddb_assets.core.refreshing.refresh import refresh
from ddb_assets.core.scheduling.context import item_by_item
from ddb_assets.core.spec import TableSpec, VerifyLevel


def adopt(
    spec: TableSpec,
    export_arn: str,
    *,
    gateways: Gateways,
    allow_older: bool = False,
    accept_changes: bool = False,
    verify: VerifyLevel | None = None,
    listener: Listener = ignore,
    clock: Clock | None = None,
    rng: random.Random | None = None,
    profiling: Profiling = item_by_item,
) -> Outcome:
    """Publish an export by its ARN.

    Args:
        spec: The table.
        export_arn: A completed or running full export of it, whoever started it.
        gateways: The account.
        allow_older: It may replace a newer one, and be of a table since deleted.
        accept_changes: Columns may change so that queries break.
        verify: Overrides the spec's level.
        listener: Hears every state change.
        clock: Time and sleep.
        rng: Source of jitter.
        profiling: How the items are read for inference.

    Returns:
        Refreshed, with the copy or why it failed where one is wanted; or Failed with the reason.
        Never raises for the table's own troubles.
    """
    clock = clock or SystemClock()
    outcomes = refresh(
        [spec],
        intent_id=f"adopt:{export_arn}",
        started_at=clock.now(),
        gateways=gateways,
        ledger=NoLedger(),
        history=NoHistory(),
        listener=listener,
        clock=clock,
        options=RefreshOptions(
            adopt=export_arn,
            allow_older=allow_older,
            accept_changes=accept_changes,
            verify=verify,
        ),
        rng=rng,
        profiling=profiling,
    )
    return _as_one(list(outcomes))


def _as_one(outcomes: Sequence[Outcome]) -> Outcome:
    """The table's outcome, and with it how its typed copy ended."""
    table, *copies = outcomes
    for of_copy in copies:
        assert isinstance(table, Refreshed), "a copy follows a table that was refreshed"
        if isinstance(of_copy, Copied):
            table = replace(table, copy=of_copy.copy)
        elif isinstance(of_copy, Failed):
            table = replace(table, copy_error=of_copy.error)
    return table
