"""From a list of DynamoDB tables to Dagster definitions; nothing is asked of AWS at load."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg

from ddb_assets.core.options import MAX_ACTIVE_DDL, MAX_EXPORTS_IN_FLIGHT, RefreshOptions
from ddb_assets.core.spec import Evolve, PublishMethod, SerDeChoice, SseAlgorithm, VerifyLevel
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.assets import (
    DEFAULT_RETRY_POLICY,
    TABLES_PER_STEP,
    refresh_assets,
)
from ddb_assets.orchestration.automation import automation_sensor
from ddb_assets.orchestration.check_settings import Checks
from ddb_assets.orchestration.checks import CheckedTable, table_checks
from ddb_assets.orchestration.checks_in_run import published_checks
from ddb_assets.orchestration.code_references import callers_place, located
from ddb_assets.orchestration.declaration import (
    DEFAULT_GROUP,
    RefreshGroup,
    Table,
    TableSettings,
)
from ddb_assets.orchestration.executors import MAX_STEPS_AT_ONCE, executor_for
from ddb_assets.orchestration.freshness import Freshness
from ddb_assets.orchestration.jobs import operator_jobs
from ddb_assets.orchestration.live import live_assets, observation_schedules
from ddb_assets.orchestration.metadata import DEFAULT_PRICE_PER_GB
from ddb_assets.orchestration.naming import dagster_name
from ddb_assets.orchestration.plan import Translated, beside, planned_steps, step_name_of
from ddb_assets.orchestration.resources import AwsResource, shared
from ddb_assets.orchestration.schedules import group_schedule
from ddb_assets.orchestration.sensors.build import Sensors, declared_sensors
from ddb_assets.orchestration.specs import complete
from ddb_assets.orchestration.standing import standing_jobs
from ddb_assets.orchestration.step import RefreshStep
from ddb_assets.orchestration.translator import (
    DynamoDBTranslator,
    translate,
    translate_copies,
    translate_views,
)
from ddb_assets.schema.typed_view import MixedTypes


def build_dynamodb_assets(
    *,
    tables: Sequence[str | Table],
    database: str,
    bucket: str | None = None,
    bucket_owner: str | None = None,
    prefix: str | None = None,
    workgroup: str | None = None,
    publish_with: PublishMethod | None = None,
    serde: SerDeChoice | None = None,
    verify: VerifyLevel | None = None,
    infer: bool | None = None,
    typed_view: bool | None = None,
    mixed_types: MixedTypes | None = None,
    typed_copy: bool | None = None,
    evolve: Evolve | None = None,
    sse_algorithm: SseAlgorithm | None = None,
    kms_key_id: str | None = None,
    deadline_seconds: float | None = None,
    owners: Sequence[str] | None = None,
    tags: Mapping[str, str] | None = None,
    freshness: Freshness | None = None,
    automation: dg.AutomationCondition[Any] | None = None,
    groups: Mapping[str, RefreshGroup] | None = None,
    sensors: Sensors | None = None,
    aws: AwsResource | None = None,
    resource_key: str = "aws",
    translator: DynamoDBTranslator | None = None,
    name: str | None = None,
    checks: Checks | None = None,
    preview_rows: int | None = None,
    observe: bool = True,
    observe_cron: str | None = None,
    one_step_per_table: bool = False,
    tables_per_step: int = TABLES_PER_STEP,
    retry_policy: dg.RetryPolicy | None = DEFAULT_RETRY_POLICY,
    max_in_flight: int = MAX_EXPORTS_IN_FLIGHT,
    max_queries: int = MAX_ACTIVE_DDL,
    cut_lag_seconds: float = 300.0,
    price_per_gb: float = DEFAULT_PRICE_PER_GB,
) -> dg.Definitions:
    """Definitions that keep DynamoDB tables queryable in Athena.

    Each table becomes three assets: the live table `dynamodb/NAME`, its copy
    `athena/DATABASE/TABLE` and over it the view `athena/DATABASE/TABLE_typed`; with `typed_copy` a
    fourth, the Parquet table `athena/DATABASE/TABLE_parquet`. The tables of a refresh group are
    refreshed by one step. What a table does not say is taken from its group, then from here.

    Args:
        tables: DynamoDB tables: names, or `Table` declarations.
        database: The Glue database; created with the first table if it is missing.
        bucket: The bucket that receives the exports; needed here or for each table.
        bucket_owner: Account id of the bucket where it is not the caller's.
        prefix: Folder in the bucket below which each table has its own folder, its name.
        workgroup: Athena workgroup of `publish_with="athena"` and of typed copies.
        publish_with: `glue` (default) or `athena`.
        serde: `auto` (default), `hive` or `openx`.
        verify: `manifest` (default) or `full`.
        infer: Whether undeclared attributes are inferred (default).
        typed_view: Whether each table has a view with real columns, `TABLE_typed` (default).
        mixed_types: `columns` (default) or `json`: attributes of several types in that view.
        evolve: `additive` (default) or `any`: whether columns may change so that queries break.
        typed_copy: Whether Athena writes each export once more as Parquet, `TABLE_parquet`.
        sse_algorithm: `AES256` or `KMS`; the bucket's own setting by default.
        kms_key_id: The KMS key, with `sse_algorithm="KMS"`.
        deadline_seconds: How long to wait for one export at most; no limit by default.
        owners: Owners of every table that names none.
        tags: Tags of every table; a table's own come on top.
        freshness: How old a table may be before Dagster calls it stale.
        automation: When Dagster refreshes a table by itself, e.g. `refresh_on_cron("0 6 * * *")`;
            not for groups with a schedule. The sensor that sees to it runs from the start.
        groups: Refresh groups by name, each with its schedule; `default` need not be declared.
        sensors: Which sensors there are; each is off until it is switched on.
        aws: Account, region and identity; the AWS SDK's own chain by default.
        resource_key: Key of the AWS resource. Give each `build_dynamodb_assets` of a code location
            its own where their accounts differ. With a key of your own and no `aws`, your
            definitions provide the resource.
        translator: Keys, groups and descriptions of the assets; subclass DynamoDBTranslator.
        name: Names the steps, `refresh_NAME`, and jobs, `status_NAME` and so on; the database by
            default. Give it where two declarations share a database.
        checks: Which promises of each table are checked; `Checks.none()` for none at all.
        preview_rows: So many of the first items are kept with each materialization; 0 by default.
        observe: Whether the live tables are observable assets (default) of this declaration. Give
            it as False where another one of the code location has them.
        observe_cron: When they are looked at by themselves, in UTC, e.g. `*/30 * * * *`; never by
            default. Its schedule runs from the start.
        one_step_per_table: A step for each table: own retries and logs, and a process each.
        tables_per_step: A group of more tables has several steps. A consistent group has one.
        retry_policy: Of each step; None retries nothing.
        max_in_flight: Exports of one group that run in AWS at the same time; its steps share them.
        max_queries: Athena DDL queries of one group that are active at the same time.
        cut_lag_seconds: How far the cut of a consistent group lies before the run's start.
        price_per_gb: USD per exported GB in your region, for the cost estimate; by default
            us-east-1's.

    Raises:
        DeclarationError: A value is wrong; names the table, the value and what is allowed.

    Examples:
        ```python
        import ddb_assets

        defs = ddb_assets.build_dynamodb_assets(
            tables=["orders", "customers"], database="raw", bucket="my-exports"
        )
        ```
        With a nightly schedule and an account of its own:
        ```python
        defs = ddb_assets.build_dynamodb_assets(
            tables=[ddb_assets.Table("orders", group="nightly", columns={"id": "S"})],
            database="raw",
            bucket="my-exports",
            groups={"nightly": ddb_assets.RefreshGroup(cron="0 3 * * *", timezone="Europe/Berlin")},
            aws=ddb_assets.AwsResource(region="eu-central-1", profile="production"),
        )
        ```
    """
    place = callers_place()
    groups = groups or {}
    _check_numbers(tables_per_step, max_in_flight, max_queries, cut_lag_seconds, price_per_gb)
    defaults = TableSettings(
        bucket=bucket,
        bucket_owner=bucket_owner,
        workgroup=workgroup,
        publish_with=publish_with,
        serde=serde,
        verify=verify,
        infer=infer,
        typed_view=typed_view,
        mixed_types=mixed_types,
        typed_copy=typed_copy,
        evolve=evolve,
        sse_algorithm=sse_algorithm,
        kms_key_id=kms_key_id,
        deadline_seconds=deadline_seconds,
        owners=owners,
        tags=tags,
        freshness=freshness,
        automation=automation,
        checks=checks,
        preview_rows=preview_rows,
    )
    props = complete(tables, database=database, groups=groups, defaults=defaults, prefix=prefix)
    translator = translator or DynamoDBTranslator()
    translated = [
        (table, located(live, place), located(exported, place))
        for table, live, exported in translate(translator, props)
    ]
    views = translate_views(translator, translated)
    copies = translate_copies(translator, translated, views)
    views = {key: located(view, place) for key, view in views.items()}
    copies = {key: located(copy, place) for key, copy in copies.items()}
    options = RefreshOptions(
        consistent_groups=frozenset(n for n, group in groups.items() if group.consistent),
        max_in_flight=max_in_flight,
        max_queries=max_queries,
        cut_lag_seconds=cut_lag_seconds,
    )
    if one_step_per_table and options.consistent_groups:
        raise DeclarationError(
            f"one_step_per_table, but consistent: {', '.join(sorted(options.consistent_groups))}",
            remedy="tables that are published together share a step: remove one of the two",
        )
    planned = planned_steps(
        translated,
        name=name or database,
        size=1 if one_step_per_table else tables_per_step,
        whole=options.consistent_groups,
    )
    promises: list[dg.AssetChecksDefinition] = []
    by_group: dict[str, list[dg.AssetsDefinition]] = {}
    steps_of = Counter(group for group, _ in planned.values())
    for step_name, (group, part) in planned.items():
        # The steps of a group wait side by side in one run: each takes its part of the limits.
        shares = min(steps_of[group], MAX_STEPS_AT_ONCE)
        promised = {
            exported.key: CheckedTable(table.spec, table.checks, table.freshness)
            for table, _, exported in part
        }
        step = RefreshStep(
            tables={exported.key: table.spec for table, _, exported in part},
            options=replace(options, shares=shares),
            price_per_gb=price_per_gb,
            live={exported.key: live.key for _, live, exported in part},
            previews={table.spec.name: table.preview_rows for table, _, _ in part},
            views=_keys(part, views),
            copies=_keys(part, copies),
            check_published=published_checks(promised),
        )
        definition = refresh_assets(
            step,
            [
                *(exported for _, _, exported in part),
                *(views[exported.key] for _, _, exported in part if exported.key in views),
                *(copies[exported.key] for _, _, exported in part if exported.key in copies),
            ],
            name=step_name,
            resource_key=resource_key,
            retry_policy=retry_policy,
            description=f"Exports, verifies and publishes {len(part)} tables of the group {group}.",
        )
        by_group.setdefault(group, []).append(definition)
        if found := table_checks(
            promised, name=beside(step_name, "check"), resource_key=resource_key
        ):
            promises.append(found)
    steps = [step for definitions in by_group.values() for step in definitions]
    automated = automation_sensor(
        [*(exported for _, _, exported in translated), *copies.values()],
        name=step_name_of(name or database, DEFAULT_GROUP),
    )
    live = live_assets(planned, resource_key, observe=observe)
    standing = standing_jobs(promises, live, name=dagster_name(name or database))
    return dg.Definitions(
        assets=[*live, *steps],
        asset_checks=promises,
        schedules=[
            group_schedule(
                group,
                group.cron,
                by_group[label],
                name=step_name_of(name or database, label),
                label=label,
            )
            for label, group in groups.items()
            if group.cron is not None and label in by_group
        ]
        + observation_schedules(standing, observe_cron, observed=observe),
        jobs=operator_jobs(
            {exported.key: table.spec for table, _, exported in translated},
            name=name or database,
            views=_keys(translated, views),
            copies=_keys(translated, copies),
            resource_key=resource_key,
            price_per_gb=price_per_gb,
        )
        + standing,
        sensors=([automated] if automated is not None else [])
        + declared_sensors(
            sensors,
            name=name or database,
            tables={exported.key: table.spec for table, _, exported in translated},
            views=_keys(translated, views),
            copies=_keys(translated, copies),
            steps={step.op.name: step for step in steps},
            groups=groups,
            resource_key=resource_key,
        ),
        resources=_resources(aws, resource_key),
        executor=executor_for(len(steps)),
    )


def _keys(
    tables: Sequence[Translated], derived: Mapping[dg.AssetKey, dg.AssetSpec]
) -> dict[dg.AssetKey, dg.AssetKey]:
    """The key of what is derived from a table, by the table's key."""
    return {table.key: derived[table.key].key for _, _, table in tables if table.key in derived}


def _resources(aws: AwsResource | None, key: str) -> dict[str, AwsResource]:
    if aws is None and key != "aws":
        return {}
    resource = shared(aws or AwsResource())
    resource.check()
    return {key: resource}


def _check_numbers(
    tables_per_step: int, max_in_flight: int, max_queries: int, lag: float, price: float
) -> None:
    least: dict[str, tuple[float, float]] = {
        "tables_per_step": (tables_per_step, 1),
        "max_in_flight": (max_in_flight, 1),
        "max_queries": (max_queries, 1),
        "cut_lag_seconds": (lag, 0),
        "price_per_gb": (price, 0),
    }
    for setting, (value, smallest) in least.items():
        if value < smallest:
            raise DeclarationError(f"{setting} is {value}", remedy=f"allowed: {smallest} or more")
