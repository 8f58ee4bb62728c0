"""Athena over moto: statements that really run, over the objects in S3, on the Glue catalog."""

from typing import Any


def overrides() -> list[tuple[Any, type[Any]]]:
    """What `local.install` puts in the place of moto's Athena."""
    from ddb_assets.local.athena import api  # noqa: PLC0415 - DuckDB and sqlglot cost 0.4 s

    return api.overrides()
