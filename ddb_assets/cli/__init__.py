"""The `ddb-assets` command."""
