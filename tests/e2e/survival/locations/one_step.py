"""A code location with one step for many tables, in the run's own process."""

import dagster as dg

from ddb_assets import Table, build_dynamodb_assets

WITHOUT_BUCKET = "without-bucket"
BUCKET_TO_BE_MADE = "bucket-to-be-made"
WITHOUT_RECOVERY = frozenset({"without-recovery-1", "without-recovery-2"})
TABLES = (
    *("killed-1", "killed-2"),
    *("restarted-1", "restarted-2"),
    *("stopped-1", "stopped-2"),
    *("crashed-1", "crashed-2"),
    *("good-1", "good-2", "fine-1"),
    *sorted(WITHOUT_RECOVERY),
)

defs = build_dynamodb_assets(
    name="one_step",
    database="survivors",
    bucket="ddb-exports",
    tables=[*TABLES, Table(WITHOUT_BUCKET, bucket=BUCKET_TO_BE_MADE)],
    retry_policy=dg.RetryPolicy(max_retries=2, delay=1),
)
