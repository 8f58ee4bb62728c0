"""`ddb-assets prune`: delete old exports from S3, after showing which."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ddb_assets.cli.output import (
    aged,
    busy,
    can_ask,
    json_option,
    print_json,
    print_table,
    say,
    tell,
)
from ddb_assets.cli.project import Project, with_project
from ddb_assets.core.operating import retention
from ddb_assets.core.operating.report import prune_document, pruned_sentence, sized
from ddb_assets.core.operating.retention import (
    MAX_DAYS,
    Pruned,
    PrunePlan,
    RetentionPolicy,
    prune_plan,
)
from ddb_assets.errors import DdbAssetsError

if TYPE_CHECKING:
    from ddb_assets.orchestration.declared import DeclaredTable

_DEFAULTS = RetentionPolicy()
_DAYS = click.FloatRange(min=0, max=MAX_DAYS)
_HEADERS = ("TABLE", "EXPORT", "AGE", "SIZE", "PLAN", "WHY")


@dataclass
class _Work:
    """One table's plan, and what became of it."""

    table: "DeclaredTable"
    plan: PrunePlan | None = None
    pruned: Pruned | None = None
    error: DdbAssetsError | None = None


@click.command()
@click.argument("tables", nargs=-1)
@click.option(
    "--keep-last",
    type=click.IntRange(min=1),
    default=_DEFAULTS.keep_last,
    show_default=True,
    metavar="N",
    help="Keep the last N exports of each table.",
)
@click.option(
    "--keep-days",
    type=_DAYS,
    default=_DEFAULTS.keep_days,
    show_default=True,
    metavar="D",
    help="Keep exports younger than D days.",
)
@click.option(
    "--rollback-days",
    type=_DAYS,
    default=_DEFAULTS.rollback_days,
    show_default=True,
    metavar="D",
    help="Keep what a table showed within D days.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan, delete nothing.")
@click.option("--yes", is_flag=True, help="Delete without asking.")
@json_option
@with_project
def prune(
    project: Project,
    tables: tuple[str, ...],
    *,
    keep_last: int,
    keep_days: float,
    rollback_days: float,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete old exports of TABLES (by default of all declared tables) from S3.

    Never deleted is what a table shows, what is newer than that, what it showed within the rollback
    window or the longest query's time, and what is not known to be a finished export of it.
    """
    if as_json and not (yes or dry_run):
        raise click.UsageError("with --json nobody is asked: add --dry-run or --yes")
    policy = RetentionPolicy(keep_last, keep_days, rollback_days)
    _refuse_nan(keep_days, rollback_days)
    with busy("Asking AWS ..."):
        work = [_planned(project, table, policy) for table in project.chosen(tables)]
    if not as_json:
        _show(work, project)
    if not dry_run and any(one.plan and one.plan.delete for one in work):
        if not yes:
            _ask()
        for one in work:
            _delete(project, one, as_json=as_json)
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "policy": {
                    "keep_last": keep_last,
                    "keep_days": keep_days,
                    "rollback_days": rollback_days,
                },
                "tables": [
                    prune_document(one.table.spec, one.plan, one.pruned, one.error) for one in work
                ],
            }
        )
    failed = [one.error for one in work if one.error is not None]
    for error in failed:
        say(f"ddb-assets: {error}")
    if failed:
        sys.exit(1)


def _refuse_nan(*days: float) -> None:
    """`nan` is a number to click, and inside every range."""
    if any(math.isnan(value) for value in days):
        raise click.UsageError("a number of days is a number")


def _planned(project: Project, table: "DeclaredTable", policy: RetentionPolicy) -> _Work:
    from ddb_assets.orchestration.declared import refuse_shared_folder

    work = _Work(table)
    try:
        refuse_shared_folder(table.spec, project.specs)
        work.plan = prune_plan(
            table.spec,
            policy,
            gateways=project.gateways(table),
            listener=tell,
            clock=project.clock(table),
        )
    except DdbAssetsError as error:
        work.error = error.for_table(table.spec.name)
    project.heed(table, work.error)
    return work


def _show(work: Sequence[_Work], project: Project) -> None:
    rows: list[tuple[str, ...]] = []
    for one in work:
        if one.plan is None:
            continue
        now = project.clock(one.table).now()
        entries = [(kept.export, "keep", kept.reason) for kept in one.plan.keep]
        entries += [(export, "delete", "-") for export in one.plan.delete]
        entries.sort(key=lambda entry: entry[0].export_id, reverse=True)
        for export, what, why in entries:
            age = aged((now - export.place.started).total_seconds())
            size = sized(export.stored_bytes).replace(" ", "")
            rows.append((one.table.spec.name, export.export_id, age, size, what, why))
    if rows:
        print_table(_HEADERS, rows, right=("AGE", "SIZE"))
    say(_total(work))


def _total(work: Sequence[_Work]) -> str:
    plans = [one.plan for one in work if one.plan is not None and one.plan.delete]
    if not plans:
        return "nothing to delete"
    exports = sum(len(plan.delete) for plan in plans)
    size = sized(sum(plan.freed_bytes for plan in plans))
    return f"{_count(exports, 'export')} of {_count(len(plans), 'table')} to delete, {size}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _ask() -> None:
    if not can_ask():
        raise click.UsageError("nothing was deleted: add --yes to delete without being asked")
    click.confirm("Delete them?", abort=True, err=True)


def _delete(project: Project, work: _Work, *, as_json: bool) -> None:
    if work.plan is None or not work.plan.delete:
        return
    try:
        work.pruned = retention.prune(
            work.plan,
            gateways=project.gateways(work.table),
            listener=tell,
            clock=project.clock(work.table),
        )
    except DdbAssetsError as error:
        work.error = error.for_table(work.table.spec.name)
        return
    (say if as_json else click.echo)(pruned_sentence(work.plan, work.pruned))
