"""`ddb-assets rollback`: show an earlier export again."""

import click

from ddb_assets.cli.adopt import verify_option
from ddb_assets.cli.output import json_option, print_json, tell
from ddb_assets.cli.project import Project, with_project
from ddb_assets.cli.published import finish
from ddb_assets.core.operating.report import failed_document, target_document, target_sentence
from ddb_assets.core.operating.rollback import proved_target, rollback_target
from ddb_assets.core.operating.rollback import rollback as roll_back
from ddb_assets.core.spec import VerifyLevel
from ddb_assets.errors import DdbAssetsError
from ddb_assets.reading.profiling import fastest_profiling


@click.command()
@click.argument("table")
@click.option(
    "--to",
    metavar="EXPORT",
    help="An export's ARN or id; by default the newest earlier one that the table has shown.",
)
@click.option("--dry-run", is_flag=True, help="Prove that it could be done, and change nothing.")
@verify_option
@json_option
@with_project
def rollback(
    project: Project,
    table: str,
    *,
    to: str | None,
    dry_run: bool,
    verify: VerifyLevel | None,
    as_json: bool,
) -> None:
    """Let TABLE's Athena table show an earlier export again.

    The export's manifests and objects are proved to be there before anything moves. The next
    refresh goes forward again. Running queries read on where they began.
    """
    from ddb_assets.orchestration.run_config import export_reference

    (chosen,) = project.chosen([table])
    spec = chosen.spec
    if to is not None:
        to = export_reference(to, spec)
    gateways, clock = project.gateways(chosen), project.clock(chosen)
    try:
        if dry_run:
            target = rollback_target(spec, gateways=gateways, to=to, listener=tell, clock=clock)
            manifest = proved_target(spec, target, gateways=gateways, listener=tell, clock=clock)
            if as_json:
                print_json(target_document(spec, target, manifest))
            else:
                click.echo(target_sentence(spec, target, manifest))
            return
        outcome = roll_back(
            spec,
            gateways=gateways,
            to=to,
            verify=verify,
            listener=tell,
            clock=clock,
            profiling=fastest_profiling,
        )
    except DdbAssetsError as error:
        if as_json:
            print_json(failed_document(spec, error, dry_run=dry_run))
        raise
    finish(outcome, as_json=as_json)
