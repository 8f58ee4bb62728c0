"""Terminate ends a run; a step's retry policy must not turn it into one more attempt."""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg


class DagsterExecutionInterruptedError(dg.DagsterError, dg.DagsterExecutionInterruptedError):
    """The same interrupt, in a form that ends the run although the step has a retry policy.

    Dagster turns an interrupt inside a step with a policy into a retry of the step
    (`op_execution_error_boundary`: "respect retry policy when interrupts occur"): the button
    Terminate then does not end the run. Dagster's own errors pass that place untouched, and what
    lies above it ends the run as CANCELED for any interrupt. The name is Dagster's, because its
    multiprocess executor knows an interrupted child by the name of the error's class.
    """


@contextmanager
def ended_by_interrupts() -> Generator[None]:
    """Let an interrupt of what runs in here end the run.

    Raises:
        DagsterExecutionInterruptedError: Somebody pressed Terminate, or Ctrl-C.
    """
    try:
        yield
    except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt) as interrupt:
        raise DagsterExecutionInterruptedError(
            "the run was terminated; exports that run go on in AWS, and a retry of this run "
            "picks them up"
        ) from interrupt
