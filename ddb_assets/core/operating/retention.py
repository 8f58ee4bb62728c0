"""Which exports may be deleted from S3, and deleting them without pulling the floor from anybody.

AWS never deletes exports. Kept are: what is published, everything newer, the last N, the last D
days, what the table showed within the rollback window or the longest query's time, and whatever
cannot be proved to be a finished export of this table. Only `EXPORT_ID/` folders are looked at: the
folder `data/` that incremental exports share is none. An export's typed copies lie in its folder,
so they stay and go with it; what a copy shows counts like what the table shows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ddb_assets.core.clock import Clock, SystemClock
from ddb_assets.core.locations import ExportPlace, place_of
from ddb_assets.core.operating.in_use import copied_place, copy_of, is_shown, recently_shown
from ddb_assets.core.operating.operator import finish, ignore, operator_context
from ddb_assets.core.ports import Gateways, Listener, StoredObject
from ddb_assets.core.publishing.publish import read_table
from ddb_assets.core.publishing.published import PublishedExport, published_export
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.core.verifying.verify import parse_time, read_summary
from ddb_assets.errors import (
    DeclarationError,
    ExportNotFoundError,
    ManifestInvalidError,
    ManifestMissingError,
)

#: AWS page "service-limits" of Athena: DML timeout 30 minutes, raisable to 240.
LONGEST_QUERY = timedelta(minutes=240)
#: A hundred years is for ever.
MAX_DAYS = 36500

_EXPORT_FOLDER = re.compile(r"^(?P<id>\d{14}-\w+)/")

Reason = Literal[
    "published",
    "shown by its typed copy",
    "nothing is published",
    "newer than what is published",
    "among the last exports",
    "young",
    "shown within the rollback window",
    "not known to be a finished export of this table",
]


@dataclass(frozen=True)
class RetentionPolicy:
    """What to keep besides what must be kept.

    Attributes:
        keep_last: So many of the newest exports, the published one included.
        keep_days: All exports younger than this.
        rollback_days: All exports the table showed within these days.
        longest_query: How long a query may go on reading an export after the table has left it.
    """

    keep_last: int = 3
    keep_days: float = 7.0
    rollback_days: float = 7.0
    longest_query: timedelta = LONGEST_QUERY


@dataclass(frozen=True)
class StoredExport:
    """One export's folder in S3."""

    place: ExportPlace
    keys: tuple[str, ...]
    stored_bytes: int

    @property
    def export_id(self) -> str:
        """The export's id."""
        return self.place.export_id


@dataclass(frozen=True)
class Kept:
    """An export that stays, and why."""

    export: StoredExport
    reason: Reason


@dataclass(frozen=True)
class PrunePlan:
    """What would be deleted, and what stays and why; newest first."""

    spec: TableSpec
    delete: tuple[StoredExport, ...]
    keep: tuple[Kept, ...]

    @property
    def freed_bytes(self) -> int:
        """How much S3 storage deleting frees."""
        return sum(export.stored_bytes for export in self.delete)


@dataclass(frozen=True)
class Pruned:
    """What was deleted, and what was spared because the table came to it meanwhile."""

    deleted: tuple[StoredExport, ...]
    spared: tuple[StoredExport, ...]


def prune_plan(
    spec: TableSpec,
    policy: RetentionPolicy | None = None,
    *,
    gateways: Gateways,
    listener: Listener = ignore,
    clock: Clock | None = None,
) -> PrunePlan:
    """Say what may be deleted; deletes nothing.

    Raises:
        DeclarationError: The policy would keep nothing.
    """
    policy = policy or RetentionPolicy()
    try:
        check_policy(policy)
    except DeclarationError as error:
        error.for_table(spec.name)
        raise
    clock = clock or SystemClock()
    return finish(_plan(operator_context(gateways, clock, listener=listener), spec, policy), clock)


def check_policy(policy: RetentionPolicy) -> None:
    """What can be refused without asking AWS.

    Raises:
        DeclarationError: It would keep nothing, or a number of days is none.
    """
    if policy.keep_last < 1:
        raise DeclarationError(
            f"keep_last is {policy.keep_last}", remedy="at least the last export is kept: 1 or more"
        )
    for name, days in (("keep_days", policy.keep_days), ("rollback_days", policy.rollback_days)):
        if not 0 <= days <= MAX_DAYS:
            raise DeclarationError(f"{name} is {days}", remedy=f"allowed: 0 to {MAX_DAYS} days")


def prune(
    plan: PrunePlan,
    *,
    gateways: Gateways,
    listener: Listener = ignore,
    clock: Clock | None = None,
) -> Pruned:
    """Delete what the plan says, oldest first.

    The table is read again before each export is touched, and once more after its summary is
    deleted: a rollback that comes to it in between finds the summary gone and steps back, or is
    seen here and keeps its data.
    """
    clock = clock or SystemClock()
    return finish(_prune(operator_context(gateways, clock, listener=listener), plan), clock)


