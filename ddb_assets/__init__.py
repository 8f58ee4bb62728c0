"""DynamoDB tables as Dagster assets: exported, verified and queryable in Athena.

The names below are imported when they are first used (PEP 562): Dagster takes two seconds to
import, and the command line and the core do without it.
"""

import importlib
from typing import TYPE_CHECKING, Any

from ddb_assets.version import __version__

if TYPE_CHECKING:
    from ddb_assets.components import DynamoDBTablesComponent
    from ddb_assets.core.spec import ExportFilter
    from ddb_assets.errors import DdbAssetsError, DeclarationError
    from ddb_assets.orchestration.builder import build_dynamodb_assets
    from ddb_assets.orchestration.declaration import RefreshGroup, Table
    from ddb_assets.orchestration.resources import AwsResource
    from ddb_assets.orchestration.specs import DynamoDBTableProps
    from ddb_assets.orchestration.translator import DynamoDBTranslator

__all__ = [
    "AwsResource",
    "DdbAssetsError",
    "DeclarationError",
    "DynamoDBTableProps",
    "DynamoDBTablesComponent",
    "DynamoDBTranslator",
    "ExportFilter",
    "RefreshGroup",
    "Table",
    "__version__",
    "build_dynamodb_assets",
]

_HOMES = {
    "AwsResource": "ddb_assets.orchestration.resources",
    "DdbAssetsError": "ddb_assets.errors",
    "DeclarationError": "ddb_assets.errors",
    "DynamoDBTableProps": "ddb_assets.orchestration.specs",
    "DynamoDBTablesComponent": "ddb_assets.components",
    "DynamoDBTranslator": "ddb_assets.orchestration.translator",
    "ExportFilter": "ddb_assets.core.spec",
    "RefreshGroup": "ddb_assets.orchestration.declaration",
    "Table": "ddb_assets.orchestration.declaration",
    "build_dynamodb_assets": "ddb_assets.orchestration.builder",
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
