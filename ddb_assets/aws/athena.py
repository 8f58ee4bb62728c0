"""Athena: queries, their states and their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ddb_assets.aws.answers import required
from ddb_assets.aws.errors import translated
from ddb_assets.aws.subject import NOTHING, Subject
from ddb_assets.core.ports import QueryStatus
from ddb_assets.errors import DeclarationError, RequestInvalidError

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

# AWS page BatchGetQueryExecution: at most 50 ids a request.
STATUS_BATCH = 50


class AthenaGateway:
    """`core.ports.QueryEngine` over boto3.

    The result location is the workgroup's; none is sent.
    """

    def __init__(
        self,
        client: Callable[[], AthenaClient],
        *,
        data_catalog: str | None = None,
        catalog_id: str | None = None,
    ) -> None:
        """Make the gateway.

        Args:
            client: Asked for at each call; may be made then.
            data_catalog: The data source queries run against; None is AwsDataCatalog.
            catalog_id: The account of the Glue catalog, where one was configured. Athena reaches
                another account's catalog only under a data source's name.
        """
        self._client = client
        self._data_catalog = data_catalog
        self._catalog_id = catalog_id

    def start(self, sql: str, *, database: str, workgroup: str, token: str) -> str:
        """Start a query and return its id; the same id where the token was used before.

        Raises:
            DeclarationError: The Glue catalog is another account's and no data source is named:
                the statement would run against this account's catalog.
            LimitExceededError: Too many active queries.
            RequestInvalidError: Athena refused the statement, the workgroup or the token.
        """
        if self._catalog_id and not self._data_catalog:
            raise DeclarationError(
                f"Athena cannot tell that the Glue catalog {self._catalog_id} is meant",
                remedy="name the Athena data source registered for it in data_catalog "
                "(AwsDataCatalog for the account's own), or leave catalog_id out",
            )
        context = {"Database": database}
        if self._data_catalog:
            context["Catalog"] = self._data_catalog
        request: Any = {
            "QueryString": sql,
            "QueryExecutionContext": context,
            "WorkGroup": workgroup,
            "ClientRequestToken": token,
        }
        with translated(Subject(workgroup=workgroup)):
            answer: Any = self._client().start_query_execution(**request)
        return required(answer, "QueryExecutionId", "StartQueryExecution")

    def statuses(self, query_ids: Sequence[str]) -> dict[str, QueryStatus]:
        """State of each. A query Athena does not know is FAILED, with Athena's words as reason.

        Raises:
            ThrottledError, ServiceUnavailableError: Athena could not tell for one of them now.
        """
        found: dict[str, QueryStatus] = {}
        ids = list(dict.fromkeys(query_ids))
        for start in range(0, len(ids), STATUS_BATCH):
            batch = ids[start : start + STATUS_BATCH]
            with translated():
                answer: Any = self._client().batch_get_query_execution(QueryExecutionIds=batch)
            for execution in answer.get("QueryExecutions", ()):
                status = _status(execution)
                found[status.query_id] = status
            # UnprocessedQueryExecutionIds, and whatever else was left out: asked for one by one,
            # as only that call says whether the query is unknown or Athena is busy.
            for query_id in batch:
                if query_id not in found:
                    found[query_id] = self._status_of(query_id)
        return found

    def stop(self, query_id: str) -> None:
        """Ask Athena to cancel it; a query that has ended stays as it is."""
        with translated():
            self._client().stop_query_execution(QueryExecutionId=query_id)

    def rows(self, query_id: str) -> Iterator[tuple[str | None, ...]]:
        """The result's rows as text, a page per call; a SELECT's first row is its header.

        Raises:
            RequestInvalidError: The query has not succeeded, or has no result.
        """
        with translated():
            pages = iter(
                self._client()
                .get_paginator("get_query_results")
                .paginate(QueryExecutionId=query_id)
            )
        while True:
            with translated():
                page: Any = next(pages, None)
            if page is None:
                return
            for row in page["ResultSet"].get("Rows", ()):
                yield tuple(cell.get("VarCharValue") for cell in row.get("Data", ()))

    def _status_of(self, query_id: str) -> QueryStatus:
        try:
            with translated(NOTHING):
                answer: Any = self._client().get_query_execution(QueryExecutionId=query_id)
        except RequestInvalidError as error:
            return QueryStatus(query_id, "FAILED", reason=error.cause)
        return _status(required(answer, "QueryExecution", "GetQueryExecution"))


def _status(execution: dict[str, Any]) -> QueryStatus:
    status = required(execution, "Status", "BatchGetQueryExecution")
    error = status.get("AthenaError", {})
    return QueryStatus(
        query_id=required(execution, "QueryExecutionId", "BatchGetQueryExecution"),
        state=required(status, "State", "BatchGetQueryExecution"),
        # StateChangeReason is optional (SDK model).
        reason=status.get("StateChangeReason") or error.get("ErrorMessage"),
        retryable=bool(error.get("Retryable", False)),
        error_category=error.get("ErrorCategory"),
        scanned_bytes=execution.get("Statistics", {}).get("DataScannedInBytes"),
        output_location=execution.get("ResultConfiguration", {}).get("OutputLocation"),
    )
