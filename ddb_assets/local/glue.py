"""Glue's Data Catalog as AWS has it: folded names, optimistic locking, archived versions, pages.

What moto 5.2 lacks: names compared without case, `VersionId` and `SkipArchive` of UpdateTable,
BatchDeleteTableVersion, paging, and the defaults that GetTable shows (local-aws.md section 4.2).
"""

import copy
import threading
from collections.abc import Sequence
from typing import Any, TypeVar, cast

import moto.glue.urls
from moto.athena.models import athena_backends
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult, EmptyResult
from moto.glue.models import FakeDatabase, FakeTable, GlueBackend, glue_backends
from moto.glue.responses import GlueResponse

from ddb_assets.local import clock
from ddb_assets.local.faults import Faults
from ddb_assets.local.plumbing import require_members, routed

#: Most versions in one page of GetTableVersions, and in one BatchDeleteTableVersion; most tables in
#: one page of GetTables, databases in one of GetDatabases (Glue API reference).
MAX_PAGE = 100
#: Most partitions in one page of GetPartitions (Glue API reference).
MAX_PARTITIONS_PAGE = 1000

T = TypeVar("T")

#: Held around every read-check-write of a table: moto's server answers calls in many threads.
CATALOG = threading.RLock()


class VersionedTable(FakeTable):
    """A table whose versions are numbered from 0, as Glue numbers them, and dated by our clock."""

    def __init__(self, stock: FakeTable) -> None:
        vars(self).update(vars(stock))
        self._current_version = 0
        self.versions = {"0": next(iter(stock.versions.values()))}
        self.created_time = clock.now().replace(tzinfo=None)
        self.updated_time = self.created_time

    @property
    def current_version(self) -> str:
        """The VersionId GetTable shows."""
        return str(self._current_version)

    def replace(self, table_input: dict[str, Any], *, skip_archive: bool) -> None:
        """Make `table_input` the current version; the one before becomes an archive or is dropped.

        Args:
            table_input: The new definition.
            skip_archive: Whether the version being replaced is not kept. Older archives stay.
        """
        replaced = self.current_version
        self.update(table_input)
        self.updated_time = clock.now().replace(tzinfo=None)
        if skip_archive:
            self.versions.pop(replaced, None)

    def as_dict(self, version: str | None = None) -> dict[str, Any]:
        """The table as GetTable answers, with the fields Glue adds."""
        answer = copy.deepcopy(super().as_dict(version or self.current_version))
        return {**answer, "IsRegisteredWithLakeFormation": False}


