"""`dagster dev` alone in the checkout, as somebody without AWS credentials.

`ddb-assets dev`, with its buttons pressed and ended by Ctrl-C, is what browser/ looks at.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
TABLES = {
    ("athena", "ddb", "article"),
    ("athena", "ddb", "shop_orders"),
    ("athena", "ddb", "legacy_users"),
    ("athena", "ddb", "waiting_list"),
    ("athena", "ddb", "article_typed"),
    ("athena", "ddb", "shop_orders_typed"),
    ("athena", "ddb", "legacy_users_typed"),
    ("athena", "ddb", "waiting_list_typed"),
}


@pytest.fixture
def bare(marked, tmp_path):
    """`dagster dev` alone in the checkout, as somebody without AWS credentials."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (tmp_path / "printed").open("w") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster", "dev", "--host", "127.0.0.1", "--port", str(port)],
            env={**marked.env, "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"},
            cwd=ROOT,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            # Dagster's own; on a busy machine it was once seen to miss the signal.
            for pid in marked.processes():
                os.kill(pid, signal.SIGKILL)
            process.wait(10)


def test_a_bare_dagster_dev_loads_and_says_what_is_missing(bare, ui):
    """All assets load without any credentials; materializing names what to set, or `make dev`."""
    client = ui(bare)
    deadline = time.monotonic() + 90
    while True:
        try:
            keys = {tuple(node["assetKey"]["path"]) for node in client.asset_nodes()}
            break
        except OSError:
            assert time.monotonic() < deadline, "the webserver did not come up in 90 s"
            time.sleep(0.5)
    assert keys >= TABLES
    run_id = client.materialize([("athena", "ddb", "article")])
    assert client.wait(run_id) == "FAILURE"
    assert any("Article: " in line and "make dev" in line for line in client.errors(run_id))
