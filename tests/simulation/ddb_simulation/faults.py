"""What can go wrong with a call, and which call of which actor it happens to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ddb_assets.errors import (
    AccessDeniedError,
    CredentialsExpiredError,
    DdbAssetsError,
    LimitExceededError,
    ServiceUnavailableError,
    ThrottledError,
    VersionConflictError,
)

Kind = Literal[
    "crash-before",
    "crash-after",
    "terminate",
    "lost-answer",
    "throttled",
    "unavailable",
    "expired",
    "denied",
    "limit",
    "conflict",
    "slow",
]

#: How long a slow call takes: longer than most exports of the simulation.
SLOW_SECONDS = 1200.0


class Killed(BaseException):
    """The process is gone (SIGKILL): not one more call of it has any effect."""


class Terminated(BaseException):
    """Dagster interrupts the step (Terminate in the UI); the process may still clean up."""


_ERRORS: dict[Kind, Callable[[], DdbAssetsError]] = {
    "throttled": lambda: ThrottledError(
        "the request rate is exceeded", code="ThrottlingException", remedy="Wait a little."
    ),
    "unavailable": lambda: ServiceUnavailableError(
        "AWS answered 503", code="InternalServerError", remedy="Try again."
    ),
    "expired": lambda: CredentialsExpiredError(
        "the token has expired", code="ExpiredTokenException", remedy="Renew the credentials."
    ),
    "denied": lambda: AccessDeniedError(
        "a permission is missing", code="AccessDeniedException", remedy="Allow the action."
    ),
    "limit": lambda: LimitExceededError(
        "too many at once", code="LimitExceededException", remedy="Wait until some have ended."
    ),
    "conflict": lambda: VersionConflictError(
        "somebody changed it", code="ConcurrentModificationException", remedy="Read it again."
    ),
    "lost-answer": lambda: ServiceUnavailableError(
        "no answer within 60 s", code="ReadTimeoutError", remedy="Try again."
    ),
}

#: Kinds that make the call fail and leave the process alive.
ERRORS: frozenset[Kind] = frozenset(_ERRORS)

#: Calls that change something: only for them is "before" another world than "after".
WRITES = frozenset(
    {
        "dynamodb.start_export",
        "objects.delete",
        "catalog.create_database",
        "catalog.create_table",
        "catalog.update_table",
        "catalog.delete_table",
        "queries.start",
        "queries.stop",
        "dagster.note",
        "dagster.materialize",
    }
)


def kinds_for(operation: str) -> tuple[Kind, ...]:
    """Every fault that makes a difference to a call of this operation."""
    crashes: tuple[Kind, ...] = ("crash-before", "terminate")
    if operation in WRITES:
        crashes += ("crash-after",)
    if operation == "clock.sleep" or operation.startswith("dagster."):
        return crashes
    kinds: tuple[Kind, ...] = (
        *crashes, "throttled", "unavailable", "expired", "denied", "slow"
    )  # fmt: skip
    if operation in WRITES:
        kinds += ("lost-answer",)
    if operation in {"dynamodb.start_export", "queries.start"}:
        kinds += ("limit",)
    if operation in {"catalog.create_table", "catalog.update_table"}:
        kinds += ("conflict",)
    return kinds


def error_of(kind: Kind) -> DdbAssetsError:
    """A fresh error of this kind, without a table's name: a gateway may not know it."""
    return _ERRORS[kind]()


@dataclass(frozen=True)
class Fault:
    """The `at`-th call of an actor, counted over all its attempts, goes wrong once."""

    at: int
    kind: Kind
    actor: int = 0

    def __str__(self) -> str:
        """`kind@call`."""
        return f"{self.kind}@{self.at}" + (f"#{self.actor}" if self.actor else "")


@dataclass(frozen=True)
class Outage:
    """Every call of an operation fails during a time.

    Attributes:
        operation: The beginning of the operation's name, such as `catalog.` or `dynamodb.start`.
        subject: Only calls that concern this table; empty is all of them.
        begins: Seconds after the beginning of the case.
        ends: Likewise; infinite is for ever.
    """

    operation: str
    kind: Kind
    subject: str = ""
    begins: float = 0.0
    ends: float = float("inf")

    def __str__(self) -> str:
        """For a case's name."""
        span = "" if self.ends == float("inf") else f" {self.begins:g}-{self.ends:g} s"
        return f"{self.operation}* {self.kind}{span} {self.subject}".rstrip()
