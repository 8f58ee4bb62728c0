"""`read_export`: an export as a stream of Arrow record batches."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal, TypeVar

from ddb_assets.core.clock import Clock, SystemClock
from ddb_assets.core.manifest import Manifest
from ddb_assets.core.ports import Gateways, ObjectStore
from ddb_assets.errors import DeclarationError
from ddb_assets.reading.blocks import Block, file_blocks
from ddb_assets.reading.convert_block import BlockConverter, ItemTexts
from ddb_assets.reading.extras import DataType, RecordBatchReader, load
from ddb_assets.reading.infer import Names, Observer
from ddb_assets.reading.pipeline import converted
from ddb_assets.reading.plan import (
    Mixed,
    Options,
    is_open_item,
    item_plan,
    needs_numbers,
    raw_plan,
)
from ddb_assets.reading.source import profile_beside, resolve
from ddb_assets.schema.declaration import parse_columns
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.profile_node import ITEM_KEYS_LIMIT

T = TypeVar("T")

Form = Literal["typed", "raw", "item"]
Verify = Literal["manifest", "full"]
Columns = Mapping[str, Any] | Sequence[Mapping[str, Any]]

#: Unpacked bytes of a batch: large enough for pyarrow's reader, small enough for many workers.
BATCH_BYTES: Final = 8 << 20
#: Columns of text beyond which nobody can want a column per attribute; a profile keeps as many.
MAX_RAW_COLUMNS: Final = ITEM_KEYS_LIMIT


def _unknown() -> Profile | None:
    return None


def read_export(
    location_or_arn: str | Manifest,
    *,
    columns: Columns | None = None,
    profile: Profile | None = None,
    stored_profile: bool = True,
    form: Form = "typed",
    numbers: DataType | None = None,
    mixed: Mixed = "columns",
    null_flags: bool = True,
    wide_decimals: bool = True,
    connection: Any = None,
    gateways: Gateways | None = None,
    batch_bytes: int = BATCH_BYTES,
    workers: int | None = None,
    verify: Verify = "manifest",
    clock: Clock | None = None,
) -> RecordBatchReader:
    """Read a completed full export, verified, in bounded memory and on all cores.

    Every value is exact. Numbers are int64 where all of an attribute fit, else decimal128, else
    decimal256, else text. Binary is bytes, sets and lists are lists, a map is a struct or, with
    open keys, a map. Fields are called exactly as in DynamoDB; `ddb_assets.reading.convert` says
    what becomes of several types in one attribute and of NULL.

    The data files are read twice where neither `profile` nor a profile beside the export (a
    refresh that infers types leaves it there) tells the types, or, where `columns` says those, the
    digits of the numbers. `numbers` does without that for columns.

    Args:
        location_or_arn: The export's ARN, its location (`s3://…/AWSDynamoDB/ID/data/`), or its
            verified manifest.
        columns: What to read, in the declared form; attributes not named are left out.
        profile: Of this export, as made before; decides types and digits.
        stored_profile: Whether the profile beside the export may be used instead of a first pass.
            An item that does not fit it is an error, never another value.
        form: `typed`; `raw` for a column per attribute with its DynamoDB JSON as text; `item` for
            one column with the item's text.
        numbers: An Arrow type for every number, such as `pyarrow.string()`.
        mixed: What becomes of an attribute with several types: `columns`, one for each, or
            `json`, the text of the value with its type.
        null_flags: Whether there is a field `NAME_NULL` for an attribute that can be NULL.
        wide_decimals: Whether decimal256 may be used; DuckDB and polars cannot read it.
        connection: An `AwsConnection`; None leaves everything to the SDK's own chain.
        gateways: Instead of a connection.
        batch_bytes: Unpacked bytes of the export in one batch. Memory is some ten times this
            for each worker, whatever the size of the export.
        workers: Threads; None for one per CPU this process may use.
        verify: `manifest` checks manifests, counts and S3's listing; `full` also every MD5.
        clock: For waits between retries.

    Returns:
        A pyarrow.RecordBatchReader. Close it, or read it to its end. What is wrong inside a data
        file is raised where it is met, so a reader that ends without an error read everything.

    Raises:
        UnsupportedError: pyarrow, isal or msgspec is missing.
        DeclarationError: An argument is wrong, or an item does not fit `columns` or `profile`.
        ManifestInvalidError: The export is not whole; names the file and the line.
        ManifestMissingError, ExportNotFoundError, ExportObjectsGoneError: It is not there.
    """
    arrow = load("pyarrow")
    if batch_bytes < 1 or (workers is not None and workers < 1):
        raise DeclarationError(
            f"batch_bytes={batch_bytes}, workers={workers}", remedy="both are at least 1"
        )
    if gateways is None:
        gateways = _connected(connection)
    elif connection is not None:
        raise DeclarationError("connection and gateways are both given", remedy="give one of them")
    clock = clock or SystemClock()
    manifest = (
        location_or_arn
        if isinstance(location_or_arn, Manifest)
        else resolve(location_or_arn, gateways, clock)
    )
    scan = Scan(
        gateways.objects,
        manifest,
        batch_bytes=batch_bytes,
        workers=workers or _cpus(),
        check_md5=verify == "full",
        known=partial(profile_beside, manifest, gateways, clock) if stored_profile else _unknown,
    )
    options = Options(
        numbers=numbers,
        mixed=mixed,
        null_flags=null_flags,
        wide_decimals=wide_decimals,
        strict=columns is None,
    )
    work = _work(scan, form, columns, profile, options)
    return arrow.RecordBatchReader.from_batches(work.schema, scan.each(work))


class Scan:
    """Passes over the data files of one export.

    Args:
        objects: S3.
        manifest: The verified export.
        batch_bytes: Unpacked bytes of one block.
        workers: Threads.
        check_md5: Whether to compare each file's MD5.
        known: Finds what was counted before.
    """

    def __init__(
        self,
        objects: ObjectStore,
        manifest: Manifest,
        *,
        batch_bytes: int = BATCH_BYTES,
        workers: int = 1,
        check_md5: bool = False,
        known: Callable[[], Profile | None] = _unknown,
    ) -> None:
        self._objects = objects
        self._manifest = manifest
        self._batch_bytes = batch_bytes
        self._workers = workers
        self._check_md5 = check_md5
        self.known = known

    def each(self, work: Callable[[Block], T]) -> Iterator[T]:
        """Every block of every file through `work`, in an order that is always the same."""
        # The largest first, dealt out: the lanes end at about the same time.
        files = sorted(self._manifest.files, key=lambda f: (-(f.size or 0), f.key))
        lanes = max(1, min(self._workers, len(files)))
        sources = [self._blocks(files[lane::lanes]) for lane in range(lanes)]
        return converted(sources, work, self._workers)

    def profile(self) -> Profile:
        """The profile of every item.

        Raises:
            ManifestInvalidError: A line is not an item, or a file is not whole.
        """
        observer = Observer()
        for _ in self.each(observer):
            pass
        return observer.profile()

    def names(self) -> list[str]:
        """The names of all attributes, sorted.

        Raises:
            DeclarationError: There are too many for a column each.
            ManifestInvalidError: A line is not an item, or a file is not whole.
        """
        names = Names()
        found: set[str] = set()
        for part in self.each(names):
            found.update(part)
            if len(found) > MAX_RAW_COLUMNS:
                break
        rest = names.rest()
        if rest is None or len(found := found | rest) > MAX_RAW_COLUMNS:
            raise DeclarationError(
                f"the items have more than {MAX_RAW_COLUMNS} different attributes",
                remedy="read it with form='item', or name the columns",
            )
        return sorted(found)

    def _blocks(self, files: Any) -> Iterator[Block]:
        for file in files:
            yield from file_blocks(
                self._objects,
                self._manifest.bucket,
                file,
                block_bytes=self._batch_bytes,
                check_md5=self._check_md5,
            )


def _work(
    scan: Scan, form: Form, columns: Columns | None, profile: Profile | None, options: Options
) -> Any:
    """What turns a block into a batch; makes the first pass where one is needed."""
    attributes = None if columns is None else parse_columns(columns)
    if attributes is not None and not attributes:
        raise DeclarationError("no columns are declared", remedy="name one, or leave columns out")
    if form == "item":
        return ItemTexts()
    if form == "raw":
        if attributes is None:
            profile = profile or scan.known()
            attributes = profile.attributes() if profile else ()
        known = attributes and not is_open_item(attributes)
        names = [a.name for a in attributes] if known else scan.names()
        return BlockConverter(raw_plan(names), strict=options.strict)
    if profile is None and (
        attributes is None or (options.numbers is None and needs_numbers(attributes))
    ):
        profile = scan.known() or scan.profile()
    if attributes is None:
        assert profile is not None
        attributes = profile.attributes()
    return BlockConverter(item_plan(attributes, profile, options), strict=options.strict)


def _connected(connection: Any) -> Gateways:
    # boto3 takes half a second to import; whoever hands in gateways does without.
    from ddb_assets.aws.gateways import connect  # noqa: PLC0415
    from ddb_assets.aws.session import AwsConnection  # noqa: PLC0415

    return connect(connection or AwsConnection())


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
