"""A headless Chromium on the UI that `ddb-assets dev` serves; one server for all pages."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import boto3
import pytest
from dagster_ui import DagsterUi
from playwright.sync_api import expect, sync_playwright
from processes import Marked, until

#: Beside a busy suite a page takes its time.
expect.set_options(timeout=60_000)

#: Debian's and Ubuntu's names; the driver's own browsers are not downloaded.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: Nothing but the page: a browser's own background requests fail where there is no internet.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Beside:
    """The local AWS beneath the UI: written to and switched as others do it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, service):
        """Any AWS client."""
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        return boto3.client(service, "us-east-1", endpoint_url=self.url, **keys)

    def order_fault(self, **fault) -> None:
        """Let something go wrong; see `ddb_assets.local.control`."""
        request = urllib.request.Request(f"{self.url}/_local/faults", json.dumps(fault).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer)["faults"]


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    """`ddb-assets dev` with no variable set, in an empty folder: (URL of the UI, of its AWS)."""
    marked = Marked()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "ddb_assets.cli.main", "dev"),
            *("--port", "0", "--export-seconds", "1"),
        ],
        env=marked.env,
        cwd=tmp_path_factory.mktemp("dev"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed: list[str] = []
    reader = threading.Thread(target=lambda: printed.extend(process.stdout), daemon=True)
    reader.start()

    def served():
        words = "".join(list(printed))
        assert process.poll() is None, words
        return re.search(r"Local AWS on (\S+)[\s\S]*Dagster UI: (\S+)", words)

    try:
        aws_url, ui_url = until(served, 150, lambda: "".join(printed)).groups()
        yield ui_url, aws_url
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
        reader.join(10)
        process.stdout.close()
    # Ctrl-C is how it is ended: no failure, and no process stays behind.
    assert code == 0, "".join(printed)
    assert not marked.gone()


@pytest.fixture(scope="module")
def aws(dev):
    """The local AWS."""
    return Beside(dev[1])


@pytest.fixture(scope="module")
def served(dev):
    """The UI's GraphQL; its live tables have been looked at."""
    client = DagsterUi(dev[0])
    client.query("mutation { setNuxSeen }")  # Dagster's welcome dialog, once per instance
    client.asset_nodes()
    assert client.wait(client.launch_job("observe_ddb_job")) == "SUCCESS"
    return client


@pytest.fixture(scope="module")
def history(served, aws):
    """The orders, refreshed a few times while customers went on ordering."""
    keys = [("athena", "ddb", name) for name in ("shop_orders", "shop_orders_typed")]
    dynamodb = aws.client("dynamodb")
    for orders in (0, 60, 130):
        for number in range(orders):
            order = {"N": f"{9000 + 1000 * orders + number}"}
            item = {"customer": {"S": f"c-{number}"}, "order": order, "total": {"N": "12.50"}}
            dynamodb.put_item(TableName="shop-orders", Item=item)
        assert served.wait(served.materialize(keys)) == "SUCCESS"


@pytest.fixture(scope="module")
def browser():
    """Chromium, as the system has it.

    Not for the whole session: the driver keeps an event loop in this thread, beside which Dagster
    cannot run one of its own.
    """
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.fail("no Chromium found; `make browser` installs Debian's")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=executable, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A tab."""
    context = browser.new_context(viewport={"width": 1380, "height": 1040})
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


@pytest.fixture
def keep(page, tmp_path):
    """Saves a screenshot, in DDB_ASSETS_SCREENSHOTS where that is set: for people to look at."""

    def shot(name: str) -> bytes:
        folder = Path(os.environ.get("DDB_ASSETS_SCREENSHOTS", tmp_path))
        folder.mkdir(parents=True, exist_ok=True)
        # The UI polls every two seconds; what it has just heard is drawn by then.
        page.wait_for_timeout(3_000)
        return page.screenshot(path=folder / f"{name}.png")

    return shot
