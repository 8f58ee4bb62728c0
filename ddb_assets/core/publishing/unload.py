"""Has Athena write an export's items as Parquet, once: finds what is done and what still runs.

A place is named after its export, its columns and its attempt, and the query's token after the
place and the statement: whoever wants the same copy gets the same query. The first attempt's name
is fixed, each further one's is made from the query that failed before it, so that a restarted run
follows the same chain, at no cost, to the query that runs or to the first that nobody made yet.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from ddb_assets.core.locations import CopyPlace, place_of
from ddb_assets.core.manifest import Manifest
from ddb_assets.core.ports import QueryStatus, StoredObject
from ddb_assets.core.publishing.catalog import Offer
from ddb_assets.core.publishing.copy_files import (
    CopyFiles,
    complete_copy,
    counted,
    listed_copies,
)
from ddb_assets.core.publishing.queries import MAX_EXECUTIONS, Ended, QueryWatch
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Pause, Slots, Task
from ddb_assets.errors import CopyIncompleteError, QueryFailedError
from ddb_assets.schema.ddl import string_query, unload

#: AWS page "service-limits" of Athena: 20 active DML queries in the smallest regions, and other
#: people want some of them.
MAX_UNLOADS = 10
#: Attempts by earlier runs that are followed before somebody has to look.
MAX_CHAIN = 30
#: Raise it when the same columns are to be written in another way.
_FORMAT = "parquet zstd 1"
_FIRST_ATTEMPT = "0"

#: What Athena says and what a person can do about it.
_REMEDIES = (
    (
        "empty fields are illegal",
        "Athena engine version 2 cannot write empty lists and maps: choose a workgroup with engine "
        "version 3",
    ),
    (
        "access denied",
        "allow this identity s3:PutObject, s3:GetObject, s3:ListBucket and s3:AbortMultipartUpload "
        "below the exports' prefix (docs/iam-policy.md)",
    ),
    (
        "exceeded the time limit",
        "raise the account's DML timeout, declare fewer columns, or set `typed_copy: false`",
    ),
)


@dataclass(frozen=True)
class Unloaded:
    """A complete copy in S3; the query is known where this process saw it end."""

    files: CopyFiles
    status: QueryStatus | None = None


class Unloads:
    """The UNLOADs of one refresh and the limit they share."""

    def __init__(self, run: RunContext, queries: QueryWatch) -> None:
        self._run = run
        self._queries = queries
        self._slots = Slots(max(1, MAX_UNLOADS // run.options.shares))

    def unloaded(
        self, offer: Offer, select: str, layout: str, still_shown: Callable[[], Task[None]]
    ) -> Task[Unloaded]:
        """Files with all items of the export: those that are there, or new ones.

        Args:
            offer: The export.
            select: The columns, over the raw table under the alias `raw`.
            layout: Of `layout_of(select)`.
            still_shown: Raises where the raw table does not show the export any more.

        Raises:
            CopyIncompleteError: Athena wrote another number of rows than the export has items.
            DeclarationError: The statement is longer than Athena takes.
            QueryFailedError: Athena refused or failed.
            QueryStuckError: It did not end; it was cancelled.
        """
        run, spec, manifest = self._run, offer.spec, offer.manifest
        export = place_of(manifest.bucket, manifest.prefix, manifest.export_id)
        there = yield from complete_copy(run, spec.name, export, layout, manifest.items)
        if there is not None:
            return Unloaded(there)
        attempt, failures = _FIRST_ATTEMPT, 0
        for _ in range(MAX_CHAIN):
            place = CopyPlace(export, layout, attempt)
            if manifest.items == 0:
                # Nothing to write: a table without files has no rows.
                return Unloaded(CopyFiles(place))
            yield from still_shown()
            leftovers = yield from self._stored(offer, place)
            ended = yield from self._execute(offer, select, place)
            status = ended.status
            if status.state == "SUCCEEDED":
                found = yield from self._stored(offer, place)
                files = yield from counted(run, spec.name, place, found)
                if files.rows == manifest.items:
                    return Unloaded(files, status)
                # An earlier attempt's files may have been deleted since.
                if not ended.at_once:
                    yield from still_shown()
                    raise _wrong(offer, files, status)
            elif not ended.at_once and not leftovers:
                failures += 1
                if not status.retryable or status.state != "FAILED" or failures >= MAX_EXECUTIONS:
                    raise _failed(offer, status)
                yield Pause(until=run.clock.monotonic() + 5.0 * run.rng.uniform(0.5, 1.0))
            run.emit(
                spec.name,
                "retrying",
                f"query {status.query_id} left no copy ({status.reason or status.state}); trying "
                "at another place",
                query_execution_id=status.query_id,
            )
            attempt = hashlib.sha256(status.query_id.encode()).hexdigest()[:8]
        raise CopyIncompleteError(
            f"{MAX_CHAIN} queries for its typed copy ended without one",
            table=spec.name,
            remedy=f"look at the queries of workgroup {spec.workgroup}",
        )

    def _execute(self, offer: Offer, select: str, place: CopyPlace) -> Task[Ended]:
        run, spec = self._run, offer.spec
        sql = unload(
            f"{select}\nWHERE {_of_export(offer.manifest)}", place.location, of=spec.athena_name
        )
        token = hashlib.sha256(f"{place.location}\n{sql}".encode()).hexdigest()
        yield from self._slots.acquire()
        try:
            run.emit(
                spec.name,
                "copying",
                f"Athena writes {offer.manifest.items:,} items as Parquet",
                location=place.location,
            )
            return (
                yield from self._queries.once(
                    spec.name,
                    sql,
                    database=spec.database,
                    workgroup=spec.workgroup,
                    token=token,
                )
            )
        finally:
            self._slots.release()

    def _stored(self, offer: Offer, place: CopyPlace) -> Task[tuple[StoredObject, ...]]:
        found = yield from listed_copies(self._run, offer.name, place.export, place.layout)
        return found.get(place, ())


def layout_of(select: str) -> str:
    """What tells these columns from others."""
    return hashlib.sha256(f"{_FORMAT}\n{select}".encode()).hexdigest()[:16]


def _of_export(manifest: Manifest) -> str:
    """Only rows of this export's own files: the raw table may be moved before the query begins.

    `$path` is Athena's hidden column with the object a row is from (AWS page "select").
    The bounds are those of a prefix, `0` being what follows `/`; Athena skips other files by them.
    """
    location = manifest.location
    first, after = string_query(location), string_query(f"{location[:-1]}0")
    return f'"$path" >= {first} AND "$path" < {after}'


def _wrong(offer: Offer, files: CopyFiles, status: QueryStatus) -> CopyIncompleteError:
    return CopyIncompleteError(
        f"Athena wrote {files.rows:,} rows of {offer.manifest.items:,} exported items",
        table=offer.name,
        remedy=f"compare what Athena counts in {offer.spec.athena_name} with the export's items "
        "(the check row_count does), then run it again",
        query_execution_id=status.query_id,
        location=files.place.location,
    )


def _failed(offer: Offer, status: QueryStatus) -> QueryFailedError:
    reason = status.reason or "Athena gave no reason"
    what = "was cancelled" if status.state == "CANCELLED" else "failed"
    remedy = next((text for sign, text in _REMEDIES if sign in reason.lower()), None)
    return QueryFailedError(
        f"query {status.query_id}, which writes its typed copy, {what}: {reason}",
        table=offer.name,
        remedy=remedy
        or f"look at the query in workgroup {offer.spec.workgroup}, then run it again",
        query_execution_id=status.query_id,
        error_category=status.error_category,
    )
