"""The local AWS as a fixture: `local_aws`."""

pytest_plugins = ["ddb_assets.testing.plugin"]
