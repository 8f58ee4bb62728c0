"""Whether what a surface shows is what was put, value for value; knows nothing of the product.

The yardstick is the item as it was put, in DynamoDB's own form. A difference is a `Lost` value, and
every one of them has to stand in the product's own report.
"""

import base64
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ddb_round_trip.types import Type

Typed = Mapping[str, Any]


@dataclass
class Seen:
    """What the items have at one place: the types, and what is inside documents."""

    codes: set[str] = field(default_factory=set)
    inside: "dict[str, Seen]" = field(default_factory=dict)
    element: "Seen | None" = None

    def take(self, typed: Typed) -> None:
        """One more value."""
        ((code, value),) = typed.items()
        self.codes.add(code)
        if code == "M":
            for key, one in value.items():
                self.inside.setdefault(key, Seen()).take(one)
        elif code == "L":
            self.element = self.element or Seen()
            for one in value:
                self.element.take(one)

    def any_key(self) -> "Seen":
        """All values of the maps as one place."""
        together = Seen()
        for one in self.inside.values():
            together.join(one)
        return together

    def join(self, other: "Seen") -> None:
        """What the other one saw as well."""
        self.codes |= other.codes
        for key, one in other.inside.items():
            self.inside.setdefault(key, Seen()).join(one)
        if other.element is not None:
            self.element = self.element or Seen()
            self.element.join(other.element)

    @property
    def types(self) -> set[str]:
        """Those that carry a value."""
        return self.codes - {"NULL"}

    def keys(self) -> Iterator[str]:
        """Every name of an attribute or key, at every depth."""
        for key, one in self.inside.items():
            yield key
            yield from one.keys()
        if self.element is not None:
            yield from self.element.keys()


def seen(items: Iterable[Mapping[str, Typed]]) -> Seen:
    """What a table's items have."""
    whole = Seen()
    for item in items:
        whole.take({"M": item})
    return whole


@dataclass(frozen=True)
class Lost:
    """A NULL that reads as if the attribute were absent: the path, as reports write paths."""

    path: str


