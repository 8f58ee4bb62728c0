"""What one refresh is asked to do beyond what the tables declare."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ddb_assets.core.spec import VerifyLevel

#: AWS page "ServiceQuotas" of DynamoDB: exports in flight per account and region.
MAX_EXPORTS_IN_FLIGHT = 300
#: AWS page "service-limits" of Athena: active DDL queries per account and region, queued included.
MAX_ACTIVE_DDL = 20


@dataclass(frozen=True)
class RefreshOptions:
    """Settings of one refresh; the defaults are what a scheduled run wants.

    Attributes:
        export_time: The moment to export, a whole second, UTC; None is the latest restorable.
        adopt: Publish completed (or running) exports instead of starting any: one ARN with exactly
            one table, or an ARN for each DynamoDB table. In the second form the tables of a
            consistent group are published together, and only exports of one second.
        wait: False starts the exports, notes them in the ledger and ends.
        verify: Overrides the verify level of every table.
        allow_older: An older export may replace a newer one: the rollback.
        accept_changes: Columns may change so that queries break; for this run.
        consistent_groups: Refresh groups whose tables are exported as of the same second and
            published together.
        cut_lag_seconds: How far that second lies before the root run's start.
        max_in_flight: Exports that run in AWS at the same time.
        max_queries: Athena DDL queries that are active at the same time.
        shares: How many refreshes share the account's limits side by side (the steps of one run);
            this one takes its part of every limit and call rate.
    """

    export_time: datetime | None = None
    adopt: str | Mapping[str, str] | None = None
    wait: bool = True
    verify: VerifyLevel | None = None
    allow_older: bool = False
    accept_changes: bool = False
    consistent_groups: frozenset[str] = frozenset()
    cut_lag_seconds: float = 300.0
    max_in_flight: int = MAX_EXPORTS_IN_FLIGHT
    max_queries: int = MAX_ACTIVE_DDL
    shares: int = 1

    def adopted(self, table: str) -> str | None:
        """ARN of the export this DynamoDB table is to show; None to start one."""
        if self.adopt is None or isinstance(self.adopt, str):
            return self.adopt
        return self.adopt[table]
