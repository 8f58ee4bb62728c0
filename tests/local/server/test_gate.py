"""Calls pass together, a snapshot passes alone."""

import threading

import pytest

from ddb_assets.local.gate import Gate


@pytest.fixture
def gate():
    """A gate of its own."""
    return Gate()


def inside(gate, entered, leave):
    """A thread that stands in the gate until told to leave."""

    def stand():
        with gate.passing():
            entered.set()
            assert leave.wait(10)

    thread = threading.Thread(target=stand)
    thread.start()
    return thread


def test_calls_pass_side_by_side(gate):
    """Two at once."""
    leave = threading.Event()
    threads = []
    for _ in range(2):
        entered = threading.Event()
        threads.append(inside(gate, entered, leave))
        assert entered.wait(10)
    leave.set()
    for thread in threads:
        thread.join(10)


def test_a_snapshot_waits_for_calls_and_holds_later_ones_back(gate):
    """First in, then the snapshot, then who came after."""
    order, entered, leave, closing = [], threading.Event(), threading.Event(), threading.Event()
    first = inside(gate, entered, leave)
    assert entered.wait(10)

    def snapshot():
        closing.set()
        with gate.closed():
            order.append("snapshot")

    taking = threading.Thread(target=snapshot)
    taking.start()
    assert closing.wait(10)
    while not gate._wanted:
        pass

    def late():
        with gate.passing():
            order.append("late")

    after = threading.Thread(target=late)
    after.start()
    assert order == []
    leave.set()
    for thread in (first, taking, after):
        thread.join(10)
    assert order == ["snapshot", "late"]


def test_who_is_inside_may_pass_again_while_a_snapshot_waits(gate):
    """A call that ends an export on its way must not wait for the snapshot that waits for it."""
    took = threading.Event()

    def snapshot():
        with gate.closed():
            took.set()

    with gate.passing():
        taking = threading.Thread(target=snapshot)
        taking.start()
        while not gate._wanted:
            pass
        with gate.passing():
            assert not took.is_set()
    taking.join(10)
    assert took.is_set()


def test_a_worker_that_a_call_waits_for_still_gets_in(gate):
    """Otherwise call, worker and snapshot would wait for each other."""
    took, worked = threading.Event(), threading.Event()

    def snapshot():
        with gate.closed():
            took.set()
            assert worked.is_set()

    def work():
        with gate.working():
            worked.set()

    with gate.passing():
        taking = threading.Thread(target=snapshot)
        taking.start()
        while not gate._wanted:
            pass
        worker = threading.Thread(target=work)
        worker.start()
        assert worked.wait(10)
        assert not took.is_set()
    for thread in (taking, worker):
        thread.join(10)
    assert took.is_set()


def test_no_worker_gets_in_while_the_snapshot_is_taken(gate):
    """What it writes would be half in the snapshot."""
    worked = threading.Event()

    def work():
        with gate.working():
            worked.set()

    with gate.closed():
        worker = threading.Thread(target=work)
        worker.start()
        assert not worked.wait(0.2)
    assert worked.wait(10)
    worker.join(10)


def test_the_gate_opens_again_after_a_failure(gate):
    """A snapshot that failed, or a call that failed, holds nobody back."""
    with pytest.raises(RuntimeError), gate.closed():
        raise RuntimeError
    with pytest.raises(RuntimeError), gate.passing():
        raise RuntimeError
    with gate.closed():
        pass
