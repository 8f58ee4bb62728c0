"""`make dev`: the UI with the sample tables, pressed as a person would, and ended by Ctrl-C."""

import re
import signal
import subprocess
import sys
import threading
import time

import pytest

pytestmark = pytest.mark.e2e

TABLES = {
    ("athena", "ddb", "article"),
    ("athena", "ddb", "shop_orders"),
    ("athena", "ddb", "legacy_users"),
    ("athena", "ddb", "waiting_list"),
}


@pytest.fixture
def dev(marked, tmp_path):
    """`ddb-assets dev` in an empty folder, on a free port."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "ddb_assets.cli.main", "dev"),
            *("--port", "0", "--export-seconds", "1"),
        ],
        env=marked.env,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed: list[str] = []
    reader = threading.Thread(target=lambda: printed.extend(process.stdout), daemon=True)
    reader.start()
    deadline = time.monotonic() + 150
    url = None
    while url is None and time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"Dagster UI: (http://127\.0\.0\.1:\d+)", "".join(list(printed)))
        url = found[1] if found else None
        time.sleep(0.2)
    assert url, "".join(printed)
    yield process, url, printed
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    reader.join(10)


def test_materialize_all_works_with_no_variable_set_and_ctrl_c_ends_everything(dev, ui, marked):
    """The Materialize-all button's own mutation succeeds; Ctrl-C leaves no process behind."""
    process, url, printed = dev
    client = ui(url)
    keys = {tuple(node["assetKey"]["path"]) for node in client.asset_nodes()}
    assert keys >= TABLES
    assert ("dynamodb", "Article") in keys
    run_id = client.materialize(sorted(TABLES))
    assert client.wait(run_id) == "SUCCESS", "".join(printed)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0, "".join(printed)
    assert not marked.gone()
