"""Proves that an export is whole before anything points at it.

manifest-summary.json and manifest-files.json against their .md5 files (base64 of the MD5, real
exports), the summary against the export and the table, the files' counts against the summary's and
every data file against what S3 lists. The MD5 of the data files themselves is `data_files`' job.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from ddb_assets.core.export import Export
from ddb_assets.core.locations import ExportPlace, place_of
from ddb_assets.core.manifest import DataFile, Manifest
from ddb_assets.core.ports import ObjectStore, StoredObject
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Pause, Task
from ddb_assets.errors import ExportObjectsGoneError, ManifestInvalidError, ManifestMissingError

#: How long a manifest may come after its export's COMPLETED.
LATE_MANIFEST_SECONDS = 600.0
#: An export that ended this long ago has no manifest on its way: it was deleted.
_OLD_EXPORT_SECONDS = 3600.0
_FIRST_LOOK_SECONDS = 2.0
_MAX_LOOK_SECONDS = 30.0
_FORMAT = "DYNAMODB_JSON"


def verified_manifest(run: RunContext, table: str, export: Export) -> Task[Manifest]:
    """Read, check and list a completed export; waits for late manifests within a bound.

    Raises:
        ManifestInvalidError: Something differs from its checksum, its count or its listing.
        ManifestMissingError: A manifest is still not there after ten minutes.
        ExportObjectsGoneError: The manifests or data files of an old export were deleted.
    """
    place = _place(export)
    objects = run.gateways.objects
    began = run.clock.monotonic()
    look = _FIRST_LOOK_SECONDS
    while True:
        try:
            summary_bytes = yield from _checked(run, table, place, "manifest-summary")
            summary = _object(summary_bytes, place.summary_key, table)
            _check_summary(summary, export, place, table)
            files_bytes = yield from _checked(run, table, place, "manifest-files")
            break
        except ManifestMissingError as error:
            age = _seconds_since(run, export.end_time)
            if age > _OLD_EXPORT_SECONDS:
                raise _gone(export, place, table, str(error.cause)) from error
            waited = run.clock.monotonic() - began
            if waited >= LATE_MANIFEST_SECONDS:
                raise ManifestMissingError(
                    f"export {export.export_id} is completed, but after {waited:.0f} s its "
                    f"manifest cannot be read: {error.cause}",
                    table=table,
                    code=error.code,
                    remedy=f"look whether s3://{place.bucket}/{place.root} was deleted or moved "
                    "by a lifecycle rule, then run it again",
                    export_arn=export.arn,
                ) from error
            run.emit(
                table,
                "retrying",
                f"the export is completed, its manifest is not there yet; again in {look:.0f} s",
                export_arn=export.arn,
            )
        yield Pause(until=run.clock.monotonic() + look * run.rng.uniform(0.9, 1.1))
        look = min(look * 1.6, _MAX_LOOK_SECONDS)
    manifest = _manifest(summary, _files(files_bytes, place, table), export, place, table)
    listed = yield from run.call(
        table,
        f"list s3://{place.bucket}/{place.data}",
        lambda: list(objects.list(place.bucket, place.data)),
    )
    return _joined(manifest, listed, place, table)


def read_summary(objects: ObjectStore, place: ExportPlace) -> dict[str, Any]:
    """manifest-summary.json as it is, unchecked; for saying what is at a location.

    Raises:
        ManifestMissingError: It is not there.
        ManifestInvalidError: It is not JSON.
    """
    return _object(objects.read(place.bucket, place.summary_key), place.summary_key, None)


def parse_time(text: object) -> datetime:
    """ISO-8601 with `Z`, as manifests write times.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(text, str):
        raise ValueError(f"not a time: {text!r}")  # noqa: TRY004 - one error for bad manifests
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a time without zone: {text!r}")
    return moment


def _place(export: Export) -> ExportPlace:
    place = place_of(export.bucket, export.prefix, export.export_id)
    if export.manifest_key is None or export.manifest_key == place.summary_key:
        return place
    # Trust AWS over our own composition: the console may have normalised the prefix.
    head, _, _ = export.manifest_key.partition(f"AWSDynamoDB/{export.export_id}/")
    return place_of(export.bucket, head, export.export_id)


def _checked(run: RunContext, table: str, place: ExportPlace, name: str) -> Task[bytes]:
    objects = run.gateways.objects
    key, checksum_key = f"{place.root}{name}.json", f"{place.root}{name}.md5"
    body = yield from run.call(table, f"read {name}", lambda: objects.read(place.bucket, key))
    wanted = yield from run.call(
        table, f"read {name}.md5", lambda: objects.read(place.bucket, checksum_key)
    )
    found = base64.b64encode(hashlib.md5(body).digest())
    if wanted.strip() != found:
        raise _invalid(
            f"{name}.json does not match its checksum",
            table,
            key=f"s3://{place.bucket}/{key}",
            expected=wanted.decode("ascii", "replace").strip(),
            found=found.decode(),
        )
    return body


