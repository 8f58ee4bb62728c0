"""`ddb-assets local` as a process: what it prints, how it ends, and with whom."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import boto3
import pytest

from ddb_assets.local.process import LocalProcess, LocalProcessError

COMMAND = [sys.executable, "-m", "ddb_assets.cli.main", "local", "--empty"]

slow = pytest.mark.slow


def alive(pid):
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid, seconds=10.0):
    """True once the process has ended."""
    deadline = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def raw():
    """Starts the bare command; ends it by its pid if the test did not."""
    started = []

    def begin(*options, **kwargs):
        process = subprocess.Popen(
            [*COMMAND, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **kwargs,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def lines_until_ready(process):
    """What it prints first."""
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if lines[-1] == "ready":
            return lines
    raise AssertionError(f"ended without ready: {lines}, {process.stderr.read()}")


@slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_the_environment_then_ready_and_ends_with_0(raw, number):
    """The lines are for `eval`; either signal ends it within seconds and without a word."""
    process = raw()
    *exports, last = lines_until_ready(process)
    assert last == "ready"
    env = dict(shlex.split(line)[1].split("=", 1) for line in exports)
    assert all(line.startswith("export ") for line in exports)
    assert env["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert env["AWS_DEFAULT_REGION"] == env["AWS_REGION"] == "us-east-1"
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= set(env)
    with urllib.request.urlopen(f"{env['AWS_ENDPOINT_URL']}/_local/health", timeout=10) as answer:
        assert answer.status == 200
    began = time.monotonic()
    process.send_signal(number)
    rest, errors = process.communicate(timeout=15)
    assert process.returncode == 0
    assert time.monotonic() - began < 8
    assert (rest, errors) == ("", "")


@slow
def test_a_shell_can_evaluate_the_lines(raw):
    """`eval` of the export lines leads a client there."""
    process = raw()
    lines = "\n".join(lines_until_ready(process)[:-1])
    shell = subprocess.run(
        ["bash", "-c", f'eval "$1"; exec {shlex.quote(sys.executable)} -c "$2"', "_", lines, LISTS],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert shell.stdout.strip() == "[]", shell.stderr


LISTS = "import boto3; print(boto3.client('dynamodb').list_tables()['TableNames'])"


@slow
def test_a_proxy_does_not_come_between_client_and_server(raw):
    """Where the environment names a proxy, the printed lines exempt the server from it."""
    nowhere = {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "example.com"}
    process = raw(env={**os.environ, **nowhere})
    exports = lines_until_ready(process)[:-1]
    env = dict(shlex.split(line)[1].split("=", 1) for line in exports)
    assert env["no_proxy"] == env["NO_PROXY"] == "example.com,127.0.0.1"
    found = subprocess.run(
        [sys.executable, "-c", LISTS],
        env={"PATH": os.environ["PATH"], **nowhere, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.stdout.strip() == "[]", found.stderr


@slow
def test_a_port_in_use_ends_in_one_sentence(raw):
    """Exit code 1, the port named, no traceback, nothing on standard output."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        process = raw("--port", str(port))
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    assert f"port {port}" in errors
    assert "in use" in errors
    assert len(errors.strip().splitlines()) == 1


@slow
def test_the_child_serves_samples_and_ends_with_the_block():
    """`LocalProcess` hands out the environment; afterwards neither process nor port is left."""
    with LocalProcess.start(sample=True) as aws:
        client = boto3.client(
            "dynamodb",
            endpoint_url=aws.url,
            region_name=aws.env["AWS_REGION"],
            aws_access_key_id=aws.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=aws.env["AWS_SECRET_ACCESS_KEY"],
        )
        assert "Article" in client.list_tables()["TableNames"]
        assert alive(aws.pid)
    assert aws.returncode == 0
    assert not alive(aws.pid)
    assert aws.stop() == 0  # a second time changes nothing
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(aws.url.rpartition(":")[2])), timeout=5)


@slow
def test_the_child_does_not_inherit_a_profile_or_an_endpoint(monkeypatch):
    """A client's settings in the parent must not steer the server."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with LocalProcess.start(sample=True) as aws:
        environ = Path(f"/proc/{aws.pid}/environ").read_bytes()
        assert b"AWS_PROFILE" not in environ
        assert b"AWS_ENDPOINT_URL" not in environ


@slow
def test_a_child_that_cannot_start_tells_why_and_is_gone(tmp_path):
    """The child's own sentence is in the error."""
    file = tmp_path / "file"
    file.write_text("not a folder")
    with pytest.raises(LocalProcessError, match=r"(?s)ended before it was ready.*file"):
        LocalProcess.start(sample=False, state_dir=file)


def test_a_child_that_is_not_ready_in_time_is_ended():
    """The wait is bounded, and nothing is left behind."""
    aws = LocalProcess.begin(sample=False)
    with pytest.raises(LocalProcessError, match="not ready in time"):
        aws.wait_ready(0.0)
    assert not alive(aws.pid)


