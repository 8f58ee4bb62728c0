"""The ledger in Dagster's event log: which run's export is continued, and which is not."""

import dagster as dg
import pytest
from dagster._core.events import AssetObservationData

from ddb_assets.core.ports import ExportNote, PastExport
from ddb_assets.errors import ServiceUnavailableError
from ddb_assets.orchestration import reattach
from ddb_assets.orchestration.metadata import NOTE_KEY
from ddb_assets.orchestration.reattach import (
    MAX_HOPS,
    MaterializationHistory,
    ObservationLedger,
    intent_of,
)

KEY = dg.AssetKey(["athena", "raw", "orders"])


class EventLog:
    """The part of a step's context the ledger uses, over a real instance."""

    def __init__(self, instance, run_id):
        self.instance, self.run_id, self.written = instance, run_id, []

    def log_event(self, observation):
        """Keep it."""
        self.written.append(observation)


@pytest.fixture
def chain(instance):
    """Makes runs, each a child of the one before, all with this tag."""

    def make(length, tag="dagster/is_resume_retry"):
        run = instance.create_run_for_job(dg.GraphDefinition("g").to_job())
        runs = [run]
        for _ in range(length - 1):
            runs.append(
                instance.create_run_for_job(
                    dg.GraphDefinition("g").to_job(),
                    parent_run_id=runs[-1].run_id,
                    root_run_id=run.run_id,
                    tags={tag: "true"} if tag else {},
                )
            )
        return runs

    return make


@pytest.mark.parametrize("tag", ["dagster/is_resume_retry", "dagster/is_asset_resume_retry"])
def test_a_retry_from_failure_belongs_to_the_root_runs_intent(instance, chain, tag):
    """Over several generations, and whichever way Dagster retried."""
    runs = chain(4, tag)
    intent = intent_of(instance, runs[-1])
    assert intent.id == runs[0].run_id
    assert list(intent.run_ids) == [run.run_id for run in reversed(runs)]


def test_a_full_re_execution_is_a_new_intent(instance, chain):
    """It has a parent, but not the tag of a retry from failure."""
    runs = chain(2, tag=None)
    assert intent_of(instance, runs[-1]).id == runs[-1].run_id


def test_a_fresh_start_can_be_asked_for(instance, chain):
    """`force_new` does not look at the run that is retried."""
    runs = chain(2)
    intent = intent_of(instance, runs[-1], fresh=True)
    assert (intent.id, intent.run_ids) == (runs[-1].run_id, (runs[-1].run_id,))


def test_a_deleted_parent_ends_the_chain(instance, chain):
    """The last run that is still known is the root."""
    runs = chain(3)
    instance.delete_run(runs[0].run_id)
    assert intent_of(instance, runs[-1]).id == runs[1].run_id


def test_a_chain_is_followed_64_hops_and_no_further(instance, chain):
    """A loop of retries cannot make a step read for ever."""
    runs = chain(MAX_HOPS + 3)
    assert len(intent_of(instance, runs[-1]).run_ids) == MAX_HOPS + 1


def test_an_intent_starts_when_its_root_run_started(
    instance, make_step, materialize, fake_refresh, rerun_from_failure
):
    """The start is the first run's, read from the instance, the same for every attempt."""
    fake_refresh.failing = {"orders": [ServiceUnavailableError("away")] * 2}
    step = make_step("orders")
    first = materialize(step)
    second = rerun_from_failure(step, first.run_id)
    third = rerun_from_failure(step, second.run_id)
    assert third.success
    assert len({call["started_at"] for call in fake_refresh.calls}) == 1
    assert fake_refresh.starts == ["orders"]


def note(export, launch=0):
    """A note of one export."""
    return ExportNote("t", "id", export, "token", launch)


@pytest.fixture
def record(instance):
    """Writes a note into a run's events, as a dead process left it."""

    def write(run_id, export_note, metadata=None):
        observation = dg.AssetObservation(
            KEY, metadata=metadata or reattach.note_metadata(export_note)
        )
        event = dg.DagsterEvent(
            event_type_value="ASSET_OBSERVATION",
            job_name="g",
            event_specific_data=AssetObservationData(observation),
        )
        instance.report_dagster_event(event, run_id)

    return write


def test_this_runs_newest_note_comes_first(instance, chain, record):
    """Then the retried run's; notes of other tables are not mistaken for it."""
    parent, child = chain(2)
    record(parent.run_id, note("of-parent"))
    ledger = ObservationLedger(
        EventLog(instance, child.run_id),
        {"orders": KEY, "users": dg.AssetKey("users")},
        (child.run_id, parent.run_id),
    )
    assert ledger.find("orders").export_arn == "of-parent"
    assert ledger.find("users") is None
    record(child.run_id, note("first"))
    record(child.run_id, note("second", launch=1))
    fresh = ObservationLedger(ledger.context, ledger.keys, ledger.run_ids)
    assert fresh.find("orders").export_arn == "second"


