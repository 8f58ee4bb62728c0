"""The typed views in Dagster: their assets, their columns and where these come from."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

import dagster as dg

from ddb_assets.core import console
from ddb_assets.core.outcome import Refreshed
from ddb_assets.core.publication import PublishedView
from ddb_assets.orchestration.columns import MAX_ROWS, shown_type
from ddb_assets.orchestration.metadata import PREFIX
from ddb_assets.schema.declaration import ANY_KEY

Metadata = dict[str, dg.MetadataValue[Any]]


def view_result(
    key: dg.AssetKey, table: dg.AssetKey, outcome: Refreshed, *, now: datetime
) -> dg.MaterializeResult[Any]:
    """The materialization of a view, beside that of its table.

    Args:
        key: The view's asset.
        table: The raw table's asset.
        outcome: What was published, a view with it.
        now: The moment of publishing, for the age of the data.
    """
    return dg.MaterializeResult(
        asset_key=key,
        metadata=view_metadata(table, outcome, now=now),
        data_version=dg.DataVersion(outcome.manifest.export_id),
    )


def recorded(
    context: dg.AssetExecutionContext,
    result: dg.MaterializeResult[Any],
    chosen: AbstractSet[dg.AssetKey],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Yield what was selected; log the other half of a table and its view, which moved as well.

    Args:
        context: The step.
        result: Of the table or of the view.
        chosen: The assets the run has selected; Dagster refuses results of others.
    """
    assert result.asset_key is not None, "a step of several assets names the one it means"
    if result.asset_key in chosen:
        yield result
        return
    metadata: Any = result.metadata  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - a bare PathLike in Dagster's type
    version = result.data_version
    context.log_event(
        dg.AssetMaterialization(
            asset_key=result.asset_key,
            metadata=metadata,
            tags={"dagster/data_version": version.value} if version is not None else {},
        )
    )


def view_metadata(table: dg.AssetKey, outcome: Refreshed, *, now: datetime) -> Metadata:
    """Types, comments, column lineage and which export the view shows."""
    view, manifest = outcome.view, outcome.manifest
    assert view is not None, "asked for only where there is a view"
    metadata: Metadata = {
        "dagster/row_count": dg.MetadataValue.int(manifest.items),
        "dagster/table_name": dg.MetadataValue.text(f"{view.database}.{view.name}"),
        "dagster/column_schema": dg.MetadataValue.table_schema(view_schema(view)),
        "dagster/column_lineage": dg.MetadataValue.column_lineage(view_lineage(table, outcome)),
        f"{PREFIX}export_arn": dg.MetadataValue.text(manifest.export_arn),
        f"{PREFIX}export_id": dg.MetadataValue.text(manifest.export_id),
        f"{PREFIX}export_time": dg.MetadataValue.timestamp(manifest.export_time),
        f"{PREFIX}data_age_seconds": dg.MetadataValue.float(
            round((now - manifest.export_time).total_seconds(), 3)
        ),
        f"{PREFIX}items": dg.MetadataValue.int(manifest.items),
        f"{PREFIX}publication": dg.MetadataValue.text(view.action),
        f"{PREFIX}attributes": dg.MetadataValue.json(dict(view.sources)),
    }
    if view.version_id is not None:
        metadata[f"{PREFIX}glue_version"] = dg.MetadataValue.text(view.version_id)
    if view.notes:
        listed = "\n".join(f"- {note}" for note in view.notes)
        metadata[f"{PREFIX}notes"] = dg.MetadataValue.md(listed)
    try:
        region = console.region_of(manifest.export_arn)
        url = console.glue_table_url(view.database, view.name, region=region)
    except ValueError:
        # An ARN no console knows costs the link, not the refresh.
        return metadata
    return {**metadata, f"{PREFIX}glue_console": dg.MetadataValue.url(url)}


def view_schema(view: PublishedView) -> dg.TableSchema:
    """The columns as queries see them; beside each what its name and badge do not say."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name=name, type=shown_type(type_), description=_about(name, type_, path))
            for name, type_, path in view.columns
        ]
    )


def _about(name: str, type_: str, path: str) -> str | None:
    """The attribute's path where it is not the column's name, the type where it is cut."""
    said = [] if path == name else [f"attribute {path}"]
    said += [] if shown_type(type_) == type_ else [type_]
    return "; ".join(said) or None


def view_lineage(table: dg.AssetKey, outcome: Refreshed) -> dg.TableColumnLineage:
    """Which of the raw table's columns, as its own asset lists them, each column is made of."""
    assert outcome.view is not None, "asked for only where there is a view"
    publication = outcome.publication
    by_attribute: dict[str, list[str]] = {}
    for path in publication.paths[:MAX_ROWS]:
        by_attribute.setdefault(path.top, []).append(path.column)
    whole = [name for name, _, _ in publication.columns]
    deps: dict[str, Sequence[dg.TableColumnDep]] = {}
    for column, attribute in outcome.view.sources:
        sources = whole if attribute == ANY_KEY else by_attribute.get(attribute, whole)
        deps[column] = [dg.TableColumnDep(asset_key=table, column_name=name) for name in sources]
    return dg.TableColumnLineage(deps_by_column=deps)
