"""`ddb-assets dev`: the local AWS and the Dagster UI side by side, both ended by Ctrl-C."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

from ddb_assets.cli.environment import offline_aws_environment
from ddb_assets.errors import DeclarationError, ServiceUnavailableError
from ddb_assets.local.process import LocalProcess

HOST = "127.0.0.1"
HOME = Path(".ddb_assets")
#: `dagster dev` starts a webserver, a daemon and a code server; each imports Dagster (about 2 s).
START_SECONDS = 120.0
#: How long Dagster's services may take to end their children before they are killed.
STOP_SECONDS = 20.0

INSTANCE_YAML = """\
# The Dagster instance of `ddb-assets dev`; yours to change, written once.
telemetry:
  enabled: false
run_retries:
  enabled: true
run_monitoring:
  enabled: true
  free_slots_after_run_end_seconds: 60
"""

#: At every start Dagster warns that `dg dev` exists, and of a parameter it passes to itself.
QUIET_WARNINGS = "ignore:Function `dev_command`,ignore:Parameter `execution_type`"

#: Outside a Dagster project the UI shows this package's own declaration of the sample tables.
SAMPLE_WORKSPACE = """\
load_from:
  - python_module:
      module_name: ddb_assets.definitions
      location_name: ddb_assets
"""


@click.command()
@click.option("--port", default=3000, show_default=True, help="Port of the UI; 0 picks a free one.")
@click.option(
    "--export-seconds",
    default=5.0,
    show_default=True,
    help="How long an export takes on the local AWS (minutes on the real one).",
)
@click.option("--fresh", is_flag=True, help="Forget the tables and runs of earlier sessions.")
def dev(port: int, export_seconds: float, fresh: bool) -> None:
    """Local AWS with the sample tables and the Dagster UI, until Ctrl-C.

    Tables, exports and runs are kept in .ddb_assets/ between sessions.
    """
    port = _free_port(port)
    home = _prepare_home(fresh=fresh)
    stop = _stop_on_signals()
    click.echo("Starting the local AWS ...")
    with LocalProcess.start(
        export_seconds=export_seconds, sample=True, state_dir=home / "aws"
    ) as local:
        click.echo(f"Local AWS on {local.url} with the sample tables. Starting Dagster ...")
        environment = {
            **offline_aws_environment(os.environ),
            **local.env,
            "DAGSTER_HOME": str(home / "dagster"),
            "PYTHONWARNINGS": QUIET_WARNINGS,
        }
        with _dagster(port, environment, home) as dagster:
            url = f"http://{HOST}:{port}"
            if _wait_until_served(url, dagster, stop):
                click.secho(f"\n  Dagster UI: {url}\n", bold=True)
                click.echo("Press Materialize all on the Assets page. Ctrl-C ends everything.")
            while dagster.poll() is None and not stop.wait(0.5):
                pass
            ended_by_itself = dagster.poll() is not None and not stop.is_set()
            click.echo("Stopping ...")
    if ended_by_itself:
        raise ServiceUnavailableError(
            f"`dagster dev` ended by itself with exit code {dagster.returncode}",
            remedy="read what it printed above; `ddb-assets dev --fresh` starts from nothing",
        )


def _prepare_home(*, fresh: bool) -> Path:
    home = HOME.absolute()
    if fresh and home.exists():
        shutil.rmtree(home)
    (home / "dagster").mkdir(parents=True, exist_ok=True)
    settings = home / "dagster" / "dagster.yaml"
    if not settings.exists():
        settings.write_text(INSTANCE_YAML)
    return home


def _free_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise DeclarationError(
                f"port {port} is in use on {HOST}",
                remedy="end the other program or choose another with --port (0 picks a free one)",
            ) from error
        return probe.getsockname()[1]


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


@contextmanager
def _dagster(
    port: int, environment: dict[str, str], home: Path
) -> Generator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "dagster", "dev", "--host", HOST, "--port", str(port)]
    command += ["--log-level", "error"]
    if not _is_dagster_project(Path.cwd()):
        workspace = home / "workspace.yaml"
        workspace.write_text(SAMPLE_WORKSPACE)
        command += ["--workspace", str(workspace)]
    # Its own session: a Ctrl-C in the terminal reaches only us, and we end the two in order.
    process = subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603 - our own interpreter
    try:
        yield process
    finally:
        _end(process)


def _is_dagster_project(folder: Path) -> bool:
    project = folder / "pyproject.toml"
    if (folder / "workspace.yaml").exists():
        return True
    return project.exists() and any(
        name in project.read_text() for name in ("[tool.dg", "[tool.dagster")
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGINT lets `dagster dev` end its services; what is left after a while is killed."""
    for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        if number == signal.SIGINT and not _group_alive(process.pid, STOP_SECONDS / 4):
            break


def _group_alive(group: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.1)
    return True


def _wait_until_served(url: str, process: subprocess.Popen[bytes], stop: threading.Event) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None and not stop.wait(0.3):
        try:
            with urllib.request.urlopen(f"{url}/server_info", timeout=2):  # noqa: S310 - our own http URL
                return True
        except (urllib.error.URLError, OSError):
            continue
    return False
