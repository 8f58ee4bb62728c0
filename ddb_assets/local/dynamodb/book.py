"""A region's exports: their ids, their tokens, their list and their limits."""

import base64
import binascii
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ddb_assets.local import clock, settings
from ddb_assets.local.dynamodb.errors import error, validation
from ddb_assets.local.dynamodb.jobs import ExportJob
from ddb_assets.local.dynamodb.requests import FULL, ExportRequest

_MICRO = timedelta(microseconds=1)
#: ClientToken is valid for 8 hours after the export that used it completed (SDK model).
TOKEN_MICROS = timedelta(hours=8) // _MICRO
#: ListExports keeps 90 days (AWS page S3DataExport_Requesting).
RETENTION_MICROS = timedelta(days=90) // _MICRO
#: The largest page of ListExports (SDK model).
LARGEST_PAGE = 25
#: How long a caller waits for objects that are being written at this moment.
SETTLE_SECONDS = 1.0


@dataclass(frozen=True)
class _Use:
    """What a client token was used for."""

    fingerprint: str
    job: ExportJob


class ExportBook:
    """The exports of one account in one region.

    Not locked: the backend's lock of writes is held while an export is entered.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, ExportJob] = {}
        self._tokens: dict[str, _Use] = {}
        self._last_start_millis = 0

    def repeated(self, request: ExportRequest) -> ExportJob | None:
        """The export a token already stands for.

        Raises:
            JsonRESTError: ExportConflictException; the token stands for other parameters.
        """
        use = self._tokens.get(request.token)
        if use is None:
            return None
        if clock.now_micros() >= use.job.due_micros + TOKEN_MICROS:
            return None
        if use.fingerprint != request.fingerprint:
            raise error(
                "ExportConflictException",
                "Export conflict: Duplicate request detected with conflicting parameters",
            )
        return use.job

    def require_room(self) -> None:
        """Refuse one more export while too many are in flight.

        Raises:
            JsonRESTError: LimitExceededException.
        """
        most = settings.current().max_exports_in_flight
        now = clock.now_micros()
        if sum(not job.ended and job.due_micros > now for job in self._jobs.values()) >= most:
            raise error(
                "LimitExceededException",
                f"Subscriber limit exceeded: only {most} exports can be in progress at a time",
            )

    def next_start_millis(self, not_before_micros: int) -> int:
        """A StartTime no other export has: the export's id is made from it."""
        millis = -(-not_before_micros // 1000)
        self._last_start_millis = max(self._last_start_millis + 1, millis)
        return self._last_start_millis

    def enter(self, job: ExportJob) -> None:
        """Keep an export and its token."""
        self._forget_old()
        self._jobs[job.arn] = job
        self._tokens[job.request.token] = _Use(job.request.fingerprint, job)

    def find(self, arn: str) -> ExportJob | None:
        """An export by its ARN, as it is at this moment."""
        self._forget_old()
        job = self._jobs.get(arn)
        if job is not None:
            job.settle(wait_seconds=SETTLE_SECONDS)
        return job

    def in_progress(self) -> list[ExportJob]:
        """The exports that have not ended."""
        return [job for job in list(self._jobs.values()) if not job.ended]

    def page(
        self, wanted: Callable[[ExportJob], bool], *, size: int, token: str | None
    ) -> tuple[list[ExportJob], str | None]:
        """One page of exports, newest first within a table.

        Args:
            wanted: Which exports.
            size: How many at most.
            token: Where the last page ended.

        Returns:
            The page, and the token of the next one if there is more.

        Raises:
            JsonRESTError: ValidationException; the token is not one of ours.
        """
        self._forget_old()
        jobs = _ordered(job for job in list(self._jobs.values()) if wanted(job))
        if token is not None:
            last = self._jobs.get(_read_token(token))
            if last is None:
                raise validation(f"Invalid Request: Provided nextToken is invalid: {token}")
            jobs = [job for job in jobs if _place(job) > _place(last)]
        page = jobs[:size]
        give_up = time.monotonic() + SETTLE_SECONDS
        for job in page:
            if time.monotonic() < give_up:  # the timer ends the others
                job.settle(wait_seconds=SETTLE_SECONDS)
        return page, _write_token(page[-1].arn) if len(jobs) > size else None

    def _forget_old(self) -> None:
        limit = clock.now_micros() - RETENTION_MICROS
        for arn, job in list(self._jobs.items()):
            if job.ended and job.start_micros < limit:
                del self._jobs[arn]
        for token, use in list(self._tokens.items()):
            if use.job.ended and use.job.due_micros + TOKEN_MICROS < limit:
                del self._tokens[token]


def export_id(start_millis: int) -> str:
    """The last part of an export's ARN: 14 digits of milliseconds and 8 of chance."""
    return f"{start_millis:014d}-{secrets.token_hex(4)}"


def summary_of(job: ExportJob) -> dict[str, Any]:
    """An export in the answer of ListExports; a defaulted type is shown here."""
    return {
        "ExportArn": job.arn,
        "ExportStatus": job.status,
        "ExportType": job.request.sent.get("ExportType", FULL),
    }


def _place(job: ExportJob) -> tuple[str, int]:
    return job.table_arn, -job.start_micros


def _ordered(jobs: Iterable[ExportJob]) -> list[ExportJob]:
    return sorted(jobs, key=_place)


def _write_token(arn: str) -> str:
    return base64.urlsafe_b64encode(arn.encode()).decode("ascii")


def _read_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeError):
        return ""
