"""A code location with several steps, each a forked process that waits beside the others."""

import dagster as dg

from ddb_assets import build_dynamodb_assets

TABLES = ("step-1", "step-2", "orphan-1", "orphan-2", "ended-1", "ended-2")

defs = build_dynamodb_assets(
    name="side_by_side",
    database="survivors",
    bucket="ddb-exports",
    tables=TABLES,
    one_step_per_table=True,
    retry_policy=dg.RetryPolicy(max_retries=2, delay=1),
)
