"""moto's Athena backend with queries that run."""

import json
import sys
import time
from typing import Any

import moto.athena.urls
from moto.athena.models import AthenaBackend, WorkGroup
from sqlglot.errors import SqlglotError

from ddb_assets.local import settings
from ddb_assets.local.athena import cache, results
from ddb_assets.local.athena.catalog import DEFAULT_DATABASE, Catalog
from ddb_assets.local.athena.ddl import Ddl, refuse
from ddb_assets.local.athena.engine import Engine, bind
from ddb_assets.local.athena.errors import (
    QueryFailedError,
    invalid_request,
    too_many_requests,
    unsupported,
)
from ddb_assets.local.athena.executions import Execution, Request
from ddb_assets.local.athena.lake import Lake
from ddb_assets.local.athena.results import Outcome
from ddb_assets.local.athena.router import (
    RefusedError,
    Statement,
    parse_query,
    route,
    syntax_message,
)
from ddb_assets.local.athena.show import Show
from ddb_assets.local.athena.writes import Writes
from ddb_assets.local.faults import QUERY_JOB, Faults
from ddb_assets.local.plumbing import routed

#: Longest QueryString (SDK model), in characters.
MAX_QUERY = 262_144
#: How long a call waits for DDL that became due only now, in seconds by the wall clock.
SETTLE_WAIT = 5.0

#: Python's frames for one query: 32 levels of an item are some thousand of the parser's, and of
#: what walks its trees.
MAX_FRAMES = 20_000


