"""The command line's root: finds each command only when it is called, so `--help` stays quick."""

import importlib
import sys
from typing import ClassVar

import click

from ddb_assets.errors import DdbAssetsError, DeclarationError
from ddb_assets.local.process import LocalProcessError
from ddb_assets.version import __version__

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2


class LazyGroup(click.Group):
    """Imports a command's module when it is first used: Dagster alone costs two seconds."""

    #: command -> (module, attribute, one line for `--help`)
    COMMANDS: ClassVar[dict[str, tuple[str, str, str]]] = {
        "adopt": ("ddb_assets.cli.adopt", "adopt", "Publish an export that is already there."),
        "demo": (
            "ddb_assets.cli.demo",
            "demo",
            "Refresh the sample tables on a local AWS and query them.",
        ),
        "dev": (
            "ddb_assets.cli.dev",
            "dev",
            "Local AWS with sample tables and the Dagster UI, until Ctrl-C.",
        ),
        "local": ("ddb_assets.cli.local", "local", "Start the local AWS alone."),
        "prune": ("ddb_assets.cli.prune", "prune", "Delete old exports from S3."),
        "rollback": ("ddb_assets.cli.rollback", "rollback", "Show an earlier export again."),
        "schema": (
            "ddb_assets.cli.schema",
            "schema",
            "Say what a table's items hold, and print the columns to declare.",
        ),
        "status": (
            "ddb_assets.cli.status",
            "status",
            "Say what each table shows, how old it is and what runs.",
        ),
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, sorted."""
        return sorted(self.COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command."""
        if cmd_name not in self.COMMANDS:
            return None
        module, attribute, _ = self.COMMANDS[cmd_name]
        return getattr(importlib.import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        rows = [(name, self.COMMANDS[name][2]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.command(cls=LazyGroup)
@click.version_option(__version__, prog_name="ddb-assets")
def cli() -> None:
    """Keep DynamoDB tables queryable in Athena."""


def main() -> None:
    """Run a command; a declared error ends in one sentence and an exit code, not a traceback."""
    try:
        cli(standalone_mode=True)
    except DdbAssetsError as error:
        click.echo(f"ddb-assets: {error}", err=True)
        sys.exit(EXIT_BAD_INPUT if isinstance(error, DeclarationError) else EXIT_FAILED)
    except LocalProcessError as error:
        click.echo(f"ddb-assets: {error}", err=True)
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
