"""The Glue Data Catalog: versions, and updates that compare before they swap."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ddb_assets.core.ports import CatalogTable
from ddb_assets.errors import CatalogConflictError, VersionConflictError

from .promises import BrokenPromise


@dataclass
class GlueTable:
    """All versions of one table, oldest first."""

    versions: list[CatalogTable] = field(default_factory=list)

    @property
    def current(self) -> CatalogTable:
        """What GetTable answers."""
        return self.versions[-1]


#: Told of every change: table key, location before, location after.
Watcher = Callable[[tuple[str, str], str | None, str | None], None]


class Glue:
    """Databases and tables; tells its watcher whenever a table's location is written."""

    def __init__(self, now: Callable[[], datetime], watcher: Watcher) -> None:
        self._now = now
        self._watcher = watcher
        self.databases: set[str] = set()
        self.tables: dict[tuple[str, str], GlueTable] = {}

    def location(self, key: tuple[str, str]) -> str | None:
        """Where a table lies now."""
        table = self.tables.get(key)
        return table.current.location if table else None

    def get_table(self, database: str, table: str) -> CatalogTable | None:
        """A copy: nobody changes the catalog by changing what was read."""
        found = self.tables.get((database, table))
        return copy.deepcopy(found.current) if found else None

    def create_table(self, database: str, table_input: Mapping[str, Any]) -> None:
        """Version 0."""
        key = (database, self._name(table_input))
        if database not in self.databases:
            raise CatalogConflictError(
                f"the database {database} does not exist",
                code="EntityNotFoundException",
                remedy="Create it.",
            )
        if key in self.tables:
            raise VersionConflictError(
                "somebody created the table meanwhile",
                code="AlreadyExistsException",
                remedy="Read it again.",
            )
        self.tables[key] = GlueTable()
        self._append(key, table_input, before=None)

    def update_table(
        self, database: str, table_input: Mapping[str, Any], *, version_id: str
    ) -> None:
        """The next version, if the one that was read is still the current one."""
        key = (database, self._name(table_input))
        table = self.tables.get(key)
        if table is None:
            raise CatalogConflictError(
                "the table is gone", code="EntityNotFoundException", remedy="Refresh again."
            )
        if table.current.version_id != version_id:
            raise VersionConflictError(
                f"version {version_id} is not the current one ({table.current.version_id})",
                code="ConcurrentModificationException",
                remedy="Read it again.",
            )
        self._append(key, table_input, before=table.current.location)

    def delete_table(self, database: str, table: str) -> None:
        """Drop it with its versions."""
        key = (database, table)
        if (found := self.tables.pop(key, None)) is not None:
            self._watcher(key, found.current.location, None)

    def set_location(self, key: tuple[str, str], location: str) -> None:
        """What Athena's ALTER TABLE does underneath: no version is compared."""
        table = self.tables[key]
        table_input = copy.deepcopy(dict(table.current.table_input))
        table_input["StorageDescriptor"]["Location"] = location
        self._append(key, table_input, before=table.current.location)

    def edit(self, key: tuple[str, str], **parameters: str) -> None:
        """Somebody else changes a property of the table."""
        table = self.tables[key]
        table_input = copy.deepcopy(dict(table.current.table_input))
        table_input["Parameters"] = {**(table_input.get("Parameters") or {}), **parameters}
        self._append(key, table_input, before=table.current.location)

    def table_versions(self, database: str, table: str) -> list[CatalogTable]:
        """Newest first; like GetTableVersions, with the current one."""
        found = self.tables.get((database, table))
        return [copy.deepcopy(v) for v in reversed(found.versions)] if found else []

    def _append(
        self, key: tuple[str, str], table_input: Mapping[str, Any], *, before: str | None
    ) -> None:
        versions = self.tables[key].versions
        version = CatalogTable(
            database=key[0],
            name=key[1],
            table_input=copy.deepcopy(dict(table_input)),
            version_id=str(len(versions)),
            updated=self._now(),
        )
        versions.append(version)
        if version.location != before or len(versions) == 1:
            self._watcher(key, before, version.location)

    @staticmethod
    def _name(table_input: Mapping[str, Any]) -> str:
        name = str(table_input["Name"])
        if name != name.lower():
            raise BrokenPromise("contract", f"Glue names are lower case: {name}")
        return name
