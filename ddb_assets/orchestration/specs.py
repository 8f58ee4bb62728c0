"""From declarations to complete, checked `TableSpec`s; asks nobody, reads no environment."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, get_args

import dagster as dg

from ddb_assets.core.operating.preview import MAX_ROWS
from ddb_assets.core.spec import (
    Evolve,
    ExportFilter,
    PublishMethod,
    SerDeChoice,
    SseAlgorithm,
    TableSpec,
    VerifyLevel,
)
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.check_settings import Checks
from ddb_assets.orchestration.declaration import (
    DEFAULT_GROUP,
    RefreshGroup,
    Table,
    TableSettings,
)
from ddb_assets.orchestration.freshness import Freshness
from ddb_assets.orchestration.naming import duplicates
from ddb_assets.schema.declaration import parse_columns
from ddb_assets.schema.names import athena_name, check_athena_name, refuse_collisions
from ddb_assets.schema.typed_view import COPY_SUFFIX, VIEW_SUFFIX, MixedTypes

# AWS page "Supported data types and naming rules in DynamoDB".
_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
# SDK model of ExportTableToPointInTime: S3Bucket, S3BucketOwner, S3Prefix.
_BUCKET = re.compile(r"(?=.{3,255}$)[a-z0-9A-Z]+[.\-\w]*[a-z0-9A-Z]+")
_ACCOUNT = re.compile(r"[0-9]{12}")
MAX_PREFIX_LENGTH = 1024
# SDK model of Athena: WorkGroupName.
_WORKGROUP = re.compile(r"[a-zA-Z0-9._-]{1,128}")
DEFAULT_WORKGROUP = "primary"

_CHOICES: dict[str, tuple[str, ...]] = {
    "publish_with": get_args(PublishMethod),
    "serde": get_args(SerDeChoice),
    "verify": get_args(VerifyLevel),
    "sse_algorithm": get_args(SseAlgorithm),
    "mixed_types": get_args(MixedTypes),
    "evolve": get_args(Evolve),
}


@dataclass(frozen=True)
class DynamoDBTableProps:
    """What a translator gets to describe one table's assets.

    Attributes:
        spec: The table and where its copy lives.
        owners: Who answers for it.
        tags: As declared, not yet legal for Dagster.
        description: As declared.
        freshness: How old the table may be.
        automation: When Dagster refreshes it by itself.
        checks: Which promises are checked.
        preview_rows: So many items are kept with each materialization.
    """

    spec: TableSpec
    owners: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    description: str | None = None
    freshness: Freshness | None = None
    automation: dg.AutomationCondition[Any] | None = None
    checks: Checks = field(default_factory=Checks)
    preview_rows: int = 0


def complete(
    tables: Sequence[str | Table],
    *,
    database: str,
    groups: Mapping[str, RefreshGroup],
    defaults: TableSettings,
    prefix: str | None = None,
) -> tuple[DynamoDBTableProps, ...]:
    """Fill in what was not said and check what was.

    Args:
        tables: Names, or declarations.
        database: The Glue database of all of them.
        groups: The declared refresh groups.
        defaults: Settings of tables that say nothing themselves.
        prefix: Folder in the bucket below which each table has its own.

    Raises:
        DeclarationError: Names the table, the setting, the value and what is allowed.
    """
    check_athena_name(database, what="database")
    declared = [Table(table) if isinstance(table, str) else table for table in tables]
    if not declared:
        raise DeclarationError("no tables are declared", remedy="name at least one table")
    if twice := duplicates(table.name for table in declared):
        raise DeclarationError(
            f"declared twice: {', '.join(twice)}", remedy="declare each table once"
        )
    folder = _prefix("prefix", prefix, None) if prefix else None
    props = tuple(_props(table, database, groups, defaults, folder) for table in declared)
    derived = {f"{p.spec.name}, typed_view": p.spec.typed_view for p in props}
    derived |= {f"{p.spec.name}, typed_copy": p.spec.typed_copy for p in props}
    refuse_collisions(
        {p.spec.name: p.spec.table for p in props}
        | {label: name for label, name in derived.items() if name is not None}
    )
    used = {p.spec.group for p in props}
    if idle := sorted(set(groups) - used):
        raise DeclarationError(
            f"groups without a table: {', '.join(idle)}",
            remedy="give a table `group`, or remove the group",
        )
    return props


def _props(
    table: Table,
    database: str,
    groups: Mapping[str, RefreshGroup],
    defaults: TableSettings,
    folder: str | None,
) -> DynamoDBTableProps:
    name = table.name
    if not _TABLE_NAME.fullmatch(name):
        _refuse("table", name, None, "3 to 255 letters, digits and _.- (a name, not an ARN)")
    group = groups.get(table.group)
    if group is None and table.group != DEFAULT_GROUP:
        known = ", ".join(sorted({DEFAULT_GROUP, *groups}))
        _refuse("group", table.group, name, f"a declared group: {known}")
    settings = _Settings(name, (table, group, defaults))
    if table.athena_name is None:
        athena = athena_name(name)
    else:
        athena = check_athena_name(table.athena_name, what=f"athena_name of {name}")
    own_folder = f"{folder}/{name}" if folder else name
    spec = TableSpec(
        name=name,
        database=database,
        table=athena,
        bucket=settings.bucket(),
        prefix=own_folder if table.prefix is None else _prefix("prefix", table.prefix, name),
        bucket_owner=settings.matching("bucket_owner", _ACCOUNT, "an account id of 12 digits"),
        sse_algorithm=settings.choice("sse_algorithm"),
        kms_key_id=settings.kms_key_id(),
        columns=_columns(table),
        infer=settings.get("infer", default=True),
        serde=settings.choice("serde") or "auto",
        typed_view=settings.typed_view(athena),
        typed_copy=settings.typed_copy(athena),
        mixed_types=settings.choice("mixed_types") or "columns",
        evolve=settings.choice("evolve") or "additive",
        filter=_filter(table),
        publish_with=settings.choice("publish_with") or "glue",
        workgroup=settings.matching(
            "workgroup", _WORKGROUP, "1 to 128 letters, digits and ._-", default=DEFAULT_WORKGROUP
        ),
        verify=settings.choice("verify") or "manifest",
        deadline_seconds=settings.deadline(),
        group=table.group,
    )
    return DynamoDBTableProps(
        spec=spec,
        owners=tuple(settings.get("owners", default=())),
        tags={**(defaults.tags or {}), **(table.tags or {})},
        description=table.description,
        freshness=settings.get("freshness"),
        automation=_automation(table, group, defaults),
        checks=settings.checks(),
        preview_rows=settings.preview_rows(),
    )


def _automation(
    table: Table, group: RefreshGroup | None, defaults: TableSettings
) -> dg.AutomationCondition[Any] | None:
    """The table's own, then its group's, then the default where no schedule does the same."""
    if group is not None and group.cron is not None and group.automation is not None:
        raise DeclarationError(
            f"the group {table.group} has cron and automation",
            remedy="each refreshes all its tables by itself: remove one of the two",
        )
    if table.automation is not None and group is not None and group.consistent:
        raise DeclarationError(
            f"automation of one table of the consistent group {table.group}",
            table=table.name,
            remedy="its tables are published together: give `automation` to the group",
        )
    if table.automation is not None or group is None:
        return table.automation or defaults.automation
    return group.automation or (defaults.automation if group.cron is None else None)


@dataclass(frozen=True)
class _Settings:
    """Looks a setting up where it may have been said, the nearest first."""

    table: str
    places: tuple[Any, ...]

    def get(self, name: str, *, default: Any = None) -> Any:
        found = (getattr(place, name, None) for place in self.places)
        return next((value for value in found if value is not None), default)

    def choice(self, name: str) -> Any:
        value = self.get(name)
        if value is not None and value not in _CHOICES[name]:
            _refuse(name, value, self.table, " or ".join(_CHOICES[name]))
        return value

    def matching(
        self, name: str, pattern: re.Pattern[str], allowed: str, *, default: Any = None
    ) -> Any:
        value = self.get(name, default=default)
        if value is not None and not (isinstance(value, str) and pattern.fullmatch(value)):
            _refuse(name, value, self.table, allowed)
        return value

    def bucket(self) -> str:
        bucket = self.matching("bucket", _BUCKET, "a bucket's name alone, without s3:// and path")
        if bucket is None:
            raise DeclarationError(
                "no bucket is declared to export to", table=self.table, remedy="set `bucket`"
            )
        return bucket

    def kms_key_id(self) -> str | None:
        key = self.get("kms_key_id")
        if key is not None and self.get("sse_algorithm") != "KMS":
            raise DeclarationError(
                f"kms_key_id is {key!r}, but sse_algorithm is {self.get('sse_algorithm')!r}",
                table=self.table,
                remedy="set `sse_algorithm: KMS`, or remove kms_key_id",
            )
        return key

    def typed_view(self, table: str) -> str | None:
        wanted = self.get("typed_view", default=True)
        if isinstance(wanted, bool):
            return check_athena_name(f"{table}{VIEW_SUFFIX}", what="view") if wanted else None
        if wanted != getattr(self.places[0], "typed_view", None):
            _refuse("typed_view", wanted, None, "true or false where it is said of many tables")
        return check_athena_name(wanted, what=f"typed_view of {self.table}")

    def typed_copy(self, table: str) -> str | None:
        wanted = self.get("typed_copy", default=False)
        if wanted is False:
            return None
        if self.get("typed_view", default=True) is False:
            raise DeclarationError(
                "typed_copy is set, but typed_view is false",
                table=self.table,
                remedy="the copy has the view's columns, and the view is what keeps them stable: "
                "leave typed_view on, or set `typed_copy: false`",
            )
        if wanted is True:
            return check_athena_name(f"{table}{COPY_SUFFIX}", what="typed copy")
        if wanted != getattr(self.places[0], "typed_copy", None):
            _refuse("typed_copy", wanted, None, "true or false where it is said of many tables")
        return check_athena_name(wanted, what=f"typed_copy of {self.table}")

    def checks(self) -> Checks:
        checks: Checks = self.get("checks", default=Checks())
        try:
            checks.refuse_nonsense()
        except DeclarationError as error:
            raise error.for_table(self.table) from None
        return checks

    def preview_rows(self) -> int:
        rows = self.get("preview_rows", default=0)
        if isinstance(rows, bool) or not isinstance(rows, int) or not 0 <= rows <= MAX_ROWS:
            _refuse("preview_rows", rows, self.table, f"0 to {MAX_ROWS}")
        return rows

    def deadline(self) -> float | None:
        seconds = self.get("deadline_seconds")
        if seconds is None:
            return None
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            _refuse("deadline_seconds", seconds, self.table, "seconds, a number")
        if not (seconds > 0 and math.isfinite(seconds)):
            _refuse("deadline_seconds", seconds, self.table, "more than 0 seconds")
        return float(seconds)


def _columns(table: Table) -> Any:
    if table.columns is None:
        return ()
    try:
        return parse_columns(table.columns)
    except DeclarationError as error:
        raise error.for_table(table.name) from None


def _filter(table: Table) -> ExportFilter | None:
    chosen = table.filter
    if chosen is not None and not (chosen.key_condition or chosen.filter or chosen.projection):
        _refuse("filter", chosen, table.name, "a key_condition, a filter or a projection")
    return chosen


def _prefix(what: str, prefix: str, table: str | None) -> str:
    stripped = prefix.strip("/")
    if not stripped or "//" in stripped or len(stripped) > MAX_PREFIX_LENGTH:
        _refuse(what, prefix, table, f"1 to {MAX_PREFIX_LENGTH} characters without empty folders")
    return stripped


def _refuse(what: str, value: object, table: str | None, allowed: str) -> NoReturn:
    raise DeclarationError(
        f"{what} {value!r} is not allowed", table=table, remedy=f"allowed: {allowed}"
    )
