"""The proof that the simulation sees: each promise is broken on purpose and is caught."""

from dataclasses import replace

import pytest
from ddb_simulation.cases import Actor, Case
from ddb_simulation.exports import Ending
from ddb_simulation.families import BAD_ENDINGS, THREE, late_restarts, single_faults
from ddb_simulation.faults import Fault
from ddb_simulation.happenings import Happening
from ddb_simulation.mutants import mutants
from ddb_simulation.promises import Violation
from ddb_simulation.runner import run_case

#: Which promise each mutant breaks.
BROKEN = {
    "drops the token": "never twice",
    "one token for every run": "never lost",
    "same launch after FAILED": "never stuck",
    "waits for a failed export": "never stuck",
    "never looks at the table id again": "never half",
    "forgets the note": "never twice",
    "writes no note": "never twice",
    "believes the checksums": "never half",
    "publishes without listing": "never half",
    "loses a file": "never lost",
    "ignores the Glue version": "never backwards",
    "never puts a cut back": "consistent cut",
    "ignores the export time": "never backwards",
    "publishes a cut one by one": "consistent cut",
    "stops at the first error": "never stuck",
    "names no remedy": "never stuck",
    "says nothing of failures": "never stuck",
}


def hunt():
    """Some hundred cases of every family; the product itself passes them all."""
    cut = Case(tables=THREE, consistent=True)
    three = Case(tables=THREE)
    yield from single_faults(Case())
    yield from late_restarts(Case())
    for ending in BAD_ENDINGS:
        bad = {"orders": (ending,)}
        yield Case(endings=bad, mends=ending.failure is not None)
    for case in (three, cut):
        yield replace(case, endings={"users": (Ending(200, "S3AccessDenied"),)})
    for case in single_faults(cut):
        if case.faults[0].kind in {"denied", "lost-answer"}:
            yield case
    yield Case(happenings=(Happening(100.0, "recreate", "orders"),))
    # The first run's export takes long; the second run publishes while the first one's
    # update is under way.
    two = (Actor(), Actor(start=60.0))
    slow_first = {"orders": (Ending(900.0),)}
    yield Case(actors=two, endings=slow_first, seed=1)
    calls = run_case(Case()).calls
    for number, operation in enumerate(calls, start=1):
        if operation.startswith("catalog."):
            yield Case(actors=two, faults=(Fault(number, "slow"),), seed=1)


@pytest.fixture(scope="module")
def cases():
    """The cases, enumerated once."""
    return list(hunt())


def test_the_product_itself_passes_every_case_of_the_hunt(cases):
    """Otherwise a mutant could be caught for what is not its fault."""
    for case in cases:
        run_case(case)


def test_every_promise_is_broken_by_some_mutant():
    """No promise goes unproved."""
    assert {m.breaks for m in mutants()} == set(BROKEN)
    assert set(BROKEN.values()) == {
        "never half",
        "never twice",
        "never backwards",
        "never lost",
        "never stuck",
        "consistent cut",
    }


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.breaks)
def test_a_broken_promise_is_caught(mutant, cases):
    """At least one case says which promise it is, with its trace and the way to replay it."""
    caught = next(filter(None, (violation_of(case, mutant) for case in cases)), None)
    assert caught is not None, f"nobody noticed: {mutant.breaks}"
    assert any("replay.py" in note for note in caught.__notes__)


def violation_of(case, mutant):
    """The violation of the promise this mutant breaks; others may come of it as well."""
    try:
        run_case(case, mutant)
    except Violation as violation:
        if violation.promise == BROKEN[mutant.breaks]:
            return violation
    return None
