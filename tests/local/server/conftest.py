"""A server inside the test's process: the real application over real sockets."""

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


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    """Nothing of one test's AWS is seen by the next."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MOTO_PORT", "")  # the server sets it; this brings the old value back
    yield
    local.uninstall()
    clock.reset()
    settings.reset()


@pytest.fixture
def start():
    """Runs a server in this process until the block ends."""
    return lambda **options: _Block(run.Options(**options))


class _Block:
    def __init__(self, options) -> None:
        self._running = run.running(options)

    def __enter__(self):
        return Running(self._running.__enter__())

    def __exit__(self, *exc):
        return self._running.__exit__(*exc)


@pytest.fixture
def empty(start):
    """A server without sample tables."""
    with start(sample=False) as server:
        yield server
