"""Every case that is enumerated, by family; the same list for the tests and for the count."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from .athena import Course
from .cases import Actor, Case, Happening, Method
from .exports import Ending
from .faults import WRITES, Fault, Kind, Outage, kinds_for
from .runner import run_case

THREE = ("orders", "users", "visits")
CRASHES: tuple[Kind, ...] = ("crash-before", "crash-after")
METHODS: tuple[Method, ...] = ("glue", "athena")

#: Worlds whose every call is made to go wrong.
BASES: tuple[Case, ...] = (
    *(Case(method=method, published=published) for method in METHODS for published in (0, 1)),
    *(Case(method=method, verify="full") for method in METHODS),
    *(Case(method=method, tables=THREE) for method in METHODS),
    *(Case(view=True, published=published) for published in (0, 1)),
    Case(view=True, tables=THREE[:2], consistent=True),
    *(Case(view=True, copy=True, published=published) for published in (0, 1)),
    *(
        Case(method=method, tables=THREE, consistent=True, published=published)
        for method in METHODS
        for published in (0, 1)
    ),
    # The table is re-created between DescribeTable and the request: the export is of the new one.
    Case(happenings=(Happening(0.2, "recreate", "orders"),)),
    # Its export fails once and a new one is started: the launch number counts.
    *(Case(method=method, endings={"orders": (Ending(60, "Interrupted"),)}) for method in METHODS),
)

#: What people do at the command line, made to go wrong at every call likewise.
COMMANDS: tuple[Case, ...] = (
    *(Case(method=method, published=2, actors=(Actor("rollback"),)) for method in METHODS),
    Case(published=4, actors=(Actor("prune", keep=2),)),
    Case(view=True, copy=True, published=2, actors=(Actor("rollback"),)),
    Case(view=True, copy=True, published=4, actors=(Actor("prune", keep=2),)),
)

#: Two tables of a cut, for pairs of faults.
PAIR_OF_CUTS = tuple(Case(method=method, tables=THREE[:2], consistent=True) for method in METHODS)

#: What the quick suite sweeps.
QUICK_BASES = (Case(), Case(method="athena", published=0))


def single_faults(base: Case, *, alike: int | None = None) -> Iterator[Case]:
    """Each call of a refresh, with everything that can go wrong with it.

    Args:
        base: The world it happens in.
        alike: How many calls of the same operation are taken; None is all.
    """
    seen: Counter[str] = Counter()
    for number, operation in enumerate(run_case(base).calls, start=1):
        seen[operation] += 1
        if alike is not None and seen[operation] > alike:
            continue
        for kind in kinds_for(operation):
            yield replace(base, faults=(Fault(number, kind),))


def late_restarts(base: Case) -> Iterator[Case]:
    """A crash at each call, and the next attempt when AWS has forgotten the token.

    It does so 8 hours after the export ended; a crash between the request and the note leaves
    nothing but the list of exports to find it by.
    """
    for number, operation in enumerate(run_case(base).calls, start=1):
        for kind in CRASHES:
            if kind in kinds_for(operation):
                yield replace(base, faults=(Fault(number, kind),), restart_after=12 * 3600.0)


def pairs(base: Case, first: tuple[Kind, ...], second: tuple[Kind, ...]) -> Iterator[Case]:
    """A fault, and another one at each later call, those of the next attempts included."""
    for number, operation in enumerate(run_case(base).calls, start=1):
        if operation == "clock.sleep":
            continue
        for kind in first:
            if kind not in kinds_for(operation):
                continue
            once = replace(base, faults=(Fault(number, kind),))
            calls = run_case(once).calls
            for later in range(number + 1, len(calls) + 1):
                for other in second:
                    if other in kinds_for(calls[later - 1]):
                        yield replace(once, faults=(*once.faults, Fault(later, other)))


#: What an export can come to, and whether the next attempt makes it good.
BAD_ENDINGS: tuple[Ending, ...] = (
    Ending(30, "S3NoSuchBucket"),
    Ending(200, "S3AccessDenied"),
    Ending(200, "KmsNotFoundException"),
    Ending(900, "InternalServerError"),
    Ending(damage="summary-md5"),
    Ending(damage="files-md5"),
    Ending(damage="summary-count"),
    Ending(damage="file-missing"),
    Ending(damage="file-truncated"),
    Ending(damage="file-altered"),
    Ending(damage="line-missing"),
    Ending(damage="stray-object"),
    Ending(damage="other-table"),
    Ending(damage="no-manifest"),
)

BAD_COURSES: tuple[Course, ...] = (
    Course(end="FAILED"),
    Course(end="CANCELLED"),
    Course(end="FAILED", applied=True),
    Course(queued=float("inf")),
    Course(queued=3000.0),
    Course(running=3000.0),
)


def settings() -> Iterator[Case]:
    """One table, three tables and a cut, with both ways to publish."""
    for method in METHODS:
        yield Case(method=method)
        yield Case(method=method, tables=THREE)
        yield Case(method=method, tables=THREE, consistent=True)


def bad_table(case: Case) -> str:
    """The table that has the bad luck: the one in the middle."""
    return case.tables[len(case.tables) // 2]


def endings() -> Iterator[Case]:
    """Each bad end of an export, of a query and of what lies around them."""
    for case in settings():
        table = bad_table(case)
        for ending in BAD_ENDINGS:
            mends = ending.failure is not None
            yield replace(case, endings={table: (ending,)}, mends=mends)
            if mends:
                yield replace(case, endings={table: (ending,) * 20}, mends=False)
        yield replace(case, endings={table: (Ending(manifest_delay=90.0),)})
        silent = Ending(damage="file-altered-silently")
        yield replace(case, endings={table: (silent,)}, mends=False, verify="full")
        yield replace(case, endings={table: (Ending(30000.0),)})
        yield replace(case, endings={table: (Ending(9000.0),)}, deadline=3600.0, mends=False)
        for at in (0.2, 100.0, 450.0):
            for action in ("drop", "recreate", "pitr-off", "drop-bucket"):
                hopeless = action not in {"recreate"}
                happening = Happening(at, action, table)
                yield replace(case, happenings=(happening,), mends=not hopeless)
            yield replace(case, happenings=(Happening(at, "edit-catalog", table),))
        yield replace(case, happenings=(Happening(0.0, "fill-account"),))
        yield replace(case, restore_lag=1500.0)
    for case in settings():
        if case.method == "athena":
            for number in range(len(case.tables)):
                for course in BAD_COURSES:
                    usual = (Course(),) * number
                    yield replace(case, courses=(*usual, course))
            yield replace(case, courses=(Course(end="FAILED"),) * 50, mends=False)
            yield replace(case, courses=(Course(queued=float("inf")),) * 50, mends=False)


#: Every operation of a refresh that reaches AWS.
OPERATIONS = (
    "dynamodb.describe_table",
    "dynamodb.describe_pitr",
    "dynamodb.start_export",
    "dynamodb.describe_export",
    "dynamodb.list_exports",
    "objects.read",
    "objects.open",
    "objects.list",
    "catalog.has_database",
    "catalog.create_database",
    "catalog.get_table",
    "catalog.create_table",
    "catalog.update_table",
    "catalog.table_versions",
    "queries.start",
    "queries.statuses",
    "dynamodb.",
    "objects.",
    "catalog.",
    "queries.",
    "",
)


def outages() -> Iterator[Case]:
    """Each operation refused for two hours or for ever, for one table or for all."""
    kinds: tuple[Kind, ...] = ("throttled", "unavailable", "expired", "denied", "lost-answer")
    for case in settings():
        for operation in OPERATIONS:
            if operation.startswith("queries") and case.method == "glue":
                continue
            for kind in kinds:
                if kind == "lost-answer" and operation not in WRITES:
                    continue
                for subject in {"", bad_table(case)}:
                    if subject and operation == "":
                        continue
                    for_ever = Outage(operation, kind, subject)
                    yield replace(case, outages=(for_ever,), mends=False)
                    passing = Outage(operation, kind, subject, 0.0, 7200.0)
                    yield replace(case, outages=(passing,), restart_after=1800.0)


def races(most: int = 40) -> Iterator[Case]:
    """Two runs of the same tables, the second beginning at each call of the first."""
    for case in settings():
        for seed in range(most):
            for start in (0.0, 5.0, 60.0, 200.0, 420.0, 424.0):
                yield replace(
                    case,
                    actors=(Actor(), Actor(start=start)),
                    seed=seed,
                    endings={bad_table(case): (Ending(900.0),)} if seed % 2 else {},
                )


def undead(most: int = 40) -> Iterator[Case]:
    """Two workers of one run: the first was taken for dead and goes on beside its successor."""
    for case in settings():
        for seed in range(most):
            for start in (0.0, 0.2, 30.0, 421.0, 423.0):
                yield replace(
                    case,
                    actors=(Actor(), Actor(start=start, run=0)),
                    seed=seed,
                    endings={bad_table(case): (Ending(60.0, "Interrupted"),)} if seed % 2 else {},
                )


FAMILIES: dict[str, Callable[[], Iterator[Case]]] = {
    "one fault at each call": lambda: (c for base in BASES for c in single_faults(base)),
    "one fault at each call of a rollback and a prune": lambda: (
        c for base in COMMANDS for c in single_faults(base)
    ),
    "a crash at each call, restarted after the token's life": lambda: (
        c for base in BASES if base.verify == "manifest" for c in late_restarts(base)
    ),
    "two crashes": lambda: (
        c for base in (Case(), Case(method="athena")) for c in pairs(base, CRASHES, CRASHES)
    ),
    "a lost answer or a refusal, then another fault": lambda: (
        c
        for base in (Case(), Case(method="athena"))
        for c in pairs(base, ("lost-answer", "denied"), ("crash-after", "lost-answer", "denied"))
    ),
    "a consistent cut that dies, and another fault in its retry": lambda: (
        c for base in PAIR_OF_CUTS for c in pairs(base, ("crash-after",), ("crash-after", "denied"))
    ),
    "bad endings": endings,
    "outages": outages,
    "races of two runs": races,
    "two workers of one run": undead,
}


def every_case() -> Iterator[tuple[str, Case]]:
    """All families; a case that several of them name is given once."""
    seen: set[str] = set()
    for family, cases in FAMILIES.items():
        for case in cases():
            if (line := case.line()) not in seen:
                seen.add(line)
                yield family, case
