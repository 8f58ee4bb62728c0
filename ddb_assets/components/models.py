"""The YAML form of what `orchestration.declaration` declares in Python; unknown keys are errors."""

from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import Discriminator, Field, Tag

from ddb_assets.components.automation_models import AutomationModel, FreshnessModel
from ddb_assets.components.checks_model import ChecksModel
from ddb_assets.components.documented import DocumentedModel, given
from ddb_assets.core.spec import ExportFilter
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.declaration import DEFAULT_GROUP, RefreshGroup, Table
from ddb_assets.orchestration.resources import AwsResource


class AwsModel(DocumentedModel):
    """Account, region and identity; what is not given is left to the AWS SDK's own chain."""

    region: str | None = Field(
        default=None, description="AWS region of the tables.", examples=["eu-central-1"]
    )
    profile: str | None = Field(
        default=None, description="A profile of ~/.aws/config.", examples=["production"]
    )
    role_arn: str | None = Field(
        default=None,
        description="Role to assume; its credentials are renewed while waiting.",
        examples=["arn:aws:iam::123456789012:role/exporter"],
    )
    role_session_name: str | None = Field(
        default=None,
        description="Name of the assumed role's session in CloudTrail.",
        examples=["dagster"],
    )
    external_id: str | None = Field(
        default=None, description="External id the role's trust policy asks for.", examples=["x-42"]
    )
    endpoint_url: str | None = Field(
        default=None,
        description="One endpoint for every service instead of AWS's own.",
        examples=["http://127.0.0.1:5000"],
    )
    access_key_id: str | None = Field(
        default=None,
        description="Static access key; better left to the SDK's chain.",
        examples=["{{ env('EXPORT_KEY_ID') }}"],
    )
    secret_access_key: str | None = Field(
        default=None, description="Its secret.", examples=["{{ env('EXPORT_SECRET') }}"]
    )
    session_token: str | None = Field(
        default=None,
        description="Session token of temporary static keys.",
        examples=["{{ env('EXPORT_TOKEN') }}"],
    )
    max_attempts: int | None = Field(
        default=None, description="Tries per AWS call, the first included.", examples=[5]
    )
    retry_mode: Literal["standard", "adaptive"] | None = Field(
        default=None, description="The SDK's retry mode.", examples=["adaptive"]
    )
    connect_timeout: float | None = Field(
        default=None, description="Seconds to wait for a connection.", examples=[10]
    )
    read_timeout: float | None = Field(
        default=None, description="Seconds to wait for an answer.", examples=[60]
    )
    catalog_id: str | None = Field(
        default=None,
        description="Account of the Glue catalog where it is not the caller's.",
        examples=["123456789012"],
    )
    data_catalog: str | None = Field(
        default=None,
        description="Athena's name of that catalog; needed with catalog_id.",
        examples=["AwsDataCatalog"],
    )

    def resource(self) -> AwsResource:
        """The Dagster resource with these settings."""
        return AwsResource(**self.model_dump(exclude_none=True))


