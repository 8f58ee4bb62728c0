"""The C extension as profiler: one pass over the lines, without the interpreter's lock."""

from collections.abc import Iterator
from typing import Any, Self

from ddb_assets.reading import native
from ddb_assets.schema.profile import FORMAT_VERSION, Profile
from ddb_assets.schema.profile_node import ITEM_KEYS_LIMIT, MAP_KEYS_LIMIT


class NativeProfiler:
    """Counts lines in any number of threads; each has a tree of its own until the end."""

    def __init__(self) -> None:
        self._extension = native.extension()
        #: Trees nobody is at. A list's pop and append are one step each for other threads.
        self._free: list[Any] = []

    @classmethod
    def of(cls) -> Self | None:
        """None where there is no extension."""
        return None if native.extension() is None else cls()

    def observe(self, lines: bytes) -> Iterator[tuple[int, int]]:
        """Take in whole lines, but for those that are not written as an export writes them.

        Returns:
            Where each of these begins and ends, its line feed included. They are the caller's to
            judge; whoever leaves off has not had the lines behind them counted.
        """
        tree = self._take()
        try:
            view, start = memoryview(lines), 0
            while (odd := self._extension.observe(tree, view[start:])) is not None:
                odd += start
                if odd > start:
                    # Lines are taken in together or not at all: these were understood.
                    self._extension.observe(tree, view[start:odd])
                end = lines.find(b"\n", odd) + 1 or len(lines)
                yield odd, end
                start = end
        finally:
            self._free.append(tree)

    def takes(self, lines: bytes) -> bool:
        """Take in all of the lines, or none of them."""
        tree = self._take()
        try:
            return self._extension.observe(tree, lines) is None
        finally:
            self._free.append(tree)

    def profile(self) -> Profile:
        """Of all lines taken in; no thread may be observing."""
        whole = Profile()
        for tree in self._free:
            content = {"version": FORMAT_VERSION, "item": self._extension.result(tree)}
            whole.absorb(Profile.from_dict(content))
        return whole

    def _take(self) -> Any:
        try:
            return self._free.pop()
        except IndexError:
            return self._extension.profile(ITEM_KEYS_LIMIT, MAP_KEYS_LIMIT)
