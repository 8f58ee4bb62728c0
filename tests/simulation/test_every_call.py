"""Every call of a refresh goes wrong in every way, alone and in pairs; the promises hold."""

import pytest
from ddb_simulation.cases import Case
from ddb_simulation.families import (
    BASES,
    CRASHES,
    METHODS,
    PAIR_OF_CUTS,
    QUICK_BASES,
    THREE,
    late_restarts,
    pairs,
    single_faults,
)
from ddb_simulation.runner import run_case


def run_all(cases):
    """Run them; the first broken promise prints its trace and how to replay it."""
    count = 0
    for case in cases:
        run_case(case)
        count += 1
    assert count > 10


@pytest.mark.parametrize("base", BASES, ids=str)
def test_a_refresh_without_trouble_pays_once_and_publishes_every_table(base):
    """What the faults are put into: one export, one publication and no failure per table."""
    report = run_case(base)
    failed = sum(map(len, base.endings.values()))
    assert len(report.failed) == failed
    assert sorted(o.spec.name for o in report.refreshed) == sorted(base.tables)
    assert report.paid() == len(base.tables) + failed
    copies = {name for _, name in report.world.glue.tables if name.endswith("_copy")}
    assert copies == ({f"{name}_copy" for name in base.tables} if base.copy else set())
    assert len(report.copied) == len(copies)
    views = {name for _, name in report.world.glue.tables if name.endswith("_view")}
    assert views == ({f"{name}_view" for name in base.tables} if base.view else set())


@pytest.mark.parametrize("base", QUICK_BASES, ids=str)
def test_one_fault_at_the_first_two_calls_of_each_kind(base):
    """Crash, lost answer, refusal or delay: never half, twice, backwards, lost or stuck."""
    run_all(single_faults(base, alike=2))


@pytest.mark.parametrize("method", METHODS)
def test_a_crash_at_each_change_a_consistent_cut_makes(method):
    """Killed anywhere, the next attempt leaves all tables at one moment."""
    base = Case(tables=THREE, method=method, consistent=True)
    run_all(case for case in single_faults(base) if case.faults[0].kind == "crash-after")


@pytest.mark.slow
@pytest.mark.parametrize("base", BASES, ids=str)
def test_one_fault_at_each_call(base):
    """The same for every world: groups, cuts, both ways to publish, full verification."""
    run_all(single_faults(base))


@pytest.mark.slow
@pytest.mark.parametrize("base", [b for b in BASES if b.verify == "manifest"], ids=str)
def test_a_crash_at_each_call_and_a_restart_after_the_token_was_forgotten(base):
    """Twelve hours later only the note knows the export; it is enough."""
    run_all(late_restarts(base))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_two_crashes_at_any_two_calls(method):
    """The second one anywhere after the first, in the same or a later attempt."""
    run_all(pairs(Case(method=method), CRASHES, CRASHES))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_lost_answer_or_refusal_and_then_another_fault(method):
    """Two errors in a row, or an error and a crash while it is dealt with."""
    run_all(
        pairs(
            Case(method=method),
            ("lost-answer", "denied"),
            ("crash-after", "lost-answer", "denied"),
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize("base", PAIR_OF_CUTS, ids=str)
def test_a_cut_that_dies_and_another_fault_in_its_retry(base):
    """Torn by a crash, completed or put back by the retry, whatever that one meets."""
    run_all(pairs(base, ("crash-after",), ("crash-after", "denied")))
