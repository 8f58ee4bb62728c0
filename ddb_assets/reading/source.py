"""From an export's ARN or location to its verified manifest."""

import re
from typing import Any, Final

from ddb_assets.core.clock import Clock
from ddb_assets.core.export import Export
from ddb_assets.core.locations import ExportPlace, parse_location
from ddb_assets.core.manifest import Manifest
from ddb_assets.core.operating.operator import finish, operator_context
from ddb_assets.core.ports import Gateways
from ddb_assets.core.refreshing.stored_profile import own_profile
from ddb_assets.core.verifying.verify import parse_time, read_summary, verified_manifest
from ddb_assets.errors import DeclarationError, ManifestInvalidError
from ddb_assets.schema.profile import Profile

_ARN: Final = re.compile(r"^arn:[^:]+:dynamodb:.+:table/[^/]+/export/[^/]+$")
_ROOT: Final = re.compile(r"/AWSDynamoDB/\d{14}-\w+/?$")


def resolve(location_or_arn: str, gateways: Gateways, clock: Clock) -> Manifest:
    """Find the export and prove that it is whole, as before every publication.

    By location nothing is asked of DynamoDB: S3 rights are enough, and exports older than the 90
    days for which DynamoDB knows them can be read.

    Raises:
        DeclarationError: It is neither, not completed, incremental, or not DynamoDB JSON.
        ExportNotFoundError: DynamoDB does not know the ARN.
        ManifestInvalidError: The export is not whole.
        ManifestMissingError: There is no manifest.
        ExportObjectsGoneError: Data files are gone.
    """
    run = operator_context(gateways, clock)
    if _ARN.match(location_or_arn):
        task = run.call(
            location_or_arn,
            "look at the export",
            lambda: gateways.dynamodb.describe_export(location_or_arn),
        )
        export = finish(task, clock)
    else:
        place = _place(location_or_arn)
        task = run.call(
            location_or_arn,
            "read the export's manifest",
            lambda: _export_at(place, read_summary(gateways.objects, place)),
        )
        export = finish(task, clock)
    _check(export)
    return finish(verified_manifest(run, _table_of(export.table_arn), export), clock)


def profile_beside(manifest: Manifest, gateways: Gateways, clock: Clock) -> Profile | None:
    """What a refresh that inferred types has left; None where there is none of all its items."""
    run = operator_context(gateways, clock)
    return finish(own_profile(run, _table_of(manifest.table_arn), manifest), clock)


def _table_of(arn: str) -> str:
    return arn.rpartition("/")[2]


def _place(location: str) -> ExportPlace:
    data = f"{location.rstrip('/')}/data/" if _ROOT.search(location) else location
    place = parse_location(data)
    if place is None:
        raise DeclarationError(
            f"{location!r} is neither an export's ARN nor its location",
            remedy="allowed: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/export/ID, "
            "s3://BUCKET/PREFIX/AWSDynamoDB/ID/data/",
        )
    return place


def _export_at(place: ExportPlace, summary: dict[str, Any]) -> Export:
    try:
        return Export(
            arn=str(summary["exportArn"]),
            status="COMPLETED",
            table_arn=str(summary["tableArn"]),
            table_id=str(summary["tableId"]),
            bucket=place.bucket,
            prefix=place.prefix or None,
            end_time=parse_time(summary["endTime"]),
            manifest_key=place.summary_key,
            kind=str(summary.get("exportType", "FULL_EXPORT")),
            export_format=str(summary["outputFormat"]),
        )
    except (KeyError, ValueError) as error:
        raise ManifestInvalidError(
            f"the export is not whole: its summary lacks a usable value: {error}",
            remedy="look at the object, then run a new export",
            key=f"s3://{place.bucket}/{place.summary_key}",
        ) from error


def _check(export: Export) -> None:
    if export.status != "COMPLETED":
        raise DeclarationError(
            f"export {export.export_id} is {export.status}, there is nothing to read",
            remedy="wait until it is COMPLETED, or choose another one",
        )
    if export.kind != "FULL_EXPORT" or export.export_format != "DYNAMODB_JSON":
        raise DeclarationError(
            f"export {export.export_id} is a {export.kind} in {export.export_format}",
            remedy="only full exports in DYNAMODB_JSON can be read",
        )
