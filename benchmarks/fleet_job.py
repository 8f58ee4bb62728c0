"""The jobs that `fleet.py` measures, importable by the processes Dagster starts.

The environment says which: FLEET_DESIGN, FLEET_TABLES (how many), FLEET_FOLDER (the account) and
FLEET_PER_STEP (tables in a step; the product's own number by default).
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.definitions_class import Definitions
from fleet_account import BUCKET, Account

from ddb_assets.core.ports import Gateways
from ddb_assets.core.refreshing import refresh
from ddb_assets.core.scheduling import context
from ddb_assets.orchestration.assets import TABLES_PER_STEP
from ddb_assets.orchestration.builder import build_dynamodb_assets
from ddb_assets.orchestration.check_settings import Checks
from ddb_assets.orchestration.resources import AwsResource

#: One asset for a table, as the other designs have.
BARE: dict[str, Any] = {"typed_view": False, "checks": Checks.none(), "observe": False}


class FleetAws(AwsResource):
    """Reaches the account on disk."""

    def gateways(self, *, bucket_owners: Any = None) -> Gateways:
        """The same four gateways a real account has."""
        return Account(Path(os.environ["FLEET_FOLDER"])).gateways()


def product() -> Definitions:
    """What `build_dynamodb_assets` makes of so many tables: the steps and executor it chooses."""
    return _built(**BARE)


def unlimited() -> Definitions:
    """The same if AWS took any number of calls a second; 300 exports in flight all the same."""
    context.STARTS_PER_SECOND = refresh.DESCRIBES_PER_SECOND = 1e6
    return product()


def declared() -> Definitions:
    """With the typed views and the checks it adds by default: two assets, some checks a table."""
    return _built()


def nothing() -> Definitions:
    """As `product`, but each step yields its results and does nothing else."""
    return _idle(product())


def nothing_declared() -> Definitions:
    """The same of `declared`."""
    return _idle(declared())


def one_step_per_table() -> Definitions:
    """What most teams write: one op per table, under Dagster's default executor."""
    built = _built(one_step_per_table=True, **BARE)
    executor = dg.multiprocess_executor.configured({"max_concurrent": 40})
    return dg.Definitions(assets=built.assets, resources=built.resources, executor=executor)


DESIGNS = {
    f.__name__: f
    for f in (product, unlimited, declared, nothing, nothing_declared, one_step_per_table)
}


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
        tables_per_step=int(os.environ.get("FLEET_PER_STEP", TABLES_PER_STEP)),
        **settings,
    )


def _idle(built: Definitions) -> Definitions:
    steps = [
        _idle_assets(asset)
        for asset in built.assets or ()
        if isinstance(asset, dg.AssetsDefinition) and asset.is_materializable
    ]
    checks = [_idle_checks(check) for check in built.asset_checks or ()]
    return dg.Definitions(assets=steps, asset_checks=checks, executor=built.executor)


def _idle_assets(asset: dg.AssetsDefinition) -> dg.AssetsDefinition:
    keys = set(asset.keys)
    specs = [
        spec.replace_attributes(deps=[dep for dep in spec.deps if dep.asset_key in keys])
        for spec in asset.specs
    ]

    @dg.multi_asset(name=asset.op.name, specs=specs, can_subset=True)
    def idle() -> Iterator[dg.MaterializeResult[Any]]:
        for spec in specs:
            yield dg.MaterializeResult(asset_key=spec.key)

    return idle


def _idle_checks(checks: Any) -> dg.AssetChecksDefinition:
    specs = list(checks.check_specs)

    @dg.multi_asset_check(name=checks.op.name, specs=specs, can_subset=True)
    def idle() -> Iterator[dg.AssetCheckResult]:
        for spec in specs:
            yield dg.AssetCheckResult(passed=True, asset_key=spec.asset_key, check_name=spec.name)

    return idle
