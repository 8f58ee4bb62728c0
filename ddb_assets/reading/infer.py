"""The profile of every item of an export, and the names of its attributes.

The C extension counts; where there is none, Arrow does. Both count as `schema.profile` does line
by line, which also judges the lines that they do not understand: `Profile` merges in any order.
"""

import threading
from collections.abc import Callable
from typing import Any

from ddb_assets.reading.blocks import Block
from ddb_assets.reading.extras import load
from ddb_assets.reading.infer_arrow import ArrowObserver
from ddb_assets.reading.lines import observed
from ddb_assets.reading.native_profile import NativeProfiler
from ddb_assets.schema.profile import Profile


class Observer:
    """Profiles blocks, in any number of threads.

    Attributes:
        native: The C extension's profiler, where there is one.
    """

    def __init__(self) -> None:
        self.native = NativeProfiler.of()
        self._arrow = ArrowObserver()
        self._lock = threading.Lock()
        self._rest = Profile()

    def __call__(self, block: Block) -> None:
        """Take in one block.

        Raises:
            ManifestInvalidError: A line is not an item; names the file and the line.
        """
        if self.native is None:
            self._add(self._arrow(block))
            return
        first_line, counted = block.first_line, 0
        for start, end in self.native.observe(block.lines):
            first_line += block.lines.count(b"\n", counted, start)
            counted = start
            self._add(observed(Block(block.uri, first_line, block.lines[start:end])))

    def profile(self) -> Profile:
        """Of all blocks; no thread may be observing."""
        if self.native is None:
            return self._rest
        return self.native.profile().merge(self._rest)

    def _add(self, part: Profile) -> None:
        with self._lock:
            self._rest.absorb(part)


class Names:
    """Finds the attribute names of blocks, in any number of threads.

    Attributes:
        native: The C extension's profiler, where there is one.
    """

    def __init__(self) -> None:
        msgspec: Any = load("msgspec")
        record = msgspec.defstruct("Record", [("Item", dict[str, msgspec.Raw])])
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(record).decode
        self._malformed: type[Exception] = msgspec.DecodeError
        self.native = NativeProfiler.of()

    def __call__(self, block: Block) -> dict[str, None]:
        """Those that `rest` will not name, in the order in which they come.

        Raises:
            ManifestInvalidError: A line is not an item; names the file and the line.
        """
        found: dict[str, None] = {}
        if self.native is not None and self.native.takes(block.lines):
            return found
        try:
            for line in filter(None, block.lines.split(b"\n")):
                found.update(dict.fromkeys(self._decode(line).Item))
        except (self._malformed, UnicodeDecodeError):
            # Either it says which line is wrong, or msgspec is stricter than JSON.
            found = dict.fromkeys(observed(block).item.children or ())
        return found

    def rest(self) -> set[str] | None:
        """The other names; None if they are more than a profile keeps."""
        if self.native is None:
            return set()
        item = self.native.profile().item
        return None if item.values is not None else set(item.children or ())
