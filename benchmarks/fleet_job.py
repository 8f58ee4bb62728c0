"""The jobs that `fleet.py` measures, importable by the processes Dagster starts.

The environment says which: FLEET_DESIGN, FLEET_TABLES (how many) and FLEET_FOLDER (the account).
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.definitions_class import Definitions
from fleet_account import BUCKET, Account

from ddb_assets.core.ports import Gateways
from ddb_assets.orchestration.builder import build_dynamodb_assets
from ddb_assets.orchestration.resources import AwsResource


class FleetAws(AwsResource):
    """Reaches the account on disk."""

    def gateways(self, *, bucket_owners: Any = None) -> Gateways:
        """The same four gateways a real account has."""
        return Account(Path(os.environ["FLEET_FOLDER"])).gateways()


def product() -> Definitions:
    """What `build_dynamodb_assets` makes of so many tables: the steps and executor it chooses."""
    return _built(typed_view=False)


def product_with_views() -> Definitions:
    """The same with the typed views it adds by default: two assets per table."""
    return _built()


def nothing() -> Definitions:
    """As `product`, but each step yields its results and does nothing else."""
    built = product()
    steps = [
        _idle(asset)
        for asset in built.assets or ()
        if isinstance(asset, dg.AssetsDefinition) and asset.is_materializable
    ]
    return dg.Definitions(assets=steps, executor=built.executor)


def one_step_per_table() -> Definitions:
    """What most teams write: one op per table, under Dagster's default executor."""
    built = _built(one_step_per_table=True, typed_view=False)
    executor = dg.multiprocess_executor.configured({"max_concurrent": 40})
    return dg.Definitions(assets=built.assets, resources=built.resources, executor=executor)


DESIGNS = {f.__name__: f for f in (product, product_with_views, nothing, one_step_per_table)}


def fleet() -> dg.JobDefinition:
    """The job over all assets of the design."""
    # The assets' own job has a name that Dagster does not let a process look up.
    job = dg.define_asset_job("fleet", selection=dg.AssetSelection.all().materializable())
    definitions = DESIGNS[os.environ["FLEET_DESIGN"]]()
    return dg.Definitions.merge(definitions, dg.Definitions(jobs=[job])).resolve_job_def("fleet")


def _built(**settings: Any) -> Definitions:
    count = int(os.environ["FLEET_TABLES"])
    return build_dynamodb_assets(
        tables=[f"fleet-{number:05d}" for number in range(count)],
        database="fleet",
        bucket=BUCKET,
        aws=FleetAws(),
        **settings,
    )


def _idle(asset: dg.AssetsDefinition) -> dg.AssetsDefinition:
    specs = [spec.replace_attributes(deps=[]) for spec in asset.specs]

    @dg.multi_asset(name=asset.op.name, specs=specs, can_subset=True)
    def idle() -> Iterator[dg.MaterializeResult[Any]]:
        for spec in specs:
            yield dg.MaterializeResult(asset_key=spec.key)

    return idle
