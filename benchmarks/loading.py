"""Time and memory to load definitions, against a Dagster project without assets.

    python benchmarks/loading.py [--tables 10 100 1000 5000] [--rounds 3]

Every load is a fresh process, all sizes in turn, round after round; what counts is the difference
to the empty project of the same round, of which the median is shown.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

import report

#: Target at 1,000 tables, in seconds more than an empty project.
MOST_SECONDS = 3.0
#: A name, a key, a description and attributes, as a person would declare them.
COLUMNS = {"userId": "S", "createdAt": "N", "tags": "SS", "address": {"M": {"zip": "S"}}}


def load(tables: int) -> None:
    """The measured process: import, declare and resolve as a code server does at its start."""
    began, cpu = time.perf_counter(), time.process_time()
    import dagster as dg  # noqa: PLC0415 - measured

    if tables:
        from ddb_assets import Table, build_dynamodb_assets  # noqa: PLC0415 - measured

        definitions = build_dynamodb_assets(
            tables=[Table(f"shop-table-{number:05}", columns=COLUMNS) for number in range(tables)],
            database="lake",
            bucket="exports",
        )
    else:
        definitions = dg.Definitions()
    repository = definitions.get_repository_def()
    for name in repository.job_names:
        repository.get_job(name)
    keys = len(repository.asset_graph.get_all_asset_keys())
    found = {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "assets": keys,
    }
    print(json.dumps(found))


def measure(sizes: Sequence[int], rounds: int) -> dict[int, list[dict[str, float]]]:
    """Size -> one result per round; 0 tables is the empty project."""
    results: dict[int, list[dict[str, float]]] = {size: [] for size in (0, *sizes)}
    for _ in range(rounds):
        for size, found in results.items():
            command = [sys.executable, __file__, "--load", str(size)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{size} tables failed:\n{done.stderr}")
            found.append(json.loads(done.stdout.splitlines()[-1]))
            print(f"{size} tables: {found[-1]}", file=sys.stderr, flush=True)
    return results


def more(results: dict[int, list[dict[str, float]]], size: int, what: str) -> float:
    """The median over the rounds of the difference to the empty project."""
    pairs = zip(results[size], results[0], strict=True)
    return statistics.median(one[what] - empty[what] for one, empty in pairs)


def main() -> None:
    """Print the section of docs/benchmarks.md and draw its plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tables", type=int, nargs="+", default=[10, 100, 1000, 5000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--load", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load is not None:
        load(options.load)
        return
    results = measure(options.tables, options.rounds)
    rows = []
    for size, found in results.items():
        middle = {
            what: statistics.median(one[what] for one in found)
            for what in ("seconds", "cpu", "megabytes", "assets")
        }
        added = [
            f"{more(results, size, 'seconds'):+.2f}",
            f"{more(results, size, 'cpu'):+.2f}",
            f"{more(results, size, 'megabytes'):+.0f}",
        ]
        rows.append(
            [
                f"{size:,} tables" if size else "an empty project",
                f"{middle['assets']:,.0f}",
                f"{middle['seconds']:.2f}",
                f"{middle['megabytes']:.0f}",
                *(added if size else ["", "", ""]),
            ]
        )
    header = ["", "assets", "s", "peak MB", "s more", "CPU s more", "MB more"]
    print(f"Medians of {options.rounds} fresh processes each, imports included.\n")
    print(report.table(header, rows))
    if 1000 in results:
        print()
        for what, named in (("seconds", "elapsed"), ("cpu", "CPU")):
            about = f"1,000 tables, {named}, more than an empty project"
            print(report.verdict(about, more(results, 1000, what), MOST_SECONDS, " s", 2))
    drawing, axes = report.figure("Loading definitions", "tables", "s more than an empty project")
    sizes = [size for size in results if size]
    axes.plot(sizes, [more(results, size, "seconds") for size in sizes], "o-", label="elapsed")
    axes.plot(sizes, [more(results, size, "cpu") for size in sizes], "o--", label="CPU")
    axes.set(xscale="log", yscale="log")
    axes.legend()
    print(f"\n{report.save(drawing, 'bench-loading')}")


if __name__ == "__main__":
    main()
