"""`ddb-assets schema`: what the items of a table hold, and the declaration that says so."""

import json
from collections.abc import Sequence
from typing import Any

import click

from ddb_assets.cli.output import NOTHING, json_option, print_json, print_table, say, tell
from ddb_assets.cli.project import Project, with_project
from ddb_assets.core.operating.table_schema import TableSchema, table_schema
from ddb_assets.reading.profiling import fastest_profiling
from ddb_assets.schema.declaration import format_columns
from ddb_assets.schema.places import Place
from ddb_assets.schema.yaml_text import columns_yaml

#: Somebody sits and waits: a call is tried again for so long at most.
PATIENCE_SECONDS = 20.0
#: Characters of a type or a path in the table; `--json` has them whole.
MAX_CELL = 60

_HEADERS = ("ATTRIBUTE", "TYPES", "PRESENT", "DIGITS", "ATHENA", "NOTES")


@click.command()
@click.argument("table")
@click.option(
    "--export",
    "arn",
    metavar="ARN",
    help="Of this export; by default of the one the Athena table shows.",
)
@json_option
@click.option("--yaml", "as_yaml", is_flag=True, help="Only the declaration, to paste or pipe.")
@with_project
def schema(project: Project, table: str, *, arn: str | None, as_json: bool, as_yaml: bool) -> None:
    """Say what all items of TABLE hold, and print the columns to declare.

    TYPES counts the values of each DynamoDB type, PRESENT is the share of the items (or of the maps
    around it) that have the attribute, DIGITS are those before+after the point, ATHENA is what
    queries of the typed view read.

    It is read from the profile beside the export; where there is none, all items are read.
    """
    from ddb_assets.orchestration.run_config import export_arn_of

    if as_json and as_yaml:
        raise click.UsageError("--json and --yaml exclude each other")
    (chosen,) = project.chosen([table])
    found = table_schema(
        chosen.spec,
        gateways=project.gateways(chosen),
        export_arn=None if arn is None else export_arn_of(arn, chosen.spec, setting="--export"),
        listener=tell,
        clock=project.clock(chosen),
        patience_seconds=PATIENCE_SECONDS,
        profiling=fastest_profiling,
    )
    if as_json:
        print_json(_document(found))
        return
    if not as_yaml:
        _show(found)
        click.echo()
        click.echo(f"# For {found.spec.name} in defs.yaml:")
    click.echo(columns_yaml(found.attributes), nl=False)
    for note in found.notes:
        say(f"note: {note}")


def _show(found: TableSchema) -> None:
    how = "its profile" if found.stored else "all of its items"
    items = found.profile.items
    say(
        f"{found.spec.name}: {items:,} {'item' if items == 1 else 'items'} of export "
        f"{found.place.export_id}, from {how}"
    )
    if found.places:
        rows = [_row(place) for place in found.places]
        print_table(_HEADERS, rows, right=("PRESENT", "DIGITS"))


def _row(place: Place) -> tuple[str, ...]:
    columns = [_cut(f"{_word(name)} {type_}".lstrip()) for name, type_ in place.columns]
    return (
        _word(place.path),
        ",".join(f"{code}:{count}" for code, count in place.types) or NOTHING,
        NOTHING if place.of is None else _percent(place.count, place.of),
        place.digits or NOTHING,
        ", ".join(columns) or NOTHING,
        "; ".join(place.notes) or NOTHING,
    )


def _percent(count: int, of: int) -> str:
    """Never 0 % or 100 % of what is neither."""
    if count in {0, of}:
        return f"{100 * count // of}%"
    share = 100 * count / of
    return "<1%" if share < 1 else f"{min(99, round(share))}%"


def _word(text: str) -> str:
    """A name as one word, so that columns can be cut: quoted where it has blanks or worse."""
    plain = text.isprintable() and not any(char.isspace() or char == '"' for char in text)
    return _cut(text if plain else json.dumps(text, ensure_ascii=not text.isprintable()))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CELL else f"{text[: MAX_CELL - 1]}…"


def _document(found: TableSchema) -> dict[str, Any]:
    spec, place = found.spec, found.place
    return {
        "table": spec.name,
        "athena_table": spec.athena_name,
        "export": {
            "export_id": place.export_id,
            "location": place.location,
            "items": found.profile.items,
        },
        "source": "profile" if found.stored else "items",
        "attributes": [_place(one) for one in found.places],
        "columns": format_columns(found.attributes),
        "notes": list(found.notes),
        "profile": found.profile.to_dict(),
    }


def _place(place: Place) -> dict[str, Any]:
    numbers = place.numbers
    return {
        "path": place.path,
        "types": dict(place.types),
        "of": place.of,
        "presence": place.presence,
        "digits": None
        if numbers is None
        else {
            "whole": numbers.whole,
            "fraction": numbers.fraction,
            "significant": numbers.significant,
            "beyond_bigint": numbers.beyond_bigint,
        },
        "athena": _athena(place.columns),
        "notes": list(place.notes),
    }


def _athena(columns: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "type": type_} for name, type_ in columns]