PARENT = """
import os, sys, time
from ddb_assets.local.process import LocalProcess
aws = LocalProcess.start(sample=False)
print(aws.pid, aws.url, flush=True)
time.sleep(120)
"""


@slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_child_ends_when_its_parent_dies(number):
    """However the parent ended; nobody is left to end the child."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    try:
        pid = int(parent.stdout.readline().split()[0])
        assert alive(pid)
        parent.send_signal(number)
        parent.wait(10)
        assert wait_until_gone(pid)
    finally:
        parent.kill()
        parent.communicate()


@slow
def test_state_survives_sigterm_and_what_was_not_saved_does_not_survive_sigkill(tmp_path):
    """What `--state-dir` promises, with real processes."""
    folder = tmp_path / "state"

    def client(aws):
        return boto3.client(
            "s3",
            endpoint_url=aws.url,
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )

    with LocalProcess.start(sample=False, state_dir=folder) as aws:
        client(aws).create_bucket(Bucket="first-bucket")
        port = int(aws.url.rpartition(":")[2])
    aws = LocalProcess.start(sample=False, state_dir=folder, port=port)
    assert aws.url.endswith(f":{port}")  # the same port, at once
    client(aws).create_bucket(Bucket="second-bucket")
    aws.control("snapshot", {})
    client(aws).create_bucket(Bucket="third-bucket")
    aws.kill()
    assert aws.returncode == -signal.SIGKILL
    with LocalProcess.start(sample=False, state_dir=folder) as again:
        kept = [bucket["Name"] for bucket in client(again).list_buckets()["Buckets"]]
        assert kept == ["first-bucket", "second-bucket"]


@pytest.mark.parametrize("module", ["ddb_assets.cli.local", "ddb_assets.local.process"])
def test_starting_costs_no_heavy_import(module):
    """Neither module pulls in moto, boto3 or Dagster before it must."""
    code = (
        f"import sys, {module}; "
        "print(sorted({'moto', 'boto3', 'dagster', 'flask', 'duckdb'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout.strip() == "[]"


def test_serving_needs_no_dagster():
    """The server's own modules never import it: two seconds of every start."""
    code = "import sys, ddb_assets.local.run; print('dagster' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout.strip() == "False"


ENDLESS = (
    "SELECT sum(sin(x * y + z)) FROM UNNEST(sequence(1, 10000)) a(x) "
    "CROSS JOIN UNNEST(sequence(1, 10000)) b(y) CROSS JOIN UNNEST(sequence(1, 10000)) c(z)"
)


@slow
def test_a_refusal_of_a_control_endpoint_is_an_error_that_says_why():
    """Nothing is kept without a folder."""
    with LocalProcess.start(sample=False) as aws:
        assert aws.control("health")["pid"] == aws.pid
        with pytest.raises(LocalProcessError, match="snapshot: started without --state-dir"):
            aws.control("snapshot", {})


@slow
def test_nothing_is_left_on_disk_or_on_the_screen_after_queries(tmp_path, monkeypatch):
    """The files that the query engine reads are in the temporary folder only while it runs."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with LocalProcess.start(sample=False) as aws:
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        session = boto3.Session(**keys)
        session.client("s3", endpoint_url=aws.url).create_bucket(Bucket="results-bucket")
        athena = session.client("athena", endpoint_url=aws.url)
        query = athena.start_query_execution(
            QueryString="SELECT 1", ResultConfiguration={"OutputLocation": "s3://results-bucket/"}
        )["QueryExecutionId"]
        deadline = time.monotonic() + 20
        state = ""
        while state != "SUCCEEDED":
            assert time.monotonic() < deadline, state
            time.sleep(0.05)
            found = athena.get_query_execution(QueryExecutionId=query)
            state = found["QueryExecution"]["Status"]["State"]
        os.kill(aws.pid, signal.SIGTERM)
        assert wait_until_gone(aws.pid)
        assert aws.errors() == ""
    assert aws.returncode == 0
    assert list(tmp_path.iterdir()) == []


@slow
def test_a_query_that_runs_does_not_hold_up_the_end(tmp_path):
    """It is failed and interrupted; the server ends within seconds and keeps what it knows."""

    def client(aws, service):
        return boto3.client(
            service,
            endpoint_url=aws.url,
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )

    with LocalProcess.start(sample=False, state_dir=tmp_path / "state") as aws:
        client(aws, "s3").create_bucket(Bucket="results-bucket")
        athena = client(aws, "athena")
        query = athena.start_query_execution(
            QueryString=ENDLESS,
            ResultConfiguration={"OutputLocation": "s3://results-bucket/"},
        )["QueryExecutionId"]
        time.sleep(1)
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        assert status["State"] == "RUNNING", status
        began = time.monotonic()
        assert aws.stop() == 0
        assert time.monotonic() - began < 10
    with LocalProcess.start(sample=False, state_dir=tmp_path / "state") as aws:
        athena = client(aws, "athena")
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        assert status["State"] == "FAILED"
        assert "stopped" in status["StateChangeReason"]
        assert status["AthenaError"]["Retryable"] is True
