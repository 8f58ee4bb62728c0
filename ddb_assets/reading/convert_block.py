"""One block of lines into one record batch; when it cannot be, which line is to blame."""

from collections.abc import Callable
from typing import Any

from ddb_assets.errors import DdbAssetsError, DeclarationError, ManifestInvalidError
from ddb_assets.reading.blocks import Block
from ddb_assets.reading.convert import ITEM_COLUMN, JSON_TYPE, TYPE_KEY, Converter
from ddb_assets.reading.decode import Decoder
from ddb_assets.reading.extras import Array, RecordBatch, Schema, load
from ddb_assets.reading.native import NativeDecoder, NativeItemTexts
from ddb_assets.reading.plan import Plan
from ddb_assets.reading.values import BadValueError
from ddb_assets.schema.profile import Profile


class BlockConverter:
    """Typed columns, or one text per attribute, as the plan says.

    Attributes:
        schema: Of its batches.
        native: The C extension's decoder, where there is one.
    """

    def __init__(self, plan: Plan, *, strict: bool) -> None:
        self._decoder = Decoder(plan, strict=strict)
        self._converter = Converter(plan)
        self.native = NativeDecoder.of(plan, self._converter, strict=strict)
        self._arrow: Any = load("pyarrow")
        self.schema: Schema = self._converter.schema

    def __call__(self, block: Block) -> RecordBatch:
        """Convert it.

        Raises:
            ManifestInvalidError: A line is not an item; names the file and the line.
            DeclarationError: A line is an item that the columns or profile have no place for.
        """
        arrays = None if self.native is None else self.native.columns(block.lines)
        if arrays is not None:
            return self._batch(arrays)
        try:
            return self._convert(block.lines)
        except BadValueError as error:
            raise blame(block, self._convert, error) from error

    def _convert(self, lines: bytes) -> RecordBatch:
        return self._batch(self._converter.columns(self._decoder.items(lines)))

    def _batch(self, arrays: list[Array]) -> RecordBatch:
        return self._arrow.RecordBatch.from_arrays(arrays, schema=self.schema)


class ItemTexts:
    """The item as one text column.

    Attributes:
        schema: Of its batches.
        native: The C extension's decoder, where there is one.
    """

    def __init__(self) -> None:
        arrow = load("pyarrow")
        self._arrow: Any = arrow
        self._decoder = Decoder(Plan(), strict=False)
        field = arrow.field(ITEM_COLUMN, arrow.string(), False, {TYPE_KEY: JSON_TYPE.encode()})
        self.schema: Schema = arrow.schema([field])
        self.native = NativeItemTexts.of(self.schema)

    def __call__(self, block: Block) -> RecordBatch:
        """Convert it.

        Raises:
            ManifestInvalidError: A line is not an item; names the file and the line.
        """
        arrays = None if self.native is None else self.native.columns(block.lines)
        if arrays is not None:
            return self._batch(arrays)
        try:
            return self._convert(block.lines)
        except BadValueError as error:
            raise blame(block, self._convert, error) from error

    def _convert(self, lines: bytes) -> RecordBatch:
        return self._batch([self._decoder.item_text(lines)])

    def _batch(self, arrays: list[Array]) -> RecordBatch:
        return self._arrow.RecordBatch.from_arrays(arrays, schema=self.schema)


def blame(block: Block, convert: Callable[[bytes], Any], error: BadValueError) -> DdbAssetsError:
    """The error that names the first line of the block that cannot be converted."""
    lines = block.lines.split(b"\n")
    if not lines[-1]:
        lines.pop()
    low, high = 0, len(lines)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            convert(b"\n".join(lines[low:middle]) + b"\n")
        except BadValueError as narrower:
            high, error = middle, narrower
        else:
            low = middle
    line, number = lines[low], block.first_line + low
    where = f"{block.uri}, line {number}"
    facts: dict[str, Any] = {"key": block.uri, "line_number": number}
    start = line[:200].decode("utf-8", "replace")
    seen = Profile()
    try:
        seen.observe_line(line)
    except ManifestInvalidError as invalid:
        return ManifestInvalidError(
            f"{invalid.cause}: {where}", remedy=invalid.remedy, line=start, **facts
        )
    if not seen.items:
        return ManifestInvalidError(
            f"a line of the export is blank: {where}",
            remedy="export the table again",
            **facts,
        )
    return DeclarationError(
        f"an item does not fit the columns or the profile: {error}: {where}",
        remedy="read it without them (stored_profile=False leaves out the profile beside the "
        "export), or with numbers=pyarrow.string() or mixed types declared",
        line=start,
        **facts,
    )
