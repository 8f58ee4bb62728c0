"""What a Glue table shows now: which export, of which table and of which moment.

The location is the truth. Provenance is kept in the table's parameters and believed only while it
names the export the location lies at: `ALTER TABLE … SET LOCATION` changes the location alone.
Where it does not, the export's own manifest is read, and as a last resort the time in its id.
"""

from dataclasses import dataclass
from datetime import datetime

from ddb_assets.core.locations import ExportPlace, parse_location
from ddb_assets.core.ports import CatalogTable, ObjectStore
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.core.verifying.verify import parse_time, read_summary
from ddb_assets.errors import ManifestInvalidError, ManifestMissingError

EXPORT_ARN = "ddb_assets.export_arn"
EXPORT_TIME = "ddb_assets.export_time"
TABLE_ARN = "ddb_assets.table_arn"
TABLE_ID = "ddb_assets.table_id"
ITEM_COUNT = "ddb_assets.item_count"
PREVIOUS_LOCATION = "ddb_assets.previous_location"


@dataclass(frozen=True)
class PublishedExport:
    """The export a Glue table lies at.

    Attributes:
        export_time: The moment of the data; where only the id is left, when the export began.
        export_arn: None where neither provenance nor manifest tell.
        sealed: Whether the table's provenance names this export.
        previous_location: Where the table pointed before, as its provenance says.
    """

    place: ExportPlace
    export_time: datetime
    export_arn: str | None = None
    table_arn: str | None = None
    table_id: str | None = None
    items: int | None = None
    sealed: bool = False
    previous_location: str | None = None

    @property
    def export_id(self) -> str:
        """The export's id."""
        return self.place.export_id


def made_by_us(table: CatalogTable) -> bool:
    """Whether this package ever wrote the table."""
    return TABLE_ARN in table.parameters


def sealed(table: CatalogTable) -> bool:
    """Whether provenance and location agree: the last step of a publication was taken."""
    place = parse_location(table.location)
    arn = table.parameters.get(EXPORT_ARN, "")
    return place is not None and arn.rpartition("/")[2] == place.export_id


def published_export(
    run: RunContext, name: str, table: CatalogTable | None
) -> Task[PublishedExport | None]:
    """The export the table lies at; None for no table or a location that is no export's.

    Args:
        run: The refresh.
        name: The DynamoDB table, for messages.
        table: The Glue table as read.
    """
    if table is None:
        return None
    objects = run.gateways.objects
    return (yield from run.call(name, "see what is published", lambda: look(objects, table)))


def look(objects: ObjectStore, table: CatalogTable) -> PublishedExport | None:
    """The same in one go, without retries: for the command line and sensors."""
    place = parse_location(table.location)
    if place is None:
        return None
    parameters = table.parameters
    if sealed(table):
        try:
            return PublishedExport(
                place,
                parse_time(parameters.get(EXPORT_TIME)),
                export_arn=parameters[EXPORT_ARN],
                table_arn=parameters.get(TABLE_ARN),
                table_id=parameters.get(TABLE_ID),
                items=_count(parameters.get(ITEM_COUNT)),
                sealed=True,
                previous_location=parameters.get(PREVIOUS_LOCATION) or None,
            )
        except ValueError:
            # Somebody edited the parameter: the manifest still knows.
            pass
    try:
        summary = read_summary(objects, place)
        return PublishedExport(
            place,
            parse_time(summary.get("exportTime")),
            export_arn=summary.get("exportArn"),
            table_arn=summary.get("tableArn"),
            table_id=summary.get("tableId"),
            items=_count(summary.get("itemCount")),
        )
    except (ManifestMissingError, ManifestInvalidError, ValueError):
        return PublishedExport(place, place.started)


def _count(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None
