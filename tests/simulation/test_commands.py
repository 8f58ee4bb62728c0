"""Rollback and prune: the way back is safe, and nothing anybody needs is deleted."""

from dataclasses import replace

import pytest
from ddb_simulation.cases import Actor, Case, Happening
from ddb_simulation.families import COMMANDS, METHODS, single_faults
from ddb_simulation.runner import run_case

from ddb_assets.core.outcome import Failed, Refreshed

BACK = Case(published=3, actors=(Actor("rollback"),))


def exports_of(report):
    """The table's exports, oldest first."""
    return list(report.world.dynamodb.exports.values())


def standing(report):
    """The export the table shows at the end."""
    location = report.world.glue.location(("lake", "orders_raw"))
    return report.world.dynamodb.by_location[location]


@pytest.mark.parametrize("method", METHODS)
def test_a_rollback_shows_the_export_before_and_starts_none(method):
    """The second newest of three; nothing is paid."""
    report = run_case(replace(BACK, method=method))
    assert len(exports_of(report)) == 3
    assert standing(report) is exports_of(report)[1]


@pytest.mark.parametrize("method", METHODS)
def test_the_next_refresh_goes_forward_again(method):
    """A rollback is no lock."""
    actors = (Actor("rollback"), Actor(start=600.0))
    report = run_case(replace(BACK, method=method, actors=actors, seed=1))
    assert standing(report) is exports_of(report)[3]


def test_a_rollback_to_objects_that_are_gone_moves_nothing():
    """It proves first that the old export is still there."""
    gone = (Happening(0.0, "drop-objects", "orders"),)
    report = run_case(replace(BACK, happenings=gone, mends=False))
    assert all(isinstance(outcome, Failed) for _, outcome in report.outcomes)
    assert standing(report) is exports_of(report)[2]


def test_a_rollback_without_anything_older_says_so():
    """One export, nothing before it: the table stays."""
    report = run_case(replace(BACK, published=1))
    assert not report.outcomes
    assert standing(report) is exports_of(report)[0]


def test_a_prune_keeps_the_last_two_and_what_was_shown_before():
    """Of five hourly exports three may go; the audit says no to any other."""
    report = run_case(Case(published=5, actors=(Actor("prune", keep=2),)))
    assert report.pruned == 3
    assert not [outcome for _, outcome in report.outcomes if isinstance(outcome, Refreshed)]


@pytest.mark.parametrize("base", COMMANDS, ids=lambda base: f"{base.actors[0].does} {base.method}")
def test_one_fault_at_the_first_call_of_each_kind_of_a_command(base):
    """Interrupted anywhere and begun again, a command comes to its end."""
    for case in single_faults(base, alike=1):
        run_case(case)


@pytest.mark.slow
@pytest.mark.parametrize("base", COMMANDS, ids=lambda base: f"{base.actors[0].does} {base.method}")
def test_one_fault_at_each_call_of_a_command(base):
    """The same at every call."""
    for case in single_faults(base):
        run_case(case)


@pytest.mark.slow
def test_a_prune_beside_a_rollback_and_a_refresh_leaves_a_whole_table():
    """Each beginning at other moments, call by call interleaved."""
    for seed in range(150):
        for start in (0.0, 0.3, 2.0):
            actors = (Actor("rollback"), Actor("prune", start=start, keep=1), Actor(start=400.0))
            run_case(Case(published=4, actors=actors, seed=seed))
