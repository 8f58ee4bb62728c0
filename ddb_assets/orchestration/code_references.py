"""Where assets are declared, for the link to the code in Dagster's UI."""

import inspect
import warnings
from types import FrameType

import dagster as dg
from dagster._core.definitions.metadata.source_code import CodeReference

_PACKAGE = __name__.partition(".")[0]


def located(spec: dg.AssetSpec, place: dg.CodeReferencesMetadataValue | None) -> dg.AssetSpec:
    """The spec with the place of its declaration; one a translator gave it stays.

    Source: Dagster page "Linking asset definitions with Git".
    """
    if place is None or "dagster/code_references" in spec.metadata:
        return spec
    return spec.merge_attributes(metadata={"dagster/code_references": place})


def callers_place() -> dg.CodeReferencesMetadataValue | None:
    """File and line of the call of the function that asks this.

    Returns:
        None where this package is the caller: Dagster itself adds the place in YAML then.
    """
    frame = inspect.currentframe()
    caller = _back(_back(frame))
    if caller is None or str(caller.f_globals.get("__name__")).partition(".")[0] == _PACKAGE:
        return None
    with warnings.catch_warnings():
        # In beta in Dagster 1.13; nobody who calls the builder can do anything about it.
        warnings.simplefilter("ignore", dg.BetaWarning)
        references: list[CodeReference] = [
            dg.LocalFileCodeReference(
                file_path=caller.f_code.co_filename, line_number=caller.f_lineno
            )
        ]
        return dg.CodeReferencesMetadataValue(code_references=references)


def _back(frame: FrameType | None) -> FrameType | None:
    return frame.f_back if frame is not None else None
