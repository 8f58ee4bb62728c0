"""Inference over every item of an export: which attributes there are and what their values are.

A `Profile` is the state of a homomorphism: profiles of the files of an export, merged in any order
and grouping, are equal to the profile of all lines at once. That holds with bounded memory as well,
because the only thing ever given up, the keys of a map with too many of them, depends on the set of
all its keys, which only grows.
"""

import json
from typing import Any, Final, Self

from ddb_assets.errors import ManifestInvalidError
from ddb_assets.schema.attributes import Attribute
from ddb_assets.schema.profile_node import Node
from ddb_assets.schema.shapes import item_attributes

FORMAT_VERSION: Final = 1

#: Parts of a place's form that hold further places.
_INSIDE: Final = frozenset({"fields", "values", "element"})


class Profile:
    """What all items observed so far have in common and in which they differ.

    Example:
        >>> profile = Profile()
        >>> profile.observe_line(b'{"Item":{"userId":{"S":"7155"},"createAt":{"N":"1577804400"}}}')
        >>> [attribute.name for attribute in profile.attributes()]
        ['createAt', 'userId']
    """

    __slots__ = ("_item",)

    def __init__(self) -> None:
        self._item = Node(is_item=True)

    @property
    def items(self) -> int:
        """How many items were observed."""
        return self._item.counts.get("M", 0)

    @property
    def item(self) -> Node:
        """The tree of what was seen; read it, do not change it."""
        return self._item

    def observe_line(self, line: bytes) -> None:
        """Take in one line of a data file, `{"Item":{…}}`; a blank line holds no item.

        Raises:
            ManifestInvalidError: The line is not an item in DynamoDB JSON.
        """
        try:
            record = json.loads(line)
        except ValueError as error:
            if not line.strip():
                return
            raise _not_an_item(f"it is not JSON: {error}", line) from error
        try:
            item = record["Item"]
        except (KeyError, TypeError) as error:
            raise _not_an_item('it has no "Item"', line) from error
        self.observe_item(item, line)

    def observe_item(self, item: Any, line: bytes = b"") -> None:
        """Take in one item, attribute name -> `{type: value}`.

        Raises:
            ManifestInvalidError: It is not an item in DynamoDB JSON. Part of it may be counted by
                then: the profile is of no use any more.
        """
        try:
            self._item.observe({"M": item})
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise _not_an_item(str(error), line) from error

    def absorb(self, other: "Profile") -> None:
        """Take in all that the other one observed; it is left as it is."""
        self._item.absorb(other._item)

    def merge(self, other: "Profile") -> "Profile":
        """The profile of both sets of items; neither is changed."""
        merged = Profile()
        merged.absorb(self)
        merged.absorb(other)
        return merged

    def attributes(self) -> tuple[Attribute, ...]:
        """What was found, by name; one attribute `*` when the item itself has open keys."""
        return item_attributes(self._item.map_shape())

    def to_json(self) -> str:
        """Compact and canonical: equal profiles have equal text."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, to be a part of another document."""
        return {"version": FORMAT_VERSION, "item": self._item.to_dict()}

    def bounded(self, most: int) -> dict[str, Any]:
        """The same in at most so many characters of JSON, for places that keep little.

        What does not fit is left out and said to be: first what is inside maps and lists, then
        whole attributes, the last in order of their names. `from_dict` refuses what was cut.

        Args:
            most: Characters, of which a hundred always are needed.
        """
        whole = self.to_dict()
        if _length(whole) <= most:
            return whole
        item: dict[str, Any] = whole["item"]
        fields: dict[str, Any] = item.get("fields", {})
        shallow = {"types": item["types"], "fields": dict[str, Any]()}
        cut = {"version": FORMAT_VERSION, "cut": True, "attributes": len(fields), "item": shallow}
        left = most - _length(cut)
        for name in sorted(fields):
            node = {k: v for k, v in fields[name].items() if k not in _INSIDE}
            left -= _length({name: node})
            if left < 0:
                break
            shallow["fields"][name] = node
        return cut

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: The text is of another version, or not a profile.
        """
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, content: Any) -> Self:
        """Read what `to_dict` made.

        Raises:
            ValueError: As `from_json`.
        """
        profile = cls()
        try:
            if content["version"] != FORMAT_VERSION:
                raise ValueError(f"the profile is of version {content['version']!r}")
            if content.get("cut"):
                raise ValueError("the profile was cut")
            profile._item = Node.from_dict(content["item"], is_item=True)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a profile: {error}") from error
        return profile

    def __eq__(self, other: object) -> bool:
        """Whether both saw the same."""
        return isinstance(other, Profile) and self.to_json() == other.to_json()

    __hash__ = None  # pyright: ignore[reportAssignmentType] - it changes with every line


def profile_of_lines(lines: bytes) -> Profile:
    """The profile of whole lines of a data file, item by item.

    Raises:
        ManifestInvalidError: A line is not an item in DynamoDB JSON.
    """
    profile = Profile()
    for line in lines.split(b"\n"):
        if line:
            profile.observe_line(line)
    return profile


def _length(content: Any) -> int:
    return len(json.dumps(content))


def _not_an_item(why: str, line: bytes) -> ManifestInvalidError:
    start = line[:200].decode("utf-8", "replace")
    return ManifestInvalidError(
        f"a line of the export is not an item in DynamoDB JSON: {why}",
        remedy="export the table again; if it happens twice, the export's format has changed",
        line=start,
    )