def test_an_unreadable_note_does_not_hide_a_readable_one(instance, chain, record):
    """The note before it is found."""
    (run,) = chain(1)
    record(run.run_id, note("good"))
    record(run.run_id, None, metadata={NOTE_KEY: dg.MetadataValue.text("???")})
    ledger = ObservationLedger(EventLog(instance, run.run_id), {"orders": KEY}, (run.run_id,))
    assert ledger.find("orders").export_arn == "good"


def test_what_is_recorded_is_found_without_reading_again(instance, chain):
    """The step's own notes are known at once."""
    (run,) = chain(1)
    context = EventLog(instance, run.run_id)
    ledger = ObservationLedger(context, {"orders": KEY}, (run.run_id,))
    assert ledger.find("orders") is None
    ledger.record("orders", note("mine"))
    assert ledger.find("orders").export_arn == "mine"
    assert [o.asset_key for o in context.written] == [KEY]


def test_more_notes_than_a_page_are_all_read(instance, chain, record, monkeypatch):
    """The event log is read page by page to its end."""
    monkeypatch.setattr(reattach, "_PAGE", 2)
    (run,) = chain(1)
    for number in range(5):
        record(run.run_id, note(f"export-{number}"))
    ledger = ObservationLedger(EventLog(instance, run.run_id), {"orders": KEY}, (run.run_id,))
    assert ledger.find("orders").export_arn == "export-4"


def test_history_is_read_from_materializations_newest_first(
    instance, make_step, materialize, fake_refresh
):
    """Two refreshes: two durations; another tool's materialization is passed over."""
    step = make_step("orders")
    materialize(step)
    instance.report_runless_asset_event(dg.AssetMaterialization(KEY))
    materialize(step)
    past = MaterializationHistory(instance, {"orders": KEY}).durations("orders")
    assert [(p.seconds, p.items) for p in past] == [(368.0, 2), (368.0, 2)]
    assert fake_refresh.calls[1]["history"].durations("orders")[0].seconds == 368.0


def test_one_materialization_tells_of_the_exports_before_it(
    instance, make_step, materialize, monkeypatch
):
    """However long a table's history, one event of it is read, with all tables' in one query."""
    step = make_step("orders")
    for _ in range(3):
        materialize(step)
    history = MaterializationHistory(instance, {"orders": KEY})
    monkeypatch.setattr(instance, "fetch_materializations", None)
    assert [(p.seconds, p.items) for p in history.durations("orders")] == [(368.0, 2)] * 3


def test_history_keeps_twenty_exports_and_each_once(instance, materialized_orders):
    """An export that is yielded again does not count twice."""
    past = [PastExport(100.0 + n, n, None) for n in range(20)]
    materialized_orders("newest", past)
    history = MaterializationHistory(instance, {"orders": KEY})
    assert history.before("orders", "another") == past[:19]
    assert history.before("orders", "newest") == past[1:]
    assert history.before("orders", "newest")[0].seconds == 101.0


def test_the_other_tables_of_a_step_are_peers(instance, materialized_orders):
    """Each by its newest export; not the table itself."""
    materialized_orders("newest", [PastExport(100.0, 1, 10)])
    users = dg.AssetKey(["athena", "raw", "users"])
    history = MaterializationHistory(instance, {"orders": KEY, "users": users})
    assert history.peers("users") == [PastExport(100.0, 1, 10)]
    assert history.peers("orders") == []
    assert history.durations("users") == []


def test_a_list_nobody_can_read_is_no_list(instance, materialized_orders):
    """Edited by hand: the exports themselves are read."""
    materialized_orders("newest", [PastExport(100.0, 1, 10)], recent=[["often"]])
    history = MaterializationHistory(instance, {"orders": KEY})
    assert history.durations("orders") == [PastExport(100.0, 1, 10)]


@pytest.fixture
def materialized_orders(instance):
    """Reports a materialization of the orders by hand."""

    def report(export_arn, past, recent=None):
        listed = [[p.seconds, p.items, p.billed_bytes] for p in past]
        metadata = {
            "ddb_assets/export_arn": export_arn,
            "ddb_assets/export_seconds": past[0].seconds,
            "ddb_assets/items": past[0].items,
            "ddb_assets/recent_exports": listed if recent is None else recent,
        }
        if past[0].billed_bytes is not None:
            metadata["ddb_assets/billed_bytes"] = past[0].billed_bytes
        instance.report_runless_asset_event(dg.AssetMaterialization(KEY, metadata=metadata))

    return report
