"""Where a published table's columns, and what its items hold, differ from what was expected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ddb_assets.core.ports import CatalogTable
from ddb_assets.core.spec import TableSpec
from ddb_assets.schema.drift import (
    DriftEntry,
    DriftKind,
    SchemaDrift,
    compare_declaration,
    compare_profiles,
)
from ddb_assets.schema.evolution import compare, extend
from ddb_assets.schema.layout import written_attributes
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.shapes import uncovered

#: How bad one kind of drift is.
DriftSeverity = Literal["ignore", "warn", "error"]

_NAMED = 3
#: So many differences are listed with an event; all of them are counted.
MOST_LISTED = 100
#: What is said of each.
ROW = ("against", "kind", "attribute", "before", "now")
#: An attribute's name may have 64 KB.
_MOST_CHARACTERS = 200


@dataclass(frozen=True)
class Drift:
    """What differs; each entry is a path, mostly with its types.

    Attributes:
        missing: Declared or found before, and no longer in the Glue table.
        foreign: In the Glue table, and put there by nobody known.
        changed: In both, with types that do not agree.
        beyond: Inside declared attributes: types and keys in the data that were not declared.
        undeclared: Attributes in the data that are not declared at all; empty where none is.
    """

    missing: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()

    def sentence(self, *, undeclared: bool) -> str:
        """What is wrong and what to do; empty if nothing is."""
        table = [
            f"{text} {_some(found)}"
            for text, found in (
                ("lacks", self.missing),
                ("has, unknown to every refresh,", self.foreign),
                ("has another type for", self.changed),
            )
            if found
        ]
        parts = [f"the Glue table {', '.join(table)} — refresh the table"] if table else []
        if self.beyond:
            parts.append(f"the data goes beyond the declaration: {_some(self.beyond)} — declare it")
        if undeclared and self.undeclared:
            parts.append(f"not declared: {_some(self.undeclared)} — declare them")
        return "; ".join(parts)


def drift_of(spec: TableSpec, table: CatalogTable) -> Drift:
    """Compare the Glue table with what the next refresh would make of it without new data.

    Raises:
        CatalogConflictError: The table's columns or parameters cannot be read.
        DeclarationError: The declaration cannot be laid out.
    """
    serde: dict[str, Any] = table.table_input.get("StorageDescriptor", {}).get("SerdeInfo") or {}
    wanted = extend(
        spec.columns,
        serde=spec.serde,
        table_parameters=table.parameters,
        serde_library=str(serde.get("SerializationLibrary", "")),
        serde_parameters=serde.get("Parameters") or {},
    )
    evolution = compare(table.columns, wanted)
    written = written_attributes(table.parameters)
    declared = {attribute.name for attribute in spec.columns}
    known = [attribute for attribute in written if attribute.name in declared]
    return Drift(
        missing=evolution.additions,
        foreign=evolution.removals,
        changed=evolution.retypings,
        beyond=uncovered(spec.columns, known) if declared else (),
        undeclared=tuple(a.name for a in written if a.name not in declared) if declared else (),
    )


@dataclass(frozen=True)
class ItemDrift:
    """How the items of an export differ from those of the export before, and from the declaration.

    Attributes:
        last: Against the export that the table showed before; None where that is not known.
        declared: Against the declaration; None where no columns are declared.
    """

    last: SchemaDrift | None = None
    declared: SchemaDrift | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """Counts by kind, so that they plot, and the first differences."""
        found: dict[str, Any] = {}
        if (last := self.last) is not None:
            found |= {
                "drift_new": len(last.of("new")),
                "drift_missing": len(last.of("missing")),
                "drift_retyped": len(last.of("retyped")),
                "drift_wider": len(last.of("wider")),
            }
        if (declared := self.declared) is not None:
            found |= {
                "declaration_new": len(declared.of("new")),
                "declaration_missing": len(declared.of("missing")),
                "declaration_retyped": len(declared.of("retyped")),
            }
        return found

    def rows(self) -> list[tuple[str, ...]]:
        """Each difference in words, under `ROW`; at most `MOST_LISTED`."""
        entries = [("the last export", entry) for entry in (self.last or SchemaDrift()).entries]
        entries += [("the declaration", e) for e in (self.declared or SchemaDrift()).entries]
        return [
            (against, entry.kind, _cut(entry.path), _cut(entry.before), _cut(entry.after))
            for against, entry in entries[:MOST_LISTED]
        ]

    def judged(self, severities: Mapping[DriftKind, DriftSeverity]) -> tuple[DriftSeverity, str]:
        """The worst severity of all differences, and a sentence of those that are not ignored."""
        worst: DriftSeverity = "ignore"
        parts: list[str] = []
        for text, drift in (
            ("since the last export: {} — look whether queries go on working", self.last),
            ("beside the declaration: {} — declare what is there", self.declared),
        ):
            told = [
                entry
                for entry in (drift or SchemaDrift()).entries
                if severities[entry.kind] != "ignore"
            ]
            if told:
                parts.append(text.format(_sentence(told)))
            for entry in told:
                worst = "error" if severities[entry.kind] == "error" or worst == "error" else "warn"
        return worst, "; ".join(parts)


def item_drift(
    spec: TableSpec, profile: Profile, previous: Profile | None, *, undeclared: bool = True
) -> ItemDrift:
    """Compare what the items hold.

    Args:
        spec: With the declared columns.
        profile: Of the export in question.
        previous: Of the one before; None if nobody knows.
        undeclared: Whether attributes that are not declared at all differ from the declaration.
    """
    return ItemDrift(
        None if previous is None else compare_profiles(previous, profile),
        compare_declaration(spec.columns, profile, undeclared=undeclared) if spec.columns else None,
    )


def _sentence(entries: Sequence[DriftEntry]) -> str:
    cut = tuple(DriftEntry(e.kind, _cut(e.path), _cut(e.before), _cut(e.after)) for e in entries)
    return SchemaDrift(cut).sentence()


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def _some(found: Sequence[str]) -> str:
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more
