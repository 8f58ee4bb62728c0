"""DynamoDB tables declared in YAML."""

import functools
from typing import Annotated, Any

import dagster as dg
from dagster.components.utils.translation import TranslationFn, TranslationFnResolver
from pydantic import Field

from ddb_assets.components.documented import DocumentedModel
from ddb_assets.components.models import (
    AwsModel,
    GroupModel,
    SettingsModel,
    TableEntry,
    TableModel,
    resolve_tables,
)
from ddb_assets.components.scaffolders import TablesScaffolder
from ddb_assets.components.sensor_models import SensorsModel
from ddb_assets.orchestration.assets import TABLES_PER_STEP
from ddb_assets.orchestration.builder import build_dynamodb_assets
from ddb_assets.orchestration.metadata import DEFAULT_PRICE_PER_GB
from ddb_assets.orchestration.resources import AwsResource
from ddb_assets.orchestration.specs import DynamoDBTableProps
from ddb_assets.orchestration.translator import DynamoDBTranslator


def _template_variables(props: DynamoDBTableProps) -> dict[str, Any]:
    return {"props": props, "table": props.spec}


@dg.scaffold_with(TablesScaffolder)
class DynamoDBTablesComponent(dg.Component, DocumentedModel):
    """Keeps DynamoDB tables queryable in Athena.

    Materializing a table asks DynamoDB for a point-in-time export to S3, waits for it, verifies
    it and points the Athena table at it. A table's name alone is enough; columns that are not
    declared are inferred over all exported items. Nothing is asked of AWS when this is loaded.

    Override `get_asset_spec`, `get_live_spec` or `get_view_spec` in a subclass to change the
    assets, or set `translation` in YAML.
    """

    database: str = Field(
        description="Glue database; created with its first table if it is missing.",
        examples=["raw"],
    )
    tables: Annotated[
        list[str | TableModel], dg.Resolver(resolve_tables, model_field_type=list[TableEntry])
    ] = Field(
        description="DynamoDB tables: names, or mappings with a name and what differs.",
        examples=[["orders", {"name": "legacy.Users", "athena_name": "users"}]],
    )
    bucket: str | None = Field(
        default=None,
        description="Bucket that receives the exports; needed here or for each table.",
        examples=["my-exports"],
    )
    prefix: str | None = Field(
        default=None,
        description="Folder in the bucket below which each table has its own folder, its name.",
        examples=["dynamodb"],
    )
    workgroup: str | None = Field(
        default=None,
        description="Athena workgroup that publishes, with publish_with: athena.",
        examples=["primary"],
    )
    aws: AwsModel | None = Field(
        default=None,
        description="Account, region and identity; the AWS SDK's own chain by default.",
        examples=[{"region": "eu-central-1"}],
    )
    resource_key: str = Field(
        default="aws",
        description="Key of the AWS resource. Declarations with different accounts need different "
        "keys; with a key of your own and no `aws`, your project provides the resource.",
        examples=["aws_billing"],
    )
    defaults: SettingsModel | None = Field(
        default=None,
        description="Settings of tables that say nothing themselves.",
        examples=[{"publish_with": "athena", "owners": ["team:data"]}],
    )
    groups: dict[str, GroupModel] | None = Field(
        default=None,
        description="Refresh groups by name, each with its schedule.",
        examples=[{"nightly": {"cron": "0 3 * * *", "timezone": "Europe/Berlin"}}],
    )
    sensors: SensorsModel | None = Field(
        default=None,
        description="Which sensors there are; each is off until it is switched on.",
        examples=[{"table_changes": {"running": True}, "export_watch": True}],
    )
    translation: (
        Annotated[
            TranslationFn[DynamoDBTableProps],
            TranslationFnResolver[DynamoDBTableProps](_template_variables),
        ]
        | None
    ) = Field(
        default=None,
        description="Attributes of the exported assets; `table` and `props` are known in it.",
        examples=[{"group_name": "raw", "key": "raw/{{ table.table }}"}],
    )
    name: str | None = Field(
        default=None,
        description="Names the steps, refresh_NAME; the database by default. Needed where two "
        "declarations share a database.",
        examples=["orders"],
    )
    one_step_per_table: bool = Field(
        default=False,
        description="A step for each table: own retries and logs, and a process each.",
        examples=[True],
    )
    tables_per_step: int = Field(
        default=TABLES_PER_STEP,
        description="A group of more tables has several steps; a consistent group has one.",
        examples=[100],
    )
    price_per_gb: float = Field(
        default=DEFAULT_PRICE_PER_GB,
        description="USD per exported GB in your region, for the cost estimate.",
        examples=[0.114],
    )
    observe: bool = Field(
        default=True,
        description="Whether the live tables are observable assets; false where another "
        "declaration of the project has the same tables.",
        examples=[False],
    )
    observe_cron: str | None = Field(
        default=None,
        description="When the live tables are looked at by themselves, in UTC; the schedule runs "
        "from the start.",
        examples=["*/30 * * * *"],
    )

    def get_live_spec(self, props: DynamoDBTableProps) -> dg.AssetSpec:
        """The live table's asset; override this to change it."""
        return DynamoDBTranslator().get_live_spec(props)

    def get_asset_spec(self, props: DynamoDBTableProps) -> dg.AssetSpec:
        """The exported table's asset; override this to change it."""
        spec = DynamoDBTranslator().get_asset_spec(props)
        return self.translation(spec, props) if self.translation else spec

    def get_view_spec(self, props: DynamoDBTableProps) -> dg.AssetSpec:
        """The typed view's asset; override this to change it."""
        return DynamoDBTranslator().get_view_spec(props)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The assets, schedules and the AWS resource; asks nobody.

        Without an executor: that is the whole project's choice (`executor_for`).
        """
        defaults = self.defaults.settings() if self.defaults else {}
        groups = {name: group.declaration() for name, group in (self.groups or {}).items()}
        built = build_dynamodb_assets(
            tables=[t if isinstance(t, str) else t.declaration() for t in self.tables],
            database=self.database,
            bucket=self.bucket,
            workgroup=self.workgroup,
            prefix=self.prefix,
            groups=groups,
            sensors=self.sensors.declaration() if self.sensors else None,
            aws=self._resource(),
            resource_key=self.resource_key,
            translator=_ComponentTranslator(self),
            name=self.name,
            one_step_per_table=self.one_step_per_table,
            tables_per_step=self.tables_per_step,
            price_per_gb=self.price_per_gb,
            observe=self.observe,
            observe_cron=self.observe_cron,
            **defaults,
        )
        return dg.Definitions(
            assets=built.assets,
            asset_checks=built.asset_checks,
            schedules=built.schedules,
            jobs=built.jobs,
            sensors=built.sensors,
            resources=built.resources,
        )

    def _resource(self) -> AwsResource | None:
        if self.aws is None and self.resource_key != "aws":
            return None
        return _resource((self.aws or AwsModel()).model_dump_json(exclude_none=True))


class _ComponentTranslator(DynamoDBTranslator):
    """Asks the component, so that a subclass's hooks are heard."""

    def __init__(self, component: DynamoDBTablesComponent) -> None:
        self.component = component

    def get_live_spec(self, props: DynamoDBTableProps) -> dg.AssetSpec:
        return self.component.get_live_spec(props)

    def get_asset_spec(self, props: DynamoDBTableProps) -> dg.AssetSpec:
        return self.component.get_asset_spec(props)

    def get_view_spec(self, props: DynamoDBTableProps) -> dg.AssetSpec:
        return self.component.get_view_spec(props)


@functools.cache
def _resource(settings: str) -> AwsResource:
    """Equal settings are one object: else Dagster refuses two components in one project."""
    return AwsModel.model_validate_json(settings).resource()
