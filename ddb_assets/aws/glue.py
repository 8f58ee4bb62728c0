"""The Glue Data Catalog: databases, tables and their versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ddb_assets.aws.answers import required, utc
from ddb_assets.aws.errors import translated
from ddb_assets.aws.subject import Subject
from ddb_assets.core.ports import CatalogTable

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

# What UpdateTable accepts back of what GetTable gives (SDK model: TableInput). GetTable also
# gives CreateTime, CreatedBy, VersionId, …, which UpdateTable refuses.
TABLE_INPUT_FIELDS = (
    "Name",
    "Description",
    "Owner",
    "LastAccessTime",
    "LastAnalyzedTime",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "ViewOriginalText",
    "ViewExpandedText",
    "TableType",
    "Parameters",
    "TargetTable",
    "FederatedTable",
    "ViewDefinition",
)


class GlueGateway:
    """`core.ports.Catalog` over boto3.

    Every update is archived by Glue as a version: the history a rollback is made from.
    """

    def __init__(self, client: Callable[[], GlueClient], catalog_id: str | None = None) -> None:
        """Make the gateway.

        Args:
            client: Asked for at each call; may be made then.
            catalog_id: Account whose catalog is meant; None is the caller's own.
        """
        self._client = client
        self._catalog: dict[str, Any] = {"CatalogId": catalog_id} if catalog_id else {}

    def has_database(self, database: str) -> bool:
        """Whether the database exists."""
        with translated(Subject(catalog_table=database)):
            client = self._client()
            try:
                client.get_database(Name=database, **self._catalog)
            except client.exceptions.EntityNotFoundException:
                return False
        return True

    def create_database(self, database: str) -> None:
        """Create it; that it exists by now is no error."""
        with translated(Subject(catalog_table=database)):
            client = self._client()
            try:
                client.create_database(DatabaseInput={"Name": database}, **self._catalog)
            except client.exceptions.AlreadyExistsException:
                return

    def get_table(self, database: str, table: str) -> CatalogTable | None:
        """The table, or None where it or its database does not exist."""
        with translated(_subject(database, table)):
            client = self._client()
            try:
                answer: Any = client.get_table(DatabaseName=database, Name=table, **self._catalog)
            except client.exceptions.EntityNotFoundException:
                return None
        found = required(answer, "Table", "GetTable")
        return _table(database, found, found.get("VersionId"))

    def create_table(self, database: str, table_input: Mapping[str, Any]) -> None:
        """Raises VersionConflictError when somebody created it (or dropped the database)."""
        content: Any = allowed(table_input)
        with translated(_subject(database, content.get("Name", ""))):
            self._client().create_table(DatabaseName=database, TableInput=content, **self._catalog)

    def update_table(
        self, database: str, table_input: Mapping[str, Any], *, version_id: str
    ) -> None:
        """Replace the version that was read.

        With VersionId, UpdateTable is a compare-and-swap: Glue answers
        ConcurrentModificationException where that version is no longer the current one.

        Raises:
            VersionConflictError: The table was changed, replaced or dropped since it was read. A
                lost answer ends here as well, as the SDK's second try meets its own first: read
                the table before concluding anything.
        """
        content: Any = allowed(table_input)
        with translated(_subject(database, content.get("Name", ""))):
            self._client().update_table(
                DatabaseName=database, TableInput=content, VersionId=version_id, **self._catalog
            )

    def delete_table(self, database: str, table: str) -> None:
        """Drop it; that it is not there is no error."""
        with translated(_subject(database, table)):
            client = self._client()
            try:
                client.delete_table(DatabaseName=database, Name=table, **self._catalog)
            except client.exceptions.EntityNotFoundException:
                return

    def table_versions(self, database: str, table: str) -> Iterator[CatalogTable]:
        """The current version and the archived ones, newest first, a page per call.

        Raises:
            VersionConflictError: The table does not exist (any more).
        """
        subject = _subject(database, table)
        with translated(subject):
            pages = iter(
                self._client()
                .get_paginator("get_table_versions")
                .paginate(DatabaseName=database, TableName=table, **self._catalog)
            )
        while True:
            with translated(subject):
                page: Any = next(pages, None)
            if page is None:
                return
            for version in page.get("TableVersions", ()):
                found = required(version, "Table", "GetTableVersions")
                yield _table(database, found, version.get("VersionId"))


def allowed(table: Mapping[str, Any]) -> dict[str, Any]:
    """What UpdateTable accepts of a table; see TABLE_INPUT_FIELDS."""
    return {name: table[name] for name in TABLE_INPUT_FIELDS if name in table}


def _table(database: str, found: Mapping[str, Any], version_id: str | None) -> CatalogTable:
    return CatalogTable(
        database=database,
        name=found["Name"],
        table_input=allowed(found),
        version_id=version_id,
        updated=utc(found.get("UpdateTime")),
    )


def _subject(database: str, table: str) -> Subject:
    return Subject(catalog_table=f"{database}.{table}")
