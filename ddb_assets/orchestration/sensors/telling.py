"""How far the telling of failed runs has come, and one round of it over a run's messages."""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import asdict, dataclass, field
from typing import Any

from ddb_assets.orchestration.sensors.failure_messages import FailedRefresh
from ddb_assets.orchestration.sensors.tick import Budget

CURSOR_VERSION = 1

#: Ticks in which a message is tried whose notifier raises; then the tick's log is all there is.
ATTEMPTS = 3
#: Seconds a notifier may take for one message; with it a tick still ends within Dagster's limit,
#: see `tick.tick_seconds`.
_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class Told:
    """Where the next tick goes on.

    Attributes:
        after: Storage id of the newest failed run that is dealt with.
        run_id: The run after it, where some of its messages were tried; None where none were.
        attempt: The round over its messages, from 1.
        label: The last message tried in this round; they are tried in the order of their labels.
        again: Digests of the messages of this round; empty for all, in the first one.
        failed: Digests of those whose notifier raised in this round.
    """

    after: int
    run_id: str | None = None
    attempt: int = 1
    label: str = ""
    again: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def dump(self) -> str:
        """As Dagster stores it."""
        return json.dumps({"version": CURSOR_VERSION, **asdict(self)})

    @classmethod
    def load(cls, text: str | None) -> "Told | None":
        """The inverse; None where it cannot be read.

        A cursor that Dagster's own run failure sensor wrote is one after its `record_id`.
        """
        try:
            read: dict[str, Any] = json.loads(text or "")
            if read.get("__class__") == "RunStatusSensorCursor":
                return cls(int(read["record_id"]))
            if read.pop("version") != CURSOR_VERSION:
                return None
            again, failed = tuple(read.pop("again")), tuple(read.pop("failed"))
            whole = [read[name] for name in ("after", "attempt")]
            texts = [read["label"], read["run_id"] or "", *again, *failed]
            sound = all(type(n) is int for n in whole) and all(type(t) is str for t in texts)
            return cls(**read, again=again, failed=failed) if sound else None
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


@dataclass
class Round:
    """The telling of one tick.

    Attributes:
        notify: Tells somebody.
        budget: The tick's time; its first message is tried in any case, so that each tick gets on.
        log: The tick's.
        tried: Messages tried in this tick.
        undelivered: What went wrong in the run at hand.
    """

    notify: Callable[[FailedRefresh], Any]
    budget: Budget
    log: logging.Logger
    tried: int = 0
    undelivered: list[BaseException] = field(default_factory=list[BaseException])

    def tell(self, told: Told, run_id: str, messages: Sequence[FailedRefresh]) -> Told | None:
        """Try messages of a run until the last one or the end of the tick.

        Args:
            told: Where to go on.
            run_id: The failed run.
            messages: All of it, in the order of their labels.

        Returns:
            Where the next tick goes on with this run; None where it is dealt with.
        """
        if told.run_id != run_id:
            told = Told(told.after)
        failed, label = list(told.failed), told.label
        for message in messages:
            digest = _digest(message.label)
            if message.label <= told.label or (told.attempt > 1 and digest not in told.again):
                continue
            if self.tried and self.budget.spent:
                return Told(told.after, run_id, told.attempt, label, told.again, tuple(failed))
            self.tried += 1
            label = message.label
            if self._deliver(message, last=told.attempt >= ATTEMPTS):
                failed.append(digest)
        if not failed or told.attempt >= ATTEMPTS:
            return None
        return Told(told.after, run_id, told.attempt + 1, again=tuple(failed))

    def _deliver(self, message: FailedRefresh, *, last: bool) -> bool:
        """Try one message; whether it is worth another try.

        One that takes too long may yet arrive: it is not sent a second time.
        """
        seconds = min(_PATIENCE_SECONDS, self.budget.seconds / 4)
        future = _called(self.notify, message)
        if not wait([future], timeout=seconds).done:
            self.log.error("no answer in %g s, not sent again: %s", seconds, message.text)
            self.undelivered.append(TimeoutError(f"the notifier did not return in {seconds:g} s"))
            return False
        error = future.exception()
        if error is None:
            return False
        outlook = "not sent again" if last else "the next tick tries again"
        self.log.error("not delivered, %s: %s", outlook, message.text, exc_info=error)
        self.undelivered.append(error)
        return True


def _called(notify: Callable[[FailedRefresh], Any], message: FailedRefresh) -> Future[None]:
    """The call in a thread of its own: Python cannot end a call that hangs, only leave it."""
    future: Future[None] = Future()

    def call() -> None:
        try:
            notify(message)
        except BaseException as error:  # noqa: BLE001 - handed to the tick, which reports it
            future.set_exception(error)
        else:
            future.set_result(None)

    threading.Thread(target=call, name="ddb_assets notifier", daemon=True).start()
    return future


def _digest(label: str) -> str:
    """Short, so that a cursor of a thousand long names stays small."""
    return hashlib.sha256(label.encode()).hexdigest()[:12]
