"""The local AWS as pytest fixtures: `pytest_plugins = ["ddb_assets.testing.plugin"]`."""

from collections.abc import Iterator
from typing import Any

import pytest

from ddb_assets.local.process import LocalProcess
from ddb_assets.testing.local import LocalAws, connected, require_extra


@pytest.fixture(scope="session")
def local_aws_process() -> Iterator[LocalProcess]:
    """One server for the whole session (for each worker of pytest-xdist)."""
    require_extra()
    with LocalProcess.start(sample=False) as process:
        yield process


@pytest.fixture(scope="session")
def _settings(local_aws_process: LocalProcess) -> dict[str, Any]:
    """As the server started; a test may change them with `process.control("settings", …)`."""
    return local_aws_process.control("settings")


@pytest.fixture(scope="session")
def local_aws_region() -> str:
    """The region of `local_aws`; override this fixture for another one."""
    return "us-east-1"


@pytest.fixture
def local_aws(
    local_aws_process: LocalProcess, local_aws_region: str, _settings: dict[str, Any]
) -> Iterator[LocalAws]:
    """The local AWS, empty for each test; the AWS variables of the process lead to it."""
    local_aws_process.control("reset", {})
    local_aws_process.control("settings", _settings)
    with connected(local_aws_process, region=local_aws_region) as aws:
        yield aws
