"""A server inside the test's process: the real application over real sockets."""

import contextlib
import json
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config

from ddb_assets import local
from ddb_assets.local import clock, run, settings


class Running:
    """A server that runs, and ways to speak to it."""

    def __init__(self, server) -> None:
        self.url = server.url
        self.port = server.port

    def client(self, service, **config):
        """A boto3 client that never retries, so that every answer is seen."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(
                retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20, **config
            ),
        )

    def control(self, path, document=None, method=None):
        """Status and document of a control endpoint."""
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.url}/_local/{path}", body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


@contextlib.contextmanager
def started(**options):
    """A server in this process; nothing of it is left after the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        patch.setenv("MOTO_PORT", "")  # the server sets it; this brings the old value back
        try:
            with run.running(run.Options(**options)) as server:
                yield Running(server)
        finally:
            local.uninstall()
            clock.reset()
            settings.reset()


@pytest.fixture(scope="session")
def start():
    """Runs a server in this process until the block ends."""
    return started


@pytest.fixture
def empty(start):
    """A server without sample tables."""
    with start(sample=False) as server:
        yield server
