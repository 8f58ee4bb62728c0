"""Athena: queries that wait, run and end, and the one statement that moves a table."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ddb_assets.core.ports import QueryState, QueryStatus
from ddb_assets.errors import LimitExceededError, RequestInvalidError

from .catalog import Glue
from .copies import Unloads
from .promises import BrokenPromise
from .virtual_time import VirtualClock

#: AWS page "service-limits" of Athena: queued ones included.
MAX_ACTIVE_DDL = 20

_SET_LOCATION = re.compile(
    r"ALTER\s+TABLE\s+`(?P<database>[^`]+)`\.`(?P<table>[^`]+)`\s+SET\s+LOCATION\s+'(?P<location>[^']+)'",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Course:
    """What is going to happen to one query.

    Attributes:
        queued: Seconds in the queue; infinite for one that never leaves it.
        running: Seconds it runs.
        end: How it ends.
        applied: Whether the table moves although the query does not succeed.
    """

    queued: float = 1.0
    running: float = 2.0
    end: QueryState = "SUCCEEDED"
    applied: bool = False


@dataclass
class SimulatedQuery:
    """One query execution."""

    query_id: str
    sql: str
    course: Course
    process: Any
    state: QueryState = "QUEUED"
    reason: str | None = None
    rows: int = 0
    wrote: bool = False

    @property
    def active(self) -> bool:
        """Whether it counts against the quota."""
        return self.state in {"QUEUED", "RUNNING"}


class SimulatedAthena:
    """Query executions; `acting` tells the audit on whose behalf a query moves a table."""

    def __init__(
        self,
        clock: VirtualClock,
        glue: Glue,
        acting: Callable[[Any, Callable[[], None]], None],
        unloads: Unloads,
    ) -> None:
        self._unloads = unloads
        self._clock = clock
        self._glue = glue
        self._acting = acting
        self._tokens: dict[str, SimulatedQuery] = {}
        self.queries: dict[str, SimulatedQuery] = {}
        #: What happens to the n-th query; else `usual`.
        self.courses: dict[int, Course] = {}
        self.usual = Course()
        #: The most queries that were active at once.
        self.most_active = 0

    def start(self, sql: str, token: str, process: Any) -> str:
        """StartQueryExecution."""
        if not 32 <= len(token) <= 128:
            raise BrokenPromise(
                "contract", f"a ClientRequestToken has 32 to 128 characters: {token!r}"
            )
        if (known := self._tokens.get(token)) is not None:
            if known.sql != sql:
                raise RequestInvalidError(
                    "Idempotent parameters do not match",
                    code="InvalidRequestException",
                    remedy="Use another token for another query.",
                )
            return known.query_id
        active = sum(q.active and not Unloads.match(q.sql) for q in self.queries.values())
        writes = Unloads.match(sql) is not None
        self._unloads.starting(sql)
        if active >= MAX_ACTIVE_DDL and not writes:
            raise LimitExceededError(
                "20 DDL queries are active", code="TooManyRequestsException", remedy="Wait."
            )
        number = len(self.queries)
        course = self.courses.get(number, self.usual)
        query = SimulatedQuery(f"query-{number}", sql, course, process)
        self.queries[query.query_id] = self._tokens[token] = query
        self.most_active = max(self.most_active, active + (not writes))
        if course.queued != float("inf"):
            self._clock.after(course.queued, lambda: self._run(query))
        return query.query_id

    def statuses(self, query_ids: Sequence[str]) -> dict[str, QueryStatus]:
        """BatchGetQueryExecution."""
        return {
            query.query_id: QueryStatus(query.query_id, query.state, query.reason)
            for query in (self.queries[query_id] for query_id in query_ids)
        }

    def stop(self, query_id: str) -> None:
        """StopQueryExecution: no error when it has ended."""
        query = self.queries[query_id]
        if query.active:
            query.state, query.reason = "CANCELLED", "Query cancelled by user"

    def _run(self, query: SimulatedQuery) -> None:
        if query.state == "QUEUED":
            query.state = "RUNNING"
            if Unloads.match(query.sql) and not self._unloads.begin(query):
                query.state, query.reason = "FAILED", "HIVE_PATH_ALREADY_EXISTS: not empty"
                return
            self._clock.after(query.course.running, lambda: self._end(query))

    def _end(self, query: SimulatedQuery) -> None:
        if query.state != "RUNNING":
            return
        query.state = query.course.end
        query.reason = None if query.state == "SUCCEEDED" else f"Query {query.state.lower()}"
        if Unloads.match(query.sql):
            if query.state == "SUCCEEDED":
                self._unloads.finish(query)
        elif query.state == "SUCCEEDED" or query.course.applied:
            self._acting(query.process, lambda: self._execute(query))

    def _execute(self, query: SimulatedQuery) -> None:
        statement = _SET_LOCATION.match(query.sql.strip())
        if statement is None:
            raise BrokenPromise(
                "contract", f"a statement the simulation does not know: {query.sql}"
            )
        key = (statement["database"], statement["table"])
        if key not in self._glue.tables:
            query.state, query.reason = "FAILED", f"Table not found {key[1]}"
            return
        self._glue.set_location(key, statement["location"])
