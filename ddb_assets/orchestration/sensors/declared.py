"""What is declared of the sensors, and the tables they look at."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import dagster as dg

from ddb_assets.core.ports import Gateways
from ddb_assets.core.spec import TableSpec
from ddb_assets.orchestration.executors import executor_for
from ddb_assets.orchestration.resources import AwsResource
from ddb_assets.orchestration.step import bucket_owners


@dataclass(frozen=True)
class Unit:
    """What is refreshed together: one table, or all tables of a consistent group."""

    name: str
    tables: tuple[tuple[dg.AssetKey, TableSpec], ...]


@dataclass(frozen=True)
class SensedTables:
    """The tables of one declaration, as its sensors see them.

    Attributes:
        name: `refresh_NAME`; the sensors' names begin with it.
        tables: The exported assets and what stands behind each.
        steps: The op that refreshes each.
        views: The typed view's key by its table's; a run refreshes both.
        copies: The typed copy's likewise.
        consistent: Groups whose tables move together.
        unattended: Groups whose exports nobody waits for (`wait: false`).
        resource_key: Under which the `AwsResource` is found.
        definitions: The multi-assets.
    """

    name: str
    tables: Mapping[dg.AssetKey, TableSpec]
    steps: Mapping[dg.AssetKey, str]
    definitions: Sequence[dg.AssetsDefinition] = ()
    views: Mapping[dg.AssetKey, dg.AssetKey] = field(default_factory=dict[dg.AssetKey, dg.AssetKey])
    copies: Mapping[dg.AssetKey, dg.AssetKey] = field(
        default_factory=dict[dg.AssetKey, dg.AssetKey]
    )
    consistent: frozenset[str] = frozenset()
    unattended: frozenset[str] = frozenset()
    resource_key: str = "aws"
    _jobs: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """In the order of their names."""
        members: dict[str, list[tuple[dg.AssetKey, TableSpec]]] = {}
        for key, spec in self.tables.items():
            group = spec.group in self.consistent
            # No table's name has a blank: the two never meet.
            name = f"group {spec.group}" if group else spec.name
            members.setdefault(name, []).append((key, spec))
        return tuple(Unit(name, tuple(members[name])) for name in sorted(members))

    @property
    def job(self) -> Any:
        """The job of the runs that sensors request; one for all sensors of the declaration."""
        if "job" not in self._jobs:
            self._jobs["job"] = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - a bare PathLike in Dagster
                f"{self.name}_requested_job",
                selection=dg.AssetSelection.assets(*self.definitions),
                executor_def=executor_for(len(self.definitions)),
                description="Refreshes the tables a sensor requests.",
            )
        return self._jobs["job"]

    def aws(self, context: dg.SensorEvaluationContext) -> AwsResource:
        """The declaration's resource, set up for this tick."""
        resource: AwsResource = getattr(context.resources, self.resource_key)
        return resource

    def gateways(self, context: dg.SensorEvaluationContext) -> Gateways:
        """The services for these tables."""
        return self.aws(context).gateways(bucket_owners=bucket_owners(self.tables.values()))

    def request(
        self,
        keys: Iterable[dg.AssetKey],
        *,
        identity: Iterable[str],
        config: Mapping[str, Mapping[str, Any]],
        tags: Mapping[str, str] | None = None,
    ) -> dg.RunRequest:
        """One run for these tables.

        Args:
            keys: What to refresh.
            identity: What makes this request another one than any before; the same again is the
                same run key, and Dagster starts one run per key.
            config: Per op.
            tags: Of the run.
        """
        text = json.dumps(sorted(identity))
        return dg.RunRequest(
            run_key=hashlib.sha256(text.encode()).hexdigest()[:32],
            asset_selection=sorted(
                {
                    asset
                    for key in keys
                    for asset in (key, self.views.get(key, key), self.copies.get(key, key))
                }
            ),
            run_config={"ops": {op: {"config": dict(settings)} for op, settings in config.items()}}
            if config
            else {},
            tags=dict(tags or {}),
        )
