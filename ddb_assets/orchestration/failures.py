"""Where our errors become Dagster's: one `dg.Failure` for all tables of a step that failed."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from ddb_assets.core.outcome import Failed
from ddb_assets.errors import DdbAssetsError
from ddb_assets.orchestration.metadata import export_metadata

#: So many tables are named in the failure's headline; all of them are in its metadata.
_NAMED = 5


def refused(error: DdbAssetsError) -> dg.Failure:
    """Nothing was started: the run was asked for something that cannot be done."""
    return dg.Failure(str(error), metadata=_facts(error), allow_retries=False)


def failed_tables(failed: Sequence[Failed], *, total: int) -> dg.Failure:
    """Some tables failed; the others are published and stay so.

    The metadata has one entry per failed table. A retry is allowed where it may help at least one
    of them; tables that are published already are not touched by it.

    Args:
        failed: At least one.
        total: Tables of this attempt, the good ones included.
    """
    retryable = [outcome for outcome in failed if outcome.error.retryable]
    headline = "; ".join(str(outcome.error) for outcome in failed[:_NAMED])
    more = f"; and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
    counts = "" if total == 1 else f" ({len(failed)} of {total} tables failed)"
    return dg.Failure(
        f"{headline}{more}{counts}",
        metadata={outcome.spec.name: _entry(outcome) for outcome in failed},
        allow_retries=bool(retryable),
    )


def _entry(outcome: Failed) -> dg.MetadataValue[Any]:
    error = outcome.error
    facts: dict[str, Any] = {
        "cause": error.cause,
        "error": type(error).__name__,
        "code": error.code,
        "remedy": error.remedy,
        "retryable": error.retryable,
        "athena_table": outcome.spec.athena_name,
        "typed_copy": outcome.spec.typed_copy if outcome.of_copy else None,
        **{name: str(value) for name, value in error.details.items()},
    }
    if outcome.export is not None:
        for key, value in export_metadata(outcome.export).items():
            facts[key.rpartition("/")[2]] = value.value
    return dg.MetadataValue.json({name: v for name, v in facts.items() if v is not None})


def _facts(error: DdbAssetsError) -> dict[str, Any]:
    facts = {"error": type(error).__name__, "table": error.table, "remedy": error.remedy}
    return {name: value for name, value in facts.items() if value is not None}
