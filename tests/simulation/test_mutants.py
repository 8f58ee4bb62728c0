"""The proof that the simulation sees: each promise is broken on purpose and is caught."""

from dataclasses import replace

import pytest
from ddb_simulation.athena import Course
from ddb_simulation.cases import Actor, Case, Happening
from ddb_simulation.exports import Ending
from ddb_simulation.families import THREE
from ddb_simulation.faults import Fault
from ddb_simulation.mutants import mutants
from ddb_simulation.promises import Violation
from ddb_simulation.runner import run_case

CUT = Case(tables=THREE, consistent=True)
COPIED = Case(view=True, copy=True)
#: The second run begins a minute after the first.
TWO = Case(actors=(Actor(), Actor(start=60.0)), seed=1)
HALF_A_DAY = 12 * 3600.0


def faults_at(case, operation, *kinds, **changes):
    """The case, with the first call of an operation going wrong in each of these ways."""
    number = run_case(case).calls.index(operation) + 1
    return [replace(case, faults=(Fault(number, kind),), **changes) for kind in kinds]


def failing_once(case):
    """The middle table's export fails once."""
    return replace(case, endings={case.tables[len(case.tables) // 2]: (Ending(200, "S3Denied"),)})


def damaged(what):
    """An export that is complete for AWS, and is not."""
    return [Case(endings={"orders": (Ending(damage=what),)}, mends=False)]


#: For each mutant the promise it breaks and the cases it must not survive.
PROOFS = {
    "drops the token": (
        "never twice",
        lambda: faults_at(Case(), "dynamodb.start_export", "crash-after", "lost-answer"),
    ),
    "one token for every run": ("never lost", lambda: [TWO]),
    "same launch after FAILED": ("never stuck", lambda: [failing_once(Case())]),
    "waits for a failed export": ("never stuck", lambda: [failing_once(Case())]),
    "never looks at the table id again": (
        "never half",
        lambda: [Case(happenings=(Happening(100.0, "recreate", "orders"),))],
    ),
    "forgets every export": (
        "never twice",
        lambda: faults_at(Case(), "objects.read", "crash-before", restart_after=HALF_A_DAY),
    ),
    "writes no note": (
        "never twice",
        lambda: faults_at(Case(), "objects.read", "crash-before", restart_after=HALF_A_DAY),
    ),
    "believes the checksums": ("never half", lambda: damaged("summary-md5")),
    "publishes without listing": ("never half", lambda: damaged("stray-object")),
    "loses a file": ("never lost", lambda: [Case()]),
    "ignores the Glue version": (
        "never backwards",
        lambda: faults_at(TWO, "catalog.update_table", "slow"),
    ),
    "ignores what ALTER TABLE ran over": (
        "never backwards",
        lambda: faults_at(replace(TWO, method="athena"), "queries.start", "slow"),
    ),
    "never puts a cut back": (
        "consistent cut",
        lambda: faults_at(CUT, "dagster.materialize", "crash-before") + second_move_denied(),
    ),
    "ignores the export time": (
        "never backwards",
        lambda: [replace(TWO, endings={"orders": (Ending(900.0),)})],
    ),
    "publishes a cut one by one": ("consistent cut", lambda: [failing_once(CUT)]),
    "stops at the first error": ("never stuck", lambda: [failing_once(Case(tables=THREE))]),
    "pays for a copy again": (
        "never twice",
        lambda: faults_at(COPIED, "queries.start", "crash-after", "lost-answer"),
    ),
    "believes a half copy": (
        "never half",
        lambda: [replace(COPIED, courses=(Course(end="FAILED"),), mends=False)],
    ),
    "names no remedy": ("never stuck", lambda: [failing_once(Case())]),
    "says nothing of failures": ("never stuck", lambda: [failing_once(Case())]),
}


def second_move_denied():
    """A cut whose second table may not be moved."""
    calls = run_case(CUT).calls
    moves = [n for n, operation in enumerate(calls, start=1) if operation == "catalog.update_table"]
    return [replace(CUT, faults=(Fault(moves[1], "denied"),))]


def test_each_promise_has_a_mutant_and_each_mutant_a_promise():
    """No promise goes unproved."""
    assert {mutant.breaks for mutant in mutants()} == set(PROOFS)
    assert {promise for promise, _ in PROOFS.values()} == {
        "never half",
        "never twice",
        "never backwards",
        "never lost",
        "never stuck",
        "consistent cut",
    }


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.breaks)
def test_a_broken_promise_is_caught_and_the_unbroken_product_is_not(mutant):
    """The same cases: the product passes them, the mutant is caught, with a way to replay it."""
    promise, cases = PROOFS[mutant.breaks]
    caught = [violation for case in cases() if (violation := violation_of(case, mutant))]
    assert promise in {violation.promise for violation in caught}
    for case in cases():
        run_case(case)
    assert all("replay.py" in violation.__notes__[0] for violation in caught)


def violation_of(case, mutant):
    """What the simulation says of a mutant in this case, if anything."""
    try:
        run_case(case, mutant)
    except Violation as violation:
        return violation
    return None
