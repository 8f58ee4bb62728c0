"""The typed copies in Dagster: their materializations, and making one without a new export."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from ddb_assets.core import console
from ddb_assets.core.clock import Clock
from ddb_assets.core.operating.operator import finish, operator_context
from ddb_assets.core.outcome import Copied, Failed
from ddb_assets.core.ports import Gateways, Listener
from ddb_assets.core.publishing.publish import read_table
from ddb_assets.core.publishing.published import published_export
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import DdbAssetsError, ExportNotFoundError
from ddb_assets.orchestration.metadata import PREFIX
from ddb_assets.orchestration.views import view_schema

#: USD per TB that a query scans in us-east-1 (AWS page "Amazon Athena Pricing"); other regions
#: differ. A terabyte is 2^40 bytes, and a query is billed for 10 MB at least.
PRICE_PER_TB = 5.0
_BYTES_PER_TB = 2**40
_LEAST_BYTES = 10 * 2**20

Metadata = dict[str, dg.MetadataValue[Any]]


def copy_result(
    key: dg.AssetKey, view: dg.AssetKey, outcome: Copied, *, now: datetime
) -> dg.MaterializeResult[Any]:
    """The materialization of a copy.

    Args:
        key: The copy's asset.
        view: The view's asset, for the column lineage.
        outcome: What was published.
        now: The moment of publishing, for the age of the data.
    """
    return dg.MaterializeResult(
        asset_key=key,
        metadata=copy_metadata(view, outcome, now=now),
        data_version=dg.DataVersion(outcome.refreshed.manifest.export_id),
    )


def copy_metadata(view: dg.AssetKey, outcome: Copied, *, now: datetime) -> Metadata:
    """Which export it shows, where it lies, what it holds and what Athena read to write it."""
    copy, manifest = outcome.copy, outcome.refreshed.manifest
    published = outcome.refreshed.view
    assert published is not None, "a copy has its view's columns"
    columns = [name for name, _, _ in copy.columns]
    lineage = {name: [dg.TableColumnDep(asset_key=view, column_name=name)] for name in columns}
    ours: dict[str, dg.MetadataValue[Any] | None] = {
        "export_arn": dg.MetadataValue.text(manifest.export_arn),
        "export_id": dg.MetadataValue.text(manifest.export_id),
        "export_time": dg.MetadataValue.timestamp(manifest.export_time),
        "data_age_seconds": dg.MetadataValue.float(
            round((now - manifest.export_time).total_seconds(), 3)
        ),
        "location": dg.MetadataValue.text(copy.location),
        "previous_location": _text(copy.previous_location),
        "publication": dg.MetadataValue.text(copy.action),
        "glue_version": _text(copy.version_id),
        "query_execution_id": _text(copy.query_execution_id),
        "items": dg.MetadataValue.int(copy.rows),
        "stored_bytes": dg.MetadataValue.int(copy.stored_bytes),
        "files": dg.MetadataValue.int(copy.files),
        "scanned_bytes": None
        if copy.scanned_bytes is None
        else dg.MetadataValue.int(copy.scanned_bytes),
        "copying_seconds": dg.MetadataValue.float(round(copy.seconds, 3)),
        "estimated_cost_usd": None
        if copy.scanned_bytes is None
        else dg.MetadataValue.float(cost_of(copy.scanned_bytes)),
    }
    return {
        "dagster/row_count": dg.MetadataValue.int(copy.rows),
        "dagster/size_bytes": dg.MetadataValue.int(copy.stored_bytes),
        "dagster/uri": dg.MetadataValue.text(copy.location),
        "dagster/table_name": dg.MetadataValue.text(f"{copy.database}.{copy.name}"),
        "dagster/column_schema": dg.MetadataValue.table_schema(view_schema(published)),
        "dagster/column_lineage": dg.MetadataValue.column_lineage(
            dg.TableColumnLineage(deps_by_column=lineage)
        ),
        **{f"{PREFIX}{name}": value for name, value in ours.items() if value is not None},
        **_links(outcome),
    }


def cost_of(scanned_bytes: int) -> float:
    """USD of one query, as Athena bills it in us-east-1; no invoice."""
    return max(scanned_bytes, _LEAST_BYTES) / _BYTES_PER_TB * PRICE_PER_TB


def published_arns(
    specs: Sequence[TableSpec],
    *,
    gateways: Gateways,
    clock: Clock,
    listener: Listener,
    failed: list[Failed],
) -> dict[str, str]:
    """The export that each table shows now: what a copy made by itself is a copy of.

    Args:
        specs: The tables.
        gateways: The account.
        clock: Time and sleep.
        listener: Hears of calls that are tried again.
        failed: Gets an entry for each table that shows no export, or could not be looked at.
    """
    run = operator_context(gateways, clock, listener=listener)

    def shown(spec: TableSpec) -> Task[str]:
        table = yield from read_table(run, spec)
        published = yield from published_export(run, spec.name, table)
        if published is None or published.export_arn is None:
            raise ExportNotFoundError(
                f"{spec.athena_name} shows no export to make a typed copy of",
                table=spec.name,
                remedy="materialize the table as well",
            )
        return published.export_arn

    arns: dict[str, str] = {}
    for spec in specs:
        try:
            arns[spec.name] = finish(shown(spec), clock)
        except DdbAssetsError as error:
            failed.append(Failed(spec, error.for_table(spec.name), of_copy=True))
    return arns


def _links(outcome: Copied) -> Metadata:
    copy = outcome.copy
    try:
        region = console.region_of(outcome.refreshed.manifest.export_arn)
        links = {
            "glue_console": console.glue_table_url(copy.database, copy.name, region=region),
            "s3_console": console.s3_url(copy.location, region=region),
        }
        if copy.query_execution_id is not None:
            links["query_console"] = console.athena_query_url(
                copy.query_execution_id, region=region
            )
    except ValueError:
        # An ARN no console knows costs the links, not the copy.
        return {}
    return {f"{PREFIX}{name}": dg.MetadataValue.url(url) for name, url in links.items()}


def _text(value: str | None) -> dg.MetadataValue[Any] | None:
    return None if value is None else dg.MetadataValue.text(value)
