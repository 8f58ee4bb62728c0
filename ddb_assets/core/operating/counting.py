"""How many rows Athena counts in a table: one query that scans all of it."""

import hashlib

from ddb_assets.core.ports import QueryStatus
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Pause, Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import QueryFailedError
from ddb_assets.schema.ddl import quote_query

_FIRST_LOOK_SECONDS = 0.5
_MAX_LOOK_SECONDS = 10.0
_ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


def count_rows(run: RunContext, spec: TableSpec, location: str) -> Task[int]:
    """Count the rows of the Athena table in the table's workgroup; scans the whole table.

    Args:
        run: Its intent makes the query's token, so that a repeated call finds the same query.
        spec: The table.
        location: Where the table points; part of the token.

    Raises:
        QueryFailedError: Athena did not count.
    """
    queries = run.gateways.queries
    sql = f"SELECT count(*) FROM {quote_query(spec.database)}.{quote_query(spec.table)}"  # noqa: S608 - quoted
    parts = f"{run.intent_id}|{spec.athena_name}|{location}"
    token = hashlib.sha256(parts.encode()).hexdigest()
    query_id = yield from run.call(
        spec.name,
        f"start a query in workgroup {spec.workgroup}",
        lambda: queries.start(sql, database=spec.database, workgroup=spec.workgroup, token=token),
    )
    try:
        status = yield from _ended(run, spec, query_id)
    except BaseException:
        # Nobody reads the answer any more: do not let it scan on.
        queries.stop(query_id)
        raise
    if status.state != "SUCCEEDED":
        raise QueryFailedError(
            f"the count ended as {status.state}: {status.reason or 'Athena gave no reason'}",
            table=spec.name,
            remedy=f"look at query {query_id} in workgroup {spec.workgroup}",
            query_execution_id=query_id,
        )
    rows = yield from run.call(spec.name, "read the count", lambda: list(queries.rows(query_id)))
    return int(rows[1][0] or 0)


def _ended(run: RunContext, spec: TableSpec, query_id: str) -> Task[QueryStatus]:
    pause = _FIRST_LOOK_SECONDS
    while True:
        found = yield from run.call(
            spec.name,
            f"look at query {query_id}",
            lambda: run.gateways.queries.statuses([query_id]),
        )
        status = found.get(query_id)
        if status is not None and status.state in _ENDED:
            return status
        yield Pause(until=run.clock.monotonic() + pause)
        pause = min(pause * 1.5, _MAX_LOOK_SECONDS)
