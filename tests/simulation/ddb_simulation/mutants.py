"""The product with one promise broken on purpose; the simulation has to notice each."""

import base64
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ddb_assets.core.export import Export, ExportSummary, TableDescription
from ddb_assets.core.options import RefreshOptions
from ddb_assets.core.outcome import Failed, Outcome
from ddb_assets.core.ports import CatalogTable, ExportNote, Gateways, QueryStatus, StoredObject
from ddb_assets.core.refreshing.refresh import refresh
from ddb_assets.core.request import ExportRequest

from .copies import parquet
from .process import Process
from .runner import Mutant
from .world import World


class _Wrapped:
    """Passes on whatever a mutant does not change."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def _service(name: str, wrap: Callable[[Any], Any]) -> Callable[[Process, Gateways], Gateways]:
    return lambda _process, gateways: replace(gateways, **{name: wrap(getattr(gateways, name))})


class _DropsTheToken(_Wrapped):
    fresh = itertools.count()

    def start_export(self, request: ExportRequest) -> Export:
        return self.inner.start_export(replace(request, intent_id=f"any-{next(self.fresh)}"))


class _OneTokenForEver(_Wrapped):
    def start_export(self, request: ExportRequest) -> Export:
        return self.inner.start_export(replace(request, intent_id="always"))


class _ForgetsTheLaunch(_Wrapped):
    def start_export(self, request: ExportRequest) -> Export:
        return self.inner.start_export(replace(request, launch=0))


class _WaitsForTheFailed(_Wrapped):
    def describe_export(self, arn: str) -> Export:
        export = self.inner.describe_export(arn)
        return replace(export, status="IN_PROGRESS") if export.status == "FAILED" else export


class _KnowsTheTableByHeart(_Wrapped):
    """Remembers a table's id for ever, as a process that never looks again would."""

    def __init__(self, inner: Any, ids: dict[str, TableDescription]) -> None:
        super().__init__(inner)
        self.ids = ids

    def describe_table(self, name: str) -> TableDescription:
        return self.ids.setdefault(name, self.inner.describe_table(name))


class _NewTokens(_Wrapped):
    fresh = itertools.count()

    def start(self, sql: str, **arguments: Any) -> str:
        return self.inner.start(sql, **{**arguments, "token": f"{next(self.fresh):032d}"})


class _TakesFailuresForSuccess(_Wrapped):
    def statuses(self, query_ids: Sequence[str]) -> dict[str, QueryStatus]:
        found = self.inner.statuses(query_ids)
        return {
            query_id: replace(status, state="SUCCEEDED") if status.state == "FAILED" else status
            for query_id, status in found.items()
        }


class _CountsWhatItWants(_Wrapped):
    """The footers say whatever the export has, however many files there are."""

    def __init__(self, inner: Any, world: World) -> None:
        super().__init__(inner)
        self.world = world

    def tail(self, bucket: str, key: str, count: int) -> bytes:
        self.inner.tail(bucket, key, count)
        export = self.world.unloads.export_at(f"s3://{bucket}/{key}")
        assert export is not None
        return parquet(len(export.lines) if key.endswith("_0") else 0)


def _believes_copies(process: Process, gateways: Gateways) -> Gateways:
    return replace(
        gateways,
        queries=_TakesFailuresForSuccess(gateways.queries),
        objects=_CountsWhatItWants(gateways.objects, process.world),
    )


class _BelievesTheChecksums(_Wrapped):
    def read(self, bucket: str, key: str) -> bytes:
        content = self.inner.read(bucket, key)
        if not key.endswith(".md5"):
            return content
        checked = self.inner.read(bucket, key.removesuffix(".md5") + ".json")
        return base64.b64encode(hashlib.md5(checked).digest())


class _BelievesTheManifest(_Wrapped):
    """Lists what the manifest names, not what lies there."""

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        found = {stored.key: stored for stored in self.inner.list(bucket, prefix)}
        manifest = self.inner.read(bucket, prefix.removesuffix("data/") + "manifest-files.json")
        for line in manifest.splitlines():
            entry = json.loads(line)
            key = entry["dataFileS3Key"]
            size = found[key].size if key in found else 20
            yield StoredObject(key, size, entry["etag"])


class _LosesAFile(_Wrapped):
    """A smaller export that fits together: the last file is not there for this reader."""

    def read(self, bucket: str, key: str) -> bytes:
        name = key.rpartition("/")[2]
        content = self.inner.read(bucket, key)
        if name == "manifest-files.json":
            return b"".join(content.splitlines(keepends=True)[:-1])
        if name == "manifest-summary.json":
            summary = json.loads(content)
            files = self.read(bucket, key.replace("-summary", "-files"))
            summary["itemCount"] = sum(json.loads(line)["itemCount"] for line in files.splitlines())
            return json.dumps(summary).encode()
        if name.endswith(".md5"):
            checked = self.read(bucket, key.removesuffix(".md5") + ".json")
            return base64.b64encode(hashlib.md5(checked).digest())
        return content

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        kept = self.read(bucket, prefix.removesuffix("data/") + "manifest-files.json").decode()
        return (stored for stored in self.inner.list(bucket, prefix) if stored.key in kept)


