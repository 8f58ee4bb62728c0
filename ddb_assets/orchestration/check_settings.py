"""Which promises of a table are checked, how far they go, and how bad it is to break one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from ddb_assets.core.operating.drift import DriftSeverity
from ddb_assets.core.operating.retention import RetentionPolicy, check_policy
from ddb_assets.errors import DeclarationError
from ddb_assets.schema.drift import DRIFT_KINDS, DriftKind

CheckSeverity = Literal["warn", "error"]
#: False: not checked. True: checked, with the check's usual severity.
CheckChoice = bool | CheckSeverity

#: Point-in-time recovery keeps at most so many days (API page PointInTimeRecoverySpecification).
MAX_PITR_DAYS = 35

#: How bad it is where nothing else is said: an error where queries read wrong or old data or the
#: next refresh will fail, a warning where somebody should look some time.
USUAL: dict[str, CheckSeverity] = {
    "newest_export": "error",
    "schema": "warn",
    "drift": "warn",
    "pitr": "error",
    "data_age": "error",
    "row_count": "error",
    "retention": "warn",
}

#: What each check holds, for the UI.
DESCRIPTIONS: dict[str, str] = {
    "newest_export": "The Athena table lies at the newest completed export, which a refresh has "
    "verified and which is still stored.",
    "schema": "The Athena table's columns are those of the declaration and of the last refresh.",
    "drift": "The items of the published export hold what those of the export before held, and "
    "what is declared.",
    "pitr": "Point-in-time recovery of the DynamoDB table is on and reaches back far enough.",
    "data_age": "What the Athena table shows is as young as the freshness promise says.",
    "row_count": "Athena counts as many rows as the export's manifest. Scans the whole table.",
    "retention": "No export lies in S3 that the retention lets go.",
}


@dataclass(frozen=True, kw_only=True)
class DriftSeverities:
    """How bad it is that items differ from those of the last export, or from the declaration.

    Each is `"ignore"`, `"warn"` or `"error"`.

    Attributes:
        new: An attribute that was not there. The tables have grown a column by then.
        missing: An attribute that no item has any more. Its column stays, and reads as NULL.
        retyped: Values of a type that was not there, or open keys in place of fixed ones.
        wider: Numbers that the column's type did not hold; it has got wider by then.
    """

    new: DriftSeverity = "warn"
    missing: DriftSeverity = "warn"
    retyped: DriftSeverity = "error"
    wider: DriftSeverity = "warn"

    def by_kind(self) -> dict[DriftKind, DriftSeverity]:
        """Kind -> severity."""
        return {kind: getattr(self, kind) for kind in DRIFT_KINDS}


#: Each kind with its usual severity (True), all with one, or each with its own.
DriftChoice = CheckChoice | DriftSeverities


@dataclass(frozen=True, kw_only=True)
class Checks:
    """The standing checks of a table: asset checks that need no refresh to run.

    Each is `"warn"` or `"error"`, True for its usual severity, or False.

    Attributes:
        newest_export: The Athena table lies at the newest verified export. Usually an error.
        schema: Its columns are those that are declared and found. Usually a warning.
        drift: Its items hold what the last export's held and what is declared: judged by the
            profiles beside the exports, without reading an item. True is `DriftSeverities()`.
        undeclared: Whether an attribute that was found and is not declared breaks `schema` and
            `drift`.
        pitr: Point-in-time recovery is on. Usually an error.
        pitr_days: So many days it must be set to keep, 1 to 35; any by default.
        data_age: The data is as young as `freshness` promises; without such a promise there is no
            such check. Usually an error.
        row_count: Athena counts as many rows as the manifest; off by default, because it scans the
            whole table. Usually an error.
        retention: No export is stored that could be pruned; off by default. Usually a warning.
        keep_last: What `retention` lets stay: so many of the newest exports,
        keep_days: all that are younger than this,
        rollback_days: and all that the table showed within these days.

    Examples:
        ```python
        Checks(pitr_days=7, schema="error", row_count=True, retention="warn", keep_last=5)
        Checks(drift=DriftSeverities(new="ignore", retyped="warn"))
        Checks.none()
        ```
    """

    newest_export: CheckChoice = True
    schema: CheckChoice = True
    drift: DriftChoice = True
    undeclared: bool = False
    pitr: CheckChoice = True
    pitr_days: int | None = None
    data_age: CheckChoice = True
    row_count: CheckChoice = False
    retention: CheckChoice = False
    keep_last: int = RetentionPolicy.keep_last
    keep_days: float = RetentionPolicy.keep_days
    rollback_days: float = RetentionPolicy.rollback_days

    @classmethod
    def none(cls) -> "Checks":
        """No check at all."""
        return cls(newest_export=False, schema=False, drift=False, pitr=False, data_age=False)

    @property
    def policy(self) -> RetentionPolicy:
        """What `retention` lets stay."""
        return RetentionPolicy(
            keep_last=self.keep_last, keep_days=self.keep_days, rollback_days=self.rollback_days
        )

    def chosen(self) -> Iterator[tuple[str, CheckSeverity]]:
        """The checks that are on, with their severity."""
        for name, usual in USUAL.items():
            choice: DriftChoice = getattr(self, name)
            if choice is not False:
                yield name, choice if isinstance(choice, str) else usual

    @property
    def drift_severities(self) -> DriftSeverities:
        """How bad each kind of drift is."""
        if isinstance(self.drift, DriftSeverities):
            return self.drift
        if isinstance(self.drift, str):
            every = self.drift
            return DriftSeverities(new=every, missing=every, retyped=every, wider=every)
        return DriftSeverities()

    def refuse_nonsense(self) -> None:
        """What can be refused at load.

        Raises:
            DeclarationError: A severity is none, or a number is out of its range.
        """
        if isinstance(self.drift, DriftSeverities):
            for kind, severity in self.drift.by_kind().items():
                if severity not in get_args(DriftSeverity):
                    raise DeclarationError(
                        f"checks.drift.{kind} {severity!r} is not allowed",
                        remedy="allowed: ignore, warn, error",
                    )
        for name, usual in USUAL.items():
            choice: object = getattr(self, name)
            if name == "drift" and isinstance(choice, DriftSeverities):
                continue
            if not isinstance(choice, bool) and choice not in {"warn", "error"}:
                raise DeclarationError(
                    f"checks.{name} {choice!r} is not allowed",
                    remedy=f"allowed: warn, error, true (which is {usual}) or false",
                )
        days = self.pitr_days
        if days is not None and not 1 <= days <= MAX_PITR_DAYS:
            raise DeclarationError(
                f"checks.pitr_days {days!r} is not allowed",
                remedy=f"allowed: 1 to {MAX_PITR_DAYS}, as many as recovery can keep",
            )
        check_policy(self.policy)
