"""Several actors at once: races of two runs, and random schedules of everything."""

import itertools
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from ddb_simulation.cases import Actor, Case, Happening
from ddb_simulation.exports import Ending
from ddb_simulation.families import BAD_ENDINGS, METHODS, THREE, races, undead
from ddb_simulation.faults import Fault
from ddb_simulation.runner import run_case
from hypothesis import HealthCheck, given, settings

KINDS = (
    "crash-before",
    "crash-after",
    "terminate",
    "lost-answer",
    "throttled",
    "unavailable",
    "expired",
    "denied",
    "slow",
)

faults = st.builds(
    Fault,
    at=st.integers(1, 120),
    kind=st.sampled_from(KINDS),
    actor=st.integers(0, 3),
)
some_endings = st.one_of(
    st.builds(Ending, seconds=st.sampled_from((10.0, 300.0, 424.0, 900.0, 4000.0))),
    st.sampled_from([ending for ending in BAD_ENDINGS if ending.failure]),
    st.just(Ending(manifest_delay=60.0)),
)


@st.composite
def schedules(draw):
    """Two or more runs, rollbacks and prunes of some tables, with bad luck."""
    tables = THREE[: draw(st.integers(1, 3))]
    start = st.floats(0.0, 1000.0).map(lambda seconds: round(seconds, 1))
    consistent = draw(st.booleans())
    some = st.just(()) if consistent else st.sampled_from([(), *[(name,) for name in tables]])
    runs = draw(st.lists(st.builds(Actor, start=start, tables=some), min_size=2, max_size=3))
    if draw(st.booleans()):
        runs.append(Actor(start=draw(start), tables=runs[0].tables, run=0))
    others = draw(
        st.lists(
            st.builds(
                Actor,
                does=st.sampled_from(("rollback", "prune")),
                start=start,
                tables=st.sampled_from([(name,) for name in tables]),
                keep=st.integers(1, 3),
            ),
            max_size=0 if consistent else 2,
        )
    )
    happenings = draw(
        st.lists(
            st.builds(
                Happening,
                at=start,
                action=st.sampled_from(("recreate", "edit-catalog")),
                table=st.sampled_from(tables),
            ),
            max_size=2,
        )
    )
    endings = draw(
        st.dictionaries(
            st.sampled_from(tables), st.lists(some_endings, min_size=1, max_size=3).map(tuple)
        )
    )
    return Case(
        tables=tables,
        method=draw(st.sampled_from(METHODS)),
        consistent=consistent,
        view=draw(st.booleans()),
        published=draw(st.integers(0, 4)),
        restart_after=draw(st.sampled_from((1.0, 30.0, 600.0))),
        endings=endings,
        faults=tuple(draw(st.lists(faults, max_size=3, unique_by=lambda f: (f.actor, f.at)))),
        happenings=tuple(happenings),
        actors=(*runs, *others),
        seed=draw(st.integers(0, 2**31)),
    )


QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large)


@given(schedules())
@settings(
    max_examples=50, derandomize=True, deadline=None, database=None, suppress_health_check=QUIET
)
def test_random_schedules_keep_every_promise(case):
    """Runs, rollbacks, prunes and re-created tables, interleaved call by call."""
    run_case(case)


@pytest.mark.slow
@given(schedules())
@settings(max_examples=1000, deadline=None, database=None, suppress_health_check=QUIET)
def test_many_random_schedules_keep_every_promise(case):
    """The same with fresh luck each time; what fails prints how to replay it."""
    run_case(case)


def test_two_runs_race_and_the_newer_export_stays():
    """Whichever finishes last, with either publish method, alone and as a cut."""
    count = 0
    for case in itertools.islice(races(), 0, None, 61):
        run_case(case)
        count += 1
    assert count > 20


@pytest.mark.slow
def test_two_runs_race_in_every_enumerated_way():
    """Six offsets, many interleavings, with equal and with different durations."""
    for case in races():
        run_case(case)


def test_a_worker_that_was_taken_for_dead_pays_for_nothing():
    """It goes on beside its successor, with the same intent: still one export per table."""
    count = 0
    for case in itertools.islice(undead(), 0, None, 61):
        run_case(case)
        count += 1
    assert count > 15


def test_a_cut_that_loses_a_table_twice_over_puts_back_what_it_found():
    """Three runs and a worker taken for dead create the same cut: each undoes only its own move."""
    run_case(
        Case(
            tables=("orders", "users", "visits"),
            consistent=True,
            published=0,
            restart_after=1.0,
            actors=(
                Actor(start=0.1),
                Actor(start=211.2),
                Actor(start=0.1),
                Actor(start=50.7, run=0),
            ),
            seed=0,
        )
    )


@pytest.mark.slow
def test_two_workers_of_one_run_in_every_enumerated_way():
    """Five offsets, many interleavings, with and without an export that fails once."""
    for case in undead():
        run_case(case)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("consistent", [False, True], ids=["tables", "cut"])
def test_a_crash_at_each_call_while_another_run_publishes(method, consistent):
    """The first run dies anywhere and is restarted while the second one is under way."""
    base = Case(
        tables=THREE[:2],
        method=method,
        consistent=consistent,
        actors=(Actor(), Actor(start=30.0)),
        seed=3,
    )
    for number in range(1, len(run_case(base).calls) + 1):
        for kind in ("crash-before", "crash-after", "slow"):
            run_case(replace(base, faults=(Fault(number, kind),)))
