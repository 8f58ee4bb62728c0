"""Which tables an account has: by name, tag and account, at AWS's rate, and what is left out."""

import random
from dataclasses import replace

import pytest

from ddb_assets.core.export import Pitr, TableDescription
from ddb_assets.core.operating.inventory import TableFilter, take_inventory
from ddb_assets.errors import (
    AccessDeniedError,
    DeclarationError,
    TableNotFoundError,
    ThrottledError,
)


class Clock:
    """Sleeping takes no time."""

    def __init__(self):
        self.seconds = 0.0

    def monotonic(self):
        """Virtual seconds."""
        return self.seconds

    def sleep(self, seconds):
        """Move on."""
        self.seconds += seconds


class Account:
    """One account and region with tables that a test describes."""

    def __init__(self):
        self.described = {}
        self.pitr = {}
        self.tagged = {}
        self.troubles = []
        self.calls = []

    def add(self, name, *, pitr=True, tags=None, status="ACTIVE", **raw):
        """One more table."""
        arn = f"arn:aws:dynamodb:eu-central-1:123456789012:table/{name}"
        self.described[name] = TableDescription(name, arn, "id", status, (("id", "S"),), raw=raw)
        self.pitr[name] = pitr
        self.tagged[arn] = tags or {}
        return self

    def _called(self, *call):
        self.calls.append(call)
        for trouble in list(self.troubles):
            if trouble[0] == call:
                self.troubles.remove(trouble)
                raise trouble[1]

    def account(self):
        """The caller's."""
        self._called("account")
        return "123456789012"

    def table_names(self):
        """All, in AWS's order."""
        self._called("names")
        return iter(self.described)

    def describe_table(self, name):
        """As described."""
        self._called("describe", name)
        return self.described[name]

    def describe_pitr(self, name):
        """On or off."""
        self._called("pitr", name)
        return Pitr(enabled=self.pitr[name])

    def tags(self, table_arn):
        """As tagged."""
        self._called("tags", table_arn.rpartition("/")[2])
        return self.tagged[table_arn]


@pytest.fixture
def account():
    """An empty one."""
    return Account()


def take(account, /, clock=None, **wanted):
    """The inventory, without waiting."""
    return take_inventory(
        account, TableFilter(**wanted), clock=clock or Clock(), rng=random.Random(1)
    )


def names(found):
    """What was taken and what was not."""
    return [one.name for one in found.tables], [one.name for one in found.left_out]


def test_names_are_matched_by_globs_and_case_counts(account):
    """A table must match one of `include` and none of `exclude`."""
    for name in ("prod-b", "prod-a", "PROD-c", "prod-a-tmp", "test-a"):
        account.add(name)
    found = take(account, include=["prod-*", "nothing"], exclude=["*-tmp"])
    assert names(found) == (["prod-a", "prod-b"], [])


def test_a_table_whose_name_is_not_wanted_is_not_asked_about(account):
    """Of a thousand tables, ten calls a second, only the wanted cost anything."""
    account.add("orders").add("other")
    take(account, include=["orders"])
    assert ("describe", "other") not in account.calls


def test_tags_must_all_match(account):
    """By key and by glob of the value; a table with others is not even reported."""
    account.add("a", tags={"stage": "prod", "team": "web"}).add("b", tags={"stage": "prod"})
    account.add("c", tags={"stage": "test", "team": "web"})
    found = take(account, tags={"stage": "pro*", "team": "*"})
    assert names(found) == (["a"], [])


def test_a_table_without_pitr_is_left_out_with_the_call_that_switches_it_on(account):
    """For its own region; and taken where it is wanted."""
    account.add("orders", pitr=False)
    (left_out,) = take(account).left_out
    assert left_out.reason == "has point-in-time recovery off"
    assert "update-continuous-backups --table-name orders" in left_out.remedy
    assert "--region eu-central-1" in left_out.remedy
    (taken,) = take(account, without_pitr=True).tables
    assert taken.pitr is False


@pytest.mark.parametrize("status", ["CREATING", "DELETING", "ARCHIVED"])
def test_a_table_that_cannot_be_exported_now_is_left_out(account, status):
    """It says in which state it is."""
    account.add("orders", status=status)
    found = take(account)
    assert names(found) == ([], ["orders"])
    assert found.left_out[0].reason == f"is {status}"


def test_a_table_that_is_updating_is_taken(account):
    """A changing throughput does not hinder an export."""
    assert names(take(account.add("orders", status="UPDATING"))) == (["orders"], [])


@pytest.mark.parametrize("call", ["describe", "tags", "pitr"])
def test_a_table_deleted_meanwhile_is_left_out_and_stops_nothing(account, call):
    """Whichever call finds it gone."""
    account.add("a").add("b")
    account.troubles.append(((call, "a"), TableNotFoundError("gone", table="a")))
    assert names(take(account)) == (["b"], ["a"])


def test_a_missing_permission_is_raised(account):
    """An account nobody may look at must not look like one without tables."""
    account.add("a")
    account.troubles.append((("tags", "a"), AccessDeniedError("no", table="a")))
    with pytest.raises(AccessDeniedError):
        take(account)


def test_a_throttled_call_is_tried_again_and_told(account):
    """Until it answers."""
    account.add("a")
    account.troubles += [(("tags", "a"), ThrottledError("too fast"))] * 3
    told = []
    found = take_inventory(
        account, TableFilter(), clock=Clock(), rng=random.Random(1), tell=told.append
    )
    assert names(found) == (["a"], [])
    assert len(told) == 3
    assert all(sentence.startswith("a: could not list the table's tags") for sentence in told)


def test_another_account_is_refused_before_any_table_is_listed(account):
    """A wrong profile must not replace a state by that of another account."""
    account.add("a")
    with pytest.raises(DeclarationError, match="123456789012, the tables are wanted of 9"):
        take(account, account="999999999999")
    assert account.calls == [("account",)]
    assert names(take(account, account="123456789012")) == (["a"], [])


def test_nobody_is_asked_who_he_is_unless_the_account_is_said(account):
    """STS may not be reachable from a private network."""
    take(account.add("a"))
    assert ("account",) not in account.calls


def test_a_thousand_tables_are_looked_at_at_ten_a_second(account):
    """AWS allows ten ListTagsOfResource a second."""
    for number in range(1000):
        account.add(f"t-{number:04}")
    clock = Clock()
    found = take(account, clock=clock)
    assert len(found.tables) == 1000
    assert 99 <= clock.seconds <= 101


def test_keys_indexes_and_tags_are_kept(account):
    """What the assets are described with."""
    account.add(
        "orders",
        tags={"team": "web"},
        GlobalSecondaryIndexes=[{"IndexName": "by-user"}],
        LocalSecondaryIndexes=[{"IndexName": "by-date"}],
    )
    (found,) = take(account).tables
    assert found.keys == (("id", "S"),)
    assert found.indexes == ("by-date", "by-user")
    assert found.tags == {"team": "web"}
    assert found == replace(found, arn="arn:aws:dynamodb:eu-central-1:123456789012:table/orders")