class SettingsModel(DocumentedModel):
    """Settings of one table, or of all that say nothing themselves."""

    bucket_owner: str | None = Field(
        default=None,
        description="Account id of the bucket where it is not the caller's; in quotes.",
        examples=["123456789012"],
    )
    publish_with: Literal["glue", "athena"] | None = Field(
        default=None,
        description="glue: UpdateTable (default); athena: ALTER TABLE … SET LOCATION.",
        examples=["athena"],
    )
    serde: Literal["auto", "hive", "openx"] | None = Field(
        default=None,
        description="JSON SerDe of the table; auto is Hive's unless a name needs a mapping.",
        examples=["hive"],
    )
    verify: Literal["manifest", "full"] | None = Field(
        default=None,
        description="manifest: sizes and etags (default); full: the md5 of every data file too.",
        examples=["full"],
    )
    infer: bool | None = Field(
        default=None,
        description="Whether undeclared attributes are inferred over all exported items (default).",
        examples=[False],
    )
    typed_view: bool | str | None = Field(
        default=None,
        description="Whether a view with real columns comes with the table (default), named like "
        "it with _typed; of one table also the view's name.",
        examples=["orders_flat"],
    )
    mixed_types: Literal["columns", "json"] | None = Field(
        default=None,
        description="An attribute of several types is a column per type in the view (default), or "
        "one of DynamoDB JSON.",
        examples=["json"],
    )
    evolve: Literal["additive", "any"] | None = Field(
        default=None,
        description="additive: a refresh that would change columns so that queries may break is "
        "refused until somebody accepts it (default); any: it never asks.",
        examples=["any"],
    )
    typed_copy: bool | str | None = Field(
        default=None,
        description="Whether Athena writes each export once more as Parquet, a table with the "
        "view's columns named like the raw one with _parquet; of one table also the copy's name.",
        examples=[True],
    )
    sse_algorithm: Literal["AES256", "KMS"] | None = Field(
        default=None,
        description="Encryption of the exported objects; the bucket's own by default.",
        examples=["KMS"],
    )
    kms_key_id: str | None = Field(
        default=None,
        description="KMS key in the bucket's region, with sse_algorithm: KMS.",
        examples=["alias/exports"],
    )
    deadline_seconds: float | None = Field(
        default=None,
        description="How long to wait for one export at most; no limit by default.",
        examples=[21600],
    )
    owners: list[str] | None = Field(
        default=None,
        description="`team:name` or e-mail addresses.",
        examples=[["team:data", "jane@example.com"]],
    )
    tags: dict[str, str] | None = Field(
        default=None, description="Dagster tags.", examples=[{"domain": "sales"}]
    )
    checks: ChecksModel | None = Field(
        default=None,
        description="Which promises are checked, and how bad it is to break one.",
        examples=[{"pitr_days": 7, "schema": "error", "row_count": True}],
    )
    preview_rows: int | None = Field(
        default=None,
        description="So many of the first items are kept with each materialization, up to 100; "
        "none by default.",
        examples=[5],
    )
    freshness: FreshnessModel | None = Field(
        default=None,
        description="How old the table may be before Dagster calls it stale.",
        examples=[{"fail_after": 93600, "warn_after": 90000}],
    )
    automation: AutomationModel | None = Field(
        default=None,
        description="When Dagster refreshes the table by itself; its sensor runs from the start.",
        examples=[{"cron": "0 6 * * *", "missing": True}],
    )

    def settings(self) -> dict[str, Any]:
        """What was given, under the names the Python declaration has."""
        return given(self, SettingsModel.model_fields)


class FilterModel(DocumentedModel):
    """DynamoDB's FilterSpecification: export only some items or attributes."""

    key_condition: str | None = Field(
        default=None,
        description="Key condition with one partition value.",
        examples=["userId = :user"],
    )
    filter: str | None = Field(
        default=None, description="Filter expression.", examples=["#kind = :order"]
    )
    projection: str | None = Field(
        default=None, description="Attributes to export.", examples=["orderId, #kind"]
    )
    names: dict[str, str] | None = Field(
        default=None,
        description="Placeholders of attribute names.",
        examples=[{"#kind": "kind"}],
    )
    values: dict[str, dict[str, Any]] | None = Field(
        default=None,
        description="Placeholders of values, as DynamoDB attribute values.",
        examples=[{":order": {"S": "order"}}],
    )

    def declaration(self) -> ExportFilter:
        """The same in Python."""
        return ExportFilter(
            key_condition=self.key_condition,
            filter=self.filter,
            projection=self.projection,
            names=tuple((self.names or {}).items()),
            values=tuple((self.values or {}).items()),
        )


