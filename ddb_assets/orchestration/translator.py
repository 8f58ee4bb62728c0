"""What the assets of one DynamoDB table are called and how they are described."""

from collections.abc import Callable, Mapping, Sequence

import dagster as dg

from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.declaration import DEFAULT_GROUP
from ddb_assets.orchestration.metadata import PREFIX
from ddb_assets.orchestration.naming import asset_group_name, legal_tags, refuse_equal
from ddb_assets.orchestration.specs import DynamoDBTableProps

#: Raise it when what is written to the catalog changes for the same export.
CODE_VERSION = "1"
#: The same for the typed view.
VIEW_CODE_VERSION = "1"
#: The same for the typed copy.
COPY_CODE_VERSION = "1"


class DynamoDBTranslator:
    """Turns a declared table into its asset specs: live table, Athena table, view and typed copy.

    Subclass it and override `get_asset_spec`, `get_live_spec`, `get_view_spec` or `get_copy_spec`
    to change keys, groups, tags or anything else of an `AssetSpec`; dependencies follow the keys
    that these return.

    Examples:
        ```python
        class Raw(DynamoDBTranslator):
            def get_asset_spec(self, props):
                spec = super().get_asset_spec(props)
                return spec.replace_attributes(group_name="raw", kinds={"athena"})
        ```
    """

    def get_live_spec(self, props: DynamoDBTableProps) -> dg.AssetSpec:
        """The DynamoDB table itself, an external asset; override this to change it."""
        return dg.AssetSpec(
            key=["dynamodb", props.spec.name],
            group_name=self.group_name(props),
            description=f"The live DynamoDB table {_in_prose(props.spec.name)}.",
            owners=props.owners,
            tags=legal_tags(props.tags, of=props.spec.name),
            kinds={"dynamodb"},
            metadata={f"{PREFIX}dynamodb_table": props.spec.name},
        )

    def get_asset_spec(self, props: DynamoDBTableProps) -> dg.AssetSpec:
        """The Athena table over the newest export; override this to change it."""
        spec = props.spec
        uri = f"s3://{spec.bucket}/{spec.prefix}/"
        return dg.AssetSpec(
            key=["athena", spec.database, spec.table],
            deps=[self.get_live_spec(props).key],
            group_name=self.group_name(props),
            description=props.description or _description(props),
            owners=props.owners,
            tags=legal_tags(props.tags, of=spec.name),
            kinds={"athena", "s3", "json"},
            code_version=CODE_VERSION,
            freshness_policy=None if props.freshness is None else props.freshness.policy(),
            automation_condition=props.automation,
            metadata={
                "dagster/table_name": spec.athena_name,
                "dagster/uri": uri,
                f"{PREFIX}dynamodb_table": spec.name,
                f"{PREFIX}publish_with": spec.publish_with,
                f"{PREFIX}refresh_group": spec.group,
            },
        )

    def get_view_spec(self, props: DynamoDBTableProps) -> dg.AssetSpec:
        """The typed view over it; override this to change it.

        It is refreshed with its table, so neither automation nor freshness are its own.
        """
        spec, table = props.spec, self.get_asset_spec(props)
        return dg.AssetSpec(
            key=["athena", spec.database, str(spec.typed_view)],
            deps=[table.key],
            group_name=self.group_name(props),
            description=_view_description(props),
            owners=props.owners,
            tags=legal_tags(props.tags, of=spec.name),
            kinds={"athena", "view"},
            code_version=VIEW_CODE_VERSION,
            metadata={
                "dagster/table_name": f"{spec.database}.{spec.typed_view}",
                f"{PREFIX}dynamodb_table": spec.name,
                f"{PREFIX}refresh_group": spec.group,
            },
        )

    def get_copy_spec(self, props: DynamoDBTableProps) -> dg.AssetSpec:
        """The typed copy; override this to change it.

        Unlike the view it can be left out of a run, so it has its table's automation: the two are
        requested together.
        """
        spec = props.spec
        return dg.AssetSpec(
            key=["athena", spec.database, str(spec.typed_copy)],
            deps=[self.get_view_spec(props).key],
            group_name=self.group_name(props),
            description=_copy_description(props),
            owners=props.owners,
            tags=legal_tags(props.tags, of=spec.name),
            kinds={"athena", "s3", "parquet"},
            code_version=COPY_CODE_VERSION,
            automation_condition=props.automation,
            metadata={
                "dagster/table_name": f"{spec.database}.{spec.typed_copy}",
                "dagster/uri": f"s3://{spec.bucket}/{spec.prefix}/",
                f"{PREFIX}dynamodb_table": spec.name,
                f"{PREFIX}refresh_group": spec.group,
            },
        )

    def group_name(self, props: DynamoDBTableProps) -> str:
        """The asset group: the refresh group's name; the database for tables that name none."""
        group = props.spec.group
        return asset_group_name(props.spec.database if group == DEFAULT_GROUP else group)


