"""A headless Chromium on the UI that `ddb-assets dev` serves; one server for all pages."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

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


def _shared():
    path = Path(__file__).parents[1] / "conftest.py"
    spec = importlib.util.spec_from_file_location("e2e_shared", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The UI's GraphQL client on a running `ddb-assets dev` in an empty folder."""
    shared = _shared()
    marked = shared.Marked()
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
    try:
        deadline = time.monotonic() + 150
        while not (found := re.search(r"Dagster UI: (\S+)", "".join(list(printed)))):
            assert process.poll() is None, "".join(printed)
            assert time.monotonic() < deadline, "".join(printed)
            time.sleep(0.2)
        client = shared.DagsterUi(found[1])
        client.query("mutation { setNuxSeen }")  # Dagster's welcome dialog, once per instance
        yield client
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        reader.join(10)
        process.stdout.close()
    assert not marked.gone()


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
