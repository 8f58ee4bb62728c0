"""How commands print: results to standard output, what is said meanwhile to standard error.

A result is a table for a person at a terminal, plain columns for a pipe, or one JSON document.
"""

import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ddb_assets.core.ports import RefreshEvent

#: What stands in a column where there is nothing to say; never empty, so that columns can be cut.
NOTHING = "-"

json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON document instead (docs/operating.md)."
)


def at_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout.isatty()


def can_ask() -> bool:
    """Whether a person can be asked something."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def print_json(document: Any) -> None:
    """The one document of a command."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str]
) -> None:
    """Rows under headers; the columns named in `right` hold numbers."""
    if at_terminal():
        table = Table(box=None, pad_edge=False, header_style="bold")
        for header in headers:
            justify = "right" if header in right else "left"
            table.add_column(header, justify=justify, overflow="fold")
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        Console(highlight=False).print(table)
        return
    lines = [headers, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    for line in lines:
        cells = (
            cell.rjust(width) if header in right else cell.ljust(width)
            for header, cell, width in zip(headers, line, widths, strict=True)
        )
        click.echo("  ".join(cells).rstrip())


def say(line: str) -> None:
    """Something beside the result."""
    click.echo(line, err=True)


def tell(event: RefreshEvent) -> None:
    """A state change, as it happens; a failure ends the command, which says it itself."""
    if event.stage != "failed":
        say(event.message)


@contextmanager
def busy(what: str) -> Generator[None]:
    """A spinner while something takes a moment; nothing where nobody looks."""
    with Console(stderr=True).status(what):
        yield


def aged(seconds: float | None) -> str:
    """An age in one word: `45s`, `12m`, `3h05m`, `2d4h`."""
    if seconds is None:
        return NOTHING
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02}m"
    return f"{hours // 24}d{hours % 24}h"
