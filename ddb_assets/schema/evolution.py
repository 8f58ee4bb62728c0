"""How a table's columns differ from what is wanted, and how they grow without losing anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from ddb_assets.schema.attributes import Attribute
from ddb_assets.schema.field_names import all_keys, is_plain
from ddb_assets.schema.hive_types import STRING, Array, HiveType, Map, Struct, parse
from ddb_assets.schema.layout import OPENX_SERDE, TableLayout, table_layout, written_attributes
from ddb_assets.schema.shapes import item_attributes, item_shape, unite

Columns = Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Evolution:
    """What would change; each entry is a path and its types.

    Attributes:
        additions: In the wanted columns only.
        removals: In the existing columns only.
        retypings: In both, with types that do not agree.
    """

    additions: tuple[str, ...] = ()
    removals: tuple[str, ...] = ()
    retypings: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing changes."""
        return not (self.additions or self.removals or self.retypings)

    @property
    def additive(self) -> bool:
        """Whether every query that worked goes on working: only additions, or nothing."""
        return not (self.removals or self.retypings)


def compare(existing: Columns, wanted: TableLayout) -> Evolution:
    """Compare by parsed types: case and order of fields do not matter.

    Raises:
        CatalogConflictError: A type in the existing columns is not a Hive type.
    """
    found = _Differences()
    found.struct(_row(existing), _row(wanted.columns), "")
    return Evolution(tuple(found.additions), tuple(found.removals), tuple(found.retypings))


def union(existing_type: str, wanted_type: str) -> tuple[str, Evolution]:
    """The existing type with what the wanted one has beyond it, and what thereby changes.

    Fields that only the existing type has are kept (they read as NULL). A map with open keys stays
    open. Where the types do not agree the wanted one is taken and listed under `retypings`;
    `removals` is always empty.

    Raises:
        CatalogConflictError: One of them is not a Hive type.
    """
    existing, wanted = parse(existing_type), parse(wanted_type)
    united = _unite(existing, wanted)
    found = _Differences()
    found.type_(existing, united, "")
    return united.text, Evolution(
        tuple(found.additions), tuple(found.removals), tuple(found.retypings)
    )


def extend(
    attributes: Sequence[Attribute],
    *,
    serde: str,
    table_parameters: Mapping[str, str],
    serde_library: str,
    serde_parameters: Mapping[str, str],
) -> TableLayout:
    """The layout for these attributes on a table that an earlier refresh laid out.

    What the table had stays: attributes an older export had and this one lacks, and the field every
    attribute is read through, also when an odd name makes the table change from Hive to OpenX. A
    map whose keys were open stays open; to make it a struct again, drop the table.

    One thing cannot stay: under OpenX a field named like a type (`s`, `n`, `m`, …) or `item` means
    that key everywhere, so an attribute of such a name in lower case is renamed; `compare` says so.

    Args:
        attributes: What is wanted now.
        serde: As declared.
        table_parameters: Of the Glue table; hold the attributes it was laid out for.
        serde_library: Of the Glue table.
        serde_parameters: Likewise.

    Raises:
        CatalogConflictError: The table's parameters cannot be read.
        DeclarationError: As `table_layout`.
    """
    before = written_attributes(table_parameters)
    if not before:
        return table_layout(attributes, serde=serde)
    together = item_attributes(unite(item_shape(before), item_shape(attributes)))
    known = _known_fields(before, serde_library, serde_parameters)
    return table_layout(together, serde=serde, known_fields=known)


def _known_fields(
    before: Sequence[Attribute], serde_library: str, serde_parameters: Mapping[str, str]
) -> dict[str, str]:
    """Field -> attribute name as the table reads them now."""
    keys = all_keys(before)
    known: dict[str, str] = {}
    if serde_library == OPENX_SERDE:
        mapped = {
            name.removeprefix("mapping."): key
            for name, key in serde_parameters.items()
            if name.startswith("mapping.")
        }
        renamed = set(mapped.values())
        return {**mapped, **{key: key for key in keys if key not in renamed and is_plain(key)}}
    for key in keys:
        known.setdefault(key.lower(), key)
    return known


def _row(columns: Columns) -> Struct:
    return Struct(tuple((name, parse(type_)) for name, type_, _ in columns))


class _Differences:
    """Walks two types side by side and notes where they differ."""

    def __init__(self) -> None:
        self.additions: list[str] = []
        self.removals: list[str] = []
        self.retypings: list[str] = []

    def type_(self, existing: HiveType, wanted: HiveType, path: str) -> None:
        match existing, wanted:
            case Struct(), Struct():
                self.struct(existing, wanted, f"{path}." if path else "")
            case _ if _says_nothing(existing) and isinstance(wanted, Struct | Map | Array):
                if existing.text != wanted.text:
                    self.additions.append(f"{path}: {wanted.text}")
            case Array(), Array():
                self.type_(existing.element, wanted.element, f"{path}[]")
            case Map(), Map():
                self.type_(existing.key, wanted.key, f"{path}.key")
                self.type_(existing.value, wanted.value, f"{path}.*")
            case _ if existing.text.lower() != wanted.text.lower():
                self.retypings.append(f"{path}: {existing.text} -> {wanted.text}")
            case _:
                pass

    def struct(self, existing: Struct, wanted: Struct, prefix: str) -> None:
        before = {name.lower(): type_ for name, type_ in existing.fields}
        after = {name.lower(): type_ for name, type_ in wanted.fields}
        for name, type_ in after.items():
            if name in before:
                self.type_(before[name], type_, f"{prefix}{name}")
            else:
                self.additions.append(f"{prefix}{name}: {type_.text}")
        self.removals += [
            f"{prefix}{name}: {type_.text}" for name, type_ in before.items() if name not in after
        ]


def _unite(existing: HiveType, wanted: HiveType) -> HiveType:
    nested = isinstance(existing, Struct | Map | Array) and isinstance(wanted, Struct | Map | Array)
    if nested and (_says_nothing(wanted) or _says_nothing(existing)):
        return existing if _says_nothing(wanted) else wanted
    match existing, wanted:
        case Struct(), Struct():
            after = {name.lower(): type_ for name, type_ in wanted.fields}
            fields = [
                (name, _unite(type_, after.pop(name.lower())) if name.lower() in after else type_)
                for name, type_ in existing.fields
            ]
            return Struct((*fields, *after.items()))
        case Array(), Array():
            return Array(_unite(existing.element, wanted.element))
        case Map(), Map():
            return Map(_unite(existing.key, wanted.key), _unite(existing.value, wanted.value))
        case (Map(), Struct()) | (Struct(), Map()):
            return Map(STRING, reduce(_unite, [*_inside(existing), *_inside(wanted)]))
        case _:
            return wanted


def _inside(type_: Map | Struct) -> list[HiveType]:
    return [type_.value] if isinstance(type_, Map) else [inner for _, inner in type_.fields]


def _says_nothing(type_: HiveType) -> bool:
    """Whether it stands for a map or list of which only empty ones were seen."""
    return type_ in {Map(STRING, STRING), Array(STRING)}
