"""What point-in-time recovery needs of a table: every item's image and the writes that led to it.

moto keeps only the present. A journal keeps, per stored key, the item as the JSON text an export
carries, and while recovery is on the log of changes, which undone gives any moment since.
"""

import base64
import json
from bisect import bisect_left
from collections import deque
from typing import Any, NamedTuple

from ddb_assets.local import clock
from ddb_assets.local.dynamodb.errors import error

#: The stored key: partition key and, if there is one, sort key, each as JSON text with its type.
Key = tuple[str, str | None]


class Change(NamedTuple):
    """One write: what was there before, what is there after. None is: no item."""

    micros: int
    key: Key
    old: bytes | None
    new: bytes | None


class _Encoder(json.JSONEncoder):
    """Writes moto's values and binary."""

    def default(self, o: Any) -> Any:
        if isinstance(o, bytes):
            return base64.b64encode(o).decode("ascii")
        if hasattr(o, "to_json"):
            return o.to_json()
        return super().default(o)


def dump(value: Any) -> str:
    """Compact JSON with every character as itself, as in the lines of an export."""
    return json.dumps(value, cls=_Encoder, ensure_ascii=False, separators=(",", ":"))


def image(attributes: Any) -> bytes:
    """An item's attributes as an export carries them, in the order they are stored.

    Raises:
        JsonRESTError: SerializationException; a string is not Unicode (half a surrogate pair).
    """
    try:
        return dump(attributes).encode()
    except UnicodeEncodeError as cause:
        raise error("SerializationException", f"a string is not valid Unicode: {cause}") from cause


class Journal:
    """The images of a table and the log of its changes.

    Not locked: whoever writes the table holds the lock for both.

    Attributes:
        images: Every item there is, by stored key.
        size_bytes: The length of all images.
    """

    def __init__(self) -> None:
        self.images: dict[Key, bytes] = {}
        self.size_bytes = 0
        self._log: deque[Change] = deque()
        self._last_micros = 0
        self._keeping = False

    def __deepcopy__(self, memo: dict[int, Any]) -> "Journal":
        """For moto, which copies whole tables to roll back; the images never change."""
        copied = Journal()
        copied.images = dict(self.images)
        copied.size_bytes = self.size_bytes
        copied._log = deque(self._log)
        copied._last_micros = self._last_micros
        copied._keeping = self._keeping
        return copied

    def keep_history(self) -> None:
        """Log changes from now on."""
        self._keeping = True

    def drop_history(self) -> None:
        """Log no changes and forget the logged ones: so does AWS when recovery is disabled."""
        self._keeping = False
        self._log.clear()

    def forget(self, before_micros: int) -> None:
        """Drop changes older than the recovery period."""
        while self._log and self._log[0].micros < before_micros:
            self._log.popleft()

    def record(self, key: Key, new: bytes | None) -> None:
        """Note that the item at `key` is now `new`."""
        old = self.images.get(key)
        if old is None and new is None:
            return
        micros = self.advance_to(clock.now_micros())
        if new is None:
            del self.images[key]
        else:
            self.images[key] = new
        self.size_bytes += len(new or b"") - len(old or b"")
        if self._keeping:
            self._log.append(Change(micros, key, old, new))

    def advance_to(self, micros: int) -> int:
        """The next free microsecond that is not before `micros`; every later write comes after it.

        They order the records of a table, and are its WriteTimestampMicros.
        """
        self._last_micros = max(self._last_micros + 1, micros)
        return self._last_micros

    def at(self, micros: int) -> dict[Key, bytes]:
        """The table just before `micros`: today's images with the later changes undone."""
        images = dict(self.images)
        for change in reversed(self._log):
            if change.micros < micros:
                break
            if change.old is None:
                images.pop(change.key, None)
            else:
                images[change.key] = change.old
        return images

    def between(self, start_micros: int, end_micros: int) -> dict[Key, Change]:
        """The net change per key in `[start, end)`, at its last write; none if it came and went."""
        log = list(self._log)
        first = bisect_left(log, start_micros, key=lambda change: change.micros)
        last = bisect_left(log, end_micros, key=lambda change: change.micros)
        net: dict[Key, Change] = {}
        for change in log[first:last]:
            before = net[change.key].old if change.key in net else change.old
            net[change.key] = change._replace(old=before)
        return {key: c for key, c in net.items() if c.old is not None or c.new is not None}