class Comparison:
    """Compares values of one surface with what was put.

    Args:
        fields: Key -> field of the raw table and of rows.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = fields
        self.lost: set[Lost] = set()

    def value(self, actual: Any, typed: Typed | None, of: Type, place: Seen, path: str) -> None:
        """One value at a place where it may be of several types; a row of one field per type."""
        if len(place.types) < 2:
            self.single(actual, typed, of, place, path)
            return
        assert of.name == "row", (path, of)
        if typed is None:
            assert actual is None, (path, actual)
            return
        assert isinstance(actual, dict), (path, actual, typed)
        assert {f.upper() for f in of.fields} == place.types, (path, of, place.types)
        for name, one in zip(of.fields, of.inside, strict=True):
            right = name.upper() in typed
            self.single(actual[name], typed if right else None, one, place, path)

    def single(self, actual: Any, typed: Typed | None, of: Type, place: Seen, path: str) -> None:
        """A value of the one type that the column or field shows; None for absent and NULL."""
        if typed is None or "NULL" in typed:
            assert actual is None, (path, actual, typed)
            return
        ((code, put),) = typed.items()
        assert actual is not None, (path, typed, of)
        if code == "M":
            self._map(actual, put, of, place, path)
        elif code == "L":
            assert of.name == "array", (path, of)
            assert len(actual) == len(put), (path, actual, put)
            assert place.element is not None
            for one, each in zip(actual, put, strict=True):
                self.value(one, each, of.inside[0], place.element, f"{path}[]")
        elif code in {"SS", "NS", "BS"}:
            assert of.name == "array", (path, of)
            found = sorted(_scalar(one, code[0], of.inside[0]) for one in actual)
            assert found == sorted(map(_put(code[0]), put)), (path, actual, put)
        else:
            assert _scalar(actual, code, of) == _put(code)(put), (path, actual, typed, of)

    def _map(self, actual: Any, put: Mapping[str, Typed], of: Type, place: Seen, path: str) -> None:
        if of.name == "map":
            assert set(actual) == set(put), (path, actual, put)
            every = place.any_key()
            for key, one in put.items():
                self.value(actual[key], one, of.inside[1], every, f"{path}.*")
            return
        assert of.name == "row", (path, of)
        owner = {self.fields[key]: key for key in place.inside}
        assert len(owner) == len(place.inside), (path, place.inside)
        assert set(owner) == set(of.fields), (path, owner, of.fields)
        for name, one in zip(of.fields, of.inside, strict=True):
            key = owner[name]
            here = f"{path}.{key}"
            self.attribute(actual[name], put.get(key), one, place.inside[key], here)

    def attribute(self, actual: Any, typed: Typed | None, of: Type, place: Seen, path: str) -> None:
        """A key that may be absent: where NULL reads the same, something is lost."""
        if typed is not None and "NULL" in typed and actual is None:
            self.lost.add(Lost(path))
        self.value(actual, typed, of, place, path)


def _put(code: str) -> Any:
    return Decimal if code == "N" else lambda value: value


def _scalar(actual: Any, code: str, of: Type) -> Any:
    if code == "N":
        assert of.name in {"varchar", "bigint"} or of.name.startswith("decimal"), of
        return Decimal(actual)
    expected = {"S": "varchar", "B": "varbinary", "BOOL": "boolean"}[code]
    assert of.name == expected, (of, code)
    return actual


def decoded(of: Type, found: Any) -> Any:  # noqa: PLR0911 - one per type
    """A value of `types.as_json`, parsed, as Python has its type: Decimal, bytes, dict, list."""
    if found is None:
        return None
    if of.name == "varbinary":
        return base64.b64decode(found, validate=True)
    if of.name == "bigint" or of.name.startswith("decimal"):
        assert isinstance(found, str), found
        return Decimal(found)
    if of.name == "array":
        return [decoded(of.inside[0], one) for one in found]
    if of.name == "map":
        return {key: decoded(of.inside[1], one) for key, one in found.items()}
    if of.name == "row":
        return {f: decoded(t, found[f]) for f, t in zip(of.fields, of.inside, strict=True)}
    assert isinstance(found, bool if of.name == "boolean" else str), (of, found)
    return found


def from_arrow(of: Type, found: Any) -> Any:
    """A value of a Parquet column; maps come as pairs."""
    if found is None:
        return None
    if of.name == "array":
        return [from_arrow(of.inside[0], one) for one in found]
    if of.name == "map":
        assert len(dict(found)) == len(found)
        return {key: from_arrow(of.inside[1], one) for key, one in found}
    if of.name == "row":
        return {f: from_arrow(t, found[f]) for f, t in zip(of.fields, of.inside, strict=True)}
    expected = {"varchar": str, "boolean": bool, "varbinary": bytes, "bigint": int}
    assert type(found) is expected.get(of.name, Decimal), (of, found)
    return found


class RawComparison:
    """Compares descriptors, parsed from JSON, with what was put: each under its field, none lost.

    Args:
        fields: Key -> field of the raw table.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = fields
        #: Path of a key, part by part, and the field it is spelled as, where that differs.
        self.renamed: set[tuple[tuple[str, ...], str]] = set()

    def item(self, found: Mapping[str, Any], put: Mapping[str, Typed]) -> None:
        """The raw table's `item`."""
        self._map(found, put, ())

    def column(self, text: str | None, typed: Typed | None, attribute: str) -> None:
        """A view's column of DynamoDB JSON: the outermost type as DynamoDB writes it."""
        if typed is None:
            assert text is None, (attribute, text)
            return
        assert text is not None, (attribute, typed)
        ((code, value),) = json.loads(text).items()
        assert {code} == set(typed), (attribute, text, typed)
        self._value({code.lower(): value}, typed, (attribute,))

    def _map(
        self, found: Mapping[str, Any], put: Mapping[str, Typed], path: tuple[str, ...]
    ) -> None:
        present = {name: one for name, one in found.items() if one is not None}
        # A map with open keys has the keys themselves.
        names = {key: key if set(present) == set(put) else self.fields[key] for key in put}
        assert set(present) == set(names.values()), (path, present, put)
        for key, typed in put.items():
            here = (*path, key)
            if names[key] != key:
                self.renamed.add((here, names[key]))
            self._value(present[names[key]], typed, here)

    def _value(self, found: Mapping[str, Any], typed: Typed, path: tuple[str, ...]) -> None:
        ((code, put),) = typed.items()
        ((name, value),) = [(n, v) for n, v in found.items() if v is not None]
        assert name == code.lower(), (path, found, typed)
        if code == "M":
            self._map(value, put, path)
        elif code == "L":
            assert len(value) == len(put), (path, value, put)
            for one, each in zip(value, put, strict=True):
                self._value(one, each, (*path[:-1], f"{path[-1]}[]"))
        elif code in {"NULL", "BOOL"}:
            assert value is put, (path, value, put)
        elif len(code) == 2:
            actual = sorted(_text(code[0], one) for one in value)
            assert actual == sorted(map(_put(code[0]), put)), path
        else:
            assert _text(code, value) == _put(code)(put), (path, value, put)


def report_paths(path: tuple[str, ...]) -> set[str]:
    """How a report may write it: a key of a map whose keys are open is `*` there."""
    first, *rest = path
    spelled = [(part, "*" + part[len(part.rstrip("[]")) :]) for part in rest]
    return {".".join((first, *parts)) for parts in itertools.product(*spelled)}


def _text(code: str, text: str) -> Any:
    """What the raw table has as text."""
    assert isinstance(text, str), text
    return {"S": str, "N": Decimal}.get(code, lambda t: base64.b64decode(t, validate=True))(text)
