"""DynamoDB tables as Dagster assets: exported, verified and queryable in Athena.

The names below are imported when they are first used (PEP 562): Dagster takes two seconds to
import, and the command line and the core do without it.
"""

import importlib
from typing import TYPE_CHECKING, Any

from ddb_assets.version import __version__

if TYPE_CHECKING:
    from ddb_assets.components import DynamoDBDiscoveryComponent, DynamoDBTablesComponent
    from ddb_assets.core.spec import ExportFilter
    from ddb_assets.errors import DdbAssetsError, DeclarationError
    from ddb_assets.orchestration.automation import (
        refresh_on_cron,
        refresh_when_missing,
        refresh_when_observed_changed,
    )
    from ddb_assets.orchestration.builder import build_dynamodb_assets
    from ddb_assets.orchestration.declaration import RefreshGroup, Table
    from ddb_assets.orchestration.freshness import Freshness
    from ddb_assets.orchestration.resources import AwsResource
    from ddb_assets.orchestration.sensors.build import Sensors
    from ddb_assets.orchestration.sensors.export_watch import ExportWatch
    from ddb_assets.orchestration.sensors.failed_refreshes import FailedRefreshes
    from ddb_assets.orchestration.sensors.failure_messages import FailedRefresh
    from ddb_assets.orchestration.sensors.table_changes import TableChanges
    from ddb_assets.orchestration.specs import DynamoDBTableProps
    from ddb_assets.orchestration.translator import DynamoDBTranslator
    from ddb_assets.reading.export import read_export
    from ddb_assets.reading.frames import (
        read_export_duckdb,
        read_export_pandas,
        read_export_polars,
        read_export_table,
    )

__all__ = [
    "AwsResource",
    "DdbAssetsError",
    "DeclarationError",
    "DynamoDBDiscoveryComponent",
    "DynamoDBTableProps",
    "DynamoDBTablesComponent",
    "DynamoDBTranslator",
    "ExportFilter",
    "ExportWatch",
    "FailedRefresh",
    "FailedRefreshes",
    "Freshness",
    "RefreshGroup",
    "Sensors",
    "Table",
    "TableChanges",
    "__version__",
    "build_dynamodb_assets",
    "read_export",
    "read_export_duckdb",
    "read_export_pandas",
    "read_export_polars",
    "read_export_table",
    "refresh_on_cron",
    "refresh_when_missing",
    "refresh_when_observed_changed",
]

_HOMES = {
    "AwsResource": "ddb_assets.orchestration.resources",
    "DdbAssetsError": "ddb_assets.errors",
    "DeclarationError": "ddb_assets.errors",
    "DynamoDBDiscoveryComponent": "ddb_assets.components",
    "DynamoDBTableProps": "ddb_assets.orchestration.specs",
    "DynamoDBTablesComponent": "ddb_assets.components",
    "DynamoDBTranslator": "ddb_assets.orchestration.translator",
    "ExportFilter": "ddb_assets.core.spec",
    "Freshness": "ddb_assets.orchestration.freshness",
    "RefreshGroup": "ddb_assets.orchestration.declaration",
    "Table": "ddb_assets.orchestration.declaration",
    "ExportWatch": "ddb_assets.orchestration.sensors.export_watch",
    "FailedRefresh": "ddb_assets.orchestration.sensors.failure_messages",
    "FailedRefreshes": "ddb_assets.orchestration.sensors.failed_refreshes",
    "Sensors": "ddb_assets.orchestration.sensors.build",
    "TableChanges": "ddb_assets.orchestration.sensors.table_changes",
    "build_dynamodb_assets": "ddb_assets.orchestration.builder",
    "read_export": "ddb_assets.reading.export",
    "read_export_duckdb": "ddb_assets.reading.frames",
    "read_export_pandas": "ddb_assets.reading.frames",
    "read_export_polars": "ddb_assets.reading.frames",
    "read_export_table": "ddb_assets.reading.frames",
    "refresh_on_cron": "ddb_assets.orchestration.automation",
    "refresh_when_missing": "ddb_assets.orchestration.automation",
    "refresh_when_observed_changed": "ddb_assets.orchestration.automation",
}


def __getattr__(name: str) -> Any:
    """Import a public name from where it lives."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, whether they are imported yet or not."""
    return sorted(__all__)
