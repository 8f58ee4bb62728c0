"""Which columns a table needs: declared ones, the keys, and what every exported item holds."""

from collections.abc import Sequence

from ddb_assets.core.export import TableDescription
from ddb_assets.core.locations import parse_location
from ddb_assets.core.manifest import Manifest
from ddb_assets.core.ports import CatalogTable, ProfileLines
from ddb_assets.core.publishing.published import PREVIOUS_LOCATION
from ddb_assets.core.refreshing.stored_profile import keep_profile, known_profile, own_profile
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.core.verifying.data_files import check_data_files, read_data_files
from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.drift import DRIFT_KINDS, compare_profiles
from ddb_assets.schema.layout import merge_attributes
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.shapes import uncovered

#: So many paths are named in a note; an open map may have thousands.
_NAMED = 20
#: Seconds between two words on how far the reading got.
_TELL_SECONDS = 30.0


def examined(
    run: RunContext,
    spec: TableSpec,
    manifest: Manifest,
    *,
    infer: bool,
    needed: bool,
    check_md5: bool,
) -> Task[Profile | None]:
    """Read the data files once, as far as they are needed at all.

    Items that were read before are not read again: their profile lies beside the export.

    Args:
        run: The refresh.
        spec: The table.
        manifest: The verified export.
        infer: Whether the profile is wanted.
        needed: Whether it is worth reading all items where it does not lie beside the export.
        check_md5: Whether to compare each data file with the manifest's MD5.

    Returns:
        The profile of all items; None where nothing was to be inferred.

    Raises:
        ManifestInvalidError: A data file is not what the manifest says.
        ExportObjectsGoneError: A data file is gone.
    """
    known: Profile | None = None
    if infer:
        known = yield from own_profile(run, spec.name, manifest)
        if known is not None and needed:
            run.emit(
                spec.name,
                "inferring",
                f"what its {manifest.items:,} items hold is kept beside the export",
                items=manifest.items,
            )
    if known is not None or not (infer and needed):
        if check_md5:
            yield from check_data_files(run, spec.name, manifest)
        return known
    whole = yield from counted(run, spec, manifest, check_md5=check_md5)
    yield from keep_profile(run, spec, manifest, whole)
    return whole


def counted(
    run: RunContext, spec: TableSpec, manifest: Manifest, *, check_md5: bool = False
) -> Task[Profile]:
    """Read all items of a verified export; says from time to time how far it got.

    Raises:
        ManifestInvalidError: A data file is not what the manifest says.
        ExportObjectsGoneError: A data file is gone.
    """
    run.emit(
        spec.name,
        "inferring",
        f"reading {manifest.items:,} items in {len(manifest.files):,} files",
        items=manifest.items,
        stored_bytes=manifest.stored_bytes,
    )
    whole = Profile()
    profile_lines = run.profiling()
    told = run.clock.monotonic()

    def take(file: _FileProfile) -> None:
        nonlocal told
        whole.absorb(file.profile)
        if run.clock.monotonic() - told >= _TELL_SECONDS and whole.items < manifest.items:
            told = run.clock.monotonic()
            run.emit(
                spec.name,
                "inferring",
                f"read {whole.items:,} of {manifest.items:,} items",
                items=whole.items,
                stored_bytes=manifest.stored_bytes,
            )

    yield from read_data_files(
        run,
        spec.name,
        manifest,
        fresh=lambda: _FileProfile(profile_lines),
        check_md5=check_md5,
        merge=take,
    )
    return whole


def compared(
    run: RunContext,
    spec: TableSpec,
    manifest: Manifest,
    table: CatalogTable | None,
    profile: Profile | None,
) -> Task[Profile | None]:
    """The profile of what the table showed before this export; says how the two differ.

    Args:
        run: The refresh.
        spec: The table.
        manifest: The export that is to be shown.
        table: The Glue table as it is.
        profile: Of the export's items.
    """
    if table is None or profile is None:
        return None
    place = parse_location(table.location)
    if place is not None and place.location == manifest.location:
        place = parse_location(table.parameters.get(PREVIOUS_LOCATION))
    if place is None:
        return None
    previous = yield from known_profile(run, spec.name, place)
    drift = compare_profiles(previous, profile) if previous is not None else None
    if drift:
        run.emit(
            spec.name,
            "inferring",
            f"its items differ from those of export {place.export_id}: {drift.sentence()}",
            **{kind: len(drift.of(kind)) for kind in DRIFT_KINDS},
        )
    return previous


class _FileProfile:
    """What one data file holds; thrown away if the file has to be read again."""

    def __init__(self, profile_lines: ProfileLines) -> None:
        self.profile = Profile()
        self._profile_lines = profile_lines

    def observe_lines(self, lines: bytes) -> None:
        self.profile.absorb(self._profile_lines(lines))


def key_attributes(description: TableDescription) -> tuple[Attribute, ...]:
    """The key attributes, which every item has, in the order of the key."""
    return tuple(
        Attribute(name, Shape(scalars=frozenset((code,)))) for name, code in description.keys
    )


def table_attributes(
    spec: TableSpec, description: TableDescription, profile: Profile | None
) -> tuple[Attribute, ...]:
    """Declared attributes win, the keys are always there, the rest is what was found."""
    found = merge_attributes(key_attributes(description), profile.attributes() if profile else ())
    return merge_attributes(spec.columns, found)


def left_out(attributes: Sequence[Attribute], profile: Profile | None) -> tuple[str, ...]:
    """A note of what the exported items hold and the table has no place for; none if nothing."""
    missing = uncovered(attributes, profile.attributes()) if profile else ()
    if not missing:
        return ()
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    return (
        "not in the Athena table, since the declaration has no place for it: "
        f"{', '.join(missing[:_NAMED])}{more}",
    )
