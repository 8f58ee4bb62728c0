"""What the operators' jobs are asked in the launchpad."""

import dagster as dg
from pydantic import Field

from ddb_assets.core.operating.retention import RetentionPolicy
from ddb_assets.orchestration.run_config import Verify

_ALL = "DynamoDB or Athena names of tables; all of the declaration where none is given."


class StatusConfig(dg.Config):
    """Which tables to look at."""

    tables: list[str] = Field(default=[], description=_ALL)


class AdoptConfig(dg.Config):
    """Which export to publish."""

    table: str = Field(description="DynamoDB or Athena name of the table.")
    arn: str = Field(description="ARN of a completed or running full export of it.")
    allow_older: bool = Field(
        default=False, description="Let it replace a newer one, or be of a table since deleted."
    )
    accept_changes: bool = Field(
        default=False, description="Let columns change so that queries may break."
    )
    verify: Verify | None = Field(
        default=None,
        description="manifest: sizes and etags; full: the md5 of every data file as well.",
    )


class RollbackConfig(dg.Config):
    """Which tables go back, and where to."""

    tables: list[str] = Field(description="DynamoDB or Athena names of the tables; at least one.")
    to: str | None = Field(
        default=None,
        description="An export's ARN or id, with exactly one table; by default the newest earlier "
        "export each table has shown.",
    )
    dry_run: bool = Field(
        default=False, description="Prove that it could be done, and change nothing."
    )
    verify: Verify | None = Field(
        default=None,
        description="manifest: sizes and etags; full: the md5 of every data file as well.",
    )


_DEFAULTS = RetentionPolicy()


class PruneConfig(dg.Config):
    """What to keep, and whether to delete the rest."""

    tables: list[str] = Field(default=[], description=_ALL)
    keep_last: int = Field(
        default=_DEFAULTS.keep_last, description="So many of the newest exports, at least 1."
    )
    keep_days: float = Field(
        default=_DEFAULTS.keep_days, description="All exports younger than this."
    )
    rollback_days: float = Field(
        default=_DEFAULTS.rollback_days,
        description="All exports the table showed within these days.",
    )
    dry_run: bool = Field(
        default=True, description="Say what would be deleted; switched off, it is deleted."
    )