def _check_summary(summary: dict[str, Any], export: Export, place: ExportPlace, table: str) -> None:
    expected = {
        "exportArn": export.arn,
        "tableArn": export.table_arn,
        "tableId": export.table_id,
        "s3Bucket": export.bucket,
        "manifestFilesS3Key": f"{place.root}manifest-files.json",
        "outputFormat": _FORMAT,
        # Absent in the summaries of real full exports.
        "exportType": "FULL_EXPORT" if "exportType" in summary else None,
    }
    for name, value in expected.items():
        if summary.get(name) != value:
            raise _invalid(
                f"manifest-summary.json has another {name} than the export",
                table,
                expected=value,
                found=summary.get(name),
                export_arn=export.arn,
            )


def _files(body: bytes, place: ExportPlace, table: str) -> tuple[DataFile, ...]:
    files: list[DataFile] = []
    for number, line in enumerate(body.splitlines(), start=1):
        where = f"line {number} of manifest-files.json"
        try:
            entry = cast("dict[str, Any]", json.loads(line))
            file = DataFile(
                key=str(entry["dataFileS3Key"]),
                items=int(entry["itemCount"]),
                md5=str(entry["md5Checksum"]),
                etag=str(entry["etag"]).strip('"'),
            )
        except (ValueError, TypeError, KeyError) as error:
            raise _invalid(f"{where} cannot be read", table, found=repr(line[:200])) from error
        if not file.key.startswith(place.data) or file.items < 0:
            raise _invalid(f"{where} names a file that is not the export's", table, found=file.key)
        files.append(file)
    keys = {file.key for file in files}
    if len(keys) != len(files):
        raise _invalid("manifest-files.json names a data file twice", table)
    return tuple(files)


def _manifest(
    summary: dict[str, Any],
    files: tuple[DataFile, ...],
    export: Export,
    place: ExportPlace,
    table: str,
) -> Manifest:
    try:
        manifest = Manifest(
            export_arn=export.arn,
            table_arn=export.table_arn,
            table_id=export.table_id,
            export_time=parse_time(summary["exportTime"]),
            start_time=parse_time(summary["startTime"]),
            end_time=parse_time(summary["endTime"]),
            bucket=place.bucket,
            prefix=place.prefix or None,
            location=place.location,
            files=files,
            items=int(summary["itemCount"]),
            billed_bytes=int(summary["billedSizeBytes"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise _invalid(f"manifest-summary.json lacks a usable value: {error}", table) from error
    counted = sum(file.items for file in files)
    if counted != manifest.items:
        raise _invalid(
            "the data files' counts do not add up to the summary's",
            table,
            expected=manifest.items,
            found=counted,
        )
    if export.item_count is not None and export.item_count != manifest.items:
        raise _invalid(
            "DescribeExport counts other items than the manifest",
            table,
            expected=export.item_count,
            found=manifest.items,
        )
    return manifest


def _joined(
    manifest: Manifest, listed: Sequence[StoredObject], place: ExportPlace, table: str
) -> Manifest:
    by_key = {stored.key: stored for stored in listed}
    files: list[DataFile] = []
    for file in manifest.files:
        stored = by_key.pop(file.key, None)
        if stored is None:
            raise ExportObjectsGoneError(
                f"a data file of export {manifest.export_id} is not in S3",
                table=table,
                remedy="the export cannot be used any more; run a new one",
                key=f"s3://{place.bucket}/{file.key}",
            )
        if stored.size <= 0 or stored.etag.strip('"') != file.etag:
            raise _invalid(
                "a data file in S3 is not the one the manifest names",
                table,
                key=f"s3://{place.bucket}/{file.key}",
                expected=file.etag,
                found=f"{stored.etag} ({stored.size} bytes)",
            )
        files.append(replace(file, size=stored.size))
    # Athena reads every object below its location; an empty one (a console's folder) has no rows.
    strange = [stored.key for stored in by_key.values() if stored.size > 0]
    if strange:
        raise _invalid(
            f"{len(strange)} object(s) below data/ are not the export's and Athena would read them",
            table,
            found=f"s3://{place.bucket}/{strange[0]}",
        )
    return replace(manifest, files=tuple(files), stored_bytes=sum(f.size or 0 for f in files))


def _object(body: bytes, key: str, table: str | None) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError as error:
        raise _invalid(f"{key} is not JSON", table) from error
    if not isinstance(value, dict):
        raise _invalid(f"{key} is not a JSON object", table)
    return cast("dict[str, Any]", value)


def _seconds_since(run: RunContext, moment: datetime | None) -> float:
    return (run.clock.now() - moment).total_seconds() if moment else 0.0


def _gone(export: Export, place: ExportPlace, table: str, cause: str) -> ExportObjectsGoneError:
    return ExportObjectsGoneError(
        f"the manifests of export {export.export_id} are no longer in S3: {cause}",
        table=table,
        remedy="choose an export whose objects are still there, or run a new one",
        key=f"s3://{place.bucket}/{place.root}",
    )


def _invalid(cause: str, table: str | None, **details: Any) -> ManifestInvalidError:
    expected = details.get("expected")
    found = details.get("found")
    compared = f" (expected {expected}, found {found})" if "expected" in details else ""
    return ManifestInvalidError(
        f"the export is not whole: {cause}{compared}",
        table=table,
        remedy="the Athena table was left where it was; look at the objects, then run a new export",
        **details,
    )
