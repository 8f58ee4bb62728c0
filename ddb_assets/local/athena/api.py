"""Athena's API over the backend: the calls whose answers differ from moto's."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from moto.athena.models import AthenaBackend, athena_backends
from moto.athena.responses import AthenaResponse
from moto.core.exceptions import JsonRESTError

from ddb_assets.local.athena.backend import LocalAthena
from ddb_assets.local.athena.catalog import (
    CATALOG_NAME,
    TableName,
    columns,
    parameters_of,
    partition_keys,
    serde_info_of,
    storage_of,
)
from ddb_assets.local.athena.errors import invalid_request
from ddb_assets.local.athena.executions import Execution
from ddb_assets.local.athena.show import name_pattern
from ddb_assets.local.plumbing import require_members

#: Most rows of a page of GetQueryResults, the header included (Athena API reference).
MAX_ROWS = 1000
#: Most entries of a page of ListQueryExecutions and of the catalog's lists, and most ids of a
#: BatchGetQueryExecution (Athena API reference).
MAX_PAGE = 50

T = TypeVar("T")


class LocalAthenaResponse(AthenaResponse):
    """One call."""

    @property
    def backend(self) -> LocalAthena:
        """This call's backend."""
        return cast("LocalAthena", athena_backends[self.current_account][self.region])

    def call_action(self) -> Any:
        """Answer one call: the fault that was ordered for it, or the truth."""
        return self.backend.faults.answer(self._get_action()) or super().call_action()

    # Queries

    def start_query_execution(self) -> str:
        """StartQueryExecution."""
        execution = self.backend.start(
            query=self._get_param("QueryString") or "",
            context=self._get_param("QueryExecutionContext") or {},
            configuration=self._get_param("ResultConfiguration") or {},
            workgroup=self._get_param("WorkGroup"),
            parameters=self._get_param("ExecutionParameters") or [],
            token=self._get_param("ClientRequestToken"),
        )
        return json.dumps({"QueryExecutionId": execution.id})

    def get_query_execution(self) -> str:
        """GetQueryExecution."""
        found = self.backend.find(self._get_param("QueryExecutionId"))
        return json.dumps({"QueryExecution": found.describe(found.polled())})

    def batch_get_query_execution(self) -> str:
        """BatchGetQueryExecution: ids that are not known are listed, not refused."""
        wanted = cast("list[str]", self._get_param("QueryExecutionIds"))
        if len(wanted) > MAX_PAGE:
            raise invalid_request(f"At most {MAX_PAGE} query executions at once")
        self.backend.settle()
        found: list[dict[str, Any]] = []
        missing: list[dict[str, str]] = []
        for execution_id in wanted:
            execution = self.backend.queries.get(execution_id)
            if execution is not None:
                found.append(execution.describe(execution.polled()))
                continue
            missing.append(
                {
                    "QueryExecutionId": execution_id,
                    "ErrorCode": "INVALID_INPUT",
                    "ErrorMessage": f"QueryExecution {execution_id} was not found",
                }
            )
        return json.dumps({"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing})

    def list_query_executions(self) -> str:
        """ListQueryExecutions of one workgroup, newest first."""
        group = self.backend.work_group(self._get_param("WorkGroup")).name
        queries = list(self.backend.queries.values())
        found = [one.id for one in reversed(queries) if one.request.workgroup == group]
        page, more = self._page(found, MAX_PAGE)
        return json.dumps({"QueryExecutionIds": page, **more})

    def stop_query_execution(self) -> str:
        """StopQueryExecution; a query that has ended stays as it is."""
        self.backend.find(self._get_param("QueryExecutionId")).cancel()
        return "{}"

    def get_query_results(self) -> str:
        """GetQueryResults: the first page of a SELECT begins with the column names."""
        execution = self.backend.find(self._get_param("QueryExecutionId"))
        outcome = _outcome(execution)
        names = tuple(column.name for column in outcome.columns)
        header = [names] if execution.statement.action == "select" else []
        rows: list[tuple[str | None, ...]] = [*header, *outcome.rows]
        asked = self._get_param("MaxResults")
        if asked is not None and not 1 <= int(asked) <= MAX_ROWS:
            raise invalid_request(f"MaxResults is more than maximum allowed length {MAX_ROWS}.")
        page, more = self._page(rows, MAX_ROWS)
        shown = [
            {"Data": [{} if one is None else {"VarCharValue": one} for one in row]} for row in page
        ]
        info = [column.info for column in outcome.columns]
        answer = {"Rows": shown, "ResultSetMetadata": {"ColumnInfo": info}}
        return json.dumps({"ResultSet": answer, "UpdateCount": outcome.update_count, **more})

    # The catalog: Glue's, the only one

    def get_database(self) -> str:
        """GetDatabase, from Glue."""
        self._refuse_catalog()
        name = self._get_param("DatabaseName")
        found = self.backend.catalog.database(name)
        if found is None:
            raise _not_found(f"Database {name} not found.")
        return json.dumps({"Database": _database(found)})

    def list_databases(self) -> str:
        """ListDatabases, from Glue."""
        self._refuse_catalog()
        catalog = self.backend.catalog
        found = [catalog.database(name) or {"Name": name} for name in catalog.databases()]
        page, more = self._page(found, MAX_PAGE)
        return json.dumps({"DatabaseList": [_database(one) for one in page], **more})

    def get_table_metadata(self) -> str:
        """GetTableMetadata, from Glue."""
        self._refuse_catalog()
        name = TableName(
            self._get_param("DatabaseName").lower(), self._get_param("TableName").lower()
        )
        found = self.backend.catalog.table(name)
        if found is None:
            raise _not_found(f"Table {name.name} not found.")
        return json.dumps({"TableMetadata": _metadata(found)})

    def list_table_metadata(self) -> str:
        """ListTableMetadata, from Glue."""
        self._refuse_catalog()
        database = self._get_param("DatabaseName").lower()
        if self.backend.catalog.database(database) is None:
            raise _not_found(f"Database {database} not found.")
        matches = name_pattern(self._get_param("Expression"))
        found = [one for one in self.backend.catalog.tables(database) if matches(one["Name"])]
        page, more = self._page(found, MAX_PAGE)
        return json.dumps({"TableMetadataList": [_metadata(one) for one in page], **more})

    def list_data_catalogs(self) -> str:
        """ListDataCatalogs; AwsDataCatalog is always there."""
        own = {"CatalogName": "AwsDataCatalog", "Type": "GLUE"}
        found = [own, *self.backend.list_data_catalogs()]
        return json.dumps({"DataCatalogsSummary": found})

    def get_data_catalog(self) -> str:
        """GetDataCatalog; AwsDataCatalog needs no creation."""
        name = self._get_param("Name")
        if name.lower() == CATALOG_NAME:
            return json.dumps({"DataCatalog": {"Name": "AwsDataCatalog", "Type": "GLUE"}})
        if self.backend.get_data_catalog(name) is None:
            raise invalid_request(f"Data catalog {name} is not found.")
        return super().get_data_catalog()

    # Workgroups, named queries, tags

    def get_work_group(self) -> str:
        """GetWorkGroup."""
        self.backend.work_group(self._get_param("WorkGroup"))
        return super().get_work_group()

    def update_work_group(self) -> str:
        """UpdateWorkGroup: what is given replaces, `Remove…` removes."""
        group = self.backend.work_group(self._get_param("WorkGroup"))
        updates = dict(cast("dict[str, Any]", self._get_param("ConfigurationUpdates") or {}))
        given: dict[str, Any] = updates.pop("ResultConfigurationUpdates", {})
        own: dict[str, Any] = group.configuration.setdefault("ResultConfiguration", {})
        _update(own, given)
        _update(group.configuration, updates)
        if self._get_param("Description") is not None:
            group.description = self._get_param("Description")
        group.state = self._get_param("State") or group.state
        return "{}"

    def delete_named_query(self) -> str:
        """DeleteNamedQuery."""
        name = self._get_param("NamedQueryId")
        if self.backend.named_queries.pop(name, None) is None:
            raise invalid_request(f"NamedQuery {name} was not found")
        return "{}"

    def list_tags_for_resource(self) -> str:
        """ListTagsForResource; a resource without tags has an empty list."""
        found = self.backend.list_tags_for_resource(self._get_param("ResourceARN"))
        return json.dumps(found or {"Tags": []})

    def _refuse_catalog(self) -> None:
        catalog = self._get_param("CatalogName") or CATALOG_NAME
        if catalog.lower() != CATALOG_NAME:
            raise invalid_request(f"Data catalog {catalog} is not found.")

    def _page(self, found: Sequence[T], most: int) -> tuple[Sequence[T], dict[str, str]]:
        """One page of a list, and the NextToken if there is more."""
        token = self._get_param("NextToken") or "0"
        if not str(token).isdecimal():
            raise invalid_request(f"Invalid NextToken: {token}")
        start, size = int(token), min(int(self._get_param("MaxResults") or most), most)
        more = {"NextToken": str(start + size)} if start + size < len(found) else {}
        return found[start : start + size], more


def _outcome(execution: Execution) -> Any:
    state = execution.status
    if state in {"FAILED", "CANCELLED"}:
        raise invalid_request(f"Query did not finish successfully. Final query state: {state}")
    if execution.outcome is None or not execution.final:
        raise invalid_request(f"Query has not yet finished. Current state: {state}")
    return execution.outcome


def _not_found(message: str) -> JsonRESTError:
    detail = "(Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException)"
    return JsonRESTError("MetadataException", f"{message} {detail}")


def _update(held: dict[str, Any], given: dict[str, Any]) -> None:
    for name, value in given.items():
        if name.startswith("Remove"):
            if value:
                held.pop(name.removeprefix("Remove"), None)
        else:
            held[name] = value


def _database(found: dict[str, Any]) -> dict[str, Any]:
    shown = {name: found[name] for name in ("Description", "Parameters") if found.get(name)}
    return {"Name": found["Name"], **shown}


def _metadata(table: dict[str, Any]) -> dict[str, Any]:
    storage, serde = storage_of(table), serde_info_of(table)
    shown = {
        "Name": table["Name"],
        "Columns": [_column(one) for one in columns(table)],
        "PartitionKeys": [_column(one) for one in partition_keys(table)],
        "Parameters": {
            **parameters_of(table),
            "inputformat": storage.get("InputFormat") or "",
            "location": storage.get("Location") or "",
            "outputformat": storage.get("OutputFormat") or "",
            "serde.serialization.lib": serde.get("SerializationLibrary") or "",
        },
    }
    if table.get("TableType"):
        shown["TableType"] = table["TableType"]
    created = table.get("CreateTime")
    if isinstance(created, datetime):
        shown["CreateTime"] = created.replace(tzinfo=UTC).timestamp()
    return shown


def _column(column: dict[str, Any]) -> dict[str, Any]:
    return {name: column[name] for name in ("Name", "Type", "Comment") if column.get(name)}


def overrides() -> list[tuple[Any, type[Any]]]:
    """What `local.install` puts in the place of moto's Athena."""
    require_members(AthenaBackend, "get_query_runtime_statistics", "list_tags_for_resource")
    require_members(AthenaResponse, "call_action", "_get_action", "_get_param", "get_work_group")
    return [(athena_backends, LocalAthena)]
