"""What a step's process has loaded before it is forked; nothing else imports this module.

The fork server imports it once (`multiprocessing.set_forkserver_preload`). Every step forked from
there has Dagster's storages and, where the run's process left its job in a file, the resolved
definitions: of a thousand tables they cost a second, in every step's process anew.
"""

import importlib
import os
import pickle
from contextlib import suppress
from pathlib import Path

from ddb_assets.orchestration.executors import JOB_FILE

#: And what Dagster imports when a process opens its instance and executes a plan, whatever storage
#: it has; what a future version lacks costs time, not the run.
_MODULES = (
    "ddb_assets.orchestration.builder",
    "dagster._core.storage.root",
    "dagster._core.storage.sqlite_storage",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.launcher.default_run_launcher",
    "dagster._core.run_coordinator.queued_run_coordinator",
    "dagster._core.secrets.env_file",
    "dagster._core.definitions.repository_definition.repository_data_builder",
    "dagster._core.workspace.autodiscovery",
    "dagster._utils.test.definitions",
)


def _load() -> None:
    for module in _MODULES:
        with suppress(ImportError):
            importlib.import_module(module)
    file = os.environ.get(JOB_FILE)
    if file is None:
        return
    # Written by the run's own process, for this one. What goes wrong here goes wrong in the step,
    # too, where it is told; an error here would end the server of all steps without a word.
    with suppress(Exception):
        job = pickle.loads(Path(file).read_bytes())  # noqa: S301 - see above
        job.get_definition()


_load()
