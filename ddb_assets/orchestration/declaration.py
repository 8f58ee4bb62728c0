"""What a user declares: tables, refresh groups and settings said once for many tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from ddb_assets.core.spec import (
    Evolve,
    ExportFilter,
    PublishMethod,
    SerDeChoice,
    SseAlgorithm,
    VerifyLevel,
)
from ddb_assets.orchestration.check_settings import Checks
from ddb_assets.orchestration.freshness import Freshness
from ddb_assets.schema.typed_view import MixedTypes

#: The group of a table that names none; it need not be declared.
DEFAULT_GROUP = "default"


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """Settings of one table, or of all tables where they are given as defaults.

    What is None is taken from the table's group, then from the defaults, then from here.

    Attributes:
        bucket: The S3 bucket that receives the exports.
        bucket_owner: Account id (12 digits) of the bucket where it is not the caller's.
        workgroup: The Athena workgroup of `publish_with="athena"` and of typed copies; `primary`
            where none is given.
        publish_with: `glue` (UpdateTable, the default) or `athena` (ALTER TABLE … SET LOCATION).
        serde: `auto` (the default), `hive` or `openx`.
        verify: `manifest` (sizes and etags, the default) or `full` (the md5 of every file too).
        infer: Whether undeclared attributes are inferred over all exported items (the default).
        typed_view: Whether a view with real columns comes with the table (the default), named like
            it with `_typed`; or, of one table, the view's name.
        mixed_types: What an attribute of several types is in the view: `columns`, one per type
            (the default), or `json`, one of DynamoDB JSON.
        evolve: `additive` (the default) asks before columns change so that queries may break, by
            refusing the refresh; `any` lets them.
        typed_copy: Whether Athena writes each export once more as Parquet (it does not by
            default), as a table named like the raw one with `_parquet`; or, of one table, the
            copy's name. It has the view's columns.
        sse_algorithm: `AES256` or `KMS`; the bucket's own setting where none is given.
        kms_key_id: The KMS key, with `sse_algorithm="KMS"`; in the bucket's region.
        deadline_seconds: How long to wait for an export at most; as long as it takes by default.
        owners: `team:name` or e-mail addresses, shown in the Dagster UI.
        tags: Dagster tags; characters Dagster does not allow become `_`.
        freshness: How old the table may be before Dagster calls it stale.
        automation: When Dagster refreshes the table by itself, e.g. `refresh_on_cron(…)`.
        checks: Which promises are checked, and how bad it is to break one.
        preview_rows: So many of the first items are kept with each materialization, up to 100, for
            everybody who may see the asset; none by default.
    """

    bucket: str | None = None
    bucket_owner: str | None = None
    workgroup: str | None = None
    publish_with: PublishMethod | None = None
    serde: SerDeChoice | None = None
    verify: VerifyLevel | None = None
    infer: bool | None = None
    typed_view: bool | str | None = None
    mixed_types: MixedTypes | None = None
    typed_copy: bool | str | None = None
    evolve: Evolve | None = None
    sse_algorithm: SseAlgorithm | None = None
    kms_key_id: str | None = None
    deadline_seconds: float | None = None
    owners: Sequence[str] | None = None
    tags: Mapping[str, str] | None = None
    freshness: Freshness | None = None
    automation: dg.AutomationCondition[Any] | None = None
    checks: Checks | None = None
    preview_rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class Table(TableSettings):
    """One DynamoDB table to keep queryable. Its name alone is enough.

    Attributes:
        name: The DynamoDB table, spelled as AWS spells it.
        athena_name: The Athena table; by default the name in lower case, with `_` for what
            Athena does not allow.
        columns: Declared attributes, e.g. `{"userId": "S", "tags": "SS", "address": {"M":
            {"zip": "N"}}}`; they win over inferred ones.
        group: The refresh group: tables that are refreshed in one run.
        prefix: The table's own S3 prefix, used as it is; by default the table's name, below the
            declaration's prefix if there is one.
        filter: Export only some items or attributes.
        description: Shown in the Dagster UI.

    Examples:
        ```python
        Table("orders")
        Table("legacy.Users", athena_name="users", owners=["team:crm"], publish_with="athena")
        ```
    """

    name: str = field(kw_only=False)
    athena_name: str | None = None
    columns: Mapping[str, Any] | None = None
    group: str = DEFAULT_GROUP
    prefix: str | None = None
    filter: ExportFilter | None = None
    description: str | None = None


@dataclass(frozen=True, kw_only=True)
class RefreshGroup:
    """Tables that are refreshed together, in one run.

    Attributes:
        cron: When, e.g. `0 6 * * *`; None leaves it to you.
        timezone: Of the cron line, e.g. `Europe/Berlin`.
        running: Whether the schedule is switched on when the definitions are first loaded;
            otherwise somebody switches it on in the UI.
        consistent: Export all tables as of the same second and publish them together, or none.
        wait: False lets the schedule's run start the exports and end: no process waits, and the
            sensor export_watch publishes them when they are done.
        publish_with: As of a table; for all tables of the group that say nothing.
        typed_copy: Likewise.
        freshness: Likewise.
        automation: Likewise; instead of `cron`, which is a schedule.
    """

    cron: str | None = None
    timezone: str = "UTC"
    running: bool = False
    consistent: bool = False
    wait: bool = True
    publish_with: PublishMethod | None = None
    typed_copy: bool | None = None
    freshness: Freshness | None = None
    automation: dg.AutomationCondition[Any] | None = None
