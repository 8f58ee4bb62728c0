"""What every tick shares: its time budget, its place among many tables, its rate of calls.

A tick has as long as Dagster's daemon waits for the code server. A declaration of a thousand
tables does not fit into that, so a tick ends in time and the next one goes on where it ended.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import dagster as dg

from ddb_assets.core.clock import Clock
from ddb_assets.core.scheduling.context import DESCRIBES_PER_SECOND
from ddb_assets.errors import (
    CredentialsExpiredError,
    CredentialsMissingError,
    DdbAssetsError,
    DeclarationError,
    ServiceUnavailableError,
    ThrottledError,
)
from ddb_assets.orchestration.sensors.declared import Unit

CURSOR_VERSION = 1

#: Dagster's own default of `DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS` (`default_grpc_timeout`).
_DEFAULT_TIMEOUT_SECONDS = 60
#: Kept for what comes after the look-around; the custom of Dagster's own integrations.
_MARGIN_SECONDS = 20

#: They concern the whole account: asking for the next table would end the same way.
_ENDS_THE_TICK = (
    ThrottledError,
    ServiceUnavailableError,
    CredentialsExpiredError,
    CredentialsMissingError,
    DeclarationError,
)


@dataclass(frozen=True)
class Cursor:
    """Where the next tick begins.

    Attributes:
        begin: Name of the unit to look at first; None begins with the first one. A name and not a
            number, so that a changed declaration does not skip anything.
    """

    begin: str | None = None

    def dump(self) -> str:
        """As Dagster stores it."""
        return json.dumps({"version": CURSOR_VERSION, "begin": self.begin})

    @classmethod
    def load(cls, text: str | None) -> "Cursor":
        """The inverse; what cannot be read begins with the first table, which costs nothing."""
        try:
            read = json.loads(text or "")
            if read["version"] == CURSOR_VERSION and isinstance(read["begin"], str):
                return cls(read["begin"])
        except (ValueError, TypeError, KeyError):
            pass
        return cls()


def tick_seconds() -> float:
    """How long a tick may look around."""
    try:
        timeout = int(os.environ["DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS"])
    except (KeyError, ValueError):
        timeout = _DEFAULT_TIMEOUT_SECONDS
    return max(timeout - _MARGIN_SECONDS, timeout / 3)


class TickEndedError(Exception):
    """The time of the tick is spent; the unit that was looked at is looked at again."""


@dataclass
class Budget:
    """The time of one tick and the rate of its calls to AWS.

    Attributes:
        per_second: Calls per second at most; control-plane calls share the account's rate with
            everything else in it.
    """

    clock: Clock
    seconds: float = field(default_factory=tick_seconds)
    per_second: float = DESCRIBES_PER_SECOND
    _end: float = field(init=False, repr=False)
    _next: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """The tick begins now."""
        self._next = self.clock.monotonic()
        self._end = self._next + self.seconds

    @property
    def spent(self) -> bool:
        """Whether the tick has to end."""
        return self.clock.monotonic() >= self._end

    def pace(self) -> None:
        """Wait for the turn of the next call to AWS.

        Raises:
            TickEndedError: There is no time for it any more.
        """
        now = self.clock.monotonic()
        if now >= self._end:
            raise TickEndedError
        if self._next > now:
            self.clock.sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self.per_second


def visit(
    context: dg.SensorEvaluationContext,
    units: Sequence[Unit],
    budget: Budget,
    look: Callable[[Unit], None],
) -> Cursor:
    """Look at units until the last one or the end of the tick; say where the next one begins.

    One table's trouble is logged and does not stop the others. What concerns the whole account ends
    the tick, and the next one begins with the same unit.

    Args:
        context: Of the tick; its cursor says where to begin.
        units: In the order of their names.
        budget: The tick's time.
        look: Looks at one unit.

    Raises:
        DdbAssetsError: Nothing could be asked of AWS at all.
    """
    begin = Cursor.load(context.cursor).begin or ""
    ordered = [unit for unit in units if unit.name >= begin] or list(units)
    for number, unit in enumerate(ordered):
        if budget.spent and number:
            context.log.info("looked at %d of %d; the next tick goes on", number, len(ordered))
            return Cursor(unit.name)
        try:
            look(unit)
        except TickEndedError:
            if number:
                return Cursor(unit.name)
            context.log.warning(
                "%s does not fit into a tick: raise DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS", unit.name
            )
        except _ENDS_THE_TICK as error:
            if number == 0:
                raise
            context.log.warning("this tick ends early: %s", error)
            return Cursor(unit.name)
        except DdbAssetsError as error:
            context.log.warning("%s: not looked at: %s", unit.name, error)
    return Cursor()
