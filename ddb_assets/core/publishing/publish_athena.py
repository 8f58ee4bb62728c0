"""Moves the Athena table with `ALTER TABLE … SET LOCATION`, safely although that is no swap.

Athena's statement takes no version: of two racing runs the later statement wins, whatever it says.
So a publication is finished only once it is sealed: after the statement the table's versions since
the last sealed one are read, a newer export among them is put back, and only then a swap through
Glue writes the provenance that names this export. A run that dies in between leaves an unsealed
table, which its retry recognises. What no one can mend at once is a statement that a dead run left
in Athena's queue and that runs after a newer run has finished: the next refresh goes forward again.
"""

import hashlib
import json
from dataclasses import replace

from ddb_assets.core.locations import parse_location
from ddb_assets.core.ports import CatalogTable
from ddb_assets.core.publication import Publication
from ddb_assets.core.publishing.catalog import (
    Offer,
    moved_table,
    provenance_of,
    reshaped_table,
    shaping,
)
from ddb_assets.core.publishing.publish import Swap, judged_table
from ddb_assets.core.publishing.published import published_export, sealed
from ddb_assets.core.publishing.queries import QueryWatch
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.schema.ddl import set_location

#: Versions read back at most in search of the last sealed one.
MAX_VERSIONS = 200


def publish_with_athena(run: RunContext, offer: Offer, queries: QueryWatch) -> Task[Publication]:
    """Create the table (through Glue), or move it with `SET LOCATION` in the table's workgroup.

    Raises:
        CatalogConflictError: The table cannot be ours.
        OlderExportError: It shows something newer, or does so by the time this one is published.
        QueryFailedError: Athena refused the statement.
        QueryStuckError: Athena did not get round to it.
        VersionConflictError: Others changed the table again and again.
    """
    swap = Swap(run, offer)
    while True:
        table = yield from judged_table(run, offer)
        swap.seen(table)
        if table is None:
            yield from swap.create(shaping(offer, None))
        elif not offer.is_at(table):
            yield from _move(run, offer, table, swap, queries)
        elif sealed(table):
            return swap.publication(table)
        else:
            yield from _seal(run, offer, table, swap)


def _move(
    run: RunContext, offer: Offer, table: CatalogTable, swap: Swap, queries: QueryWatch
) -> Task[None]:
    """Columns first (what is there reads as before), then the statement."""
    shape = shaping(offer, table)
    if shape.changed or not sealed(table):
        wanted = reshaped_table(table, shape)
        published = yield from published_export(run, offer.name, table)
        if published is not None and not published.sealed:
            # Marks the end of the search in _seal: what was published before us is known.
            facts = provenance_of(published, offer.description.arn)
            wanted["Parameters"] = {**wanted.get("Parameters", {}), **facts}
        if wanted != table.table_input:
            swap.noted(shape)
            yield from swap.write(table, wanted, lands=False)
            return
    spec = offer.spec
    swap.announce()
    status = yield from queries.execute(
        spec.name,
        set_location(spec.database, spec.table, offer.manifest.location),
        database=spec.database,
        workgroup=spec.workgroup,
        token=lambda execution: _token(run, offer, table, execution),
    )
    swap.query_execution_id = status.query_id


def _seal(run: RunContext, offer: Offer, table: CatalogTable, swap: Swap) -> Task[None]:
    """Write this export's provenance, or put back the newer export that the statement ran over."""
    swap.announce()
    newer, previous = yield from _before_statement(run, offer, table)
    if newer is not None:
        yield from swap.write(table, dict(newer.table_input), lands=False)
        return
    shape = shaping(replace(offer, attributes=None), table)
    wanted = moved_table(offer, table, shape, previous_location=previous)
    yield from swap.write(table, wanted, lands=False)


def _before_statement(
    run: RunContext, offer: Offer, table: CatalogTable
) -> Task[tuple[CatalogTable | None, str | None]]:
    """The newest export published since the last sealed version, and where the table was before."""
    spec = offer.spec
    catalog = run.gateways.catalog

    def since_sealed() -> list[CatalogTable]:
        found: list[CatalogTable] = []
        for number, version in enumerate(catalog.table_versions(spec.database, spec.table)):
            if number >= MAX_VERSIONS:
                break
            if offer.is_at(version) and not sealed(version):
                continue
            found.append(version)
            if sealed(version):
                break
        return found

    versions = yield from run.call(
        spec.name, f"read earlier versions of {spec.athena_name}", since_sealed
    )
    previous = next((v.location for v in versions if v.location != table.location), None)
    if offer.allow_older:
        return None, previous
    newest: CatalogTable | None = None
    moment = offer.manifest.export_time
    for version in versions:
        published = yield from published_export(run, offer.name, version)
        if published is not None and published.export_time > moment:
            newest, moment = version, published.export_time
    return newest, previous


def _token(run: RunContext, offer: Offer, table: CatalogTable, execution: int) -> str:
    """32–128 characters; the first execution's is a function of run, export and table version."""
    place = parse_location(offer.manifest.location)
    nonce = run.rng.getrandbits(64) if execution else 0
    parts = [
        run.intent_id,
        offer.spec.athena_name,
        place.export_id if place is not None else offer.manifest.location,
        table.version_id,
        execution,
        nonce,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
