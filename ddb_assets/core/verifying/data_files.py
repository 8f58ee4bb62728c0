"""Reads the data files of a verified export once: for their MD5, for inference, or for both.

The bytes are streamed, never held; after every piece other tables get their turn.
"""

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from ddb_assets.core.manifest import DataFile, Manifest
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Pause, Task
from ddb_assets.errors import ManifestInvalidError

_CHUNK_BYTES = 1 << 20
#: zlib's window for a gzip header.
_GZIP = 16 + zlib.MAX_WBITS
#: Unpacked bytes after which other tables get a turn: about 0.1 s of inference.
_TURN_BYTES = 1 << 20


class LinesObserver(Protocol):
    """What sees every exported item of one file."""

    def observe_lines(self, lines: bytes) -> None:
        """Whole lines, each `{"Item":{…}}`; only the file's last may lack its newline."""
        ...


ObserverT = TypeVar("ObserverT", bound=LinesObserver)


def read_data_files(
    run: RunContext,
    table: str,
    manifest: Manifest,
    *,
    fresh: Callable[[], ObserverT],
    check_md5: bool,
    merge: Callable[[ObserverT], None],
) -> Task[None]:
    """Read every data file, some lines at a time.

    A file that breaks off is read again from its beginning into a fresh observer, so that no item
    is seen twice.

    Args:
        run: The refresh.
        table: Whose export it is.
        manifest: The verified manifest.
        fresh: Makes the observer of one file.
        check_md5: Whether to compare each file with the manifest's MD5.
        merge: Takes each file's observer once that file was read to its end.

    Raises:
        ManifestInvalidError: An MD5, a count of lines or the gzip stream is wrong.
        ExportObjectsGoneError: A file is gone.
    """
    for file in manifest.files:
        reading = _Reading(run, table, manifest.bucket, file, check_md5)
        observer = yield from run.calls.repeat(
            table, f"read s3://{manifest.bucket}/{file.key}", lambda r=reading: r.read(fresh())
        )
        merge(observer)


def check_data_files(run: RunContext, table: str, manifest: Manifest) -> Task[None]:
    """Compare every data file with the manifest's MD5, without unpacking it.

    Raises:
        ManifestInvalidError: One differs.
        ExportObjectsGoneError: A file is gone.
    """
    for file in manifest.files:
        reading = _Reading(run, table, manifest.bucket, file, check_md5=True)
        yield from run.calls.repeat(table, f"read s3://{manifest.bucket}/{file.key}", reading.check)


class _Reading:
    """One data file, read from its beginning each time it is asked to."""

    def __init__(
        self, run: RunContext, table: str, bucket: str, file: DataFile, check_md5: bool
    ) -> None:
        self._run = run
        self._table = table
        self._bucket = bucket
        self._file = file
        self._check_md5 = check_md5

    def check(self) -> Task[None]:
        digest = hashlib.md5()
        for chunk in self._chunks():
            digest.update(chunk)
            yield self._turn()
        self._compare(digest.digest())

    def read(self, observer: ObserverT) -> "Task[ObserverT]":
        digest = hashlib.md5()
        gzip = Gunzip()
        count = 0
        begun: list[bytes] = []
        for chunk in self._chunks():
            if self._check_md5:
                digest.update(chunk)
            for piece in self._unpacked(gzip, chunk):
                end = piece.rfind(b"\n") + 1
                if end:
                    lines = b"".join((*begun, piece[:end]))
                    self._observe(observer, lines)
                    count += lines.count(b"\n")
                    begun = []
                begun.append(piece[end:])
                yield self._turn()
        if not gzip.complete:
            raise self._invalid("its gzip stream breaks off")
        if rest := b"".join(begun):
            self._observe(observer, rest)
            count += 1
        if self._check_md5:
            self._compare(digest.digest())
        if count != self._file.items:
            raise self._invalid("it holds another number of items", self._file.items, count)
        return observer

    def _observe(self, observer: LinesObserver, lines: bytes) -> None:
        try:
            observer.observe_lines(lines)
        except ManifestInvalidError as error:
            key = f"s3://{self._bucket}/{self._file.key}"
            raise ManifestInvalidError(
                f"{error.cause}: {key}",
                table=self._table,
                remedy=error.remedy,
                **{**error.details, "key": key},
            ) from error

    def _chunks(self) -> Iterator[bytes]:
        return self._run.gateways.objects.stream(self._bucket, self._file.key, _CHUNK_BYTES)

    def _unpacked(self, gzip: "Gunzip", chunk: bytes) -> Iterator[bytes]:
        try:
            yield from gzip.feed(chunk)
        except zlib.error as error:
            raise self._invalid(f"its gzip stream is broken ({error})") from error

    def _turn(self) -> Pause:
        return Pause(until=self._run.clock.monotonic())

    def _compare(self, digest: bytes) -> None:
        found = base64.b64encode(digest).decode()
        if found != self._file.md5:
            raise self._invalid("its MD5 differs from the manifest's", self._file.md5, found)

    def _invalid(self, cause: str, expected: object = None, found: object = None) -> Exception:
        key = f"s3://{self._bucket}/{self._file.key}"
        facts: dict[str, Any] = {} if expected is None else {"expected": expected, "found": found}
        compared = "" if expected is None else f" (expected {expected}, found {found})"
        return ManifestInvalidError(
            f"the export is not whole: {cause}{compared}: {key}",
            table=self._table,
            remedy="the Athena table was left where it was; run a new export",
            key=key,
            **facts,
        )


class Gunzip:
    """Unpacks a gzip stream of one or more members piece by piece."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._begun = False

    @property
    def complete(self) -> bool:
        """Whether every member that began has ended."""
        return not self._begun

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """What these bytes unpack to, in pieces of bounded size."""
        while True:
            self._begun = self._begun or bool(packed)
            piece = self._member.decompress(packed, _TURN_BYTES)
            packed = self._member.unconsumed_tail
            ended = self._member.eof
            if ended:
                packed = self._member.unused_data
                self._member = zlib.decompressobj(_GZIP)
                self._begun = False
            if piece:
                yield piece
            # A full piece may leave more inside the decompressor although all input is taken.
            if not packed and (ended or len(piece) < _TURN_BYTES):
                return
