"""Which columns a table needs: declared ones, the keys, and what every exported item holds."""

from collections.abc import Sequence

from ddb_assets.core.export import TableDescription
from ddb_assets.core.manifest import Manifest
from ddb_assets.core.ports import ProfileLines
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.core.verifying.data_files import check_data_files, read_data_files
from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.layout import merge_attributes
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.shapes import uncovered

#: So many paths are named in a note; an open map may have thousands.
_NAMED = 20


def examined(
    run: RunContext, spec: TableSpec, manifest: Manifest, *, infer: bool, check_md5: bool
) -> Task[Profile | None]:
    """Read the data files once, as far as they are needed at all.

    Returns:
        The profile of all items; None where nothing was to be inferred.

    Raises:
        ManifestInvalidError: A data file is not what the manifest says.
        ExportObjectsGoneError: A data file is gone.
    """
    if not infer:
        if check_md5:
            yield from check_data_files(run, spec.name, manifest)
        return None
    run.emit(
        spec.name,
        "inferring",
        f"reading {manifest.items:,} items in {len(manifest.files):,} files",
        items=manifest.items,
        stored_bytes=manifest.stored_bytes,
    )
    whole = Profile()
    profile_lines = run.profiling()
    yield from read_data_files(
        run,
        spec.name,
        manifest,
        fresh=lambda: _FileProfile(profile_lines),
        check_md5=check_md5,
        merge=lambda file: whole.absorb(file.profile),
    )
    return whole


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
