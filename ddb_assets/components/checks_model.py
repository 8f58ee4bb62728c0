"""The YAML form of the standing checks."""

from typing import Literal

from pydantic import Field

from ddb_assets.components.documented import DocumentedModel
from ddb_assets.orchestration.check_settings import Checks

_DEFAULTS = Checks()
_Choice = bool | Literal["warn", "error"]


class ChecksModel(DocumentedModel):
    """Standing checks of a table: each is warn, error, true (its usual severity) or false."""

    newest_export: _Choice = Field(
        default=_DEFAULTS.newest_export,
        description="The Athena table lies at the newest verified export. Usually an error.",
        examples=["warn"],
    )
    schema_: _Choice = Field(
        default=_DEFAULTS.schema,
        alias="schema",
        description="Its columns are those that are declared and found. Usually a warning.",
        examples=["error"],
    )
    undeclared: bool = Field(
        default=_DEFAULTS.undeclared,
        description="Whether an attribute that was found and is not declared breaks schema.",
        examples=[True],
    )
    pitr: _Choice = Field(
        default=_DEFAULTS.pitr,
        description="Point-in-time recovery is on. Usually an error.",
        examples=["warn"],
    )
    pitr_days: int | None = Field(
        default=_DEFAULTS.pitr_days,
        description="So many days recovery must be set to keep, 1 to 35; any by default.",
        examples=[7],
    )
    data_age: _Choice = Field(
        default=_DEFAULTS.data_age,
        description="The data is as young as freshness promises; only where it does. Usually an "
        "error.",
        examples=["warn"],
    )
    row_count: _Choice = Field(
        default=_DEFAULTS.row_count,
        description="Athena counts as many rows as the manifest; scans the whole table. Usually "
        "an error.",
        examples=[True],
    )
    retention: _Choice = Field(
        default=_DEFAULTS.retention,
        description="No export is stored that could be pruned. Usually a warning.",
        examples=[True],
    )
    keep_last: int = Field(
        default=_DEFAULTS.keep_last,
        description="What retention lets stay: so many of the newest exports,",
        examples=[5],
    )
    keep_days: float = Field(
        default=_DEFAULTS.keep_days,
        description="all that are younger than this,",
        examples=[14],
    )
    rollback_days: float = Field(
        default=_DEFAULTS.rollback_days,
        description="and all that the table showed within these days.",
        examples=[14],
    )

    def declaration(self) -> Checks:
        """The same in Python."""
        return Checks(**self.model_dump(by_alias=True))
