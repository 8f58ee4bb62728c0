"""Asks before a table's columns change so that queries may break; additions need no asking.

Asked is by refusing: the table stays where it is, the export stays in S3 with the profile of its
items beside it, and a person publishes it with one word. Seen before anything moves, so that raw
table and view never part over it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ddb_assets.core.ports import CatalogTable
from ddb_assets.core.publishing.catalog import Offer
from ddb_assets.core.publishing.publish_view import VIEW_PARAMETER, read_view
from ddb_assets.core.publishing.published import made_by_us
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.errors import CatalogConflictError, SchemaChangeError
from ddb_assets.schema.attributes import Attribute
from ddb_assets.schema.breaking import Changes, breaking_columns, breaking_fields
from ddb_assets.schema.evolution import extend
from ddb_assets.schema.layout import written_attributes
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.typed_view import typed_view
from ddb_assets.schema.view_memory import ViewMemory

#: So many changes are named; a type may have 131,072 characters.
_NAMED = 5
_MOST_CHARACTERS = 120


def refuse_breaking(
    run: RunContext,
    offer: Offer,
    table: CatalogTable | None,
    profile: Profile | None,
) -> Task[None]:
    """Refuse what can break a query, unless a person wants it.

    Wanted is what was accepted for this run or this table, and what the declaration itself leads
    to.

    Args:
        run: The refresh.
        offer: What is to be published.
        table: The Glue table as it is.
        profile: Of the export's items, where they were read.

    Raises:
        SchemaChangeError: Names each change and how to accept it.
    """
    spec = offer.spec
    accepted = spec.evolve == "any" or run.options.accept_changes
    if accepted or table is None or offer.attributes is None or not made_by_us(table):
        return
    view = yield from read_view(run, spec)
    changes = _changes(offer, table, view, offer.attributes, profile)
    if changes and spec.columns:
        wished = _changes(offer, table, view, spec.columns, Profile())
        changes = {path: what for path, what in changes.items() if path not in wished}
    if not changes:
        return
    arn = offer.manifest.export_arn
    raise SchemaChangeError(
        f"publishing export {offer.manifest.export_id} would change columns so that queries may "
        f"break: {_named(changes)}",
        table=spec.name,
        remedy=f"to accept it this once: ddb-assets adopt {spec.name} {arn} --accept-changes (in "
        "the launchpad: adopt and accept_changes); to accept it always: `evolve: any`",
        export_arn=arn,
        changes=[f"{path}: {_cut(what)}" for path, what in changes.items()],
    )


def _changes(
    offer: Offer,
    table: CatalogTable,
    view: CatalogTable | None,
    attributes: Sequence[Attribute],
    profile: Profile | None,
) -> Changes:
    spec = offer.spec
    storage: Mapping[str, Any] = table.table_input.get("StorageDescriptor") or {}
    serde: Mapping[str, Any] = storage.get("SerdeInfo") or {}
    library = str(serde.get("SerializationLibrary") or "")
    parameters: Mapping[str, str] = serde.get("Parameters") or {}
    try:
        before = written_attributes(table.parameters)
        memory = ViewMemory.from_json(view.parameters[VIEW_PARAMETER]) if view else ViewMemory()
    except (CatalogConflictError, KeyError, ValueError):
        # Somebody edited a parameter, or the view is not ours: publishing says so itself.
        return {}
    layout = extend(
        attributes,
        serde=spec.serde,
        table_parameters=table.parameters,
        serde_library=library,
        serde_parameters=parameters,
    )
    found = breaking_fields(table.columns, before, library, parameters, layout)
    if view is not None:
        if profile is None and offer.manifest.items == 0:
            profile = Profile()
        wanted = typed_view(layout, profile, memory=memory, mixed=spec.mixed_types)
        broken = breaking_columns(memory, before, wanted, layout.field_name)
        found |= {f"{spec.typed_view}.{name}": what for name, what in broken.items()}
    return found


def _named(changes: Changes) -> str:
    named = [f"{path}: {_cut(what)}" for path, what in list(changes.items())[:_NAMED]]
    more = f"; and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
    return "; ".join(named) + more


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"
