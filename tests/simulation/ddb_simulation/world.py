"""One simulated world: services, faults, the trace of every call and Dagster's memory."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from ddb_assets.core.ports import ExportNote, PastExport
from ddb_assets.errors import DdbAssetsError

from .athena import SimulatedAthena
from .audit import PATIENCE_SECONDS, Audit
from .catalog import Glue
from .copies import COPY, Unloads
from .dynamodb import SimulatedDynamoDB
from .faults import ERRORS, SLOW_SECONDS, Fault, Killed, Kind, Outage, Terminated, error_of
from .objects import S3
from .process import Process
from .verdicts import Verdicts
from .virtual_time import BEGINNING, Turns, VirtualClock

Answer = TypeVar("Answer")

BUCKET = "exports"
LATENCY = 0.05
#: How the typed view of a table is called: the table's name and this.
VIEW = "_view"


@dataclass
class Storage:
    """What Dagster keeps when a process dies: notes, materializations, durations."""

    notes: dict[tuple[str | None, str], ExportNote] = field(default_factory=dict)
    materialized: dict[str, set[str]] = field(default_factory=dict)
    started: dict[str, datetime] = field(default_factory=dict)
    past: dict[str, list[PastExport]] = field(default_factory=dict)


@dataclass
class Call:
    """One line of the trace."""

    seconds: float
    actor: int
    attempt: int
    number: int
    operation: str
    subject: str
    result: str = ""

    def __str__(self) -> str:
        """Time, who, which of his calls, what, and how it ended."""
        who = f"{self.actor}.{self.attempt}"
        line = f"{self.seconds:>9.2f}  {who:<4} {self.number:>4}  {self.operation} {self.subject}"
        return f"{line}  -> {self.result}" if self.result else line


class World:
    """Everything outside the processes."""

    def __init__(self, seed: int | None = None) -> None:
        self.rng = random.Random(seed or 0)
        self.clock = VirtualClock()
        self.s3 = S3()
        self.s3.buckets.add(BUCKET)
        self.dynamodb = SimulatedDynamoDB(self.clock, self.s3)
        self.audit = Audit(self)
        self.verdicts = Verdicts(self)
        self.glue = Glue(self.clock.now, self.audit.moved)
        self.unloads = Unloads(self)
        self.athena = SimulatedAthena(self.clock, self.glue, self.act_for, self.unloads)
        self.storage = Storage()
        self.trace: list[Call] = []
        self.faults: dict[tuple[int, int], Fault] = {}
        self.outages: Sequence[Outage] = ()
        self.turns: Turns | None = None
        self.numbers: dict[int, int] = {}
        self.patience = PATIENCE_SECONDS
        #: Whether the location only changes by compare-and-swap (Glue), never by ALTER TABLE.
        self.moves_are_swaps = True
        #: Whether one actor has the world to itself.
        self.alone = True
        self.uneven = seed is not None

    def act_for(self, process: Process | None, deed: Callable[[], Answer]) -> Answer:
        """Do something on behalf of a process, so that the audit knows who it was."""
        before, self.audit.acting = self.audit.acting, process
        try:
            return deed()
        finally:
            self.audit.acting = before

    def call(
        self,
        process: Process,
        operation: str,
        subject: str,
        effect: Callable[[], Answer],
        seconds: float,
    ) -> Answer:
        """One call of a process; the only place where something goes wrong."""
        number = self.numbers[process.actor] = self.numbers.get(process.actor, 0) + 1
        process.calls += 1
        entry = Call(
            self.clock.monotonic(), process.actor, process.attempt, number, operation, subject
        )
        self.trace.append(entry)
        self.audit.patient(process)
        fault = self.faults.pop((process.actor, number), None)
        ours = operation.startswith(("clock.", "dagster."))
        kind: Kind | None = fault.kind if fault else None
        if ours and (kind in ERRORS or kind == "slow"):
            kind = None
        self._pass(seconds + self._latency())
        if kind == "crash-before":
            entry.result = "killed before it"
            process.die()
            raise Killed
        if kind == "terminate":
            entry.result = "terminated"
            raise Terminated
        if kind == "slow":
            self._pass(SLOW_SECONDS / 2)
        if not ours:
            kind = self._outage(operation, subject) or kind
        if kind in ERRORS and kind != "lost-answer":
            self._blame(process, operation, subject)
            entry.result = kind
            raise error_of(kind)
        try:
            answer = self.act_for(process, effect)
        except DdbAssetsError as error:
            entry.result = type(error).__name__
            raise
        self.audit.check()
        if kind == "slow":
            entry.result = "slow"
            self._pass(SLOW_SECONDS / 2)
        if kind == "crash-after":
            entry.result = "killed after it took effect"
            process.die()
            raise Killed
        if kind == "lost-answer":
            self._blame(process, operation, subject)
            entry.result = "took effect, the answer was lost"
            raise error_of(kind)
        return answer

    def table_of(self, operation: str, subject: str) -> str | None:
        """The DynamoDB table a call is about; None where it is about several or none."""
        service, _, verb = operation.partition(".")
        owners = {table: name for (_, table), name in self.audit.owners.items()}
        name: str | None = subject
        if service == "clock" or verb in {"has_database", "create_database"}:
            name = None
        elif service == "catalog":
            name = owners.get(subject, subject.removesuffix(VIEW).removesuffix(COPY))
        elif operation == "queries.start":
            quoted = subject.replace('"', "`")
            name = next((name for table, name in owners.items() if f"`{table}`" in quoted), None)
        elif service == "queries":
            queries = [self.athena.queries[query_id] for query_id in subject.split(",")]
            names = {self.table_of("queries.start", query.sql) for query in queries}
            name = names.pop() if len(names) == 1 else None
        elif service == "dynamodb":
            name = subject.partition(":table/")[2].partition("/")[0] or subject
        elif service == "objects":
            name = subject.partition("/")[0]
        return None if name == "*" else name

    def story(self, last: int = 400) -> str:
        """The trace as text."""
        lines = [str(call) for call in self.trace[-last:]]
        left_out = len(self.trace) - len(lines)
        head = [f"... {left_out} calls before"] if left_out else []
        return "\n".join(head + lines)

    def processes_pause(self, seconds: float) -> None:
        """Time between two attempts; no call of anybody."""
        self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        if self.turns is not None:
            self.turns.pause(seconds)
        else:
            self.clock.reach(self.clock.monotonic() + seconds)

    def _latency(self) -> float:
        if not self.uneven:
            return LATENCY
        return self.rng.choice((0.02, 0.05, 0.1, 1.0, 7.0))

    def _outage(self, operation: str, subject: str) -> Kind | None:
        seconds = self.clock.monotonic()
        for outage in self.outages:
            if (
                operation.startswith(outage.operation)
                and outage.begins <= seconds < outage.ends
                and outage.subject in {"", self.table_of(operation, subject)}
            ):
                return outage.kind
        return None

    def _blame(self, process: Process, operation: str, subject: str) -> None:
        process.faulted.append(self.table_of(operation, subject))

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return (self.clock.now() - BEGINNING).total_seconds()
