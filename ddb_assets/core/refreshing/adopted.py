"""An export that somebody else started, taken by its ARN."""

from ddb_assets.core.export import Export, TableDescription
from ddb_assets.core.locations import place_of
from ddb_assets.core.manifest import Manifest
from ddb_assets.core.publishing.publish import put_back
from ddb_assets.core.refreshing.preflight import described_table
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.core.verifying.verify import parse_time, read_summary
from ddb_assets.errors import (
    DeclarationError,
    ExportNotFoundError,
    ExportObjectsGoneError,
    ManifestMissingError,
    TableNotFoundError,
    TableReplacedError,
)


def adopted_export(
    run: RunContext, spec: TableSpec, arn: str, *, allow_older: bool
) -> Task[tuple[TableDescription, Export]]:
    """The table and the export to publish.

    With `allow_older` (the rollback) the table may be gone or re-created since: bringing back the
    data of a dropped table is what a rollback is for.

    Raises:
        DeclarationError: The export is of another table, incremental, or not DynamoDB JSON.
        ExportNotFoundError: AWS does not know it, and its manifest is not where it would be.
        TableNotFoundError: The table does not exist.
        TableReplacedError: The export is of a table that was since deleted or re-created.
    """
    export = yield from _export(run, spec, arn)
    described = export.table_arn.rpartition("/")[2]
    if described != spec.name:
        raise DeclarationError(
            f"export {arn} is of the table {described}",
            table=spec.name,
            remedy=f"choose an export of {spec.name}",
        )
    if export.kind != "FULL_EXPORT" or export.export_format != "DYNAMODB_JSON":
        raise DeclarationError(
            f"export {arn} is a {export.kind} in {export.export_format}",
            table=spec.name,
            remedy="only full exports in DYNAMODB_JSON can be published",
        )
    try:
        description = yield from described_table(run, spec)
    except TableNotFoundError:
        if not allow_older:
            raise
        return _remembered(spec, export), export
    if description.arn != export.table_arn:
        raise DeclarationError(
            f"export {arn} is of a table of that name in another account or region",
            table=spec.name,
            remedy=f"choose an export of {description.arn}",
        )
    if description.table_id != export.table_id and not allow_older:
        raise TableReplacedError(
            f"export {export.export_id} is of a table {spec.name} that was deleted since",
            table=spec.name,
            remedy=f"to publish it all the same: ddb-assets rollback {spec.name} --to {arn}",
            expected=description.table_id,
            found=export.table_id,
        )
    return description, export


def still_stored(run: RunContext, spec: TableSpec, manifest: Manifest) -> Task[None]:
    """An old export may be pruned between its proof and its publication: step back then.

    Pruning deletes the summary first and spares the data if it then sees the table here.

    Raises:
        ExportObjectsGoneError: It was.
    """
    place = place_of(manifest.bucket, manifest.prefix, manifest.export_id)
    try:
        yield from run.call(
            spec.name,
            "see whether the export is still stored",
            lambda: read_summary(run.gateways.objects, place),
        )
    except ManifestMissingError as error:
        yield from put_back(run, spec, manifest.export_id, None)
        raise ExportObjectsGoneError(
            f"export {manifest.export_id} was deleted while it was being published",
            table=spec.name,
            remedy="choose another export; the Athena table was put back where it was",
            export_arn=manifest.export_arn,
        ) from error


def _export(run: RunContext, spec: TableSpec, arn: str) -> Task[Export]:
    try:
        return (
            yield from run.call(
                spec.name,
                f"look at export {arn}",
                lambda: run.gateways.dynamodb.describe_export(arn),
            )
        )
    except ExportNotFoundError:
        # AWS forgets exports after 90 days; the manifest beside the data does not.
        remembered = yield from run.call(
            spec.name, "read the export's manifest", lambda: _from_manifest(run, spec, arn)
        )
        if remembered is None:
            raise
        return remembered


def _from_manifest(run: RunContext, spec: TableSpec, arn: str) -> Export | None:
    place = place_of(spec.bucket, spec.prefix, arn.rpartition("/")[2])
    try:
        summary = read_summary(run.gateways.objects, place)
    except ManifestMissingError:
        return None
    if summary.get("exportArn") != arn:
        return None
    return Export(
        arn=arn,
        status="COMPLETED",
        table_arn=str(summary.get("tableArn")),
        table_id=str(summary.get("tableId")),
        bucket=spec.bucket,
        prefix=place.prefix or None,
        export_time=parse_time(summary.get("exportTime")),
        start_time=parse_time(summary.get("startTime")),
        end_time=parse_time(summary.get("endTime")),
        manifest_key=place.summary_key,
        item_count=summary.get("itemCount"),
        billed_bytes=summary.get("billedSizeBytes"),
        kind=str(summary.get("exportType", "FULL_EXPORT")),
        export_format=str(summary.get("outputFormat")),
    )


def _remembered(spec: TableSpec, export: Export) -> TableDescription:
    return TableDescription(
        name=spec.name,
        arn=export.table_arn,
        table_id=export.table_id,
        status="DELETED",
        keys=(),
        item_count=export.item_count or 0,
    )
