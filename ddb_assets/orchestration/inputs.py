"""An exported table as the input of a downstream asset, read from S3 without an Athena query."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.metadata import PREFIX
from ddb_assets.orchestration.resources import AwsResource
from ddb_assets.reading.export import read_export
from ddb_assets.reading.extras import RecordBatchReader

LOCATION_KEY = f"{PREFIX}location"


def load_export(
    context: dg.AssetExecutionContext,
    asset_key: dg.AssetKey | Sequence[str] | str,
    aws: AwsResource,
    **options: Any,
) -> RecordBatchReader:
    """The export at which the upstream's latest materialization left its table.

    It is the very export that was published, whatever the Athena table points at by now. Declare
    the upstream in `deps`, so that it is materialized before.

    Args:
        context: Of the downstream asset.
        asset_key: The upstream, such as `["athena", "ddb", "article"]`.
        aws: The resource the refresh uses, or one that may read the bucket.
        **options: As `read_export` takes them: columns, form, workers, …

    Returns:
        A pyarrow.RecordBatchReader; `polars.from_arrow(reader.read_all())` and
        `reader.read_pandas()` make frames of it.

    Raises:
        DeclarationError: The upstream was never materialized, or it is no exported table.
        DdbAssetsError: As `read_export`; by now the export may have been deleted.

    Examples:
        ```python
        @dg.asset(deps=[["athena", "ddb", "article"]])
        def articles(context: dg.AssetExecutionContext, aws: AwsResource) -> dg.MaterializeResult:
            table = load_export(context, ["athena", "ddb", "article"], aws).read_all()
            ...
        ```
    """
    key = dg.AssetKey.from_coercible(asset_key)
    event = context.instance.get_latest_materialization_event(key)
    materialization = event.asset_materialization if event else None
    if materialization is None:
        raise DeclarationError(
            f"{key.to_user_string()} was never materialized, so there is no export to read",
            remedy="materialize it first, and name it in the asset's deps",
        )
    location = materialization.metadata.get(LOCATION_KEY)
    if location is None or not isinstance(location.value, str):
        raise DeclarationError(
            f"the latest materialization of {key.to_user_string()} says no location",
            remedy=f"{LOCATION_KEY} is recorded for tables exported by ddb_assets",
        )
    return read_export(location.value, gateways=aws.gateways(), clock=aws.clock(), **options)