def translate(
    translator: DynamoDBTranslator, tables: Sequence[DynamoDBTableProps]
) -> list[tuple[DynamoDBTableProps, dg.AssetSpec, dg.AssetSpec]]:
    """Every table with its live spec and its export's spec.

    Raises:
        DeclarationError: Dagster refuses a value, or two assets would have one key.
    """
    groups = {props.spec.group: asset_group_name(props.spec.group) for props in tables}
    refuse_equal(groups, what="refresh groups", become="the asset group")
    translated: list[tuple[DynamoDBTableProps, dg.AssetSpec, dg.AssetSpec]] = []
    for props in tables:
        try:
            live, exported = translator.get_live_spec(props), translator.get_asset_spec(props)
        except DeclarationError as error:
            raise error.for_table(props.spec.name) from error.__cause__
        except (dg.DagsterInvalidDefinitionError, dg.DagsterInvariantViolationError) as error:
            raise DeclarationError(
                _first_line(error),
                table=props.spec.name,
                remedy="correct the table's declaration or the translator",
            ) from error
        translated.append((props, live, exported))
    keys = {f"dynamodb {p.spec.name}": live.key.to_user_string() for p, live, _ in translated}
    keys |= {p.spec.name: exported.key.to_user_string() for p, _, exported in translated}
    refuse_equal(keys, what="assets of", become="the asset key")
    # Dagster names a step's outputs after the keys, with `_` for what an identifier lacks.
    outputs = {p.spec.name: exported.key.to_python_identifier() for p, _, exported in translated}
    refuse_equal(outputs, what="assets of", become="the output name")
    return translated


def translate_views(
    translator: DynamoDBTranslator,
    translated: Sequence[tuple[DynamoDBTableProps, dg.AssetSpec, dg.AssetSpec]],
) -> dict[dg.AssetKey, dg.AssetSpec]:
    """The view's spec by its table's key, for every table that has one.

    Raises:
        DeclarationError: Dagster refuses a value, or two assets would have one key.
    """
    views = {
        exported.key: _derived(translator.get_view_spec, props, exported.key)
        for props, _, exported in translated
        if props.spec.typed_view is not None
    }
    _refuse_equal_keys(translated, {"typed view": views})
    return views


def translate_copies(
    translator: DynamoDBTranslator,
    translated: Sequence[tuple[DynamoDBTableProps, dg.AssetSpec, dg.AssetSpec]],
    views: Mapping[dg.AssetKey, dg.AssetSpec],
) -> dict[dg.AssetKey, dg.AssetSpec]:
    """The typed copy's spec by its table's key, for every table that has one.

    Raises:
        DeclarationError: Dagster refuses a value, or two assets would have one key.
    """
    copies = {
        exported.key: _derived(translator.get_copy_spec, props, views[exported.key].key)
        for props, _, exported in translated
        if props.spec.typed_copy is not None
    }
    _refuse_equal_keys(translated, {"typed view": views, "typed copy": copies})
    return copies


def _derived(
    get_spec: Callable[[DynamoDBTableProps], dg.AssetSpec],
    props: DynamoDBTableProps,
    source: dg.AssetKey,
) -> dg.AssetSpec:
    try:
        spec = get_spec(props)
    except (dg.DagsterInvalidDefinitionError, dg.DagsterInvariantViolationError) as error:
        raise DeclarationError(
            _first_line(error),
            table=props.spec.name,
            remedy="correct the table's declaration or the translator",
        ) from error
    # The source's key may have been changed where this spec was made without knowing.
    if source not in {dep.asset_key for dep in spec.deps}:
        spec = spec.replace_attributes(deps=[source])  # pyright: ignore[reportUnknownMemberType] - a bare AutomationCondition in Dagster's signature
    return spec


def _refuse_equal_keys(
    translated: Sequence[tuple[DynamoDBTableProps, dg.AssetSpec, dg.AssetSpec]],
    derived: Mapping[str, Mapping[dg.AssetKey, dg.AssetSpec]],
) -> None:
    keys = {p.spec.name: exported.key for p, _, exported in translated}
    keys |= {
        f"{p.spec.name}, {what}": specs[exported.key].key
        for p, _, exported in translated
        for what, specs in derived.items()
        if exported.key in specs
    }
    named = {name: key.to_user_string() for name, key in keys.items()}
    refuse_equal(named, what="assets of", become="the asset key")
    outputs = {name: key.to_python_identifier() for name, key in keys.items()}
    refuse_equal(outputs, what="assets of", become="the output name")


def _in_prose(name: str) -> str:
    """Without markup, which the list of assets would show; `_` at an end would be some itself."""
    return f"`{name}`" if name.startswith("_") or name.endswith("_") else name


def _view_description(props: DynamoDBTableProps) -> str:
    spec = props.spec
    return (
        f"{_in_prose(spec.name)} with real columns and exact numbers:\n\n"
        f'```sql\nSELECT * FROM "{spec.database}"."{spec.typed_view}" LIMIT 10\n```\n\n'
        f"A view over `{spec.athena_name}`, always of the same export."
    )


def _copy_description(props: DynamoDBTableProps) -> str:
    spec = props.spec
    return (
        f"{_in_prose(spec.name)} as Parquet, for queries that read few of its columns:\n\n"
        f'```sql\nSELECT * FROM "{spec.database}"."{spec.typed_copy}" LIMIT 10\n```\n\n'
        f"Athena writes it from `{spec.athena_name}` after each refresh. Materialized by itself it "
        "is made of what that table shows; no export is started."
    )


def _description(props: DynamoDBTableProps) -> str:
    spec = props.spec
    return (
        f"The last export of {_in_prose(spec.name)} from DynamoDB, queryable in Athena:\n\n"
        f'```sql\nSELECT * FROM "{spec.database}"."{spec.table}" LIMIT 10\n```\n\n'
        f"Each refresh exports the table to `s3://{spec.bucket}/{spec.prefix}/`, verifies the "
        "export and moves the Athena table to it."
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
