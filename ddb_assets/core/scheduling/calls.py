"""One call to AWS, tried again while trying again can help, and the account's call rates.

Throttling is waited out, an endpoint that is away is waited for, wrong credentials are not. Each
kind of trouble has its own patience, counted in seconds of trouble without one success, so that a
call ends either in an answer or in one error with table, cause and remedy.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ddb_assets.core.clock import Clock
from ddb_assets.core.scheduling.scheduler import Pause, Task
from ddb_assets.errors import (
    CredentialsExpiredError,
    DdbAssetsError,
    DeadlineExceededError,
    ExportNotRestorableYetError,
    LimitExceededError,
    ServiceUnavailableError,
    ThrottledError,
    TransientError,
)

T = TypeVar("T")

#: (table, what was tried, the error, seconds until the next try)
Notify = Callable[[str, str, TransientError, float], None]

#: Tries before patience may end: a call that itself hangs for minutes gets a second chance.
MIN_TRIES = 3


@dataclass(frozen=True)
class Patience:
    """How long one kind of trouble is borne, and how far apart the tries are."""

    seconds: float
    first_delay: float
    max_delay: float

    def delay(self, tries: int, rng: random.Random) -> float:
        """Doubling, capped and jittered, so that a thousand tables do not knock at once."""
        grown = self.first_delay * 2.0 ** min(tries - 1, 20)
        return min(grown, self.max_delay) * rng.uniform(0.5, 1.0)


#: Calls are throttled by the second; half an hour of nothing else is a broken account.
_THROTTLED = Patience(1800.0, 1.0, 30.0)
#: 300 exports of other people may be in flight, and one export may take a day (data-prepper #7150).
_LIMIT = Patience(24 * 3600.0, 10.0, 120.0)
#: A restarted endpoint, a network that is down, a region that has a bad quarter of an hour.
_UNAVAILABLE = Patience(900.0, 1.0, 60.0)
#: A second becomes restorable about five minutes later (AWS docs).
_RESTORABLE = Patience(1800.0, 15.0, 60.0)
#: Assumed roles renew themselves; a session token in the environment never does.
_CREDENTIALS = Patience(60.0, 5.0, 20.0)


def patience_for(error: DdbAssetsError) -> Patience | None:
    """How long to bear this error; None where the same call cannot mend it."""
    if isinstance(error, ThrottledError):
        return _THROTTLED
    if isinstance(error, LimitExceededError):
        return _LIMIT
    if isinstance(error, ServiceUnavailableError):
        return _UNAVAILABLE
    if isinstance(error, ExportNotRestorableYetError):
        return _RESTORABLE
    if isinstance(error, CredentialsExpiredError):
        return _CREDENTIALS
    return None


class Calls:
    """Retries single calls; everything that must be re-read before a retry is not its job."""

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        notify: Notify,
        *,
        most_seconds: float = math.inf,
    ) -> None:
        """`most_seconds` caps every patience: somebody at a keyboard has less of it."""
        self._most_seconds = most_seconds
        self._clock = clock
        self._rng = rng
        self.notify = notify

    def __call__(
        self, table: str, action: str, call: Callable[[], T], *, deadline: float | None = None
    ) -> Task[T]:
        """Call until it answers or patience ends.

        Args:
            table: Whom the error is about.
            action: What is tried, as a person would say it ("start the export").
            call: The call; must be safe to repeat.
            deadline: The clock's monotonic time after which it is not tried again.

        Raises:
            DdbAssetsError: The last error, with the number of tries in its details.
            DeadlineExceededError: The user's deadline passed while AWS refused.
        """
        return self.repeat(table, action, lambda: _at_once(call), deadline=deadline)

    def repeat(
        self,
        table: str,
        action: str,
        attempt: Callable[[], Task[T]],
        *,
        deadline: float | None = None,
    ) -> Task[T]:
        """The same for something that takes several turns, such as reading a large object."""
        tries = 0
        trouble_since = self._clock.monotonic()
        while True:
            tries += 1
            try:
                return (yield from attempt())
            except TransientError as error:
                now = self._clock.monotonic()
                if tries == 1:
                    trouble_since = now
                delay = self._delay(error, table, action, tries, now - trouble_since)
                if deadline is not None and now + delay > deadline:
                    raise DeadlineExceededError(
                        f"the deadline passed while trying to {action}: {error.cause}",
                        table=table,
                        code=error.code,
                        remedy=error.remedy,
                    ) from error
                self.notify(table, action, error, delay)
            except DdbAssetsError as error:
                error.for_table(table)
                raise
            yield Pause(until=self._clock.monotonic() + delay)

    def _delay(
        self, error: TransientError, table: str, action: str, tries: int, seconds: float
    ) -> float:
        """Seconds until the next try; raises the error where there is none."""
        patience = patience_for(error)
        if patience is None:
            raise error.for_table(table)
        if tries >= MIN_TRIES and seconds >= min(patience.seconds, self._most_seconds):
            raise exhausted(error, table, action, tries, seconds) from error
        return patience.delay(tries, self._rng)


def _at_once(call: Callable[[], T]) -> Task[T]:
    return call()
    yield Pause()  # makes it a task


def exhausted(
    error: TransientError, table: str, action: str, tries: int, seconds: float
) -> TransientError:
    """The error that ends patience: the same class, saying what was tried and for how long."""
    ended = type(error)(
        f"could not {action}: {error.cause} ({tries} tries in {seconds:.0f} s)",
        table=error.table or table,
        code=error.code,
        remedy=error.remedy or "look at the account's health, then run it again",
    )
    ended.details.update(error.details, tries=tries, seconds=round(seconds, 1))
    return ended


class Rate:
    """A client-side limit: `burst` calls at once, then `per_second`; slower after a throttle."""

    def __init__(self, clock: Clock, *, per_second: float, burst: int) -> None:
        self._clock = clock
        self._base = 1.0 / per_second
        self._interval = self._base
        self._burst = burst
        self._next = 0.0

    def take(self) -> Task[None]:
        """Wait until one more call is allowed."""
        now = self._clock.monotonic()
        self._next = max(self._next, now)
        turn = self._next - self._interval * (self._burst - 1)
        self._next += self._interval
        if turn > now:
            yield Pause(until=turn)

    def throttled(self) -> None:
        """AWS said no: halve the rate, at most to an eighth."""
        self._interval = min(self._interval * 2, self._base * 8)

    def answered(self) -> None:
        """AWS said yes: come back slowly."""
        self._interval = max(self._interval * 0.98, self._base)