class TableModel(SettingsModel):
    """One DynamoDB table; what it does not say is taken from its group, then from `defaults`."""

    name: str = Field(
        description="The DynamoDB table, spelled as AWS spells it.", examples=["orders"]
    )
    athena_name: str | None = Field(
        default=None,
        description="The Athena table; by default the name in lower case, with _ for what Athena "
        "does not allow.",
        examples=["orders"],
    )
    bucket: str | None = Field(
        default=None,
        description="Bucket that receives the exports; the declaration's by default.",
        examples=["my-exports"],
    )
    workgroup: str | None = Field(
        default=None,
        description="Athena workgroup that publishes and writes typed copies; the declaration's by "
        "default.",
        examples=["primary"],
    )
    columns: dict[str, Any] | list[dict[str, Any]] | None = Field(
        default=None,
        description="Declared attributes with their DynamoDB types; they win over inferred ones.",
        examples=[{"userId": "S", "tags": "SS", "address": {"M": {"zip": "N"}}}],
    )
    group: str = Field(
        default=DEFAULT_GROUP, description="The refresh group.", examples=["nightly"]
    )
    prefix: str | None = Field(
        default=None,
        description="The table's own S3 prefix; by default the table's name.",
        examples=["exports/orders"],
    )
    filter: FilterModel | None = Field(
        default=None,
        description="Export only some items or attributes.",
        examples=[{"projection": "orderId, total"}],
    )
    description: str | None = Field(
        default=None, description="Shown in the Dagster UI.", examples=["All orders since 2019."]
    )

    def declaration(self) -> Table:
        """The same in Python."""
        try:
            return Table(**given(self, type(self).model_fields))
        except DeclarationError as error:
            raise error.for_table(self.name) from error.__cause__


def _form(entry: object) -> str:
    return "name" if isinstance(entry, str) else "table"


#: A name or a mapping; told apart before they are checked, so that an error is about one of them.
TableEntry = Annotated[
    Annotated[str, Tag("name")] | Annotated[TableModel.model(), Tag("table")], Discriminator(_form)
]


def resolve_tables(context: dg.ResolutionContext, entries: list[Any]) -> list[str | TableModel]:
    """Render what is templated in each entry."""
    return [
        _render(context.at_path(position), entry)
        if isinstance(entry, str)
        else TableModel.resolve_from_model(context.at_path(position), entry)
        for position, entry in enumerate(entries)
    ]


def _render(context: dg.ResolutionContext, text: str) -> str:
    return context.resolve_value(text, as_type=str)  # pyright: ignore[reportUnknownMemberType] - bare types in Dagster's overloads


class GroupModel(DocumentedModel):
    """Tables that are refreshed together, in one run."""

    cron: str | None = Field(
        default=None, description="When; without it you start it yourself.", examples=["0 6 * * *"]
    )
    timezone: str = Field(
        default="UTC", description="Of the cron line.", examples=["Europe/Berlin"]
    )
    running: bool = Field(
        default=False,
        description="Whether the schedule is switched on when it is first loaded; otherwise switch "
        "it on in the UI.",
        examples=[True],
    )
    consistent: bool = Field(
        default=False,
        description="Export all tables as of the same second and publish them together, or none.",
        examples=[True],
    )
    wait: bool = Field(
        default=True,
        description="Switched off, the schedule's run starts the exports and ends; the sensor "
        "export_watch publishes them when they are done.",
        examples=[False],
    )
    publish_with: Literal["glue", "athena"] | None = Field(
        default=None, description="For tables of this group that say nothing.", examples=["athena"]
    )
    typed_copy: bool | None = Field(
        default=None,
        description="For tables of this group that say nothing.",
        examples=[True],
    )
    freshness: FreshnessModel | None = Field(
        default=None,
        description="For tables of this group that say nothing.",
        examples=[{"fail_after": 93600}],
    )
    automation: AutomationModel | None = Field(
        default=None,
        description="For tables of this group that say nothing; instead of cron.",
        examples=[{"cron": "0 6 * * *"}],
    )

    def declaration(self) -> RefreshGroup:
        """The same in Python."""
        return RefreshGroup(**given(self, type(self).model_fields))
