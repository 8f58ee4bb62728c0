"""A materialization is recorded if and only if the data moved."""

import dagster as dg
import pytest

from ddb_assets.core.ports import ExportNote
from ddb_assets.errors import ServiceUnavailableError
from ddb_assets.orchestration.reattach import is_recorded

ORDERS = dg.AssetKey(["athena", "raw", "orders"])
UNCHANGED = {"orders": {"action": "unchanged"}}


@pytest.fixture
def recorded(instance):
    """The export ARNs of every materialization of the orders, newest first."""

    def read():
        records = instance.fetch_materializations(ORDERS, limit=50).records
        return [r.asset_materialization.metadata["ddb_assets/export_arn"].value for r in records]

    return read


@pytest.fixture
def adopting(fake_refresh, clock_now):
    """Makes every refresh publish the export with this ARN, as an adoption does."""
    original = type(fake_refresh).__call__
    notes = []

    class Adopting(type(fake_refresh)):
        def __call__(self, specs, **collaborators):
            collaborators["ledger"].find = lambda table: notes[-1]
            yield from original(self, specs, **collaborators)

    def adopt(arn):
        table_arn = arn.partition("/export/")[0]
        notes.append(ExportNote(table_arn, "id-1", arn, "token", 0, clock_now))
        fake_refresh.__class__ = Adopting

    return adopt


def arn_of(number):
    """An export of the orders."""
    account = "arn:aws:dynamodb:eu-central-1:123456789012"
    return f"{account}:table/orders/export/0177234600000{number}-0000000{number}"


def test_adopting_what_is_shown_already_is_no_event(
    make_step, materialize, fake_refresh, adopting, recorded
):
    """The run succeeds; freshness and downstream assets hear nothing."""
    adopting(arn_of(1))
    step = make_step("orders")
    assert materialize(step).success
    fake_refresh.publication = UNCHANGED
    result = materialize(step)
    assert result.success
    assert recorded() == [arn_of(1)]


def test_a_crash_between_publishing_and_the_event_is_made_up_for(
    make_step, materialize, fake_refresh, adopting, recorded
):
    """The table moved, the event was lost: the retry finds it unchanged and records it."""
    adopting(arn_of(1))
    step = make_step("orders")
    materialize(step)
    adopting(arn_of(2))
    fake_refresh.publication = UNCHANGED
    assert materialize(step).success
    assert recorded() == [arn_of(2), arn_of(1)]


def test_a_table_moved_by_another_tool_is_recorded_even_if_it_was_shown_before(
    make_step, materialize, fake_refresh, adopting, recorded
):
    """1, then 2, then somebody went back to 1: the newest event says 2, so 1 is news."""
    step = make_step("orders")
    for number in (1, 2):
        adopting(arn_of(number))
        materialize(step)
    adopting(arn_of(1))
    fake_refresh.publication = UNCHANGED
    materialize(step)
    materialize(step)
    assert recorded() == [arn_of(1), arn_of(2), arn_of(1)]


def test_a_first_adoption_of_what_is_shown_is_recorded(
    make_step, materialize, fake_refresh, adopting, recorded
):
    """A new Dagster instance learns what its tables show."""
    adopting(arn_of(1))
    fake_refresh.publication = UNCHANGED
    materialize(make_step("orders"))
    assert recorded() == [arn_of(1)]


def test_what_a_failed_run_published_is_yielded_again_by_its_retry(
    instance, make_step, materialize, adopting
):
    """Else Dagster would skip the retry's downstream steps, which never ran."""
    adopting(arn_of(1))
    first = materialize(make_step("orders"))
    assert is_recorded(instance, ORDERS, arn_of(1))
    assert is_recorded(instance, ORDERS, arn_of(1), retried=["another-run"])
    assert not is_recorded(instance, ORDERS, arn_of(1), retried=[first.run_id])


def test_a_move_is_always_an_event(make_step, materialize, adopting, recorded):
    """Even to an export the newest event names: the table was elsewhere in between."""
    adopting(arn_of(1))
    step = make_step("orders")
    materialize(step)
    materialize(step)
    assert recorded() == [arn_of(1), arn_of(1)]


def test_one_arn_per_table_reaches_the_core_and_a_retry_asks_for_what_is_left(
    make_step, materialize, fake_refresh
):
    """The second attempt names only the table that failed."""
    fake_refresh.failing = {"users": [ServiceUnavailableError("AWS is away")]}
    users = arn_of(1).replace("orders", "users")
    step = make_step("orders", "users", retry_policy=dg.RetryPolicy(max_retries=1))
    assert materialize(step, config={"adopt": f"{arn_of(1)} {users}"}).success
    adopted = [call["options"].adopt for call in fake_refresh.calls]
    assert adopted == [{"orders": arn_of(1), "users": users}, {"users": users}]
