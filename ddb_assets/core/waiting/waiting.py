"""One table's wait: its heartbeat, its deadline, and whether its table is still there."""

from ddb_assets.core.export import Export, TableDescription
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Pause, Signal, Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.core.waiting.failures import remedy_for_failure
from ddb_assets.core.waiting.polling import plan
from ddb_assets.core.waiting.watch import ExportWatch, Watched
from ddb_assets.errors import DeadlineExceededError, TableNotFoundError, TableReplacedError

_FIRST_BEAT_SECONDS = 30.0
_BEAT_SECONDS = 60.0
_BEAT_GROWTH = 0.2
_MAX_BEAT_SECONDS = 900.0
#: An export of a deleted table may stay IN_PROGRESS (comment in the AWS-run tests): ask for the
#: table this often while waiting.
TABLE_CHECK_SECONDS = 1800.0


def export_age(run: RunContext, export: Export) -> float:
    """Seconds since AWS started it.

    Its StartTime is read off another clock than ours. An export of this intent is no older than the
    intent, whatever the two clocks say: else one that AWS's clock, being behind, has begun days ago
    would be asked for every ten minutes.
    """
    if export.start_time is None:
        return 0.0
    now = run.clock.now()
    age = (now - export.start_time).total_seconds()
    if run.options.adopt is None:
        age = min(age, (now - run.started_at).total_seconds())
    return max(0.0, age)


def wait_for_export(
    run: RunContext,
    watch: ExportWatch,
    spec: TableSpec,
    description: TableDescription,
    export: Export,
    *,
    interrupt: Signal | None = None,
) -> Task[Export | None]:
    """Wait until AWS ended the export.

    Args:
        run: The refresh.
        watch: Where all exports are watched.
        spec: The table.
        description: The live table when the export was found.
        export: The running export.
        interrupt: Ends the wait early: nobody needs this export any more.

    Returns:
        The ended export, completed or failed; None after an interrupt.

    Raises:
        DeadlineExceededError: The user's deadline passed; the export goes on.
        TableReplacedError: The table was deleted or re-created meanwhile.
        ServiceUnavailableError: DynamoDB did not answer for a quarter of an hour.
    """
    if export.done:
        return export
    clock = run.clock
    age = export_age(run, export)
    past = run.history.durations(spec.name)
    peers = () if past else run.history.peers(spec.name)
    poll = plan(past, size_bytes=description.size_bytes, peers=peers)
    watched = watch.add(spec.name, export, poll, age_seconds=age)
    if interrupt is not None:
        interrupt.subscribe(watched.signal.set)
    began = clock.monotonic()
    beat = began + _FIRST_BEAT_SECONDS
    check = began + TABLE_CHECK_SECONDS
    deadline = None if spec.deadline_seconds is None else began + spec.deadline_seconds
    try:
        while not watched.signal.is_set:
            moments = [beat, check] if deadline is None else [beat, check, deadline]
            yield Pause(until=min(moments), signal=watched.signal)
            now = clock.monotonic()
            if watched.signal.is_set:
                break
            if deadline is not None and now >= deadline:
                raise _too_late(spec, export)
            if now >= check:
                yield from still_there(run, spec, export)
                check = now + TABLE_CHECK_SECONDS
            if now >= beat:
                _tell(run, spec, export, watched, now)
                wait = max(_BEAT_SECONDS, _BEAT_GROWTH * (now - began))
                beat = now + min(wait, _MAX_BEAT_SECONDS)
    finally:
        watch.remove(watched)
    if watched.error is not None:
        raise watched.error.for_table(spec.name)
    return watched.export


def still_there(run: RunContext, spec: TableSpec, export: Export) -> Task[TableDescription]:
    """The live table, if it is still the one that is exported.

    Raises:
        TableReplacedError: It was deleted, or re-created under its name.
    """
    try:
        description = yield from run.call(
            spec.name,
            "describe the table again",
            lambda: run.gateways.dynamodb.describe_table(spec.name),
        )
    except TableNotFoundError as error:
        raise TableReplacedError(
            "the table was deleted while its export ran",
            table=spec.name,
            remedy=f"to publish its last state all the same, adopt or roll back to {export.arn}",
            export_arn=export.arn,
        ) from error
    if description.table_id != export.table_id:
        raise TableReplacedError(
            "the table was deleted and created again while its export ran",
            table=spec.name,
            remedy="start a new run; it exports the new table",
            export_arn=export.arn,
            expected=export.table_id,
            found=description.table_id,
        )
    return description


def refuse_failed(spec: TableSpec, export: Export) -> None:
    """Raise what a FAILED export means.

    Raises:
        ExportFailedError: Somebody has to mend something first.
        ExportInterruptedError: AWS ended it for a reason of its own.
    """
    if export.status != "FAILED":
        return
    error, remedy = remedy_for_failure(
        export.failure_code,
        export.failure_message,
        bucket=export.bucket,
        kms_key_id=spec.kms_key_id,
    )
    raise error(
        f"export {export.export_id} failed: {export.failure_message or 'AWS gave no reason'}",
        table=spec.name,
        code=export.failure_code,
        remedy=remedy,
        export_arn=export.arn,
    )


def spoken(seconds: float) -> str:
    """A duration as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _tell(run: RunContext, spec: TableSpec, export: Export, watched: Watched, now: float) -> None:
    age = now - watched.began
    expected = watched.plan.expected_seconds
    if expected is None:
        guess = "no earlier export to compare with"
    elif age <= expected * 1.1:
        guess = f"expected to take about {spoken(expected)}"
    else:
        guess = f"later than the expected {spoken(expected)}"
    run.emit(
        spec.name,
        "waiting",
        f"export {export.export_id} has been running for {spoken(age)}, {guess}",
        export_arn=export.arn,
        elapsed_seconds=round(age, 1),
        expected_seconds=None if expected is None else round(expected, 1),
    )


def _too_late(spec: TableSpec, export: Export) -> DeadlineExceededError:
    assert spec.deadline_seconds is not None
    return DeadlineExceededError(
        f"export {export.export_id} was not done after {spoken(spec.deadline_seconds)}",
        table=spec.name,
        remedy="the export goes on in AWS: a retry of this run picks it up, or adopt it by its "
        "ARN; raise deadline_seconds if this is normal",
        export_arn=export.arn,
    )
