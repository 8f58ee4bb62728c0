"""Drift: how what the items hold differs from the last time, and from what is declared.

Pure functions over profiles and attributes; who asks decides how bad each kind is. A path is an
attribute in DynamoDB's spelling: `address.zip`, `lines[].sku`, `prices.*` for any key of a map.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.declaration import ANY_KEY
from ddb_assets.schema.number_stats import NumberStats
from ddb_assets.schema.numbers import narrowest, widen
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.profile_node import Node
from ddb_assets.schema.shapes import item_shape

DriftKind = Literal["new", "missing", "retyped", "wider"]

DRIFT_KINDS: Final[tuple[DriftKind, ...]] = ("new", "missing", "retyped", "wider")


@dataclass(frozen=True, order=True)
class DriftEntry:
    """One difference.

    Attributes:
        kind: `new` was not there before, `missing` is not there now, `retyped` has a type it had
            not, or open keys where they were fixed; `wider` has numbers its type did not hold.
        path: The attribute.
        before: Its types; empty where it was not there.
        after: Likewise.
    """

    kind: DriftKind
    path: str
    before: str = ""
    after: str = ""

    @property
    def text(self) -> str:
        """`createAt: bigint -> decimal(21,2)`."""
        if self.kind == "new":
            return f"{self.path}: {self.after}"
        if self.kind == "missing":
            return f"{self.path}: {self.before}"
        return f"{self.path}: {self.before} -> {self.after}"


@dataclass(frozen=True)
class SchemaDrift:
    """Every difference, by kind and path."""

    entries: tuple[DriftEntry, ...] = ()

    def of(self, kind: DriftKind) -> tuple[DriftEntry, ...]:
        """The differences of one kind."""
        return tuple(entry for entry in self.entries if entry.kind == kind)

    def sentence(self, most: int = 3) -> str:
        """`2 new (a: S, b: N), 1 retyped (c: S -> N | S)`; empty if nothing differs."""
        parts: list[str] = []
        for kind in DRIFT_KINDS:
            if entries := self.of(kind):
                more = ", …" if len(entries) > most else ""
                named = ", ".join(entry.text for entry in entries[:most])
                parts.append(f"{len(entries)} {kind} ({named}{more})")
        return ", ".join(parts)

    def to_dict(self, most: int = 100) -> dict[str, Any]:
        """For metadata: at most so many of each kind, and how many there are."""
        found: dict[str, Any] = {}
        for kind in DRIFT_KINDS:
            entries = self.of(kind)
            if entries:
                found[kind] = [entry.text for entry in entries[:most]]
            if len(entries) > most:
                found[f"{kind}_count"] = len(entries)
        return found

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.entries)


def compare_profiles(before: Profile, after: Profile) -> SchemaDrift:
    """What the items of the later export hold and the earlier ones' did not, and the reverse.

    Fewer types than before are no drift: a value of that type may come again. An export without
    items says nothing of the table's attributes, so that nothing is missing from it.
    """
    if not before.items or not after.items:
        return SchemaDrift()
    return SchemaDrift(tuple(sorted(_maps(before.item, after.item, ""))))


def compare_declaration(
    declared: Sequence[Attribute], found: Profile, *, undeclared: bool = True
) -> SchemaDrift:
    """What the items hold beyond the declaration (`new`, `retyped`), and what of it they lack.

    Digits are not declared, so nothing is `wider`. NULL needs no declaration.

    Args:
        declared: The declared attributes; without any there is nothing to compare with.
        found: What the items hold.
        undeclared: Whether an attribute that is not declared at all is `new`; what is inside
            declared ones always is.
    """
    if not found.items or not declared:
        return SchemaDrift()
    entries = _declared(item_shape(declared), found.item.map_shape(), "", undeclared=undeclared)
    return SchemaDrift(tuple(sorted(entries)))


def _nodes(before: Node, after: Node, path: str) -> Iterator[DriftEntry]:
    had, has = _codes(before), _codes(after)
    if has - had:
        yield DriftEntry("retyped", path, _listed(had), _listed(has | had))
    for old, new in ((before.numbers, after.numbers), (before.set_numbers, after.set_numbers)):
        yield from _numbers(old, new, path)
    if "M" in had and "M" in has:
        yield from _maps(before, after, path)
    if before.element is not None and after.element is not None:
        yield from _nodes(before.element, after.element, f"{path}[]")


def _numbers(
    before: NumberStats | None, after: NumberStats | None, path: str
) -> Iterator[DriftEntry]:
    if before is None or after is None:
        return
    together = NumberStats()
    together.absorb(before)
    together.absorb(after)
    had, needed = narrowest(before), narrowest(together)
    if needed != had:
        yield DriftEntry("wider", path, had.query, widen(had, needed).query)


def _maps(before: Node, after: Node, path: str) -> Iterator[DriftEntry]:
    prefix = f"{path}." if path else ""
    old, new = before.children, after.children
    was_open, is_open = before.has_open_keys, after.has_open_keys
    if old and is_open and not was_open:
        yield DriftEntry("retyped", path or ANY_KEY, "fixed keys", "open keys")
    if old is None or new is None or was_open or is_open:
        # Keys that come and go are the map's content, not its form.
        had, has = _together(before), _together(after)
        if had is not None and has is not None and had.total and has.total:
            yield from _nodes(had, has, f"{prefix}{ANY_KEY}")
        return
    for name in sorted(old.keys() | new.keys()):
        here = f"{prefix}{name}"
        if name not in old:
            yield DriftEntry("new", here, after=_listed(_codes(new[name])))
        elif name not in new:
            yield DriftEntry("missing", here, before=_listed(_codes(old[name])))
        else:
            yield from _nodes(old[name], new[name], here)


def _declared(
    declared: Shape, found: Shape, path: str, *, undeclared: bool = True
) -> Iterator[DriftEntry]:
    prefix = f"{path}." if path else ""
    if declared.values is not None:
        inside = [found.values] if found.values is not None else []
        inside += [attribute.shape for attribute in found.fields or ()]
        for shape in inside:
            yield from _declared_value(declared.values, shape, f"{prefix}{ANY_KEY}")
        return
    if found.values is not None:
        if declared.fields:
            yield DriftEntry("retyped", path or ANY_KEY, "fixed keys", "open keys")
        return
    wanted = {attribute.name: attribute.shape for attribute in declared.fields or ()}
    have = {attribute.name: attribute.shape for attribute in found.fields or ()}
    for name in sorted(wanted.keys() | have.keys()):
        here = f"{prefix}{name}"
        if name not in wanted:
            if undeclared:
                yield DriftEntry("new", here, after=_listed(_shape_codes(have[name])))
        elif name not in have:
            yield DriftEntry("missing", here, before=_listed(_shape_codes(wanted[name])))
        else:
            yield from _declared_value(wanted[name], have[name], here)


def _declared_value(declared: Shape, found: Shape, path: str) -> Iterator[DriftEntry]:
    wanted, have = _shape_codes(declared), _shape_codes(found) - {"NULL"}
    if have - wanted:
        yield DriftEntry("retyped", path, _listed(wanted), _listed(wanted | have))
    if "M" in wanted and "M" in have:
        yield from _declared(declared, found, path)
    if declared.element is not None and found.element is not None:
        yield from _declared_value(declared.element, found.element, f"{path}[]")


def _together(node: Node) -> Node | None:
    if node.children is None:
        return node.values
    together = Node()
    for child in node.children.values():
        together.absorb(child)
    return together


def _codes(node: Node) -> set[str]:
    return set(node.counts)


def _shape_codes(shape: Shape) -> set[str]:
    codes: set[str] = set(shape.scalars)
    if shape.fields is not None or shape.values is not None:
        codes.add("M")
    if shape.element is not None:
        codes.add("L")
    return codes


def _listed(codes: set[str]) -> str:
    return " | ".join(sorted(codes))
