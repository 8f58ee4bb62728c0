"""Which executor a refresh wants: one process, unless several steps are to wait side by side."""

import atexit
import multiprocessing
import os
import pickle
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.executor.base import Executor

#: More steps than this wait in turn; a waiting step is a process of about 130 MB.
MAX_STEPS_AT_ONCE = 20

#: Marks the ops of this package; its value is the number of tables.
STEP_TAG = "ddb_assets/tables"

#: Environment variable: where the fork server finds the run's job.
JOB_FILE = "DDB_ASSETS_PRELOAD_JOB"

#: What a step's process has loaded before it is forked: it then starts in a fraction of a second.
_PRELOADED = ["ddb_assets.orchestration.preloaded"]


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
    own = dg.ExecutorDefinition(
        "multiprocess",
        config_schema=dg.multiprocess_executor.config_schema,  # pyright: ignore[reportArgumentType] - Dagster resolves a resolved schema to itself
        requirements=dg.multiple_process_executor_requirements(),
        executor_creation_fn=_side_by_side,
    )
    return own.configured(
        {"max_concurrent": min(steps, MAX_STEPS_AT_ONCE), "start_method": start},
        name="side_by_side",
    )


def refresh_steps(definitions: dg.Definitions) -> int:
    """How many steps that wait for AWS the definitions have."""
    steps = (a for a in definitions.assets or () if isinstance(a, dg.AssetsDefinition))
    # A graph-backed asset has no op, but a graph; its tags are not ours.
    return sum(1 for step in steps if step.is_executable and STEP_TAG in step.node_def.tags)


def _side_by_side(context: dg.InitExecutorContext) -> Executor:
    """Dagster's own executor; what it forks steps from finds the run's job (see `preloaded`)."""
    create = dg.multiprocess_executor.executor_creation_fn
    assert create is not None, "Dagster's executor can be created"
    _leave_job(context.job)
    return create(context)


def _leave_job(job: object) -> None:
    # A step looks its definitions up by the job's hash. Dagster keeps that with the job, also when
    # it is pickled, but each interpreter computes another: let the steps compute their server's.
    vars(job).pop("_hash", None)
    with suppress(OSError):
        descriptor, file = tempfile.mkstemp(prefix="ddb_assets-", suffix=".job")
        os.write(descriptor, pickle.dumps(job))
        os.close(descriptor)
        os.environ[JOB_FILE] = file
        atexit.register(lambda: Path(file).unlink(missing_ok=True))
