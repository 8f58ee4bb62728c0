"""Which promises of a table are checked, how far they go, and how bad it is to break one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ddb_assets.core.operating.retention import RetentionPolicy, check_policy
from ddb_assets.errors import DeclarationError

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
    "pitr": "Point-in-time recovery of the DynamoDB table is on and reaches back far enough.",
    "data_age": "What the Athena table shows is as young as the freshness promise says.",
    "row_count": "Athena counts as many rows as the export's manifest. Scans the whole table.",
    "retention": "No export lies in S3 that the retention lets go.",
}


@dataclass(frozen=True, kw_only=True)
class Checks:
    """The standing checks of a table: asset checks that need no refresh to run.

    Each is `"warn"` or `"error"`, True for its usual severity, or False.

    Attributes:
        newest_export: The Athena table lies at the newest verified export. Usually an error.
        schema: Its columns are those that are declared and found. Usually a warning.
        undeclared: Whether an attribute that was found and is not declared breaks `schema`.
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
        Checks.none()
        ```
    """

    newest_export: CheckChoice = True
    schema: CheckChoice = True
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
        return cls(newest_export=False, schema=False, pitr=False, data_age=False)

    @property
    def policy(self) -> RetentionPolicy:
        """What `retention` lets stay."""
        return RetentionPolicy(
            keep_last=self.keep_last, keep_days=self.keep_days, rollback_days=self.rollback_days
        )

    def chosen(self) -> Iterator[tuple[str, CheckSeverity]]:
        """The checks that are on, with their severity."""
        for name, usual in USUAL.items():
            choice: CheckChoice = getattr(self, name)
            if choice is not False:
                yield name, usual if choice is True else choice

    def refuse_nonsense(self) -> None:
        """What can be refused at load.

        Raises:
            DeclarationError: A severity is none, or a number is out of its range.
        """
        for name, usual in USUAL.items():
            choice: object = getattr(self, name)
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
