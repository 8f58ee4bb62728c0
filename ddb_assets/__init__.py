"""DynamoDB tables as Dagster assets: exported, verified and queryable in Athena."""

from ddb_assets.version import __version__

__all__ = ["__version__"]
