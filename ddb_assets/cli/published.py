"""How an adoption or a rollback ends on the terminal."""

import click

from ddb_assets.cli.output import print_json, say
from ddb_assets.core.operating.report import failed_document, published_document
from ddb_assets.core.outcome import Failed, Outcome, Refreshed


def finish(outcome: Outcome, *, as_json: bool) -> None:
    """Print the outcome.

    Raises:
        DdbAssetsError: It is a failure, or the typed copy's; the document, if one was asked for,
            is printed.
    """
    if isinstance(outcome, Failed):
        if as_json:
            print_json(failed_document(outcome.spec, outcome.error))
        raise outcome.error
    assert isinstance(outcome, Refreshed), "an export that is there is waited for"
    if as_json:
        print_json(published_document(outcome))
        if outcome.copy_error is not None:
            raise outcome.copy_error
        return
    publication = outcome.publication
    verb = "already shows" if publication.action == "unchanged" else "shows"
    click.echo(
        f"{outcome.spec.athena_name} {verb} {outcome.manifest.export_id}: "
        f"{outcome.manifest.items:,} items as of {publication.export_time:%Y-%m-%d %H:%M:%S} UTC"
    )
    for note in publication.notes:
        say(f"note: {note}")
    if outcome.copy is not None:
        copy = outcome.copy
        verb = "already shows" if copy.action == "unchanged" else "shows"
        click.echo(f"{copy.database}.{copy.name} {verb} the same {copy.rows:,} items")
    if outcome.copy_error is not None:
        raise outcome.copy_error
