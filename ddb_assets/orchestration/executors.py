"""Which executor a refresh wants: one process, unless several steps are to wait side by side."""

import multiprocessing
from typing import Any

import dagster as dg

#: More steps than this wait in turn; a waiting step is a process of about 130 MB.
MAX_STEPS_AT_ONCE = 20

#: Marks the ops of this package; its value is the number of tables.
STEP_TAG = "ddb_assets/tables"

#: What a step's process has loaded before it is forked: it then starts in a fraction of a second.
_PRELOADED = ["ddb_assets.orchestration.builder"]


def executor_for(steps: int) -> dg.ExecutorDefinition:
    """In-process for one step; else forked processes, so that their waits overlap.

    Waiting costs nothing but the process: with Dagster's default (a fresh interpreter per step, as
    many at once as there are CPUs) the steps of a large refresh would wait one after the other.
    """
    if steps <= 1:
        return dg.in_process_executor
    start: dict[str, Any] = {"spawn": {}}
    if "forkserver" in multiprocessing.get_all_start_methods():
        start = {"forkserver": {"preload_modules": _PRELOADED}}
    return dg.multiprocess_executor.configured(
        {"max_concurrent": min(steps, MAX_STEPS_AT_ONCE), "start_method": start},
        name="side_by_side",
    )


def refresh_steps(definitions: dg.Definitions) -> int:
    """How many steps that wait for AWS the definitions have."""
    steps = (a for a in definitions.assets or () if isinstance(a, dg.AssetsDefinition))
    return sum(1 for step in steps if step.is_executable and STEP_TAG in step.op.tags)
