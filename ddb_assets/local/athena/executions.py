"""A query's life: QUEUED, RUNNING, and one of SUCCEEDED, FAILED, CANCELLED."""

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import duckdb

from ddb_assets.local import clock
from ddb_assets.local.athena.errors import Category, QueryFailedError
from ddb_assets.local.athena.results import Outcome
from ddb_assets.local.athena.router import Statement
from ddb_assets.local.faults import Fault
from ddb_assets.local.gate import GATE

State = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]
FINAL: frozenset[State] = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})

#: Codes of a QUERY_JOB fault; every other code lets the query FAIL, SYSTEM with a system error
#: (category 1, retryable), the rest with a user error.
STUCK = "STUCK"
CANCELLED = "CANCELLED"
REQUEUED = "REQUEUED"
SYSTEM = "SYSTEM"

#: The part of a query's time that it is QUEUED.
QUEUED_SHARE = 0.2
#: Queries that run at a time in this process.
WORKERS = 4
#: How long a poll waits for a query that is being run, in seconds by the wall clock.
POLL_WAIT = 0.05
MICROS = 1_000_000
#: The StateChangeReason of a query that did not outlive the local AWS.
STOPPED = "The local AWS was stopped while the query ran"


@cache
def workers() -> ThreadPoolExecutor:
    """The process's threads for queries; joined when the process ends."""
    return ThreadPoolExecutor(WORKERS, thread_name_prefix="athena")


@dataclass(frozen=True)
class Failure:
    """Why a query FAILED."""

    reason: str
    category: Category
    kind: int
    retryable: bool

    @property
    def athena_error(self) -> dict[str, Any]:
        """As GetQueryExecution shows it."""
        return {
            "ErrorCategory": self.category,
            "ErrorType": self.kind,
            "Retryable": self.retryable,
            "ErrorMessage": self.reason,
        }


@dataclass(frozen=True)
class Request:
    """What StartQueryExecution was given, as it counts for idempotency."""

    query: str
    database: str | None
    catalog: str | None
    parameters: tuple[str, ...]
    workgroup: str
    configuration: str


