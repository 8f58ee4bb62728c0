"""What a materialization says of its items: their profile, bounded, and how they drifted."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from ddb_assets.core.operating.drift import ROW, ItemDrift, item_drift
from ddb_assets.core.outcome import Refreshed
from ddb_assets.schema.profile import Profile

#: Characters of the profile in an event, about 200 attributes: an event is kept for ever and read
#: with every page of the asset. The whole one lies beside the export.
MAX_PROFILE = 32_768

_PREFIX = "ddb_assets/"
_PROFILE_KEY = f"{_PREFIX}profile"
_EXPORT_KEY = f"{_PREFIX}export_arn"

Metadata = dict[str, dg.MetadataValue[Any]]


def profile_metadata(outcome: Refreshed, previous: Profile | None = None) -> Metadata:
    """The profile and the drift; nothing where nobody read the items.

    Args:
        outcome: A refreshed table.
        previous: What its former materialization says its items held; asked only where no profile
            lies beside the export the table showed before.
    """
    profile = outcome.profile
    if profile is None:
        return {}
    drift = item_drift(outcome.spec, profile, outcome.previous or previous)
    metadata: Metadata = {
        _PROFILE_KEY: dg.MetadataValue.json(profile.bounded(MAX_PROFILE)),
        f"{_PREFIX}attributes": dg.MetadataValue.int(len(profile.attributes())),
    }
    metadata |= {
        f"{_PREFIX}{name}": dg.MetadataValue.int(count) for name, count in drift.facts.items()
    }
    return metadata | _table(drift)


def recorded_profile(
    instance: dg.DagsterInstance, key: dg.AssetKey, outcome: Refreshed
) -> Profile | None:
    """What the asset's newest materialization says its items held; None where that is not known.

    Where it was cut to fit an event, or is of the same export, it is nothing to compare with.
    """
    if outcome.profile is None or outcome.previous is not None:
        return None
    event = instance.get_latest_materialization_event(key)
    newest = event.asset_materialization if event is not None else None
    if newest is None or _value(newest.metadata, _EXPORT_KEY) == outcome.manifest.export_arn:
        return None
    try:
        return Profile.from_dict(_value(newest.metadata, _PROFILE_KEY))
    except ValueError:
        return None


def _table(drift: ItemDrift) -> Metadata:
    rows = drift.rows()
    if not rows:
        return {}
    columns = [dg.TableColumn(name=name) for name in ROW]
    records = [dg.TableRecord(dict(zip(ROW, row, strict=True))) for row in rows]
    table = dg.MetadataValue.table(records=records, schema=dg.TableSchema(columns=columns))
    return {f"{_PREFIX}drift": table}


def _value(metadata: Mapping[str, dg.MetadataValue[Any]], key: str) -> Any:
    value = metadata.get(key)
    return value.value if value is not None else None
