"""The live tables as observable assets: one step looks at many, and says what it cannot see."""

import contextlib
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from ddb_assets.core import console
from ddb_assets.core.operating.observe import Index, Observation, observe
from ddb_assets.core.outcome import Failed
from ddb_assets.core.refreshing.inference import table_attributes
from ddb_assets.core.spec import TableSpec
from ddb_assets.orchestration.carried_tags import carried_tags
from ddb_assets.orchestration.columns import live_schema
from ddb_assets.orchestration.failures import failed_tables
from ddb_assets.orchestration.interrupts import ended_by_interrupts
from ddb_assets.orchestration.metadata import PREFIX, Metadata
from ddb_assets.orchestration.resources import AwsResource
from ddb_assets.orchestration.story import Story

#: An observation only reads: it tries again for a few minutes, then says that it cannot.
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class ObservationStep:
    """The live tables of one step.

    Attributes:
        tables: The live assets' keys and what stands behind each.
    """

    tables: Mapping[dg.AssetKey, TableSpec]

    def run(
        self, context: dg.AssetExecutionContext, aws: AwsResource
    ) -> Iterator[dg.ObserveResult]:
        """Look at what is selected.

        Raises:
            dg.Failure: Tables could not be looked at; the others are observed.
        """
        chosen = context.selected_asset_keys
        selected = {spec.name: (key, spec) for key, spec in self.tables.items() if key in chosen}
        failed: list[Failed] = []
        found = observe(
            list(selected),
            gateways=aws.gateways(),
            listener=Story(context.log, tables=len(selected)),
            clock=aws.clock(),
            patience_seconds=PATIENCE_SECONDS,
        )
        for seen in found:
            key, spec = selected[seen.table]
            if not isinstance(seen, Observation):
                context.log.warning("%s", seen.error)
                failed.append(Failed(spec, seen.error))
                continue
            for sentence in seen.unseen:
                context.log.warning("%s: %s", spec.name, sentence)
            yield dg.ObserveResult(
                asset_key=key,
                metadata=observed_metadata(seen, spec),
                data_version=dg.DataVersion(seen.version),
                tags=carried_tags(seen.tags or {}, declared={}, of=seen.table),
            )
        if failed:
            raise failed_tables(failed, total=len(selected)) from failed[0].error


def observed_assets(
    step: ObservationStep, specs: Sequence[dg.AssetSpec], *, name: str, resource_key: str = "aws"
) -> dg.AssetsDefinition:
    """One subsettable observation of many live tables.

    Args:
        step: The tables; its keys are those of `specs`.
        specs: The live assets.
        name: The op's name, unique in the code location.
        resource_key: Under which the `AwsResource` is found.
    """

    def observed(context: dg.AssetExecutionContext) -> Iterator[dg.ObserveResult]:
        aws: AwsResource = getattr(context.resources, resource_key)
        with ended_by_interrupts():
            yield from step.run(context, aws)

    with warnings.catch_warnings():
        # Beta in Dagster 1.13, and nothing a user of this package could do about it. The stable
        # decorator would make an op of every table.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.multi_observable_source_asset(
            name=name,
            specs=list(specs),
            can_subset=True,
            required_resource_keys={resource_key},
            description=f"Looks at {len(specs)} live tables: figures, indexes, stream, PITR, tags.",
        )(observed)


def distinct_outputs(keys: Iterable[dg.AssetKey]) -> list[list[dg.AssetKey]]:
    """Parts in which no two keys would have one output name; mostly that is one part.

    Dagster names a step's outputs after the keys, with `_` for what an identifier lacks: there
    `orders.v1` and `orders-v1`, two tables of one account, would be the same.
    """
    parts: list[dict[str, dg.AssetKey]] = []
    for key in keys:
        name = key.to_python_identifier()
        free = next((part for part in parts if name not in part), None)
        if free is None:
            free = dict[str, dg.AssetKey]()
            parts.append(free)
        free[name] = key
    return [list(part.values()) for part in parts]


def observed_metadata(seen: Observation, spec: TableSpec) -> Metadata:
    """The metadata of one observation; docs/metadata.md lists every key."""
    described = seen.description
    raw = described.raw
    ours: dict[str, Any] = {
        "table_arn": described.arn,
        "table_id": described.table_id,
        "live_items": described.item_count,
        "live_size_bytes": described.size_bytes,
        "table_status": described.status,
        "table_class": seen.table_class,
        "billing_mode": seen.billing_mode,
        "read_capacity": raw.get("ProvisionedThroughput", {}).get("ReadCapacityUnits"),
        "write_capacity": raw.get("ProvisionedThroughput", {}).get("WriteCapacityUnits"),
        "stream": seen.stream,
        "stream_label": seen.stream_label,
        "deletion_protection": raw.get("DeletionProtectionEnabled"),
        "indexes": _indexes(seen.indexes),
        "tags": None if seen.tags is None else dg.MetadataValue.json(dict(seen.tags)),
        "not_permitted": "; ".join(seen.unseen) or None,
    }
    if seen.billing_mode != "PROVISIONED":
        # AWS gives zeros, which would plot as a table without capacity.
        ours["read_capacity"] = ours["write_capacity"] = None
    if seen.pitr is not None:
        earliest, latest = seen.pitr.earliest, seen.pitr.latest
        ours |= {
            "pitr_enabled": seen.pitr.enabled,
            "pitr_earliest": earliest and dg.MetadataValue.timestamp(earliest),
            "pitr_latest": latest and dg.MetadataValue.timestamp(latest),
            "pitr_window_seconds": (latest - earliest).total_seconds()
            if latest is not None and earliest is not None
            else None,
            "pitr_recovery_days": seen.pitr.recovery_days,
        }
    attributes = table_attributes(spec, described, None)
    metadata: Metadata = {
        "dagster/row_count": dg.MetadataValue.int(described.item_count),
        "dagster/column_schema": dg.MetadataValue.table_schema(
            live_schema(attributes, described.keys)
        ),
    }
    metadata |= {f"{PREFIX}{name}": _value(v) for name, v in ours.items() if v is not None}
    # An ARN no console knows (an emulator's, a future partition's) costs the link only.
    with contextlib.suppress(ValueError):
        metadata[f"{PREFIX}table_console"] = dg.MetadataValue.url(console.table_url(described.arn))
    return metadata


def _value(value: Any) -> dg.MetadataValue[Any]:
    if isinstance(value, bool):
        return dg.MetadataValue.bool(value)
    if isinstance(value, int):
        return dg.MetadataValue.int(value)
    if isinstance(value, float):
        return dg.MetadataValue.float(value)
    return dg.MetadataValue.text(value) if isinstance(value, str) else value


def _indexes(indexes: Sequence[Index]) -> dg.MetadataValue[Any]:
    records = [
        dg.TableRecord(
            {
                "name": one.name,
                "kind": one.kind,
                **dict(zip(("partition key", "sort key"), _keys(one), strict=True)),
                "projection": one.projection,
                "status": one.status,
                "items": one.item_count,
                "bytes": one.size_bytes,
            }
        )
        for one in indexes
    ]
    columns = [
        dg.TableColumn(name=name, type="int" if name in {"items", "bytes"} else "string")
        for name in records[0].data
    ]
    return dg.MetadataValue.table(records=records, schema=dg.TableSchema(columns=columns))


def _keys(index: Index) -> tuple[str, str]:
    named = [f"{name} ({code})" for name, code in index.keys]
    return named[0], named[1] if len(named) > 1 else ""
