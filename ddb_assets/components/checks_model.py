"""The YAML form of the standing checks."""

from typing import Any, Literal

from pydantic import Field

from ddb_assets.components.documented import DocumentedModel
from ddb_assets.orchestration.check_settings import Checks, DriftSeverities

_DEFAULTS = Checks()
_DRIFT = DriftSeverities()
_Choice = bool | Literal["warn", "error"]
#: Offered by editors; refused at load in one sentence, where a union's refusal takes twenty.
_SEVERITIES: Any = {"enum": ["ignore", "warn", "error"]}


class DriftModel(DocumentedModel):
    """How bad each kind of drift is; one that is not named has its usual severity."""

    new: str = Field(
        default=_DRIFT.new,
        description="An attribute that was not there before, or is not declared.",
        examples=["ignore"],
        json_schema_extra=_SEVERITIES,
    )
    missing: str = Field(
        default=_DRIFT.missing,
        description="An attribute that no item has; its column stays and reads as NULL.",
        examples=["ignore"],
        json_schema_extra=_SEVERITIES,
    )
    retyped: str = Field(
        default=_DRIFT.retyped,
        description="Values of a type that was not there, or open keys in place of fixed ones.",
        examples=["warn"],
        json_schema_extra=_SEVERITIES,
    )
    wider: str = Field(
        default=_DRIFT.wider,
        description="Numbers that the column's type did not hold.",
        examples=["ignore"],
        json_schema_extra=_SEVERITIES,
    )

    def declaration(self) -> DriftSeverities:
        """The same in Python; `Checks.refuse_nonsense` says what is allowed."""
        chosen: Any = self.model_dump()
        return DriftSeverities(**chosen)


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
    drift: bool | str | DriftModel = Field(
        default=True,
        description="The items hold what the last export's held and what is declared. One severity "
        "for all differences, or one for each kind (below).",
        examples=[{"new": "ignore", "retyped": "warn"}],
    )
    undeclared: bool = Field(
        default=_DEFAULTS.undeclared,
        description="Whether an attribute that was found and is not declared breaks schema and "
        "drift.",
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
        chosen: dict[str, Any] = self.model_dump(by_alias=True)
        if isinstance(self.drift, DriftModel):
            chosen["drift"] = self.drift.declaration()
        return Checks(**chosen)
