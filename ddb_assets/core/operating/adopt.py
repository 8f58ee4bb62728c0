"""Publishes an export that is already there, by its ARN; also the second half of a rollback.

A thin door to `refresh`: the export is waited for if it still runs, verified, published and read
back exactly as one of our own.
"""

import random

from ddb_assets.core.clock import Clock, SystemClock
from ddb_assets.core.operating.operator import NoHistory, NoLedger, ignore
from ddb_assets.core.options import RefreshOptions
from ddb_assets.core.outcome import Outcome
from ddb_assets.core.ports import Gateways, Listener
from ddb_assets.core.refreshing.refresh import refresh
from ddb_assets.core.spec import TableSpec, VerifyLevel


def adopt(
    spec: TableSpec,
    export_arn: str,
    *,
    gateways: Gateways,
    allow_older: bool = False,
    verify: VerifyLevel | None = None,
    listener: Listener = ignore,
    clock: Clock | None = None,
    rng: random.Random | None = None,
) -> Outcome:
    """Publish an export by its ARN.

    Args:
        spec: The table.
        export_arn: A completed or running full export of it, whoever started it.
        gateways: The account.
        allow_older: It may replace a newer one, and be of a table since deleted.
        verify: Overrides the spec's level.
        listener: Hears every state change.
        clock: Time and sleep.
        rng: Source of jitter.

    Returns:
        Refreshed, or Failed with the reason; never raises for the table's own troubles.
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
        options=RefreshOptions(adopt=export_arn, allow_older=allow_older, verify=verify),
        rng=rng,
    )
    (outcome,) = outcomes
    return outcome
