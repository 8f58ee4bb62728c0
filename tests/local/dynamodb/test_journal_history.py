"""What the journal keeps is exact: under many writers, at any moment, over any window."""

import copy
import random
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddb_assets.local import clock
from ddb_assets.local.dynamodb.journal import Journal, image
from ddb_assets.local.dynamodb.tables import attributes_of, stored_key


def of_table(aws, name="Article"):
    """Every item of moto's table as the journal would hold it."""
    items = list(aws.backend.tables[name].all_items())
    return {stored_key(item): image(attributes_of(item)) for item in items}


def journaled(aws, name="Article"):
    """What the journal holds."""
    return dict(aws.backend.tables[name].journal.images)


@pytest.fixture
def forced_switching():
    """Let threads change places between almost any two steps."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def write_at_random(backend, seed, broken):
    """A hundred puts, deletes and updates of so many keys that a lost one is not written again."""
    choose = random.Random(seed)
    try:
        for _ in range(100):
            key = {"id": {"S": str(choose.randrange(100))}, "at": {"N": str(choose.randrange(4))}}
            action = choose.randrange(4)
            if action == 0:
                backend.put_item("Article", {**key, "by": {"S": str(seed)}})
            elif action == 1:
                backend.delete_item("Article", key)
            else:
                backend.update_item(
                    "Article",
                    key,
                    update_expression="ADD n :one",
                    expression_attribute_names={},
                    expression_attribute_values={":one": {"N": "1"}},
                )
    except Exception as error:  # noqa: BLE001 - a thread's error must reach the test
        broken.append(error)


@pytest.fixture
def writers(in_process, forced_switching):
    """Eight threads that write one table at random, at work."""
    in_process.table(id="S", at="N")
    broken = []
    threads = [
        threading.Thread(target=write_at_random, args=(in_process.backend, seed, broken))
        for seed in range(8)
    ]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.join(60)
    assert not broken


def test_threads_that_write_at_random_leave_table_and_journal_equal(in_process, writers):
    """Not one write is lost from either."""
    for writer in writers:
        writer.join(60)
    journal = in_process.backend.tables["Article"].journal
    assert journaled(in_process) == of_table(in_process) != {}
    assert journal.size_bytes == sum(map(len, journaled(in_process).values()))


def test_an_export_among_writes_holds_exactly_the_items_of_its_moment(in_process, writers):
    """As the journal gives them afterwards, for every one of several exports."""
    aws = in_process
    arn = aws.dynamodb.describe_table(TableName="Article")["Table"]["TableArn"]
    aws.bucket()
    exports = [
        aws.backend.start_export({"TableArn": arn, "S3Bucket": "exports"}) for _ in range(20)
    ]
    for writer in writers:
        writer.join(60)
    journal = aws.backend.tables["Article"].journal
    for export in exports:
        held = journal.at(clock.to_micros(export["ExportTime"])).values()
        found = [image(item) for item in aws.items(aws.describe(export))]
        assert sorted(found) == sorted(held)


writes = st.lists(
    st.tuples(st.integers(0, 4), st.none() | st.integers(0, 3).map(lambda n: b"%d" % n)),
    max_size=30,
)


@given(writes)
def test_undoing_the_log_gives_every_state_there_was(written):
    """`at` a moment is the state just before it, for every moment on the way."""
    journal = Journal()
    journal.keep_history()
    states = []
    for key, new in written:
        micros = journal.advance_to(0) + 1
        states.append((micros, dict(journal.images)))
        journal.record((str(key), None), new)
    for micros, state in states:
        assert journal.at(micros) == state
    assert journal.size_bytes == sum(map(len, journal.images.values()))


@given(writes, st.integers(0, 30), st.integers(0, 30))
def test_the_net_changes_of_a_window_lead_from_its_start_to_its_end(written, first, last):
    """First old and last new per key; nothing for what came and went."""
    journal = Journal()
    journal.keep_history()
    edges = []
    for key, new in written:
        edges.append(journal.advance_to(clock.now_micros()) + 1)
        journal.record((str(key), None), new)
    edges.append(journal.advance_to(clock.now_micros()) + 1)
    start, end = sorted((edges[min(first, len(edges) - 1)], edges[min(last, len(edges) - 1)]))
    before, after = journal.at(start), journal.at(end)
    for key, change in journal.between(start, end).items():
        assert start <= change.micros < end
        assert before.pop(key, None) == change.old
        if change.new is not None:
            before[key] = change.new
    assert before == after


def test_a_copy_of_a_journal_goes_its_own_way(in_process):
    """As moto copies tables to roll back: cheap, and apart from then on."""
    journal = Journal()
    journal.keep_history()
    journal.record(("a", None), b"1")
    copied = copy.deepcopy(journal)
    journal.record(("a", None), b"2")
    assert copied.images == {("a", None): b"1"}
    copied.record(("b", None), b"3")
    assert journal.images == {("a", None): b"2"}


def test_micros_increase_although_the_clock_stands_still_or_goes_back(in_process):
    """Two writes of one microsecond are still in order."""
    journal = Journal()
    assert journal.advance_to(100) == 100
    assert journal.advance_to(100) == 101
    assert journal.advance_to(50) == 102
