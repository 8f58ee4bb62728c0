"""What `dagster dev` loads: the declarations under `defs/`, run by an executor that suits them."""

import warnings
from pathlib import Path

import dagster as dg

import ddb_assets.defs as declarations
from ddb_assets.orchestration.executors import executor_for, refresh_steps


@dg.definitions
def defs() -> dg.Definitions:
    """Everything this project declares; reads files, asks nobody."""
    # `load_from_defs_folder` looks for a pyproject.toml above us: an installed package has none,
    # or somebody else's, where the environment lies in that project.
    tree = dg.ComponentTree.from_module(
        defs_module=declarations, project_root=Path(__file__).parents[1]
    )
    with warnings.catch_warnings():
        # As `load_from_defs_folder` does: what is not final is Dagster's own way to read a folder.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        warnings.simplefilter("ignore", dg.BetaWarning)
        declared = tree.build_defs()
    executor = executor_for(refresh_steps(declared))
    return dg.Definitions.merge(declared, dg.Definitions(executor=executor))
