"""`ddb-assets demo`: from nothing to queried tables on a laptop, in one real Dagster run."""

import logging
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from ddb_assets.cli.environment import offline_aws_environment
from ddb_assets.local.process import LocalProcess


@click.command()
@click.option(
    "--export-seconds",
    default=3.0,
    show_default=True,
    help="How long an export takes on the local AWS (minutes on the real one).",
)
@click.option("--rows", default=5, show_default=True, help="Rows to print of each table.")
def demo(export_seconds: float, rows: int) -> None:
    """Refresh the sample tables on a local AWS and query them.

    Starts the local AWS, materializes every table in one Dagster run with the project's own
    definitions, asks the Athena API for the rows and ends the local AWS again. Needs no AWS
    account and leaves nothing running.
    """
    console = Console()
    with LocalProcess.begin(export_seconds=export_seconds, sample=True) as local:
        with console.status("Starting the local AWS and Dagster ..."):
            # Both take two seconds; the server starts in its own process while we import.
            from ddb_assets.cli.demo_run import materialize_all, show

            local.wait_ready()
        console.print(f"Local AWS on {local.url}: four DynamoDB tables, a bucket, a workgroup.")
        logging.getLogger("dagster").setLevel(logging.ERROR)
        environment = {**offline_aws_environment(os.environ), **local.env}
        with _environment(environment), tempfile.TemporaryDirectory(prefix="ddb-assets-") as home:
            published = materialize_all(console, Path(home))
            show(console, published, rows=rows)
    console.print("The local AWS is ended. `make dev` opens the same tables in the Dagster UI.")


@contextmanager
def _environment(environment: dict[str, str]) -> Generator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
