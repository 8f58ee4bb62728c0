"""Gets the one export of a table and an intent: the one already there, or a new one.

Three things find an export again: the note this run (or the one it retries) wrote the moment AWS
answered; the client token, which is a function of the intent and which AWS answers with the same
export; and, once the intent is older than AWS remembers tokens, the list of the table's exports.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ddb_assets.core.export import Export, TableDescription
from ddb_assets.core.locations import place_of
from ddb_assets.core.ports import ExportNote
from ddb_assets.core.request import ExportRequest
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import ExportFailedError, ExportNotFoundError

#: SDK model of ExportTableToPointInTime: a token is valid for 8 hours after its export completed.
TOKEN_VALID = timedelta(hours=8)
#: Trust the token a little shorter than AWS promises, for clocks that differ.
_TOKEN_MARGIN = timedelta(minutes=15)
#: Failed exports a replayed token may lead through before it is an error.
MAX_LAUNCHES = 10


@dataclass(frozen=True)
class Launch:
    """The export to wait for.

    Attributes:
        attached: It was there already: nothing new was started or paid for.
    """

    export: Export
    number: int
    attached: bool


def noted_launch(
    run: RunContext, spec: TableSpec, description: TableDescription, moment: datetime | None
) -> Task[Launch | int]:
    """The export this run or the one it retries already noted, or the number of the next launch."""
    note = run.ledger.find(spec.name)
    if note is None or note.table_id != description.table_id or note.export_time != moment:
        return 0
    try:
        export = yield from run.call(
            spec.name,
            f"look at the noted export {note.export_arn}",
            lambda: run.gateways.dynamodb.describe_export(note.export_arn),
        )
    except ExportNotFoundError:
        return note.launch + 1
    if export.status == "FAILED":
        return note.launch + 1
    return Launch(export, note.launch, attached=True)


def request_for(
    run: RunContext,
    spec: TableSpec,
    description: TableDescription,
    moment: datetime | None,
    launch: int,
) -> ExportRequest:
    """The frozen request of the n-th launch."""
    return ExportRequest(
        table_arn=description.arn,
        table_id=description.table_id,
        bucket=spec.bucket,
        prefix=spec.prefix,
        intent_id=run.intent_id,
        launch=launch,
        export_time=moment,
        bucket_owner=spec.bucket_owner,
        sse_algorithm=spec.sse_algorithm,
        kms_key_id=spec.kms_key_id,
        filter=spec.filter,
    )


def launch_export(
    run: RunContext,
    spec: TableSpec,
    description: TableDescription,
    moment: datetime | None,
    *,
    first: int,
    deadline: float | None,
) -> Task[Launch]:
    """Request the export and note it at once.

    Args:
        run: The refresh.
        spec: The table.
        description: The live table.
        moment: The export time, or None for the latest restorable.
        first: The launch number to begin with.
        deadline: The clock's monotonic time after which LimitExceeded is not waited out.

    Raises:
        ExportFailedError: Ten launches of this intent were found failed.
        RequestInvalidError: AWS refused a parameter, or the token was used with other parameters.
        LimitExceededError: Too many exports were in flight for a whole day.
    """
    dynamodb = run.gateways.dynamodb
    failed: Export | None = None
    for number in range(first, first + MAX_LAUNCHES):
        request = request_for(run, spec, description, moment, number)
        export = yield from _started_long_ago(run, spec, request)
        attached = export is not None
        if export is None:
            yield from run.starts.take()
            export = yield from run.call(
                spec.name,
                "start the export",
                lambda r=request: dynamodb.start_export(r),
                deadline=deadline,
            )
        note = ExportNote(
            table_arn=request.table_arn,
            # The table may have been re-created since it was described: the export knows which one
            # it is of, and a retry that is told that id must find it.
            table_id=export.table_id,
            export_arn=export.arn,
            client_token=request.client_token,
            launch=number,
            export_time=moment,
        )
        run.ledger.record(spec.name, note)
        if export.status != "FAILED":
            return Launch(export, number, attached=attached or export.done)
        failed = export
    raise ExportFailedError(
        f"{MAX_LAUNCHES} exports of this run failed one after the other",
        table=spec.name,
        code=failed.failure_code if failed is not None else None,
        remedy="mend what the last one says, then start a new run",
        failure_message=failed.failure_message if failed is not None else None,
    )


def _started_long_ago(
    run: RunContext, spec: TableSpec, request: ExportRequest
) -> Task[Export | None]:
    """The export with this token, where the intent is too old for AWS to know the token."""
    if run.clock.now() - run.started_at < TOKEN_VALID - _TOKEN_MARGIN:
        return None
    dynamodb = run.gateways.dynamodb
    oldest = run.started_at - _TOKEN_MARGIN

    def candidates() -> list[str]:
        arns: list[str] = []
        for summary in dynamodb.list_exports(request.table_arn):
            place = place_of(spec.bucket, spec.prefix, summary.arn.rpartition("/")[2])
            # Newest first within a table: the rest is older than this intent.
            if place.started < oldest:
                break
            arns.append(summary.arn)
        return arns

    arns = yield from run.call(spec.name, "list the table's exports", candidates)
    for arn in arns:
        export = yield from run.call(
            spec.name,
            f"look at export {arn}",
            lambda a=arn: dynamodb.describe_export(a),
        )
        if export.client_token == request.client_token:
            return export
    return None
