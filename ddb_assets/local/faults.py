"""Faults on order: the next call of an operation is refused, breaks or is slow; then all is well.

They live in the backend they concern (`backend.faults`), so that moto's reset clears them. Besides
the operations of the API there are two that are no calls: the work behind them fails instead.
"""

import json
import threading
import time
from dataclasses import dataclass, replace

#: As an operation: the next export ends FAILED; code and message are its FailureCode and -Message.
EXPORT_JOB = "ExportJob"
#: As an operation: the next query ends FAILED; the message is its StateChangeReason.
QUERY_JOB = "QueryJob"

_lock = threading.Lock()


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and when.

    Attributes:
        operation: The API operation, such as `DescribeExport`, or `EXPORT_JOB` or `QUERY_JOB`.
        code: The error code; None answers as always, only after the delay.
        message: The error message.
        nth: Counted from now, the first call that is struck; 1 is the next.
        times: How many calls in a row are struck.
        status: The HTTP status of the error.
        delay_seconds: How long the answer takes, by the wall clock.
    """

    operation: str
    code: str | None
    message: str = ""
    nth: int = 1
    times: int = 1
    status: int = 400
    delay_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.nth < 1 or self.times < 1 or self.delay_seconds < 0:
            raise ValueError(f"a fault needs nth >= 1, times >= 1 and delay_seconds >= 0: {self}")


class Faults:
    """The faults ordered for one backend."""

    def __init__(self) -> None:
        self._ordered: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Order a fault. Several for one operation count their calls side by side."""
        with _lock:
            self._ordered.append(fault)

    def clear(self) -> None:
        """Forget every order."""
        with _lock:
            self._ordered.clear()

    @property
    def ordered(self) -> tuple[Fault, ...]:
        """What is still to come."""
        return tuple(self._ordered)

    def take(self, operation: str) -> Fault | None:
        """Count one call of `operation`; the fault that strikes it, or None."""
        struck: Fault | None = None
        with _lock:
            left: list[Fault] = []
            for fault in self._ordered:
                if fault.operation != operation:
                    left.append(fault)
                elif fault.nth > 1:
                    left.append(replace(fault, nth=fault.nth - 1))
                elif struck is None:
                    struck = fault
                    if fault.times > 1:
                        left.append(replace(fault, times=fault.times - 1))
                else:
                    left.append(fault)
            self._ordered = left
        return struck

    def answer(
        self, operation: str, *, type_prefix: str = ""
    ) -> tuple[int, dict[str, str], str] | None:
        """For a handler's `call_action`: the error to answer this call with, or None.

        A fault's delay is slept here, before the answer or before the call is let through.

        Args:
            operation: The API operation that is called.
            type_prefix: What the service writes before an error code in `__type`.
        """
        fault = self.take(operation)
        if fault is None:
            return None
        if fault.delay_seconds:
            time.sleep(fault.delay_seconds)
        if fault.code is None:
            return None
        body = json.dumps({"__type": f"{type_prefix}{fault.code}", "message": fault.message})
        return fault.status, {"x-amzn-errortype": fault.code}, body
