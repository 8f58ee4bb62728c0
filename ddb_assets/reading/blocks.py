"""Data files into blocks of whole lines, checked against the manifest on the way.

A block is the unit of work and of memory: a file is never held, only the block that is being
filled and what is left of the last piece.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ddb_assets.core.manifest import DataFile
from ddb_assets.core.ports import ObjectStore
from ddb_assets.errors import ManifestInvalidError
from ddb_assets.reading.extras import load
from ddb_assets.reading.native import gathered

#: zlib's window for a gzip header.
_GZIP: Final = 31
_CHUNK_BYTES: Final = 1 << 20
#: The most that one call to the decompressor may hand out.
_PIECE_BYTES: Final = 1 << 21


@dataclass(frozen=True)
class Block:
    """Whole lines of one data file.

    Attributes:
        uri: Of the file in S3.
        first_line: Number of its first line in the file, from 1.
        lines: The bytes; the last line may lack its line feed.
    """

    uri: str
    first_line: int
    lines: bytes


def file_blocks(
    objects: ObjectStore, bucket: str, file: DataFile, *, block_bytes: int, check_md5: bool
) -> Iterator[Block]:
    """Read one data file.

    Args:
        objects: S3.
        bucket: Where the file is.
        file: As the verified manifest has it.
        block_bytes: Unpacked bytes of a block; a longer line is a block of its own.
        check_md5: Whether to compare the packed bytes with the manifest's MD5.

    Raises:
        ManifestInvalidError: Its gzip stream, MD5 or number of lines is wrong; known at the end.
        ExportObjectsGoneError: It is not there.
    """
    uri = f"s3://{bucket}/{file.key}"
    digest = hashlib.md5()
    gunzip = _Gunzip(min(block_bytes, _PIECE_BYTES))
    cutter = _Cutter(uri, block_bytes)
    for chunk in objects.stream(bucket, file.key, _CHUNK_BYTES):
        if check_md5:
            digest.update(chunk)
        try:
            for piece in gunzip.feed(chunk):
                yield from cutter.add(piece)
        except gunzip.error as error:
            raise _invalid(uri, f"its gzip stream is broken ({error})", cutter.seen) from error
    if not gunzip.complete:
        raise _invalid(uri, "its gzip stream breaks off", cutter.seen)
    if check_md5 and (found := base64.b64encode(digest.digest()).decode()) != file.md5:
        raise _invalid(uri, "its MD5 is not the manifest's", cutter.seen, file.md5, found)
    yield from cutter.rest()
    if cutter.seen != file.items:
        raise _invalid(
            uri, "it holds another number of items", cutter.seen, file.items, cutter.seen
        )


class _Gunzip:
    """ISA-L's inflate over a stream of gzip members."""

    def __init__(self, piece_bytes: int) -> None:
        self._piece_bytes = piece_bytes
        self._isal: Any = load("isal.isal_zlib")
        self.error: type[Exception] = self._isal.error
        self._member: Any = None

    @property
    def complete(self) -> bool:
        """Whether every member that began has ended."""
        return self._member is None

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """What these bytes unpack to, in pieces of bounded size."""
        while packed or self._member is not None:
            if self._member is None:
                self._member = self._isal.decompressobj(_GZIP)
            piece: bytes = self._member.decompress(packed, self._piece_bytes)
            packed = self._member.unconsumed_tail
            ended: bool = self._member.eof
            if ended:
                packed = self._member.unused_data
                self._member = None
            if piece:
                yield piece
            # A full piece may leave more inside the decompressor although all input is taken.
            if not packed and (ended or len(piece) < self._piece_bytes):
                return


class _Cutter:
    """Gathers pieces and cuts them after a line feed."""

    def __init__(self, uri: str, block_bytes: int) -> None:
        self._uri = uri
        self._block_bytes = block_bytes
        self._pieces: list[bytes | memoryview] = []
        self._size = 0
        #: Lines handed out.
        self.seen = 0

    def add(self, piece: bytes) -> Iterator[Block]:
        """Take a piece; hand out a block if it is full."""
        self._size += len(piece)
        end = piece.rfind(b"\n") + 1 if self._size >= self._block_bytes else 0
        if not end:
            self._pieces.append(piece)
            return
        # Views, because a slice of bytes is a copy.
        view = memoryview(piece)
        self._pieces.append(view[:end])
        block = self._block()
        self._pieces = [view[end:]]
        self._size = len(piece) - end
        yield block

    def rest(self) -> Iterator[Block]:
        """What is left when the file has ended."""
        if any(len(piece) for piece in self._pieces):
            yield self._block()
        self._pieces = []

    def _block(self) -> Block:
        lines, count = gathered(self._pieces)
        block = Block(self._uri, self.seen + 1, lines)
        self.seen += count + (not lines.endswith(b"\n"))
        return block


def _invalid(
    uri: str, cause: str, line: int, expected: object = None, found: object = None
) -> ManifestInvalidError:
    compared = "" if expected is None else f" (expected {expected}, found {found})"
    return ManifestInvalidError(
        f"the export is not whole: {cause}{compared}: {uri}, after line {line}",
        remedy="what was read of it so far is not to be used; run a new export",
        key=uri,
        line_number=line,
        expected=expected,
        found=found,
    )
