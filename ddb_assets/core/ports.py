"""What the refresh needs of the world: small protocols, implemented by `ddb_assets.aws`.

Every method raises only `ddb_assets.errors` classes; none is retried here beyond what the SDK does
for a single call. Buckets and keys are plain names, never URIs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from ddb_assets.core.export import Export, ExportSummary, Pitr, TableDescription
from ddb_assets.core.request import ExportRequest
from ddb_assets.core.spec import SseAlgorithm
from ddb_assets.schema.profile import Profile

QueryState = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]


class DynamoDB(Protocol):
    """Tables, point-in-time recovery and exports."""

    def describe_table(self, name: str) -> TableDescription:
        """Raises TableNotFoundError."""
        ...

    def describe_pitr(self, name: str) -> Pitr:
        """Raises TableNotFoundError."""
        ...

    def tags(self, table_arn: str) -> dict[str, str]:
        """DynamoDB's tags of the table, all pages. Raises TableNotFoundError."""
        ...

    def start_export(self, request: ExportRequest) -> Export:
        """Start it, or get the one already started with the same client token."""
        ...

    def describe_export(self, arn: str) -> Export:
        """Raises ExportNotFoundError."""
        ...

    def list_exports(self, table_arn: str | None = None) -> Iterator[ExportSummary]:
        """All pages, lazily; newest first within a table."""
        ...


@dataclass(frozen=True)
class StoredObject:
    """One line of a bucket's listing; the etag without quotes."""

    key: str
    size: int
    etag: str


class ObjectStore(Protocol):
    """S3."""

    def read(self, bucket: str, key: str) -> bytes:
        """The whole object. Raises ManifestMissingError when there is none."""
        ...

    def stream(self, bucket: str, key: str, chunk_bytes: int = 1 << 20) -> Iterator[bytes]:
        """The object piece by piece. Raises ExportObjectsGoneError when there is none."""
        ...

    def tail(self, bucket: str, key: str, count: int) -> bytes:
        """The last `count` bytes, or all there are. Raises ExportObjectsGoneError if it is gone."""
        ...

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Every object whose key begins with the prefix."""
        ...

    def write(
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        sse_algorithm: SseAlgorithm | None = None,
        kms_key_id: str | None = None,
    ) -> None:
        """Put a small object there, in place of what was; None is the bucket's own encryption."""
        ...

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        """Delete these keys; a key that is not there is no error."""
        ...


@dataclass(frozen=True)
class CatalogTable:
    """A Glue table as read.

    Attributes:
        table_input: What UpdateTable accepts back (aws-contract: an allow-list of fields).
        version_id: The version that was read; the other half of the compare-and-swap.
    """

    database: str
    name: str
    table_input: Mapping[str, Any] = field(repr=False)
    version_id: str | None = None
    updated: datetime | None = None

    @property
    def location(self) -> str | None:
        """Where the table's data lies."""
        return self.table_input.get("StorageDescriptor", {}).get("Location")

    @property
    def columns(self) -> tuple[tuple[str, str, str], ...]:
        """(name, Hive type, comment) of every column."""
        columns = self.table_input.get("StorageDescriptor", {}).get("Columns", ())
        return tuple((c["Name"], c.get("Type", ""), c.get("Comment", "")) for c in columns)

    @property
    def parameters(self) -> dict[str, str]:
        """The table's properties."""
        return dict(self.table_input.get("Parameters") or {})


class Catalog(Protocol):
    """The Glue Data Catalog. Names are lower case."""

    def has_database(self, database: str) -> bool:
        """Whether the database exists."""
        ...

    def create_database(self, database: str) -> None:
        """Create it; that it exists by now is no error."""
        ...

    def get_table(self, database: str, table: str) -> CatalogTable | None:
        """The table, or None."""
        ...

    def create_table(self, database: str, table_input: Mapping[str, Any]) -> None:
        """Raises VersionConflictError when somebody created it meanwhile."""
        ...

    def update_table(
        self, database: str, table_input: Mapping[str, Any], *, version_id: str
    ) -> None:
        """Replace the version that was read. Raises VersionConflictError when it is not current."""
        ...

    def delete_table(self, database: str, table: str) -> None:
        """Drop it; that it is not there is no error. Only to undo a creation of the same run."""
        ...

    def table_versions(self, database: str, table: str) -> Iterator[CatalogTable]:
        """Archived versions (AWS lists the current one, too), newest first, lazily."""
        ...


