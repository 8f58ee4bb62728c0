"""What the user declared, checked and complete: the first value of the refresh."""

from dataclasses import dataclass, field
from typing import Literal

from ddb_assets.schema.attributes import Attribute
from ddb_assets.schema.typed_view import MixedTypes

PublishMethod = Literal["glue", "athena"]
SerDeChoice = Literal["auto", "hive", "openx"]
VerifyLevel = Literal["manifest", "full"]
Evolve = Literal["additive", "any"]
SseAlgorithm = Literal["AES256", "KMS"]


@dataclass(frozen=True)
class ExportFilter:
    """DynamoDB's `FilterSpecification`: export only some items or attributes.

    See the AWS page S3DataExport.Filtered. Values are DynamoDB attribute values such as
    `{":kind": {"S": "order"}}`.
    """

    key_condition: str | None = None
    filter: str | None = None
    projection: str | None = None
    names: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[str, dict[str, object]], ...] = ()


@dataclass(frozen=True)
class TableSpec:
    """One DynamoDB table and where its queryable copy lives.

    Attributes:
        name: The DynamoDB table's name, exactly as AWS spells it.
        database: The Glue database.
        table: The Athena (Glue) table; lower case, legal and unique in the database.
        bucket: The bucket that receives the exports.
        prefix: The S3 prefix without slashes at its ends; by default the table's name.
        bucket_owner: Account id of the bucket where it is not the caller's.
        sse_algorithm: Server-side encryption of the exported objects; None is the bucket's.
        kms_key_id: The KMS key, only with `sse_algorithm="KMS"`; in the bucket's region.
        columns: Declared attributes; they win over inferred ones.
        infer: Whether attributes that are not declared are inferred over all exported items.
        serde: `auto` is the Hive JSON SerDe unless an attribute's name needs OpenX's mapping.
        filter: Which items and attributes to export; None is all.
        publish_with: Glue's UpdateTable, or `ALTER TABLE … SET LOCATION` through Athena.
        workgroup: The Athena workgroup used with `publish_with="athena"` and for the typed copy.
        verify: `manifest` checks sizes and etags, `full` the md5 of every data file as well.
        deadline_seconds: How long to wait for the export at most; None is as long as it takes.
        group: The refresh group: tables that are refreshed in one run.
        typed_view: The view with real columns over the table, in the same database; None is none.
        typed_copy: The Parquet table with the view's columns, in the same database; None is none.
        mixed_types: Whether an attribute of several types is a column per type there, or one of
            JSON text.
        evolve: `additive` asks before columns change so that queries may break, `any` never does.
    """

    name: str
    database: str
    table: str
    bucket: str
    prefix: str
    bucket_owner: str | None = None
    sse_algorithm: SseAlgorithm | None = None
    kms_key_id: str | None = None
    columns: tuple[Attribute, ...] = ()
    infer: bool = True
    serde: SerDeChoice = "auto"
    filter: ExportFilter | None = None
    publish_with: PublishMethod = "glue"
    workgroup: str = "primary"
    verify: VerifyLevel = "manifest"
    deadline_seconds: float | None = None
    group: str = "default"
    typed_view: str | None = None
    mixed_types: MixedTypes = "columns"
    evolve: Evolve = "additive"
    typed_copy: str | None = None
    extra_parameters: tuple[tuple[str, str], ...] = field(default=())

    @property
    def athena_name(self) -> str:
        """`database.table`, as people say it."""
        return f"{self.database}.{self.table}"
