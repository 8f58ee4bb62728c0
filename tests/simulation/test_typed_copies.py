"""Typed copies among several runs, rollbacks and cuts: each ends where its table does."""

import pytest
from ddb_simulation.athena import Course
from ddb_simulation.cases import Actor, Case
from ddb_simulation.families import THREE, single_faults
from ddb_simulation.runner import run_case

#: Besides a run that begins at once: another run at some stage of it, a rollback, its own double.
SECONDS = (
    Actor(start=5.0),
    Actor(start=60.0),
    Actor(start=400.0),
    Actor(start=700.0),
    Actor("rollback", start=420.0),
    Actor("rollback", start=640.0),
    Actor(start=20.0, run=0),
)


@pytest.mark.parametrize("second", SECONDS, ids=str)
def test_the_copy_ends_where_the_table_ends(second):
    """Whoever moves the table last has the last word on its copy, too."""
    for seed in range(4):
        case = Case(view=True, copy=True, published=2, actors=(Actor(), second), seed=seed)
        run_case(case).world.unloads.follow()


@pytest.mark.parametrize(
    "courses",
    [
        (Course(queued=3000.0),),
        (Course(running=9000.0),),
        (Course(end="FAILED"),),
        (Course(end="CANCELLED"),),
        (Course(queued=float("inf")),),
        (Course(end="FAILED"), Course(end="CANCELLED"), Course(end="FAILED")),
    ],
    ids=str,
)
def test_a_query_that_ends_badly_is_made_up_for(courses):
    """In the queue, on the way, once or three times: the next attempt makes a whole copy."""
    report = run_case(Case(view=True, copy=True, courses=courses))
    assert len(report.copied) == 1
    report.world.unloads.follow()


def test_a_crash_at_each_change_leaves_a_cut_whole_and_copied():
    """The copies come after the cut and take nothing of it back."""
    base = Case(view=True, copy=True, tables=THREE[:2], consistent=True)
    cases = [case for case in single_faults(base) if case.faults[0].kind == "crash-after"]
    assert len(cases) > 10
    for case in cases:
        run_case(case)
