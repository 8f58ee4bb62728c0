"""What `dagster dev` loads: the declarations under `defs/`, run by an executor that suits them."""

from pathlib import Path

import dagster as dg

from ddb_assets.orchestration.executors import executor_for, refresh_steps


@dg.definitions
def defs() -> dg.Definitions:
    """Everything this project declares; reads files, asks nobody."""
    declared = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    executor = executor_for(refresh_steps(declared))
    return dg.Definitions.merge(declared, dg.Definitions(executor=executor))