@dataclass(frozen=True)
class QueryStatus:
    """One Athena query execution."""

    query_id: str
    state: QueryState
    reason: str | None = None
    retryable: bool = False
    error_category: int | None = None
    scanned_bytes: int | None = None
    output_location: str | None = None


class QueryEngine(Protocol):
    """Athena."""

    def start(self, sql: str, *, database: str, workgroup: str, token: str) -> str:
        """Start a query and return its id; a token (32–128 characters) repeated, the same id."""
        ...

    def statuses(self, query_ids: Sequence[str]) -> dict[str, QueryStatus]:
        """State of each (BatchGetQueryExecution, at most 50 a call, paged here)."""
        ...

    def stop(self, query_id: str) -> None:
        """Ask Athena to cancel it."""
        ...

    def rows(self, query_id: str) -> Iterator[tuple[str | None, ...]]:
        """The result's rows as text, all pages, the header row first."""
        ...


@dataclass(frozen=True)
class Gateways:
    """The four services the refresh talks to, in one account, region and identity."""

    dynamodb: DynamoDB
    objects: ObjectStore
    catalog: Catalog
    queries: QueryEngine


class ProfileLines(Protocol):
    """Says what items hold; made anew for each table, so that it may learn as it reads."""

    def __call__(self, lines: bytes) -> Profile:
        """The profile of whole lines of a data file, about a megabyte, each `{"Item":{…}}`.

        The last line may lack its newline. Raises ManifestInvalidError when a line is no item.
        """
        ...


#: Makes the `ProfileLines` of one table.
Profiling = Callable[[], ProfileLines]


@dataclass(frozen=True)
class ExportNote:
    """The ledger's entry for one launched export; written the moment AWS answered."""

    table_arn: str
    table_id: str
    export_arn: str
    client_token: str
    launch: int
    export_time: datetime | None = None


class Ledger(Protocol):
    """What this run (and the runs it retries) already started and finished."""

    def find(self, table: str) -> ExportNote | None:
        """The newest note for a DynamoDB table, this run's first; None when there is none."""
        ...

    def record(self, table: str, note: ExportNote) -> None:
        """Write the note at once; it must survive a crash of the process."""
        ...


@dataclass(frozen=True)
class PastExport:
    """How long an earlier export of the same table took, and how large it was."""

    seconds: float
    items: int | None = None
    billed_bytes: int | None = None


class History(Protocol):
    """Durations of earlier exports of a table, newest first; may be empty."""

    def durations(self, table: str) -> Sequence[PastExport]:
        """At most some tens of them."""
        ...

    def peers(self, table: str) -> Sequence[PastExport]:
        """The newest export of each other table that is known; what a new table is judged by."""
        ...


Stage = Literal[
    "described",
    "started",
    "reattached",
    "waiting",
    "completed",
    "verified",
    "inferring",
    "warned",
    "publishing",
    "published",
    "unchanged",
    "copying",
    "copied",
    "retrying",
    "failed",
    "left_running",
]


@dataclass(frozen=True)
class RefreshEvent:
    """One state change of one table, for logs and progress displays.

    Attributes:
        message: A sentence a person can read at night; begins with the table's name.
        details: Facts for structured logs (arn, elapsed and expected seconds, items).
    """

    table: str
    stage: Stage
    message: str
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Listener(Protocol):
    """Hears every RefreshEvent; must not raise."""

    def __call__(self, event: RefreshEvent) -> None:
        """Take note of it."""
        ...
