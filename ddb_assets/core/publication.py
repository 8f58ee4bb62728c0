"""What the Athena table points at now, and what it pointed at before."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ddb_assets.schema.attributes import Attribute
from ddb_assets.schema.paths import ValuePath

PublicationAction = Literal["created", "moved", "unchanged"]


@dataclass(frozen=True)
class PublishedView:
    """The typed view over a published table, read back from Glue.

    Attributes:
        columns: (name, type as queries write it, path of the attribute).
        sources: (column, attribute as DynamoDB spells it) of each.
        notes: What a reader should know: columns that got wider, NULL that reads as absent.
        select: The query it is, over the raw table under the alias `raw`.
        glue_columns: (name, Hive type, comment) as Glue has them.
    """

    database: str
    name: str
    action: PublicationAction
    version_id: str | None = None
    columns: tuple[tuple[str, str, str], ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    select: str = ""
    glue_columns: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class PublishedCopy:
    """The typed copy of a published table, read back from Glue and counted in S3.

    Attributes:
        location: Where its Parquet files lie.
        previous_location: Where it pointed before; None when it was created.
        columns: (name, type as queries write it, path of the attribute), as of the view.
        rows: What the footers of its files add up to; proved to be the export's items.
        files: Its Parquet files.
        stored_bytes: Their size.
        query_execution_id: Of the UNLOAD; None where there was nothing to write.
        scanned_bytes: What that query read of the raw table, as Athena bills it.
        seconds: How long it took to be there, waiting for Athena included.
    """

    database: str
    name: str
    location: str
    action: PublicationAction
    previous_location: str | None = None
    version_id: str | None = None
    columns: tuple[tuple[str, str, str], ...] = ()
    rows: int = 0
    files: int = 0
    stored_bytes: int = 0
    query_execution_id: str | None = None
    scanned_bytes: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Publication:
    """The end of a refresh: one Athena table at one verified export, read back from Glue.

    Attributes:
        action: `created` a new table, `moved` its location, or was `unchanged`.
        previous_location: Where it pointed before; None when it was created.
        version_id: Glue's table version after the change.
        query_execution_id: Of the `ALTER TABLE`, where Athena published.
        columns: (name, Hive type, comment) as the catalog now has them.
        notes: What a reader should know: attributes that needed a mapping, widened types.
        attributes: What the table's column holds, as DynamoDB spells it; empty where that is not
            known.
        paths: Each value an item may hold and the field that it is read through.
    """

    database: str
    table: str
    location: str
    export_arn: str
    export_time: datetime
    action: PublicationAction
    previous_location: str | None = None
    version_id: str | None = None
    query_execution_id: str | None = None
    columns: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    paths: tuple[ValuePath, ...] = ()
