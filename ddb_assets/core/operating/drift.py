"""Where a published table's columns differ from what is declared for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ddb_assets.core.ports import CatalogTable
from ddb_assets.core.spec import TableSpec
from ddb_assets.schema.evolution import compare, extend
from ddb_assets.schema.layout import written_attributes
from ddb_assets.schema.shapes import uncovered

_NAMED = 3


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


def _some(found: Sequence[str]) -> str:
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more