def _prune(run: RunContext, plan: PrunePlan) -> Task[Pruned]:
    spec = plan.spec
    deleted: list[StoredExport] = []
    spared: list[StoredExport] = []
    for export in reversed(plan.delete):
        place = export.place
        if (yield from is_shown(run, spec, place)):
            spared.append(export)
            continue
        yield from _delete(run, spec, place.bucket, (place.summary_key,))
        if (yield from is_shown(run, spec, place)):
            spared.append(export)
            continue
        rest = tuple(key for key in export.keys if key != place.summary_key)
        yield from _delete(run, spec, place.bucket, rest)
        deleted.append(export)
    return Pruned(tuple(deleted), tuple(spared))


def _plan(run: RunContext, spec: TableSpec, policy: RetentionPolicy) -> Task[PrunePlan]:
    table = yield from read_table(run, spec)
    published = yield from published_export(run, spec.name, table)
    if table is None or published is None:
        # Nothing can be called superfluous as long as nothing is in use.
        everything = yield from _stored(run, spec)
        everything.sort(key=lambda e: e.export_id, reverse=True)
        return PrunePlan(spec, (), tuple(Kept(e, "nothing is published") for e in everything))
    now = run.clock.now()
    copy = yield from copy_of(run, spec)
    window = max(timedelta(days=policy.rollback_days), policy.longest_query)
    shown = yield from recently_shown(
        run, spec, (table, copy), published.previous_location, window=window
    )
    stored = yield from _stored(run, spec)
    delete: list[StoredExport] = []
    keep: list[Kept] = []
    youngest = max(timedelta(days=policy.keep_days), policy.longest_query)
    finished = 0
    for export in sorted(stored, key=lambda e: e.export_id, reverse=True):
        moment = yield from _moment(run, spec, export, published)
        finished += moment is not None
        reason: Reason | None = None
        if export.place == published.place:
            reason = "published"
        elif export.place == copied_place(copy):
            reason = "shown by its typed copy"
        elif moment is None:
            reason = "not known to be a finished export of this table"
        elif moment > published.export_time:
            reason = "newer than what is published"
        elif export.place.location in shown:
            reason = "shown within the rollback window"
        elif now - export.place.started < youngest:
            reason = "young"
        elif finished <= policy.keep_last:
            reason = "among the last exports"
        if reason is None:
            delete.append(export)
        else:
            keep.append(Kept(export, reason))
    return PrunePlan(spec, tuple(delete), tuple(keep))


def _stored(run: RunContext, spec: TableSpec) -> Task[list[StoredExport]]:
    """The export folders below the table's prefix."""
    root = place_of(spec.bucket, spec.prefix, "").root.removesuffix("/")
    listed = yield from run.call(
        spec.name,
        f"list s3://{spec.bucket}/{root}",
        lambda: _by_export(root, list(run.gateways.objects.list(spec.bucket, root))),
    )
    return [
        StoredExport(
            place_of(spec.bucket, spec.prefix, export_id),
            tuple(stored.key for stored in objects),
            sum(stored.size for stored in objects),
        )
        for export_id, objects in listed.items()
    ]


def _by_export(root: str, objects: list[StoredObject]) -> Mapping[str, list[StoredObject]]:
    found: dict[str, list[StoredObject]] = {}
    for stored in objects:
        match = _EXPORT_FOLDER.match(stored.key.removeprefix(root))
        if match is not None:
            found.setdefault(match["id"], []).append(stored)
    return found


def _moment(
    run: RunContext, spec: TableSpec, export: StoredExport, published: PublishedExport
) -> Task[datetime | None]:
    """The moment of a finished export of this table; None where that is not certain.

    A prefix may be shared by several tables, so the manifest (or DynamoDB) has to say whose it is.
    """
    if published.table_arn is None:
        return None
    objects = run.gateways.objects
    try:
        summary = yield from run.call(
            spec.name,
            f"read the manifest of {export.export_id}",
            lambda: read_summary(objects, export.place),
        )
        if summary.get("tableArn") != published.table_arn:
            return None
        return parse_time(summary.get("exportTime"))
    except (ManifestInvalidError, ValueError):
        return None
    except ManifestMissingError:
        pass
    # Running, failed, or half deleted by an earlier prune: only DynamoDB can tell.
    try:
        found = yield from run.call(
            spec.name,
            f"look at export {export.export_id}",
            lambda: run.gateways.dynamodb.describe_export(
                f"{published.table_arn}/export/{export.export_id}"
            ),
        )
    except ExportNotFoundError:
        return None
    return (found.export_time or found.start_time) if found.done else None


def _delete(run: RunContext, spec: TableSpec, bucket: str, keys: tuple[str, ...]) -> Task[None]:
    yield from run.call(
        spec.name,
        f"delete {len(keys)} objects of an old export",
        lambda: run.gateways.objects.delete(bucket, keys),
    )
