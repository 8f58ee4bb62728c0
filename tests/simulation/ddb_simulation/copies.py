"""UNLOAD as Athena does it, file by file and without a commit, and what a typed copy may show."""

import io
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from .exports import SimulatedExport
from .promises import BrokenPromise

if TYPE_CHECKING:
    from .world import World

#: How the typed copy of a table is called: the table's name and this.
COPY = "_copy"

_UNLOAD = re.compile(
    r'UNLOAD \(\n.*FROM "(?P<database>[^"]+)"\."(?P<table>[^"]+)" AS "raw"\n'
    r'WHERE "\$path" >= \'(?P<first>[^\']+)\' AND "\$path" < \'(?P<after>[^\']+)\'\n\)\n'
    r"TO 's3://(?P<bucket>[^/]+)/(?P<folder>[^']+)'\n"
    r"WITH \(format = 'PARQUET', compression = 'ZSTD'\)",
    re.DOTALL,
)


@cache
def parquet(rows: int) -> bytes:
    """A file of so many rows."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"n": pa.array(range(rows))}), sink, compression="zstd")
    return sink.getvalue()


class Unloads:
    """What UNLOAD queries write, and the promises about it."""

    def __init__(self, world: "World") -> None:
        self._world = world
        #: Copies' tables -> the raw tables they belong to.
        self.owners: dict[tuple[str, str], tuple[str, str]] = {}

    @staticmethod
    def match(sql: str) -> re.Match[str] | None:
        """The statement, if it is an UNLOAD; it has to be one Athena takes."""
        found = _UNLOAD.fullmatch(sql)
        if found is None and sql.startswith("UNLOAD"):
            raise BrokenPromise("contract", f"an UNLOAD the simulation does not know: {sql}")
        return found

    def starting(self, sql: str) -> None:
        """A query that Athena did not know by its token: it is billed."""
        statement = self.match(sql)
        if statement is None:
            return
        for other in self._world.athena.queries.values():
            known = self.match(other.sql)
            same = known is not None and known["first"] == statement["first"]
            if same and (other.active or (other.state == "SUCCEEDED" and other.wrote)):
                raise BrokenPromise(
                    "never twice", f"{other.query_id} of the same export is {other.state}"
                )

    def begin(self, query: Any) -> bool:
        """Plan it and write the first file; False where the folder is not empty."""
        statement = self.match(query.sql)
        assert statement is not None
        if self._world.s3.under(statement["bucket"], statement["folder"]):
            return False
        # Athena lists the table's files as it begins: what moves it later changes nothing.
        location = self._world.glue.location((statement["database"], statement["table"]))
        export = self._world.dynamodb.by_location.get(location or "")
        query.rows = len(export.lines) if export and location == statement["first"] else 0
        self._write(query, statement, 0, query.rows // 2)
        return True

    def finish(self, query: Any) -> None:
        """Write the rest."""
        statement = self.match(query.sql)
        assert statement is not None
        self._write(query, statement, 1, query.rows - query.rows // 2)
        query.wrote = query.rows > 0

    def _write(self, query: Any, statement: re.Match[str], part: int, rows: int) -> None:
        if rows:
            key = f"{statement['folder']}{query.query_id}_{part}"
            self._world.s3.put(statement["bucket"], key, parquet(rows))

    # -- promises ----------------------------------------------------------------------------

    def shows(self, raw: tuple[str, str], export: SimulatedExport) -> bool:
        """Whether the copy of this table lies at the export."""
        copies = [copy for copy, owner in self.owners.items() if owner == raw]
        return any(self.export_at(self._world.glue.location(copy)) is export for copy in copies)

    def export_at(self, location: str | None) -> SimulatedExport | None:
        """The export a copy's location belongs to."""
        root = (location or "").partition("parquet/")[0]
        return self._world.dynamodb.by_location.get(f"{root}data/")

    def moved(self, key: tuple[str, str], after: str | None) -> None:
        """A copy's table is moved: only to all the rows of an export of its table."""
        if after is None:
            raise BrokenPromise("never half", f"the copy {key[1]} was dropped")
        export = self.export_at(after)
        if export is None:
            raise BrokenPromise("never half", f"the copy {key[1]} moved to {after}, no copy")
        owner = self._world.audit.owners[self.owners[key]]
        if export.table.name != owner:
            raise BrokenPromise("never half", f"the copy {key[1]} shows {export.arn}")
        if not self.whole(after, export):
            raise BrokenPromise("never half", f"the copy {key[1]} moved to a part of {export.arn}")
        raw = self._world.glue.location(self.owners[key])
        if self._world.alone and raw != export.location:
            raise BrokenPromise("never backwards", f"the copy {key[1]} left its table at {raw}")

    def whole(self, location: str, export: SimulatedExport) -> bool:
        """Whether what Athena reads there are the export's rows, each once."""
        bucket, _, folder = location.removeprefix("s3://").partition("/")
        found = self._world.s3.under(bucket, folder).values()
        rows = sum(pq.read_metadata(pa.BufferReader(o.content)).num_rows for o in found)
        return rows == len(export.lines)

    def check(self) -> None:
        """Each copy can be read in full."""
        for key in self.owners:
            location = self._world.glue.location(key)
            export = self.export_at(location)
            if location and export is not None and not self.whole(location, export):
                raise BrokenPromise("never half", f"the copy {key[1]} lost rows")

    def follow(self) -> None:
        """At the end each copy shows what its table shows."""
        for key, raw in self.owners.items():
            shown, standing = self._world.glue.location(key), self._world.glue.location(raw)
            export = self.export_at(shown)
            if export is None or export.location != standing:
                raise BrokenPromise(
                    "never backwards", f"the copy {key[1]} ends at {shown}, its table at {standing}"
                )
