"""The project in YAML: components for `defs.yaml`, listed by `dg list components`."""

from ddb_assets.components.dynamodb_discovery import (
    DynamoDBDiscoveryComponent as DynamoDBDiscoveryComponent,
)
from ddb_assets.components.dynamodb_tables import DynamoDBTablesComponent as DynamoDBTablesComponent

__all__ = ["DynamoDBDiscoveryComponent", "DynamoDBTablesComponent"]
