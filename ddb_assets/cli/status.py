"""`ddb-assets status`: what each table shows, how old that is, what runs and what waits."""

import sys

import click

from ddb_assets.cli.output import (
    NOTHING,
    aged,
    busy,
    json_option,
    print_json,
    print_table,
    say,
    tell,
)
from ddb_assets.cli.project import Project, with_project
from ddb_assets.core.operating.report import state_of, status_document
from ddb_assets.core.operating.status import TableStatus, statuses

#: A table is in error, or shows no export.
EXIT_ATTENTION = 3
#: Somebody sits and waits: a call is tried again for so long at most.
PATIENCE_SECONDS = 20.0

_HEADERS = ("TABLE", "ATHENA", "STATE", "EXPORT", "AGE", "ITEMS", "RUNNING", "NEWER")


@click.command()
@click.argument("tables", nargs=-1)
@json_option
@with_project
def status(project: Project, tables: tuple[str, ...], *, as_json: bool) -> None:
    """Say which export each table shows, how old it is, what runs and what waits.

    TABLES are DynamoDB or Athena names; all declared tables by default. AGE is that of the data,
    RUNNING counts exports in progress, NEWER completed ones that are not published.

    Exit code 3: a table is in error or shows no export.
    """
    found: list[TableStatus] = []
    chosen = project.chosen(tables)
    with busy("Asking AWS ..."):
        for table in chosen:
            (one,) = statuses(
                [table.spec],
                gateways=project.gateways(table),
                listener=tell,
                clock=project.clock(table),
                patience_seconds=PATIENCE_SECONDS,
            )
            project.heed(table, one.error)
            found.append(one)
    if as_json:
        print_json({"tables": [status_document(one) for one in found]})
    else:
        print_table(
            _HEADERS, [_row(one) for one in found], right=("AGE", "ITEMS", "RUNNING", "NEWER")
        )
        for one in found:
            _explain(one)
    if any(state_of(one) != "published" for one in found):
        sys.exit(EXIT_ATTENTION)


def _row(status: TableStatus) -> tuple[str, ...]:
    published, error = status.published, status.error
    return (
        status.spec.name,
        status.spec.athena_name,
        state_of(status),
        published.export_id if published else NOTHING,
        aged(status.age_seconds),
        f"{status.items}" if status.items is not None else NOTHING,
        f"{len(status.running)}" if error is None else NOTHING,
        f"{len(status.newer)}" if error is None else NOTHING,
    )


def _explain(status: TableStatus) -> None:
    """What a person may want to do next."""
    name = status.spec.name
    if status.error is not None:
        say(str(status.error))
        return
    if status.copy_differs:
        shows = status.copied.export_id if status.copied is not None else "no export"
        copy = f"{status.spec.database}.{status.spec.typed_copy}"
        say(f"{name}: its typed copy {copy} shows {shows}; materialize its asset in Dagster")
    if status.newer:
        say(f"{name}: to publish the newest export: ddb-assets adopt {name} {status.newer[0].arn}")
    elif status.published is None and not status.running:
        say(f"{name}: {status.spec.athena_name} shows no export; materialize its asset in Dagster")
