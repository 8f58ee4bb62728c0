"""The YAML forms of freshness promises and of automation."""

from typing import Any

import dagster as dg
from pydantic import Field

from ddb_assets.components.documented import DocumentedModel
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.automation import (
    refresh_on_cron,
    refresh_when_missing,
    refresh_when_observed_changed,
)
from ddb_assets.orchestration.freshness import Freshness


class FreshnessModel(DocumentedModel):
    """How old a table may be before Dagster calls it stale: a window, or a deadline."""

    fail_after: float | None = Field(
        default=None,
        description="Seconds since the last materialization after which it fails; 60 or more.",
        examples=[93600],
    )
    warn_after: float | None = Field(
        default=None, description="Seconds after which it warns.", examples=[90000]
    )
    deadline_cron: str | None = Field(
        default=None,
        description="Instead of a window: when the table must have been refreshed.",
        examples=["0 8 * * *"],
    )
    lower_bound: float | None = Field(
        default=None,
        description="How many seconds before the deadline a refresh counts; at most the cron's "
        "interval.",
        examples=[10800],
    )
    timezone: str = Field(default="UTC", description="Of the deadline.", examples=["Europe/Berlin"])

    def declaration(self) -> Freshness:
        """The same in Python."""
        return Freshness(**self.model_dump())


class AutomationModel(DocumentedModel):
    """When Dagster refreshes a table by itself; what is given is joined by "or"."""

    cron: str | None = Field(
        default=None, description="After each tick of this cron line.", examples=["0 6 * * *"]
    )
    timezone: str = Field(
        default="UTC", description="Of the cron line.", examples=["Europe/Berlin"]
    )
    missing: bool = Field(
        default=False,
        description="When it was never refreshed, e.g. right after its first deployment.",
        examples=[True],
    )
    observed_changed: bool = Field(
        default=False,
        description="When an observation of the live table gave it a new data version.",
        examples=[True],
    )

    def declaration(self) -> dg.AutomationCondition[Any]:
        """The same in Python.

        Raises:
            DeclarationError: Nothing is asked for, or the cron line is not one.
        """
        wanted: list[dg.AutomationCondition[Any]] = []
        if self.cron is not None:
            wanted.append(refresh_on_cron(self.cron, timezone=self.timezone, missing=self.missing))
        elif self.missing:
            wanted.append(refresh_when_missing())
        if self.observed_changed:
            wanted.append(refresh_when_observed_changed())
        if not wanted:
            raise DeclarationError(
                "automation names no occasion", remedy="give cron, missing or observed_changed"
            )
        return wanted[0] if len(wanted) == 1 else wanted[0] | wanted[1]
