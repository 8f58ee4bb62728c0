"""Which steps a declaration has, and what they are called."""

from collections.abc import Sequence

import dagster as dg

from ddb_assets.orchestration.assets import in_steps
from ddb_assets.orchestration.declaration import DEFAULT_GROUP
from ddb_assets.orchestration.naming import dagster_name, refuse_equal
from ddb_assets.orchestration.specs import DynamoDBTableProps

#: A declared table, its live asset and its exported asset.
Translated = tuple[DynamoDBTableProps, dg.AssetSpec, dg.AssetSpec]


def planned_steps(
    translated: Sequence[Translated], *, name: str, size: int, whole: frozenset[str]
) -> dict[str, tuple[str, list[Translated]]]:
    """Step name -> (group, its tables).

    Args:
        translated: The tables.
        name: Of the declaration.
        size: So many tables share a step at most; 1 is a step for each table.
        whole: Groups that have one step, however large.

    Raises:
        DeclarationError: Two steps would have one name.
    """
    by_group: dict[str, list[Translated]] = {}
    for entry in translated:
        by_group.setdefault(entry[0].spec.group, []).append(entry)
    sources: dict[str, str] = {}
    planned: dict[str, tuple[str, list[Translated]]] = {}
    for group, entries in by_group.items():
        parts = in_steps(entries, len(entries) if group in whole else size)
        for number, part in enumerate(parts, start=1):
            step = step_name_of(name, group)
            source = f"group {group}"
            if size == 1:
                step = f"{step}_{part[0][0].spec.table}"
                source = f"table {part[0][0].spec.name}"
            elif len(parts) > 1:
                step = f"{step}_part_{number}"
                source = f"group {group}, part {number}"
            sources[source] = step
            planned[step] = (group, part)
    refuse_equal(sources, what="steps of", become="the op")
    return planned


def step_name_of(name: str, group: str) -> str:
    """The op that refreshes a group, or the beginning of several ones' names."""
    return dagster_name(f"refresh_{name}" if group == DEFAULT_GROUP else f"refresh_{name}_{group}")


def beside(step: str, verb: str) -> str:
    """What another op over the same tables is called: `check_raw` beside `refresh_raw`."""
    return f"{verb}_{step.removeprefix('refresh_')}"
