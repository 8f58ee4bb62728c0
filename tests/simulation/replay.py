"""Run one simulated case again and show every call of it, or count the cases there are.

python tests/simulation/replay.py '{"faults": [{"at": 12, "kind": "crash-after"}]}'
python tests/simulation/replay.py --count
"""

# ruff: noqa: T201 - a command prints
import argparse
import sys
from collections import Counter

from ddb_simulation.cases import Case
from ddb_simulation.families import every_case
from ddb_simulation.promises import BrokenPromise
from ddb_simulation.runner import Simulation


def main() -> int:
    """The exit code is 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", nargs="?", help="the line a failing case printed")
    parser.add_argument("--count", action="store_true", help="count the enumerated cases")
    asked = parser.parse_args()
    if asked.count:
        count = Counter(family for family, _ in every_case())
        for family, number in count.items():
            print(f"{number:>8,}  {family}")
        print(f"{count.total():>8,}  distinct cases")
        return 0
    if asked.case is None:
        parser.error("give a case or --count")
    simulation = Simulation(Case.parse(asked.case))
    try:
        report = simulation.run()
    except BrokenPromise as broken:
        print(simulation.world.story(10**6))
        print(f"\n{broken}")
        return 1
    print(simulation.world.story(10**6))
    for actor, outcome in report.outcomes:
        error = getattr(outcome, "error", "")
        print(f"actor {actor}: {type(outcome).__name__} {outcome.spec.name} {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
