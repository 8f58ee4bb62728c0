"""The refresh in plain Python: plan, request, wait, verify, publish. No Dagster, no boto3."""
