"""Which DynamoDB tables an account has: found by name and tag, each with what is known of it."""

import fnmatch
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from ddb_assets.core.clock import Clock, SystemClock
from ddb_assets.core.export import Pitr, TableDescription
from ddb_assets.core.operating.operator import finish
from ddb_assets.core.scheduling.calls import Calls, Rate
from ddb_assets.core.waiting.failures import enable_pitr
from ddb_assets.errors import DeclarationError, TableNotFoundError, TransientError

T = TypeVar("T")

#: API pages ListTagsOfResource and DescribeContinuousBackups: ten calls a second per account each.
CALLS_PER_SECOND = 10.0
#: States in which a table can be exported (API page TableDescription, TableStatus).
EXPORTABLE = frozenset({"ACTIVE", "UPDATING"})
#: How long one call is tried again: an image build or a person waits for the answer.
PATIENCE_SECONDS = 300.0


class TableInventory(Protocol):
    """What discovery asks of one account and region; implemented by `ddb_assets.aws`."""

    def account(self) -> str:
        """The caller's account id."""
        ...

    def table_names(self) -> Iterator[str]:
        """All pages, lazily, in AWS's order."""
        ...

    def describe_table(self, name: str) -> TableDescription:
        """Raises TableNotFoundError."""
        ...

    def describe_pitr(self, name: str) -> Pitr:
        """Raises TableNotFoundError."""
        ...

    def tags(self, table_arn: str) -> dict[str, str]:
        """All pages. Raises TableNotFoundError."""
        ...


@dataclass(frozen=True)
class TableFilter:
    """Which tables are wanted.

    Attributes:
        include: Globs of names; a table must match one. Case counts, as in DynamoDB.
        exclude: Globs of names; a table must match none.
        tags: Tag keys with globs of values; a table must match all.
        account: The account the caller must be in; any if None.
        without_pitr: Whether tables are wanted whose point-in-time recovery is off.
    """

    include: Sequence[str] = ("*",)
    exclude: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    account: str | None = None
    without_pitr: bool = False

    def wants_name(self, name: str) -> bool:
        """Whether the name alone leaves it in."""
        return any(fnmatch.fnmatchcase(name, glob) for glob in self.include) and not any(
            fnmatch.fnmatchcase(name, glob) for glob in self.exclude
        )

    def wants_tags(self, tags: Mapping[str, str]) -> bool:
        """Whether every wanted tag is there with a value that matches."""
        return all(
            key in tags and fnmatch.fnmatchcase(tags[key], glob) for key, glob in self.tags.items()
        )


@dataclass(frozen=True)
class FoundTable:
    """One table that is wanted.

    Attributes:
        arn: Holds the account and the region.
        keys: Partition key and, if there is one, sort key: (attribute name, type).
        indexes: Names of its secondary indexes, sorted.
        pitr: Whether point-in-time recovery is on.
        tags: DynamoDB's own, as they are.
    """

    name: str
    arn: str
    keys: tuple[tuple[str, str], ...]
    indexes: tuple[str, ...] = ()
    pitr: bool = True
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class LeftOut:
    """One table whose name is wanted and which is not taken nevertheless.

    Attributes:
        reason: Why, as the rest of a sentence that begins with the table's name.
        remedy: What a person can do about it, if anything.
    """

    name: str
    reason: str
    remedy: str | None = None


@dataclass(frozen=True)
class Inventory:
    """What was found, by name."""

    tables: tuple[FoundTable, ...]
    left_out: tuple[LeftOut, ...]


def take_inventory(
    source: TableInventory,
    wanted: TableFilter,
    *,
    clock: Clock | None = None,
    rng: random.Random | None = None,
    tell: Callable[[str], None] = lambda _sentence: None,
) -> Inventory:
    """Find the wanted tables.

    A table that vanishes meanwhile is left out. Every other error is raised: a missing permission
    must not look like an account without tables.

    Args:
        source: The account and region.
        wanted: Which tables.
        clock: Time and sleep.
        rng: Of the delays between tries.
        tell: Hears of calls that are tried again.

    Raises:
        DeclarationError: The caller is in another account than `wanted.account`.
        DdbAssetsError: AWS refused a call, or was away too long.
    """
    clock = clock or SystemClock()

    def notify(table: str, action: str, error: TransientError, delay: float) -> None:
        tell(f"{table}: could not {action}, trying again in {delay:.0f} s: {error.cause}")

    calls = Calls(clock, rng or random.Random(), notify, most_seconds=PATIENCE_SECONDS)  # noqa: S311 - jitter
    rate = Rate(clock, per_second=CALLS_PER_SECOND, burst=1)

    def ask(about: str, action: str, call: Callable[[], T]) -> T:
        return finish(calls(about, action, call), clock)

    if wanted.account is not None:
        found = ask("the account", "ask who the caller is", source.account)
        if found != wanted.account:
            raise DeclarationError(
                f"the caller is in account {found}, the tables are wanted of {wanted.account}",
                remedy="check the profile or role_arn of `aws`, or `account`",
            )
    names = ask("the account", "list the tables", lambda: sorted(set(source.table_names())))
    tables: list[FoundTable] = []
    left_out: list[LeftOut] = []
    for name in filter(wanted.wants_name, names):
        finish(rate.take(), clock)
        try:
            one = _look_at(source, wanted, name, ask)
        except TableNotFoundError:
            one = LeftOut(name, "was deleted while it was looked at")
        if isinstance(one, FoundTable):
            tables.append(one)
        elif one is not None:
            left_out.append(one)
    return Inventory(tuple(tables), tuple(left_out))


class _Ask(Protocol):
    def __call__(self, about: str, action: str, call: Callable[[], T], /) -> T: ...


def _look_at(
    source: TableInventory, wanted: TableFilter, name: str, ask: _Ask
) -> FoundTable | LeftOut | None:
    """None for a table with other tags: it was never meant."""
    described = ask(name, "describe the table", lambda: source.describe_table(name))
    tags = ask(name, "list the table's tags", lambda: source.tags(described.arn))
    if not wanted.wants_tags(tags):
        return None
    if described.status not in EXPORTABLE:
        return LeftOut(name, f"is {described.status}", "discover again when it is ACTIVE")
    pitr = ask(name, "ask for point-in-time recovery", lambda: source.describe_pitr(name)).enabled
    if not pitr and not wanted.without_pitr:
        region = described.arn.split(":")[3]
        return LeftOut(name, "has point-in-time recovery off", enable_pitr(name, region))
    return FoundTable(
        name=name,
        arn=described.arn,
        keys=described.keys,
        indexes=_indexes(described),
        pitr=pitr,
        tags=tags,
    )


def _indexes(described: TableDescription) -> tuple[str, ...]:
    kinds = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    return tuple(sorted(one["IndexName"] for kind in kinds for one in described.raw.get(kind, ())))
