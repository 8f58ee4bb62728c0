"""Runs Athena statements: few at a time, watched together, every end state handled."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from ddb_assets.core.ports import QueryStatus
from ddb_assets.core.scheduling.calls import patience_for
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Pause, Signal, Task
from ddb_assets.errors import (
    DdbAssetsError,
    QueryFailedError,
    QueryStuckError,
    TransientError,
)

#: A DDL statement takes about a second; in the queue it waits for other people's queries.
MAX_QUEUED_SECONDS = 900.0
#: AWS page "service-limits" of Athena allows DDL 600 minutes; SET LOCATION changes one row.
MAX_RUNNING_SECONDS = 3600.0
#: AWS page "service-limits" of Athena: DML runs 30 minutes, raisable to 240.
MAX_UNLOADING_SECONDS = 240 * 60.0 + 600.0
#: Executions of one statement that fail on Athena's side before it is an error.
MAX_EXECUTIONS = 3

_FIRST_LOOK_SECONDS = 0.5
_MAX_LOOK_SECONDS = 5.0
#: Times a cancelled query is looked at until it has ended.
_LOOKS_AFTER_STOP = 12
_ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


@dataclass(eq=False)
class _Query:
    query_id: str
    table: str
    began: float
    look: float = _FIRST_LOOK_SECONDS
    due: float = 0.0
    longest: float = MAX_RUNNING_SECONDS
    looks: int = 0
    queued_since: float | None = None
    trouble_since: float | None = None
    tries: int = 0
    signal: Signal = field(default_factory=Signal)
    status: QueryStatus | None = None
    error: DdbAssetsError | None = None


@dataclass(frozen=True)
class Ended:
    """A query that ended, well or badly.

    Attributes:
        at_once: It had ended when it was first looked at: an earlier attempt started it.
    """

    status: QueryStatus
    at_once: bool


class QueryWatch:
    """The active queries and the background task that asks for all of them at once."""

    def __init__(self, run: RunContext) -> None:
        self._context = run
        self._active: dict[str, _Query] = {}
        self._news = Signal()

    def execute(
        self,
        table: str,
        sql: str,
        *,
        database: str,
        workgroup: str,
        token: Callable[[int], str],
    ) -> Task[QueryStatus]:
        """Run one statement to its end.

        Args:
            table: The DynamoDB table it is for.
            sql: The statement.
            database: Where unqualified names are looked up.
            workgroup: Whose output location and limits apply.
            token: Makes the token of the n-th execution; the first must be deterministic, so that
                a restarted run finds the query it already started.

        Returns:
            The status; its state is SUCCEEDED.

        Raises:
            QueryFailedError: FAILED or CANCELLED, and trying again does not help.
            QueryStuckError: It did not leave the queue; it was cancelled.
        """
        run = self._context
        execution = failures = 0
        while True:
            action = f"start a query in workgroup {workgroup}"
            yield from run.queries.acquire()
            try:
                query_id = yield from run.call(
                    table,
                    action,
                    lambda n=execution: run.gateways.queries.start(
                        sql, database=database, workgroup=workgroup, token=token(n)
                    ),
                )
                status = yield from self._wait(table, query_id)
            finally:
                run.queries.release()
            if status.state == "SUCCEEDED":
                return status
            execution += 1
            # The first token may have answered with a query that failed in an earlier attempt of
            # this run: only a failure of a query that is surely new counts.
            failures += execution > 1
            again = execution == 1 or (status.retryable and status.state == "FAILED")
            if not again or failures >= MAX_EXECUTIONS:
                raise _failed(table, sql, workgroup, status)
            run.emit(
                table,
                "retrying",
                f"query {query_id} ended as {status.state}: {status.reason or 'no reason given'}",
                query_execution_id=query_id,
            )
            if status.retryable:
                yield Pause(until=run.clock.monotonic() + 5.0 * run.rng.uniform(0.5, 1.0))

    def once(
        self, table: str, sql: str, *, database: str, workgroup: str, token: str
    ) -> Task["Ended"]:
        """Start one statement that writes data, or find it by its token, and see how it ends.

        The caller limits how many of them run, and decides what follows when it ended badly.

        Args:
            table: The DynamoDB table it is for.
            sql: The statement; the same for the same token.
            database: Where unqualified names are looked up.
            workgroup: Whose output location and limits apply.
            token: Identifies the execution.

        Raises:
            QueryStuckError: It did not leave the queue or did not end; it was cancelled.
        """
        queries = self._context.gateways.queries
        query_id = yield from self._context.call(
            table,
            f"start a query in workgroup {workgroup}",
            lambda: queries.start(sql, database=database, workgroup=workgroup, token=token),
        )
        query = self._watched(table, query_id, longest=MAX_UNLOADING_SECONDS)
        status = yield from self._end_of(query)
        return Ended(status, at_once=query.looks == 1)

    def run(self) -> Task[NoReturn]:
        """Ask for the active queries, for ever; spawn it in the background."""
        clock = self._context.clock
        while True:
            now = clock.monotonic()
            if any(query.due <= now for query in self._active.values()):
                self._poll()
                continue
            self._news = Signal()
            nearest = min((query.due for query in self._active.values()), default=None)
            yield Pause(until=nearest, signal=self._news)

    def _wait(self, table: str, query_id: str) -> Task[QueryStatus]:
        return self._end_of(self._watched(table, query_id, longest=MAX_RUNNING_SECONDS))

    def _watched(self, table: str, query_id: str, *, longest: float) -> _Query:
        now = self._context.clock.monotonic()
        query = _Query(query_id, table, began=now, due=now, longest=longest)
        self._active[query_id] = query
        self._news.set()
        return query

    def _end_of(self, query: _Query) -> Task[QueryStatus]:
        try:
            while not query.signal.is_set:
                yield Pause(signal=query.signal)
        finally:
            self._active.pop(query.query_id, None)
        if query.error is not None:
            status = yield from self._cancelled(query.table, query.query_id, query.error)
            if status is None or status.state != "SUCCEEDED":
                raise query.error
            return status
        assert query.status is not None
        return query.status

    def _cancelled(
        self, table: str, query_id: str, error: DdbAssetsError
    ) -> Task[QueryStatus | None]:
        """Stop a query that was lost sight of and see how it ended.

        A statement nobody watches may still move the table: it is stopped, and its end is looked
        for. None, and a detail in the error, where that is not possible either.
        """
        run = self._context
        queries = run.gateways.queries
        try:
            yield from run.call(table, f"cancel query {query_id}", lambda: queries.stop(query_id))
            for _ in range(_LOOKS_AFTER_STOP):
                statuses = yield from run.call(
                    table, f"look at query {query_id}", lambda: queries.statuses([query_id])
                )
                status = statuses.get(query_id)
                if status is not None and status.state in _ENDED:
                    return status
                yield Pause(until=run.clock.monotonic() + _MAX_LOOK_SECONDS)
        except DdbAssetsError as second:
            # What was wrong first is what the reader must hear; this is a detail of it.
            error.details["not_cancelled"] = str(second)
        error.details["unresolved_query"] = query_id
        return None

    def _poll(self) -> None:
        queries = list(self._active.values())
        try:
            statuses = self._context.gateways.queries.statuses([q.query_id for q in queries])
        except TransientError as error:
            for query in queries:
                self._trouble(query, error)
            return
        except DdbAssetsError as error:
            for query in queries:
                self._end(query, error=_copy(error, query.table))
            return
        now = self._context.clock.monotonic()
        for query in queries:
            status = statuses.get(query.query_id)
            query.trouble_since, query.tries = None, 0
            query.looks += 1
            query.due = now + query.look * self._context.rng.uniform(0.9, 1.1)
            query.look = min(query.look * 1.5, _MAX_LOOK_SECONDS)
            if status is not None and status.state in _ENDED:
                self._end(query, status=status)
                continue
            self._stuck(query, status, now)

    def _stuck(self, query: _Query, status: QueryStatus | None, now: float) -> None:
        # RUNNING may fall back to QUEUED (SDK model); only time in the queue on end counts.
        if status is not None and status.state == "RUNNING":
            query.queued_since = None
        elif query.queued_since is None:
            query.queued_since = now
        queued = 0.0 if query.queued_since is None else now - query.queued_since
        if queued < MAX_QUEUED_SECONDS and now - query.began < query.longest:
            return
        state = status.state if status is not None else "unknown to Athena"
        error = QueryStuckError(
            f"query {query.query_id} is still {state} after {now - query.began:.0f} s and is being "
            "cancelled",
            table=query.table,
            remedy="look at the workgroup's active queries and the account's query quota, then run "
            "it again",
            query_execution_id=query.query_id,
        )
        self._end(query, error=error)

    def _trouble(self, query: _Query, error: TransientError) -> None:
        now = self._context.clock.monotonic()
        query.tries += 1
        query.trouble_since = now if query.trouble_since is None else query.trouble_since
        patience = patience_for(error)
        waited = now - query.trouble_since
        if patience is None or (query.tries >= 3 and waited >= patience.seconds):
            self._end(query, error=_copy(error, query.table))
            return
        query.due = now + patience.delay(query.tries, self._context.rng)

    def _end(
        self,
        query: _Query,
        *,
        status: QueryStatus | None = None,
        error: DdbAssetsError | None = None,
    ) -> None:
        query.status, query.error = status, error
        self._active.pop(query.query_id, None)
        query.signal.set()


def _failed(table: str, sql: str, workgroup: str, status: QueryStatus) -> QueryFailedError:
    what = "was cancelled" if status.state == "CANCELLED" else "failed"
    return QueryFailedError(
        f"query {status.query_id} {what}: {status.reason or 'Athena gave no reason'}",
        table=table,
        remedy=f"look at the query in workgroup {workgroup}; the Athena table was left where it "
        "was",
        query_execution_id=status.query_id,
        sql=sql,
        error_category=status.error_category,
    )


def _copy(error: DdbAssetsError, table: str) -> DdbAssetsError:
    """The same error for another table: one answer concerned several queries."""
    copied = type(error)(error.cause, table=table, code=error.code, remedy=error.remedy)
    copied.details.update(error.details)
    copied.__cause__ = error
    return copied
