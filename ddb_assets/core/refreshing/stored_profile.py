"""The profile of an export's items, kept beside the export: its next reader need not read them all.

It lies next to the manifests, outside of `data/`, where neither Athena nor verification looks, and
is deleted with the export. A profile that cannot be kept or read costs time, never a refresh.
"""

import json
from typing import Any, Final

from ddb_assets.core.locations import ExportPlace, place_of
from ddb_assets.core.manifest import Manifest
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import AccessDeniedError, DdbAssetsError, ManifestMissingError
from ddb_assets.schema.profile import Profile

FORMAT_VERSION: Final = 1

#: A bucket that takes no small object for so long gets none: the refresh goes on without.
_PATIENCE_SECONDS: Final = 60.0


def stored_profile(
    run: RunContext, table: str, place: ExportPlace, *, items: int | None = None
) -> Task[Profile | None]:
    """The profile beside an export; None where there is none, or it is not this export's.

    Args:
        run: The refresh, or an operator's call.
        table: Whose export it is, for messages.
        place: Of the export.
        items: How many items the export has; None where that is not known.

    Raises:
        AccessDeniedError: It may not be read.
    """
    objects = run.gateways.objects
    try:
        body = yield from run.call(
            table,
            f"read the profile of export {place.export_id}",
            lambda: objects.read(place.bucket, place.profile_key),
        )
        return _parsed(body, place, items)
    except (ManifestMissingError, ValueError):
        # Not there, or of another version of this package: the items themselves still tell.
        return None


def known_profile(run: RunContext, table: str, place: ExportPlace) -> Task[Profile | None]:
    """The same for comparing only: whatever keeps it from being read, it is not known then."""
    try:
        return (yield from stored_profile(run, table, place))
    except DdbAssetsError:
        return None


def own_profile(run: RunContext, table: str, manifest: Manifest) -> Task[Profile | None]:
    """The same for a verified export whose items are to be known."""
    try:
        return (yield from stored_profile(run, table, _place(manifest), items=manifest.items))
    except DdbAssetsError:
        # What keeps this object from being read is told when the data files are.
        return None


def keep_profile(
    run: RunContext, spec: TableSpec, manifest: Manifest, profile: Profile
) -> Task[None]:
    """Write it beside the export; the same bytes whoever does so. Trouble is told, not raised."""
    objects, place = run.gateways.objects, _place(manifest)
    body = _written(manifest, profile)
    try:
        yield from run.call(
            spec.name,
            "write the profile beside the export",
            lambda: objects.write(
                place.bucket,
                place.profile_key,
                body,
                sse_algorithm=spec.sse_algorithm,
                kms_key_id=spec.kms_key_id,
            ),
            deadline=run.clock.monotonic() + _PATIENCE_SECONDS,
        )
    except DdbAssetsError as error:
        run.emit(
            spec.name,
            "warned",
            "what its items hold could not be kept beside the export, so that a later run reads "
            f"all of them again: {error.cause} — {_remedy(error, place, manifest)}",
            error=type(error).__name__,
            code=error.code,
            key=f"s3://{place.bucket}/{place.profile_key}",
        )


def _remedy(error: DdbAssetsError, place: ExportPlace, manifest: Manifest) -> str:
    if not isinstance(error, AccessDeniedError):
        return error.remedy or "nothing has to be done"
    partition = manifest.export_arn.split(":")[1]
    name = place.profile_key.rpartition("/")[2]
    line = f'"s3:PutObject" on "arn:{partition}:s3:::{place.bucket}/*/{name}"'
    return f"{error.remedy or 'allow it'}; for all exports: {line} (docs/iam-policy.md)"


def _place(manifest: Manifest) -> ExportPlace:
    return place_of(manifest.bucket, manifest.prefix, manifest.export_id)


def _written(manifest: Manifest, profile: Profile) -> bytes:
    content = {
        "format": FORMAT_VERSION,
        "export_arn": manifest.export_arn,
        "items": manifest.items,
        "profile": profile.to_dict(),
    }
    # ASCII: JSON's escapes hold any name, also one that UTF-8 cannot.
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")


def _parsed(body: bytes, place: ExportPlace, items: int | None) -> Profile | None:
    """The profile, if it is this export's and of all its items.

    Raises:
        ValueError: It is not what `keep_profile` writes.
    """
    content: Any = json.loads(body)
    try:
        if content["format"] != FORMAT_VERSION:
            return None
        export_id = str(content["export_arn"]).rpartition("/")[2]
        counted = int(content["items"])
        profile = Profile.from_dict(content["profile"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a stored profile: {error}") from error
    whole = counted == profile.items and items in {None, counted}
    return profile if whole and export_id == place.export_id else None