class _IgnoresTheVersion(_Wrapped):
    def update_table(
        self, database: str, table_input: Mapping[str, Any], *, version_id: str
    ) -> None:
        name = str(table_input["Name"])
        glue = self.inner._aws

        def overwrite() -> None:
            current = glue.get_table(database, name)
            glue.update_table(database, table_input, version_id=current.version_id)

        self.inner._process.call("catalog.update_table", name, overwrite)


class _KnowsNoVersions(_Wrapped):
    """Does not look at what its ALTER TABLE ran over."""

    def table_versions(self, database: str, table: str) -> Iterator[CatalogTable]:
        return iter(list(self.inner.table_versions(database, table))[:1])


class _NeverPutsBack(_Wrapped):
    """Leaves the moved tables of a cut where they are when another one fails."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.left: set[str] = set()

    def update_table(
        self, database: str, table_input: Mapping[str, Any], *, version_id: str
    ) -> None:
        if table_input["StorageDescriptor"]["Location"] in self.left:
            return
        before = self.inner._aws.get_table(database, table_input["Name"])
        self.inner.update_table(database, table_input, version_id=version_id)
        if before is not None and before.location:
            self.left.add(before.location)


class _ListsNothing(_Wrapped):
    def list_exports(self, table_arn: str | None = None) -> Iterator[ExportSummary]:
        return (found for found in self.inner.list_exports(table_arn) if not found.arn)


class _CountsNothing(_Wrapped):
    def describe_export(self, arn: str) -> Export:
        return replace(self.inner.describe_export(arn), item_count=None)


class _ForgetsNotes(_Wrapped):
    def find(self, table: str) -> ExportNote | None:
        self.inner.find(table)
        return None


class _WritesNoNotes(_Wrapped):
    def record(self, table: str, note: ExportNote) -> None:
        pass


def _one_by_one(options: RefreshOptions) -> RefreshOptions:
    return replace(options, consistent_groups=frozenset())


def _any_age(options: RefreshOptions) -> RefreshOptions:
    return replace(options, allow_older=True)


def _stops_at_the_first_error(*args: Any, **kwargs: Any) -> Iterator[Outcome]:
    for outcome in refresh(*args, **kwargs):
        if isinstance(outcome, Failed):
            raise outcome.error
        yield outcome


def _says_little(*args: Any, **kwargs: Any) -> Iterator[Outcome]:
    for outcome in refresh(*args, **kwargs):
        if isinstance(outcome, Failed):
            outcome.error.remedy = None
        yield outcome


def _keeps_quiet(*args: Any, **kwargs: Any) -> Iterator[Outcome]:
    return (o for o in refresh(*args, **kwargs) if not isinstance(o, Failed))


def _loses_a_file(_process: Process, gateways: Gateways) -> Gateways:
    return replace(
        gateways,
        dynamodb=_CountsNothing(gateways.dynamodb),
        objects=_LosesAFile(gateways.objects),
    )


def _by_heart() -> Callable[[Process, Gateways], Gateways]:
    known: dict[int, dict[str, TableDescription]] = {}
    return lambda process, gateways: replace(
        gateways,
        dynamodb=_KnowsTheTableByHeart(gateways.dynamodb, known.setdefault(id(process.world), {})),
    )


def mutants() -> Sequence[Mutant]:
    """Each promise, broken in turn."""
    return (
        Mutant("drops the token", gateways=_service("dynamodb", _DropsTheToken)),
        Mutant("one token for every run", gateways=_service("dynamodb", _OneTokenForEver)),
        Mutant("same launch after FAILED", gateways=_service("dynamodb", _ForgetsTheLaunch)),
        Mutant("waits for a failed export", gateways=_service("dynamodb", _WaitsForTheFailed)),
        Mutant("never looks at the table id again", gateways=_by_heart()),
        Mutant(
            "forgets every export",
            gateways=_service("dynamodb", _ListsNothing),
            ledger=lambda _process, ledger: _ForgetsNotes(ledger),
        ),
        Mutant(
            "writes no note",
            gateways=_service("dynamodb", _ListsNothing),
            ledger=lambda _process, ledger: _WritesNoNotes(ledger),
        ),
        Mutant("believes the checksums", gateways=_service("objects", _BelievesTheChecksums)),
        Mutant("publishes without listing", gateways=_service("objects", _BelievesTheManifest)),
        Mutant("loses a file", gateways=_loses_a_file),
        Mutant("ignores the Glue version", gateways=_service("catalog", _IgnoresTheVersion)),
        Mutant("ignores what ALTER TABLE ran over", gateways=_service("catalog", _KnowsNoVersions)),
        Mutant("never puts a cut back", gateways=_service("catalog", _NeverPutsBack)),
        Mutant("ignores the export time", options=_any_age),
        Mutant("publishes a cut one by one", options=_one_by_one),
        Mutant("stops at the first error", refresh=_stops_at_the_first_error),
        Mutant("pays for a copy again", gateways=_service("queries", _NewTokens)),
        Mutant("believes a half copy", gateways=_believes_copies),
        Mutant("names no remedy", refresh=_says_little),
        Mutant("says nothing of failures", refresh=_keeps_quiet),
    )
