"""A fake AWS at the wire: a server on 127.0.0.1 that notes requests and gives prepared answers."""

import json
import os
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from ddb_assets.aws.session import AwsConnection

KEYS = {"access_key_id": "AKIASTATIC", "secret_access_key": "not-a-secret"}


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict
    body: bytes

    @property
    def operation(self):
        """X-Amz-Target's last part, or a query protocol's Action."""
        if target := self.headers.get("x-amz-target"):
            return target.rpartition(".")[2]
        return self.form.get("Action")

    @property
    def json(self):
        """The body of the JSON protocols."""
        return json.loads(self.body)

    @property
    def form(self):
        """The body of STS's query protocol."""
        return {k: v[0] for k, v in parse_qs(self.body.decode(errors="replace")).items()}

    @property
    def query(self):
        """The address's parameters (S3)."""
        parsed = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        return {k: v[0] for k, v in parsed.items()}

    @property
    def credential(self):
        """(access key, date, region, service) that signed it."""
        scope = self.headers["authorization"].split("Credential=")[1].split(",")[0]
        return scope.split("/")[:4]


@dataclass
class Answer:
    """What the server says next."""

    body: bytes
    status: int = 200
    headers: dict = field(default_factory=dict)
    delay: float = 0.0
    cut_at: int | None = None


class FakeAws:
    """Answers in the order they were given; the last one is repeated. Routes come first."""

    def __init__(self):
        self.reset()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self):
                length = int(self.headers.get("content-length") or 0)
                headers = {k.lower(): v for k, v in self.headers.items()}
                seen = Seen(self.command, self.path, headers, self.rfile.read(length))
                fake.seen.append(seen)
                answer = fake.answer_to(seen)
                time.sleep(answer.delay)
                try:
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(answer.body)))
                    self.end_headers()
                    self.wfile.write(answer.body[: answer.cut_at])
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                if answer.cut_at is not None:
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_HEAD = handle_any  # noqa: N815 - http.server's names

            def log_message(self, *args):
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def reset(self):
        """Forget the test before."""
        self.seen = []
        self.answers = []
        self.routes = {}

    def answer_to(self, seen):
        """A route's answer, else the next one of the queue."""
        if route := self.routes.get(seen.operation):
            return Answer(route().encode())
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def url(self):
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self):
        """End the server and its thread."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def json(self, body=None, **answer):
        """Queue a JSON answer."""
        self.answers.append(Answer(json.dumps(body or {}).encode(), **answer))
        return self

    def error(self, code, message="", status=400, **members):
        """Queue an error of the JSON protocols."""
        return self.json({"__type": code, "message": message, **members}, status=status)

    def xml(self, body, status=200, **answer):
        """Queue an XML answer (S3, STS)."""
        self.answers.append(Answer(body.encode(), status=status, **answer))
        return self

    def s3_error(self, code, message="", status=404):
        """Queue an error of S3."""
        return self.xml(f"<Error><Code>{code}</Code><Message>{message}</Message></Error>", status)

    def bytes(self, body, **answer):
        """Queue an object's bytes."""
        self.answers.append(Answer(body, **answer))
        return self

    @property
    def last(self):
        """The newest request."""
        return self.seen[-1]

    @property
    def operations(self):
        """Every operation in order."""
        return [seen.operation for seen in self.seen]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """No setting of the machine reaches these tests, and none of them reaches the machine's."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture(scope="session")
def server():
    """One fake AWS for all tests."""
    fake = FakeAws()
    yield fake
    fake.stop()


@pytest.fixture
def aws(server):
    """The fake AWS without memory of the test before."""
    server.reset()
    return server


@pytest.fixture(scope="session")
def reached(server):
    """One connection for all gateways: a client costs 0.2 s to make."""
    return AwsConnection(region="us-east-1", endpoint_url=server.url, max_attempts=1, **KEYS)


@pytest.fixture
def connection(aws):
    """A connection to the fake AWS; one try per call, so that every answer is seen."""

    def make(**settings):
        defaults = {"region": "us-east-1", "endpoint_url": aws.url, "max_attempts": 1, **KEYS}
        return AwsConnection(**{**defaults, **settings})

    return make