class LocalGlue(GlueBackend):
    """moto's Glue with the catalog of AWS."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.faults = Faults()

    @property
    def _url_module(self) -> Any:
        return routed(moto.glue.urls, LocalGlueResponse)

    def create_database(
        self,
        database_name: str,
        database_input: dict[str, Any],
        tags: dict[str, str] | None = None,
    ) -> FakeDatabase:
        """Create under the folded name."""
        with CATALOG:
            name = database_name.lower()
            database = super().create_database(name, {**database_input, "Name": name}, tags)
            database.created_time = clock.now().replace(tzinfo=None)
            return database

    def get_database(self, database_name: str) -> FakeDatabase:
        """The database of this name in any case."""
        return super().get_database(database_name.lower())

    def update_database(self, database_name: str, database_input: dict[str, Any]) -> None:
        """Replace the database of this name in any case."""
        super().update_database(database_name.lower(), database_input)

    def delete_database(self, database_name: str) -> None:
        """Drop the database of this name in any case, and its tables."""
        with CATALOG:
            super().delete_database(database_name.lower())

    def create_table(
        self,
        database_name: str,
        table_name: str,
        table_input: dict[str, Any],
        open_table_format_input: dict[str, Any] | None = None,
    ) -> FakeTable:
        """Create under the folded name, as version 0."""
        database, name = database_name.lower(), table_name.lower()
        with CATALOG:
            stock = super().create_table(
                database, name, with_defaults(table_input), open_table_format_input
            )
            table = cast("VersionedTable", VersionedTable(stock))
            self.get_database(database).tables[name] = table
            return table

    def get_table(self, database_name: str, table_name: str) -> FakeTable:
        """The table of this name in any case."""
        return super().get_table(database_name, table_name.lower())

    def get_tables(self, database_name: str, expression: str | None) -> list[FakeTable]:
        """The tables whose names match."""
        with CATALOG:
            return super().get_tables(database_name, expression)

    def delete_table(self, database_name: str, table_name: str) -> None:
        """Drop the table of this name in any case."""
        with CATALOG:
            super().delete_table(database_name, table_name.lower())

    def update_table(
        self,
        database_name: str,
        table_name: str,
        table_input: dict[str, Any],
        version_id: str | None = None,
        skip_archive: bool = False,
    ) -> None:
        """Replace a table's definition.

        Args:
            database_name: The database, in any case.
            table_name: The table, in any case.
            table_input: The new definition.
            version_id: The version the caller read; another current one refuses the update.
            skip_archive: Whether the replaced version is not kept.

        Raises:
            JsonRESTError: ConcurrentModificationException.
        """
        with CATALOG:
            table = self.versioned(database_name, table_name)
            if version_id is not None and version_id != table.current_version:
                raise JsonRESTError(
                    "ConcurrentModificationException",
                    "Update table failed due to concurrent modifications.",
                )
            table.replace(with_defaults(table_input), skip_archive=skip_archive)

    def versioned(self, database_name: str, table_name: str) -> VersionedTable:
        """A table, as this backend keeps it."""
        return cast("VersionedTable", self.get_table(database_name, table_name))

    def get_table_versions(self, database_name: str, table_name: str) -> dict[str, dict[str, Any]]:
        """Every version that is kept, newest first."""
        with CATALOG:
            table = self.versioned(database_name, table_name)
            newest_first = sorted(table.versions, key=int, reverse=True)
            return {version: table.as_dict(version) for version in newest_first}

    def delete_table_version(self, database_name: str, table_name: str, version_id: str) -> None:
        """Forget one archived version.

        Raises:
            JsonRESTError: There is no such version, or it is the current one.
        """
        with CATALOG:
            table = self.versioned(database_name, table_name)
            if version_id == table.current_version:
                raise JsonRESTError(
                    "InvalidInputException", f"Cannot delete the current version {version_id}."
                )
            table.get_version(version_id)
            table.delete_version(version_id)


class LocalGlueResponse(GlueResponse):
    """The calls whose answers differ from moto's."""

    @property
    def backend(self) -> LocalGlue:
        """This call's backend."""
        return cast("LocalGlue", glue_backends[self.current_account][self.region])

    def call_action(self) -> Any:
        """Answer one call: the fault that was ordered for it, or the truth."""
        # A query that became due by the clock has changed the catalog before this call reads it.
        queries: Any = athena_backends[self.current_account][self.region]
        if hasattr(queries, "settle"):
            queries.settle()
        return self.backend.faults.answer(self._get_action()) or super().call_action()

    def get_databases(self) -> ActionResult:
        """GetDatabases, in pages."""
        with CATALOG:
            found = sorted(self.backend.get_databases(), key=lambda one: one.name)
        page, more = self._page(found, MAX_PAGE)
        return ActionResult({"DatabaseList": [one.as_dict() for one in page], **more})

    def get_tables(self) -> ActionResult:
        """GetTables, in pages."""
        found = self.backend.get_tables(
            self.parameters["DatabaseName"], self.parameters.get("Expression")
        )
        page, more = self._page(sorted(found, key=lambda one: one.name), MAX_PAGE)
        return ActionResult({"TableList": [one.as_dict() for one in page], **more})

    def get_partitions(self) -> ActionResult:
        """GetPartitions, in pages."""
        with CATALOG:
            found = self.backend.get_partitions(
                self.parameters["DatabaseName"],
                self.parameters["TableName"],
                self.parameters.get("Expression", ""),
            )
        page, more = self._page(found, MAX_PARTITIONS_PAGE)
        return ActionResult({"Partitions": [one.as_dict() for one in page], **more})

    def update_table(self) -> ActionResult:
        """UpdateTable with VersionId and SkipArchive."""
        table_input = self.parameters["TableInput"]
        self.backend.update_table(
            self.parameters["DatabaseName"],
            table_input["Name"],
            table_input,
            self.parameters.get("VersionId"),
            self.parameters.get("SkipArchive", False),
        )
        return EmptyResult()

    def get_table_versions(self) -> ActionResult:
        """GetTableVersions, newest first, in pages."""
        versions = self.backend.get_table_versions(
            self.parameters["DatabaseName"], self.parameters["TableName"]
        )
        page, more = self._page(list(versions.items()), MAX_PAGE)
        shown = [{"Table": table, "VersionId": version} for version, table in page]
        return ActionResult({"TableVersions": shown, **more})

    def get_table_version(self) -> ActionResult:
        """GetTableVersion; without a version, the current one."""
        table = self.backend.versioned(
            self.parameters["DatabaseName"], self.parameters["TableName"]
        )
        version = self.parameters.get("VersionId") or table.current_version
        shown = {"Table": table.as_dict(version), "VersionId": version}
        return ActionResult({"TableVersion": shown})

    def batch_delete_table_version(self) -> ActionResult:
        """BatchDeleteTableVersion: what cannot be deleted is reported, the rest is gone."""
        database, table = self.parameters["DatabaseName"], self.parameters["TableName"]
        versions = cast("list[str]", self.parameters["VersionIds"])
        if len(versions) > MAX_PAGE:
            raise JsonRESTError(
                "InvalidInputException", f"At most {MAX_PAGE} versions can be deleted at once."
            )
        self.backend.get_table(database, table)
        errors: list[dict[str, Any]] = []
        for version in versions:
            try:
                self.backend.delete_table_version(database, table, version)
            except JsonRESTError as error:
                detail = {"ErrorCode": error.error_type, "ErrorMessage": error.message}
                errors.append({"TableName": table, "VersionId": version, "ErrorDetail": detail})
        return ActionResult({"Errors": errors})

    def _page(self, found: Sequence[T], most: int) -> tuple[Sequence[T], dict[str, str]]:
        """One page of a list, and the NextToken if there is more."""
        token = self.parameters.get("NextToken") or "0"
        if not token.isdecimal():
            raise JsonRESTError("InvalidInputException", f"Invalid NextToken: {token}")
        start, size = int(token), min(self.parameters.get("MaxResults") or most, most)
        more = {"NextToken": str(start + size)} if start + size < len(found) else {}
        return found[start : start + size], more


def with_defaults(table_input: dict[str, Any]) -> dict[str, Any]:
    """A TableInput with what Glue fills in and GetTable shows."""
    table = copy.deepcopy(table_input)
    table["Name"] = table["Name"].lower()
    table.setdefault("Retention", 0)
    storage = table.get("StorageDescriptor")
    if storage is not None:
        storage.setdefault("Compressed", False)
        storage.setdefault("NumberOfBuckets", 0)
        storage.setdefault("SortColumns", [])
        storage.setdefault("StoredAsSubDirectories", False)
    return table


def overrides() -> list[tuple[Any, type[Any]]]:
    """What `local.install` puts in the place of moto's Glue."""
    require_members(FakeTable, "update", "as_dict", "get_version", "delete_version")
    require_members(GlueBackend, "get_table", "create_table", "update_table", "get_table_versions")
    require_members(GlueResponse, "call_action", "_get_action", "parameters")
    return [(glue_backends, LocalGlue)]
