"""`ddb-assets adopt`: publish an export that is already there."""

import click

from ddb_assets.cli.output import json_option, tell
from ddb_assets.cli.project import Project, with_project
from ddb_assets.cli.published import finish
from ddb_assets.core.operating.adopt import adopt as adopt_export
from ddb_assets.core.spec import VerifyLevel
from ddb_assets.reading.profiling import fastest_profiling

verify_option = click.option(
    "--verify",
    type=click.Choice(["manifest", "full"]),
    help="Sizes and etags, or the md5 of every data file as well; by default as declared.",
)


@click.command()
@click.argument("table")
@click.argument("arn")
@click.option(
    "--allow-older",
    is_flag=True,
    help="Let it replace a newer one, or be of a table since deleted.",
)
@click.option(
    "--accept-changes", is_flag=True, help="Let columns change so that queries may break."
)
@verify_option
@json_option
@with_project
def adopt(
    project: Project,
    table: str,
    arn: str,
    *,
    allow_older: bool,
    accept_changes: bool,
    verify: VerifyLevel | None,
    as_json: bool,
) -> None:
    """Publish the export ARN, whoever started it, as TABLE's Athena table.

    It is waited for if it still runs, verified, published and read back like any other.
    """
    from ddb_assets.orchestration.run_config import export_arn_of

    (chosen,) = project.chosen([table])
    outcome = adopt_export(
        chosen.spec,
        export_arn_of(arn, chosen.spec, setting="ARN"),
        gateways=project.gateways(chosen),
        allow_older=allow_older,
        accept_changes=accept_changes,
        verify=verify,
        listener=tell,
        clock=project.clock(chosen),
        profiling=fastest_profiling,
    )
    finish(outcome, as_json=as_json)
