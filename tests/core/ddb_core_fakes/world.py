"""A fake AWS, and the runs against it."""

# ruff: noqa: D102 - the methods do what the protocols they implement say

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from ddb_assets.core.options import RefreshOptions
from ddb_assets.core.outcome import Outcome
from ddb_assets.core.ports import (
    ExportNote,
    PastExport,
    RefreshEvent,
)
from ddb_assets.core.refreshing.refresh import refresh
from ddb_assets.core.spec import TableSpec
from ddb_core_fakes.aws import FakeAws
from ddb_core_fakes.clock import FakeClock


class FakeLedger:
    """Notes that survive the process."""

    def __init__(self) -> None:
        self.notes: dict[str, ExportNote] = {}

    def find(self, table: str) -> ExportNote | None:
        return self.notes.get(table)

    def record(self, table: str, note: ExportNote) -> None:
        self.notes[table] = note


class FakeHistory:
    def __init__(self) -> None:
        self.past: dict[str, list[PastExport]] = {}

    def durations(self, table: str) -> Sequence[PastExport]:
        return self.past.get(table, [])

    def peers(self, table: str) -> Sequence[PastExport]:
        return [past[0] for name, past in self.past.items() if name != table and past]


class World:
    """A fake AWS and the runs against it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.aws = FakeAws(self.clock)
        self.ledgers: dict[str, FakeLedger] = defaultdict(FakeLedger)
        self.history = FakeHistory()
        self.events: list[RefreshEvent] = []

    def table(self, name: str, items: list[dict[str, Any]] | None = None, **spec: Any) -> TableSpec:
        self.aws.create(name, items)
        return self.spec(name, **spec)

    def spec(self, name: str, **spec: Any) -> TableSpec:
        values = {"database": "ddb", "table": name.lower(), "bucket": "exports", "prefix": name}
        return TableSpec(name=name, **{**values, **spec})

    def landing(
        self,
        *specs: TableSpec,
        run: str = "run-1",
        started_at: datetime | None = None,
        **options: Any,
    ) -> Iterator[Outcome]:
        """Outcomes as they land."""
        return refresh(
            specs,
            intent_id=run,
            started_at=started_at or self.clock.now(),
            gateways=self.aws.gateways,
            ledger=self.ledgers[run],
            history=self.history,
            listener=self.events.append,
            clock=self.clock,
            options=RefreshOptions(**options),
            rng=random.Random(7),
        )

    def refresh(self, *specs: TableSpec, **options: Any) -> dict[str, Any]:
        """All outcomes by table."""
        return {o.spec.name: o for o in self.landing(*specs, **options)}

    def stages(self, table: str) -> list[str]:
        return [e.stage for e in self.events if e.table == table]
