"""DynamoDB tables found in the account, kept as Dagster state; AWS is not asked at load."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import dagster as dg
from dagster.components.utils.defs_state import (
    DefsStateConfig,
    DefsStateConfigArgs,
    ResolvedDefsStateConfig,
)
from dagster_shared.serdes.objects.models.defs_state_info import DefsStateManagementType
from pydantic import Field, PrivateAttr

from ddb_assets.aws.inventory import connect_inventory
from ddb_assets.components.discovered_state import read_inventory, write_inventory
from ddb_assets.components.dynamodb_tables import DynamoDBTablesComponent
from ddb_assets.components.models import AwsModel, TableEntry, TableModel, resolve_tables
from ddb_assets.components.scaffolders import DiscoveryScaffolder
from ddb_assets.core.operating.inventory import (
    FoundTable,
    Inventory,
    TableFilter,
    TableInventory,
    take_inventory,
)
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.carried_tags import carried_tags
from ddb_assets.orchestration.declaration import DEFAULT_GROUP
from ddb_assets.orchestration.metadata import PREFIX
from ddb_assets.orchestration.specs import DynamoDBTableProps

logger = logging.getLogger(__name__)


@dg.scaffold_with(DiscoveryScaffolder)
class DynamoDBDiscoveryComponent(dg.StateBackedComponent, DynamoDBTablesComponent):
    """Finds DynamoDB tables by name, tag and account and keeps them queryable in Athena.

    The tables are looked for by `dg utils refresh-defs-state` (in an image build, say); what was
    found is kept as Dagster state, and that is all that is read when this is loaded. Tables without
    point-in-time recovery cannot be exported: they are reported and left out. DynamoDB's own tags
    become Dagster tags.

    Everything else is as in `DynamoDBTablesComponent`; `tables` here says what differs for single
    tables. Override `inventory` to find them elsewhere.
    """

    tables: Annotated[
        list[str | TableModel], dg.Resolver(resolve_tables, model_field_type=list[TableEntry])
    ] = Field(
        default=[],
        description="What differs for single tables, if they are found.",
        examples=[[{"name": "legacy.Users", "athena_name": "users"}]],
    )
    include: list[str] = Field(
        default=["*"],
        description="Globs of table names; upper and lower case differ, as in DynamoDB.",
        examples=[["prod-*", "legacy.Users"]],
    )
    exclude: list[str] = Field(
        default=[],
        description="Globs of table names that are left out.",
        examples=[["*-tmp", "terraform-*"]],
    )
    with_tags: dict[str, str] = Field(
        default={},
        description="Tags a table must have, with globs of their values.",
        examples=[{"stage": "prod", "export": "*"}],
    )
    account: str | None = Field(
        default=None,
        description="Discovery in another account than this one is refused; in quotes.",
        examples=["123456789012"],
    )
    without_pitr: bool = Field(
        default=False,
        description="Take tables whose point-in-time recovery is off, too; their refresh fails "
        "until it is on.",
        examples=[True],
    )
    carry_tags: list[str] = Field(
        default=["*"],
        description="Globs of the keys of DynamoDB tags that become Dagster tags.",
        examples=[["team", "cost-*"]],
    )
    group: str = Field(
        default=DEFAULT_GROUP,
        description="The refresh group of found tables that `tables` gives none.",
        examples=["nightly"],
    )
    defs_state: ResolvedDefsStateConfig = Field(
        default=DefsStateConfigArgs(
            management_type=DefsStateManagementType.LOCAL_FILESYSTEM, refresh_if_dev=False
        ),
        description="Where the state is kept, and whether `dagster dev` and `dg` look for tables "
        "whenever they load the project (by default they do not).",
        examples=[{"management_type": "VERSIONED_STATE_STORAGE", "refresh_if_dev": False}],
    )

    _found: dict[str, FoundTable] = PrivateAttr(default_factory=dict)

    @property
    def defs_state_config(self) -> DefsStateConfig:
        """One state for each declaration: its name, else its database."""
        label = self.name or self.database
        return DefsStateConfig.from_args(
            self.defs_state, default_key=f"DynamoDBDiscoveryComponent[{label}]"
        )

    def inventory(self) -> TableInventory:
        """The account and region that are looked at; override this to look elsewhere."""
        return connect_inventory((self.aws or AwsModel()).resource().connection())

    def write_state_to_path(self, state_path: Path) -> None:
        """Ask AWS which tables there are and write them down; an older state stays on an error.

        Raises:
            DeclarationError: The caller is in another account, or what was found would not load:
                two tables with one name in Athena, say.
            DdbAssetsError: AWS refused a call, or was away too long.
        """
        wanted = TableFilter(
            include=self.include,
            exclude=self.exclude,
            tags=self.with_tags,
            account=self.account,
            without_pitr=self.without_pitr,
        )
        found = take_inventory(self.inventory(), wanted, tell=logger.info)
        self._report(found)
        self._refuse_unloadable(found)
        write_inventory(state_path, found)

    def build_defs_from_state(
        self, context: dg.ComponentLoadContext, state_path: Path | None
    ) -> dg.Definitions:
        """The assets of the tables that were found; none before the first discovery."""
        if state_path is None:
            return dg.Definitions()
        return self._definitions(context, read_inventory(state_path))

    def get_live_spec(self, props: DynamoDBTableProps) -> dg.AssetSpec:
        """The live table's asset with what discovery knows of it; override this to change it."""
        spec = super().get_live_spec(props)
        found = self._found.get(props.spec.name)
        if found is None:
            return spec
        # Dagster leaves the condition's type open.
        return spec.replace_attributes(  # pyright: ignore[reportUnknownMemberType]
            description=f"{spec.description or ''}\n\n{_described(found)}".strip(),
            metadata={**spec.metadata, f"{PREFIX}table_arn": found.arn},
        )

    def _definitions(self, context: dg.ComponentLoadContext, found: Inventory) -> dg.Definitions:
        if not found.tables:
            return dg.Definitions()
        tables = [self._declared(table) for table in found.tables]
        used = {table.group for table in tables}
        # A group that nobody is in today may have tables after the next discovery.
        groups = {name: group for name, group in (self.groups or {}).items() if name in used}
        declared = self.model_copy(update={"tables": tables, "groups": groups})
        declared._found = {table.name: table for table in found.tables}
        return DynamoDBTablesComponent.build_defs(declared, context)

    def _declared(self, found: FoundTable) -> TableModel:
        given = self._given().get(found.name, TableModel(name=found.name))
        own = given.tags or {}
        defaults = (self.defaults.tags if self.defaults else None) or {}
        carried = carried_tags(
            found.tags, declared={**defaults, **own}, keys=self.carry_tags, of=found.name
        )
        group = given.group if "group" in given.model_fields_set else self.group
        return given.model_copy(update={"tags": {**carried, **own}, "group": group})

    def _given(self) -> Mapping[str, TableModel]:
        models = (TableModel(name=one) if isinstance(one, str) else one for one in self.tables)
        return {model.name: model for model in models}

    def _report(self, found: Inventory) -> None:
        logger.info("%s: %d tables are found", self.defs_state_config.key, len(found.tables))
        for one in found.left_out:
            remedy = f"; {one.remedy}" if one.remedy else ""
            logger.warning("%s %s and is left out%s", one.name, one.reason, remedy)
        names = {table.name for table in found.tables}
        for name in self._given():
            if name not in names:
                logger.warning("%s is in `tables` but was not found", name)

    def _refuse_unloadable(self, found: Inventory) -> None:
        """A state that does not load would take down every asset of the code location."""
        try:
            self._definitions(dg.ComponentTree.for_test().load_context, found)
        except DeclarationError as error:
            raise DeclarationError(
                f"the found tables cannot be declared, so the state stays as it was: {error.cause}",
                table=error.table,
                remedy=f"{error.remedy or 'correct the declaration'} (in `tables` or `exclude`)",
            ) from error


def _described(found: FoundTable) -> str:
    keys = ", ".join(
        f"`{name}` ({kind}, {type_})"
        for (name, type_), kind in zip(found.keys, ("partition key", "sort key"), strict=False)
    )
    lines = [f"Keys: {keys}."]
    if found.indexes:
        lines.append(f"Indexes: {', '.join(f'`{name}`' for name in found.indexes)}.")
    if not found.pitr:
        lines.append("Point-in-time recovery was off when the table was found.")
    return "\n\n".join(lines)
