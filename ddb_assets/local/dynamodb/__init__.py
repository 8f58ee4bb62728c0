"""DynamoDB as moto has it, with point-in-time recovery and exports to S3 as AWS has them."""

from typing import Any


def overrides() -> list[tuple[Any, type[Any]]]:
    """Moto's registry of DynamoDB backends and the class that goes there."""
    from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415 - costs 0.5 s

    from ddb_assets.local.dynamodb.backend import LocalDynamoDB  # noqa: PLC0415 - imports moto

    return [(dynamodb_backends, LocalDynamoDB)]
