"""Watches all exports of a refresh together: few calls, each export at its own poll times.

One background task asks for whatever is due. Where several exports are due and the account's list
is short, one page of ListExports answers for up to 25 of them; else DescribeExport is asked for
each, under a client-side rate. ListExports has no order across tables and keeps 90 days (AWS docs),
so in an old account it is soon dearer than asking: what a listing cost last time decides.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from ddb_assets.core.clock import Clock
from ddb_assets.core.export import Export, ExportStatus
from ddb_assets.core.ports import DynamoDB
from ddb_assets.core.scheduling.calls import Patience, Rate, exhausted, patience_for
from ddb_assets.core.scheduling.scheduler import Pause, Signal, Task
from ddb_assets.core.waiting.polling import PollPlan
from ddb_assets.errors import (
    AccessDeniedError,
    DdbAssetsError,
    ThrottledError,
    TransientError,
    UnsupportedError,
)

#: SDK model of ListExports: MaxResults is at most 25.
LIST_PAGE = 25
#: Up to this many exports in flight each is watched as closely as if it were alone.
UNSTRETCHED = 10
#: Three times as many and more are asked this much less often: less than four calls each.
_MAX_STRETCH = 2.6
#: So many exports failing, with no success in between, mean that the endpoint is away.
_AWAY_AFTER = 3
_MIN_TRIES = 3

Trouble = Callable[[str, str, TransientError, float], None]


@dataclass(eq=False)
class Watched:
    """One export under watch; `signal` is set once `export` is done or `error` says why not."""

    table: str
    arn: str
    plan: PollPlan
    began: float
    due: float
    interval: float
    signal: Signal = field(default_factory=Signal)
    export: Export | None = None
    error: DdbAssetsError | None = None
    trouble_since: float | None = None
    tries: int = 0


class ExportWatch:
    """The exports in flight and the background task that asks for them."""

    def __init__(
        self, dynamodb: DynamoDB, clock: Clock, rng: random.Random, rate: Rate, trouble: Trouble
    ) -> None:
        self._dynamodb = dynamodb
        self._clock = clock
        self._rng = rng
        self._rate = rate
        self._trouble = trouble
        self._watched: dict[str, Watched] = {}
        self._news = Signal()
        self._list_pages = 1.0
        self._may_list = True
        self._failing: set[str] = set()
        self._away_since: float | None = None

    @property
    def running(self) -> list[Watched]:
        """The exports that are not known to be done."""
        return list(self._watched.values())

    def add(self, table: str, export: Export, plan: PollPlan, *, age_seconds: float) -> Watched:
        """Watch a running export that is `age_seconds` old."""
        now = self._clock.monotonic()
        began = now - age_seconds
        due = began + plan.next(age_seconds, stretch=self._stretch())
        watched = Watched(table, export.arn, plan, began, due, due - now)
        self._watched[export.arn] = watched
        self._news.set()
        return watched

    def remove(self, watched: Watched) -> None:
        """Stop asking for it; the export goes on in AWS."""
        self._watched.pop(watched.arn, None)

    def run(self) -> Task[NoReturn]:
        """Ask for what is due, for ever; spawn it in the background."""
        while True:
            now = self._clock.monotonic()
            due = [w for w in self._watched.values() if w.due <= now]
            if not due:
                self._news = Signal()
                nearest = min((w.due for w in self._watched.values()), default=None)
                yield Pause(until=nearest, signal=self._news)
                continue
            due.sort(key=lambda w: w.due)
            near = [w for w in self._watched.values() if w.due - 0.25 * w.interval <= now]
            if self._may_list and len(near) > max(2.0, self._list_pages):
                due = yield from self._list(near)
            for watched in due:
                if watched.arn in self._watched:
                    yield from self._rate.take()
                    yield from self._describe(watched)

    def _list(self, near: list[Watched]) -> Task[list[Watched]]:
        """Statuses from the account's list; returns those that must still be described."""
        wanted = {w.arn for w in near}
        now = self._clock.monotonic()
        due = [w for w in near if w.due <= now]
        statuses: dict[str, ExportStatus] = {}
        seen = 0
        yield from self._rate.take()
        try:
            for summary in self._dynamodb.list_exports():
                seen += 1
                if summary.arn in self._watched:
                    statuses[summary.arn] = summary.status
                    wanted.discard(summary.arn)
                if not wanted or seen >= LIST_PAGE * max(1, len(near) // 2):
                    break
        except (AccessDeniedError, UnsupportedError):
            # The list is a saving, not a need: without the right to it each export is described.
            self._may_list = False
            return due
        except TransientError as error:
            if isinstance(error, ThrottledError):
                self._rate.throttled()
            # Patience is counted where each export is asked for; the list is tried another time.
            self._list_pages = max(self._list_pages, float(len(near)))
            return due
        pages = -(-seen // LIST_PAGE)
        # Given up halfway: try again only for twice as many.
        self._list_pages = float(pages) if not wanted else max(4.0 * pages, self._list_pages)
        self._reached()
        still = [w for w in due if w.arn in wanted]
        for arn, status in statuses.items():
            watched = self._watched.get(arn)
            if watched is None:
                continue
            if status == "IN_PROGRESS":
                self._reschedule(watched)
            elif watched not in still:
                still.append(watched)
        return still

    def _describe(self, watched: Watched) -> Task[None]:
        try:
            export = self._dynamodb.describe_export(watched.arn)
        except TransientError as error:
            delay = self._failed(watched, error)
            if self._is_away():
                # Nobody answers: knock with one call at a time, not with one per export.
                yield Pause(until=self._clock.monotonic() + delay)
            return
        except DdbAssetsError as error:
            self._end(watched, error=error)
            return
        self._reached()
        self._rate.answered()
        watched.trouble_since, watched.tries = None, 0
        if export.done:
            self._end(watched, export=export)
        else:
            self._reschedule(watched)

    def _reached(self) -> None:
        self._failing.clear()
        self._away_since = None

    def _is_away(self) -> bool:
        return len(self._failing) >= max(1, min(_AWAY_AFTER, len(self._watched)))

    def _failed(self, watched: Watched, error: TransientError) -> float:
        now = self._clock.monotonic()
        if isinstance(error, ThrottledError):
            self._rate.throttled()
        else:
            self._failing.add(watched.arn)
            self._away_since = now if self._away_since is None else self._away_since
        watched.tries += 1
        watched.trouble_since = now if watched.trouble_since is None else watched.trouble_since
        patience = patience_for(error)
        if patience is None:
            self._end(watched, error=error)
            return 0.0
        if watched.tries >= _MIN_TRIES and now - watched.trouble_since >= patience.seconds:
            self._give_up(watched, error, now - watched.trouble_since)
        delay = patience.delay(watched.tries, self._rng)
        watched.due = now + delay
        watched.interval = delay
        if watched.arn in self._watched:
            self._trouble(watched.table, "ask for the export", error, delay)
        self._give_up_all(error, patience, now)
        return delay

    def _give_up_all(self, error: TransientError, patience: Patience, now: float) -> None:
        if self._away_since is None or not self._is_away():
            return
        if now - self._away_since >= patience.seconds:
            for watched in self.running:
                self._give_up(watched, error, now - self._away_since)

    def _give_up(self, watched: Watched, error: TransientError, seconds: float) -> None:
        tries = max(watched.tries, 1)
        fresh = exhausted(error, watched.table, "ask for the export", tries, seconds)
        fresh.table = watched.table
        self._end(watched, error=fresh)

    def _reschedule(self, watched: Watched) -> None:
        now = self._clock.monotonic()
        age = now - watched.began
        step = watched.plan.next(age, stretch=self._stretch()) - age
        watched.interval = step * self._rng.uniform(0.95, 1.05)
        watched.due = now + watched.interval

    def _end(
        self, watched: Watched, *, export: Export | None = None, error: DdbAssetsError | None = None
    ) -> None:
        watched.export, watched.error = export, error
        self._watched.pop(watched.arn, None)
        watched.signal.set()

    def _stretch(self) -> float:
        """Wider intervals in a fleet, so that an export costs less than four calls."""
        return min(_MAX_STRETCH, max(1.0, len(self._watched) / UNSTRETCHED) ** 0.85)
