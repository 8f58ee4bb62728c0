"""Everything that can be found out before an export is paid for."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ddb_assets.core.console import region_of
from ddb_assets.core.export import Pitr, TableDescription
from ddb_assets.core.options import RefreshOptions
from ddb_assets.core.publishing.catalog import refuse_conflict
from ddb_assets.core.publishing.publish import read_table
from ddb_assets.core.publishing.publish_copy import check_copy
from ddb_assets.core.publishing.publish_view import check_view
from ddb_assets.core.publishing.published import published_export
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Pause, Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.core.waiting.failures import enable_pitr
from ddb_assets.errors import (
    DeadlineExceededError,
    DeclarationError,
    ExportNotRestorableYetError,
    ExportTimeError,
    PitrDisabledError,
    TableNotFoundError,
)

#: PITR usually lags five minutes (AWS docs, PointInTimeRecovery_Howitworks); how long to wait for
#: a moment to become restorable.
MAX_RESTORABLE_WAIT_SECONDS = 1800.0
#: A requested export time further ahead than this is a mistake, not a matter of waiting.
MAX_AHEAD_SECONDS = 3600.0
_MIN_LOOK_SECONDS = 5.0
_MAX_LOOK_SECONDS = 60.0
#: A table in one of these states can be exported.
_LIVE = ("ACTIVE", "UPDATING")


def check_request(specs: Sequence[TableSpec], options: RefreshOptions) -> None:
    """What can be refused without asking AWS.

    Raises:
        DeclarationError: A table is declared twice, or options contradict each other.
    """
    for what, names in (
        ("DynamoDB table", [s.name for s in specs]),
        (
            "Athena table",
            [
                f"{s.database}.{name}"
                for s in specs
                for name in (s.table, s.typed_view, s.typed_copy)
                if name is not None
            ],
        ),
    ):
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        if twice:
            raise DeclarationError(
                f"one refresh names the {what} {', '.join(twice)} more than once",
                remedy="declare it once, or refresh the two in different runs",
            )
    if options.adopt is not None:
        one = isinstance(options.adopt, str)
        if one and len(specs) != 1:
            raise DeclarationError(
                f"an export can be adopted for exactly one table, not for {len(specs)}",
                remedy="select one table",
            )
        if not one and set(options.adopt) != {spec.name for spec in specs}:
            raise DeclarationError(
                "the exports to adopt are not of the selected tables",
                remedy="name exactly one export of each selected table",
            )
        if options.export_time is not None or not options.wait:
            raise DeclarationError(
                "an adopted export has its own time and is waited for",
                remedy="leave out export_time and wait",
            )
    moment = options.export_time
    if moment is not None:
        if moment.utcoffset() is None:
            raise DeclarationError(
                f"export_time {moment} has no time zone", remedy="give it in UTC"
            )
        if moment.microsecond:
            raise DeclarationError(
                f"export_time {moment} is not a whole second",
                remedy="leave out the fraction: it would make a repeated request another one",
            )
    if options.max_in_flight < 1 or options.max_queries < 1 or options.cut_lag_seconds < 0:
        raise DeclarationError(
            "max_in_flight and max_queries are at least 1, cut_lag_seconds at least 0"
        )


def check_spec(spec: TableSpec) -> None:
    """What one table's declaration says that AWS would refuse later.

    Raises:
        DeclarationError: A KMS key without KMS, a copy without a view, or a deadline that is no
            time.
    """
    if spec.typed_copy is not None and spec.typed_view is None:
        raise DeclarationError(
            "typed_copy is set, but typed_view is not",
            table=spec.name,
            remedy="the copy has the view's columns: set typed_view, or leave out typed_copy",
        )
    if spec.kms_key_id is not None and spec.sse_algorithm != "KMS":
        raise DeclarationError(
            f"kms_key_id is set, but sse_algorithm is {spec.sse_algorithm or 'not'}",
            table=spec.name,
            remedy="set `sse_algorithm: KMS` or leave out kms_key_id",
        )
    if spec.deadline_seconds is not None and spec.deadline_seconds <= 0:
        raise DeclarationError(
            f"deadline_seconds is {spec.deadline_seconds}",
            table=spec.name,
            remedy="leave it out to wait as long as the export takes",
        )


def described_table(run: RunContext, spec: TableSpec) -> Task[TableDescription]:
    """The live table.

    Raises:
        TableNotFoundError: It does not exist, or is being deleted.
    """
    description = yield from run.call(
        spec.name, "describe the table", lambda: run.gateways.dynamodb.describe_table(spec.name)
    )
    if description.status not in _LIVE:
        raise TableNotFoundError(
            f"the table is {description.status}",
            table=spec.name,
            remedy="wait until it is ACTIVE, or take it out of the declaration",
        )
    return description


def check_catalog(run: RunContext, spec: TableSpec, description: TableDescription) -> Task[None]:
    """Refuse Glue tables that cannot be ours before an export costs anything.

    Raises:
        CatalogConflictError: The table, its view or its copy cannot be ours.
    """
    table = yield from read_table(run, spec)
    if table is not None:
        published = yield from published_export(run, spec.name, table)
        refuse_conflict(spec, description.arn, table, published)
    yield from check_view(run, spec, description.arn)
    yield from check_copy(run, spec, description.arn)


def restorable(
    run: RunContext, spec: TableSpec, description: TableDescription, moment: datetime | None
) -> Task[None]:
    """Make sure that the table can be exported as of `moment`; wait for it if it is recent.

    Raises:
        PitrDisabledError: Point-in-time recovery is off.
        ExportTimeError: The moment lies before what can be restored, or far ahead.
        ExportNotRestorableYetError: It did not become restorable within half an hour.
        DeadlineExceededError: Nor before the table's deadline.
    """
    began = run.clock.monotonic()
    deadline = None if spec.deadline_seconds is None else began + spec.deadline_seconds
    told = False
    while True:
        pitr = yield from run.call(
            spec.name,
            "describe point-in-time recovery",
            lambda: run.gateways.dynamodb.describe_pitr(spec.name),
            deadline=deadline,
        )
        missing = _missing_seconds(run, description, pitr, moment)
        if missing <= 0:
            return
        now = run.clock.monotonic()
        if now - began >= MAX_RESTORABLE_WAIT_SECONDS:
            raise ExportNotRestorableYetError(
                f"{moment:%Y-%m-%d %H:%M:%S} UTC is still {missing:.0f} s ahead of what can be "
                "restored",
                table=spec.name,
                remedy="run it again later, or with a larger cut_lag_seconds",
            )
        look = min(max(missing, _MIN_LOOK_SECONDS), _MAX_LOOK_SECONDS)
        if deadline is not None and now + look > deadline:
            raise DeadlineExceededError(
                f"the deadline passed before {moment:%Y-%m-%d %H:%M:%S} UTC became restorable",
                table=spec.name,
                remedy="raise deadline_seconds or cut_lag_seconds",
            )
        if not told:
            run.emit(
                spec.name,
                "waiting",
                f"waiting until {moment:%H:%M:%S} UTC can be restored ({missing:.0f} s to go)",
                missing_seconds=missing,
            )
            told = True
        yield Pause(until=now + look * run.rng.uniform(1.0, 1.1))


def cut_time(started_at: datetime, lag_seconds: float) -> datetime:
    """The moment of a consistent cut: a function of the root run's start, in whole seconds."""
    moment = started_at.astimezone(UTC) - timedelta(seconds=lag_seconds)
    return moment.replace(microsecond=0)


def _missing_seconds(
    run: RunContext, description: TableDescription, pitr: Pitr, moment: datetime | None
) -> float:
    """How far the moment is ahead of what can be restored; 0 if it can."""
    if not pitr.enabled:
        raise PitrDisabledError(
            "point-in-time recovery is off, so nothing can be exported",
            table=description.name,
            remedy=enable_pitr(description.name, region_of(description.arn)),
        )
    if moment is None:
        return 0.0
    if pitr.earliest is not None and moment < pitr.earliest:
        raise ExportTimeError(
            f"{moment:%Y-%m-%d %H:%M:%S} UTC is before {pitr.earliest:%Y-%m-%d %H:%M:%S} UTC, the "
            "earliest moment that can be restored",
            table=description.name,
            remedy="choose a later export time, or none for the latest",
        )
    latest = pitr.latest or run.clock.now()
    missing = (moment - latest).total_seconds()
    if (moment - run.clock.now()).total_seconds() > MAX_AHEAD_SECONDS:
        raise ExportTimeError(
            f"{moment:%Y-%m-%d %H:%M:%S} UTC lies in the future",
            table=description.name,
            remedy="choose an export time that has passed, or none for the latest",
        )
    return missing
