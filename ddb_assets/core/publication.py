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
    """

    database: str
    name: str
    action: PublicationAction
    version_id: str | None = None
    columns: tuple[tuple[str, str, str], ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


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