class Execution:
    """One query.

    Args:
        request: What was asked.
        statement: The statement found in it.
        output: The folder of the results, with a slash at its end.
        seconds: How long it is QUEUED and RUNNING, by the emulator's clock; it runs at the end.
        fault: What goes wrong with it, or None.
    """

    def __init__(
        self,
        request: Request,
        statement: Statement,
        *,
        output: str,
        configuration: dict[str, Any],
        seconds: float,
        fault: Fault | None,
    ) -> None:
        self.id = str(uuid.uuid4())
        self.request = request
        self.statement = statement
        self.output = output
        self.location = output + _file(self.id, statement)
        self.configuration = configuration
        self.fault = fault
        self.submitted = clock.now_micros()
        self.seconds = seconds + (fault.delay_seconds if fault else 0.0)
        self.completed: int | None = None
        self.engine_millis = 0
        self.scanned = 0
        self.outcome: Outcome | None = None
        self.failure: Failure | None = None
        self.manifest: str | None = None
        self.cancel_reason = ""
        self._state: State = "QUEUED"
        self._script: list[State] = []
        if fault and fault.code == REQUEUED:
            self._script = ["RUNNING", "QUEUED", "RUNNING"]
        self._started = False
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._interrupt: Callable[[], None] | None = None

    def __getstate__(self) -> dict[str, Any]:
        transient = {"_lock", "_done", "_interrupt"}
        return {name: value for name, value in vars(self).items() if name not in transient}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock, self._done, self._interrupt = threading.Lock(), threading.Event(), None
        if self._started and self._state not in FINAL:
            self.fail(STOPPED, category=1, retryable=True)

    @property
    def final(self) -> bool:
        """Whether nothing more happens to it."""
        return self._state in FINAL

    @property
    def running(self) -> bool:
        """Whether a worker has it, or will have it in a moment."""
        return self._started and not self.final

    @property
    def status(self) -> State:
        """The state, as the emulator's clock has it."""
        if self.final:
            return self._state
        elapsed = clock.now_micros() - self.submitted
        if self.fault and self.fault.code == STUCK:
            return "QUEUED"
        return "QUEUED" if elapsed < self.seconds * QUEUED_SHARE * MICROS else "RUNNING"

    @property
    def due(self) -> bool:
        """Whether its time has come and it has not begun."""
        stuck = self.fault is not None and self.fault.code == STUCK
        waited = clock.now_micros() - self.submitted >= self.seconds * MICROS
        return not (self._started or self.final or stuck or self._script) and waited

    def polled(self) -> State:
        """The state as one GetQueryExecution sees it."""
        if self._script and not self.final:
            return self._script.pop(0)
        if self._started and not self.final:
            self._done.wait(POLL_WAIT)
        return self.status

    def wait(self, seconds: float) -> None:
        """Wait for the end of a query that has begun."""
        self._done.wait(seconds)

    def begin(self, run: Callable[["Execution"], Outcome]) -> None:
        """Let a worker run it, once."""
        with self._lock:
            if self._started or self.final:
                return
            self._started = True
        if self.fault and self.fault.code == CANCELLED:
            self.cancel(self.fault.message or "Query cancelled")
        elif self.fault and self.fault.code not in {None, REQUEUED}:
            system = self.fault.code == SYSTEM
            self.fail(self.fault.message, category=1 if system else 2, retryable=system)
        else:
            workers().submit(self._work, run)

    def interruptible(self, interrupt: Callable[[], None] | None) -> None:
        """Say how the work that runs now can be ended early."""
        with self._lock:
            self._interrupt = interrupt

    def cancel(self, reason: str = "Query cancelled by user") -> None:
        """End it, unless it has ended."""
        with self._lock:
            if self.final:
                return
            self.cancel_reason = reason
            self._end("CANCELLED")
            if self._interrupt is not None:
                self._interrupt()

    def fail(
        self, reason: str, *, category: Category, kind: int = 1001, retryable: bool = False
    ) -> None:
        """End it as FAILED, unless it has ended."""
        with self._lock:
            if not self.final:
                self.failure = Failure(reason, category, kind, retryable)
                self._end("FAILED")

    def abandon(self) -> None:
        """End it because the local AWS ends, and with it the work that goes on for it."""
        self.fail(STOPPED, category=1, retryable=True)
        with self._lock:
            if self._interrupt is not None:
                self._interrupt()

    def _work(self, run: Callable[["Execution"], Outcome]) -> None:
        began = time.perf_counter()
        try:
            with GATE.working():
                if self.final:
                    return
                outcome = run(self)
            self.engine_millis = _millis(began)
            with self._lock:
                if not self.final:
                    self.outcome = outcome
                    self._end("SUCCEEDED")
        except QueryFailedError as error:
            self.engine_millis = _millis(began)
            self.fail(
                error.reason, category=error.category, kind=error.kind, retryable=error.retryable
            )
        except duckdb.InterruptException:
            self.cancel()
        except Exception as error:  # noqa: BLE001 - whatever it is, the query ends and says it
            self.engine_millis = _millis(began)
            self.fail(f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}", category=1)
        finally:
            self._done.set()

    def _end(self, state: State) -> None:
        """Called with the lock held."""
        self.completed = clock.now_micros()
        self._state = state
        self._done.set()

    def describe(self, state: State) -> dict[str, Any]:
        """As GetQueryExecution shows it in this state."""
        status: dict[str, Any] = {
            "State": state,
            "SubmissionDateTime": self.submitted / MICROS,
        }
        if state in FINAL and self.completed is not None:
            status["CompletionDateTime"] = self.completed / MICROS
        if state == "FAILED" and self.failure is not None:
            status["StateChangeReason"] = self.failure.reason
            status["AthenaError"] = self.failure.athena_error
        if state == "CANCELLED":
            status["StateChangeReason"] = self.cancel_reason
        shown: dict[str, Any] = {
            "QueryExecutionId": self.id,
            "Query": self.request.query,
            "StatementType": self.statement.kind,
            "SubstatementType": self.statement.substatement,
            "ResultConfiguration": {**self.configuration, "OutputLocation": self.location},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": self._context(),
            "Status": status,
            "Statistics": self._statistics(),
            "WorkGroup": self.request.workgroup,
            "EngineVersion": {
                "SelectedEngineVersion": "AUTO",
                "EffectiveEngineVersion": "Athena engine version 3",
            },
        }
        if self.request.parameters:
            shown["ExecutionParameters"] = list(self.request.parameters)
        return shown

    def _context(self) -> dict[str, str]:
        given = {"Database": self.request.database, "Catalog": self.request.catalog}
        return {name: value for name, value in given.items() if value}

    def _statistics(self) -> dict[str, Any]:
        end = self.completed if self.completed is not None else clock.now_micros()
        total = max(self.engine_millis, (end - self.submitted) // 1000)
        queued = int(self.seconds * QUEUED_SHARE * 1000)
        statistics: dict[str, Any] = {
            "EngineExecutionTimeInMillis": self.engine_millis,
            "DataScannedInBytes": self.scanned,
            "TotalExecutionTimeInMillis": total,
            "QueryQueueTimeInMillis": min(queued, total),
            "ServicePreProcessingTimeInMillis": 0,
            "QueryPlanningTimeInMillis": 0,
            "ServiceProcessingTimeInMillis": 0,
            "ResultReuseInformation": {"ReusedPreviousResult": False},
        }
        if self.manifest is not None:
            statistics["DataManifestLocation"] = self.manifest
        return statistics


def _millis(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def _file(execution_id: str, statement: Statement) -> str:
    """The result file's name below the output location (observed with AWS clients)."""
    if statement.action == "select":
        return f"{execution_id}.csv"
    if statement.action == "ctas":
        return f"tables/{execution_id}"
    if statement.action in {"insert", "unload"}:
        return execution_id
    return f"{execution_id}.txt"
