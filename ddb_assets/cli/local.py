"""`ddb-assets local`: the local AWS alone, for any AWS client."""

import contextlib
import logging
import os
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click


@click.command(name="local")
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option(
    "--export-seconds",
    default=0.0,
    show_default=True,
    help="How long an export stays IN_PROGRESS.",
)
@click.option(
    "--sample/--empty",
    default=True,
    show_default=True,
    help="Create the sample tables, their bucket and workgroup.",
)
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep what is in it between runs.",
)
@click.option("--end-with-stdin", is_flag=True, hidden=True)
def local(
    *, port: int, export_seconds: float, sample: bool, state_dir: Path | None, end_with_stdin: bool
) -> None:
    r"""Serve DynamoDB, S3, Glue and Athena on 127.0.0.1 until Ctrl-C.

    Prints the environment variables to set and then a line `ready`. In another terminal:

    \b
        ddb-assets local > local.env &
        eval "$(grep ^export local.env)"
        aws dynamodb list-tables
    """
    end = threading.Event()

    def on_signal(_number: int, _frame: Any) -> None:
        end.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    if end_with_stdin:
        threading.Thread(target=_wait_for_end_of_input, args=(end,), daemon=True).start()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        from ddb_assets.local import run
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the local AWS needs {error.name}: pip install 'ddb-assets[local]'"
        ) from error
    options = run.Options(
        port=port, export_seconds=export_seconds, sample=sample, state_dir=state_dir
    )
    try:
        # moto prints; standard output is for those who read the lines below.
        announced = sys.stdout
        with contextlib.redirect_stdout(sys.stderr):
            run.serve(options, lambda env: _announce(env, announced), end)
    except run.MENDABLE as error:
        raise click.ClickException(str(error)) from error


def _announce(env: dict[str, str], out: Any) -> None:
    lines = [f"export {name}={shlex.quote(value)}" for name, value in env.items()]
    click.echo("\n".join([*lines, "ready"]), file=out)
    out.flush()


def _wait_for_end_of_input(end: threading.Event) -> None:
    """The process that started us holds the other end of the pipe as long as it lives."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    end.set()