class LocalAthena(AthenaBackend):
    """moto's Athena that routes, runs and keeps queries."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        # Never set back: other threads may be at it.
        sys.setrecursionlimit(max(sys.getrecursionlimit(), MAX_FRAMES))
        self.faults = Faults()
        # The same registry as moto's, with our executions in it.
        self.queries: dict[str, Execution] = {}
        self.tokens: dict[str, str] = {}
        self.executions: Any = self.queries

    @property
    def _url_module(self) -> Any:
        from ddb_assets.local.athena.api import LocalAthenaResponse  # noqa: PLC0415 - a circle

        return routed(moto.athena.urls, LocalAthenaResponse)

    @property
    def catalog(self) -> Catalog:
        """The Glue catalog of this account and region."""
        return Catalog(self.account_id, self.region_name)

    @property
    def lake(self) -> Lake:
        """S3, as this account sees it."""
        return Lake(self.account_id, self.partition)

    def work_group(self, name: str | None) -> WorkGroup:
        """A workgroup; none means primary.

        Raises:
            JsonRESTError: It does not exist.
        """
        found = self.work_groups.get(name or "primary")
        if found is None:
            raise invalid_request(f"WorkGroup {name} is not found.")
        return found

    def start(
        self,
        *,
        query: str,
        context: dict[str, str],
        configuration: dict[str, Any],
        workgroup: str | None,
        parameters: list[str],
        token: str | None,
    ) -> Execution:
        """StartQueryExecution.

        Raises:
            JsonRESTError: InvalidRequestException or TooManyRequestsException.
        """
        group = self.work_group(workgroup)
        request = Request(
            query,
            context.get("Database"),
            context.get("Catalog"),
            tuple(parameters),
            group.name,
            json.dumps(configuration, sort_keys=True),
        )
        if token in self.tokens:
            known = self.queries[self.tokens[token]]
            if known.request != request:
                raise invalid_request("Idempotent parameters do not match")
            return known
        if group.state != "ENABLED":
            raise invalid_request(f"WorkGroup {group.name} is disabled.")
        if len(query) > MAX_QUERY:
            raise invalid_request(f"QueryString is longer than {MAX_QUERY} characters")
        used, output = self._output(group, configuration)
        try:
            statement = route(query)
        except RefusedError as error:
            raise invalid_request(str(error)) from error
        self.settle()
        self._refuse_too_much_ddl(statement)
        execution = Execution(
            request,
            statement,
            output=output,
            configuration=used,
            seconds=settings.current().query_seconds,
            fault=self.faults.take(QUERY_JOB),
        )
        self.queries[execution.id] = execution
        if token:
            self.tokens[token] = execution.id
        if execution.due:
            execution.begin(self.run)
        return execution

    def find(self, execution_id: str) -> Execution:
        """A query, after what is due has begun.

        Raises:
            JsonRESTError: There is none of this id.
        """
        self.settle()
        found = self.queries.get(execution_id)
        if found is None:
            raise invalid_request(f"QueryExecution {execution_id} was not found")
        return found

    def settle(self) -> None:
        """Begin every query whose time has come by the clock; DDL has changed the catalog then."""
        due = [one for one in list(self.queries.values()) if one.due]
        for one in due:
            one.begin(self.run)
        for one in due:
            if one.statement.is_ddl:
                one.wait(SETTLE_WAIT)

    def end_work(self, timeout_seconds: float) -> None:
        """Wait for the queries that run; fail and interrupt those that take longer."""
        deadline = time.monotonic() + timeout_seconds
        running = [one for one in list(self.queries.values()) if one.running]
        for one in running:
            one.wait(max(0.0, deadline - time.monotonic()))
        for one in running:
            if one.running:
                one.abandon()

    def _refuse_too_much_ddl(self, statement: Statement) -> None:
        if not statement.is_ddl:
            return
        queries = list(self.queries.values())
        active = sum(one.statement.is_ddl and not one.final for one in queries)
        if active >= settings.current().max_active_ddl:
            raise too_many_requests(
                "You have exceeded the limit for the number of queries you can run concurrently. "
                "Please reduce the number of concurrent queries submitted by this account."
            )

    def _output(
        self, group: WorkGroup, configuration: dict[str, Any]
    ) -> tuple[dict[str, Any], str]:
        """The result configuration in force, without its location, and the folder it names."""
        own: dict[str, Any] = group.configuration.get("ResultConfiguration") or {}
        enforced = group.configuration.get("EnforceWorkGroupConfiguration", False)
        used = {**own, **configuration}
        if enforced and own.get("OutputLocation"):
            used = dict(own)
        location = used.pop("OutputLocation", None)
        if not location:
            raise invalid_request(
                "No output location provided. An output location is required either through the "
                "Workgroup result configuration setting or as an API input."
            )
        if not str(location).startswith("s3://"):
            raise invalid_request(f"outputLocation is not a valid S3 path: {location}")
        if not self.lake.has_bucket(location):
            bucket = str(location).removeprefix("s3://").partition("/")[0]
            raise invalid_request(f"Unable to verify/create output bucket {bucket}")
        return used, f"{str(location).rstrip('/')}/"

    def run(self, execution: Execution) -> Outcome:
        """Run a query to its end and write what it leaves in S3. In a worker's thread.

        Raises:
            QueryFailedError: It fails.
        """
        if self.queries.get(execution.id) is not execution:
            raise QueryFailedError("The local AWS was reset", category=1)
        outcome = self._perform(execution)
        if execution.final:
            return outcome
        if outcome.written is not None:
            execution.manifest = f"{execution.output}{execution.id}-manifest.csv"
            lines = "".join(f"{uri}\n" for uri in outcome.written)
            self.lake.put(execution.manifest, lines.encode())
        elif execution.statement.action == "select":
            self.lake.put(execution.location, results.csv(outcome))
        else:
            self.lake.put(execution.location, results.txt(outcome))
        # AWS's own, undocumented form; clients only look whether it is there.
        self.lake.put(f"{execution.location}.metadata", b"")
        return outcome

    def _perform(self, execution: Execution) -> Outcome:
        statement = execution.statement
        database = (execution.request.database or DEFAULT_DATABASE).strip('`"').lower()
        parameters = list(execution.request.parameters)
        if statement.action == "other":
            raise refuse(statement)
        if statement.action in {"ddl", "show"}:
            if parameters:
                raise unsupported("execution parameters in DDL")
            runner = (
                Ddl(self.catalog, self.lake, database)
                if statement.action == "ddl"
                else Show(self.catalog, database)
            )
            return runner.run(statement)
        with cache.shared().lease() as lease:
            engine = Engine(self.catalog, self.lake, lease, database)
            execution.interruptible(engine.connection.interrupt)
            try:
                return self._query(engine, execution, parameters)
            finally:
                execution.interruptible(None)
                execution.scanned = engine.scanned
                engine.close()

    def _query(self, engine: Engine, execution: Execution, parameters: list[str]) -> Outcome:
        statement = execution.statement
        if statement.action == "select":
            try:
                tree = parse_query(statement.text)
            except SqlglotError as error:
                raise QueryFailedError(f"SYNTAX_ERROR: {syntax_message(error)}") from error
            return engine.select(bind(tree, parameters), statement.text)
        writes = Writes(engine, parameters, execution.output)
        if statement.action == "view":
            return writes.create_view(statement)
        if statement.action == "ctas":
            return writes.create_table(statement, execution.id)
        if statement.action == "insert":
            return writes.insert(statement)
        return writes.unload(statement)
