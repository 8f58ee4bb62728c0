"""What `dagster dev` loads: the project's own declarations under `ddb_assets/defs`."""
