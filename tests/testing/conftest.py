"""The users' own fixtures, used on ourselves."""

from ddb_assets.testing.plugin import (  # noqa: F401 - fixtures
    _settings,
    local_aws,
    local_aws_process,
    local_aws_region,
)
