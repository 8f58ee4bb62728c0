"""What `reading.py` measured as Markdown and a plot: ratios within a round, medians over rounds."""

import statistics
from typing import Any

import report

LIMIT = "zlib alone"
PEOPLE = "boto3 TypeDeserializer loop"
ONE, TWO = "read_export, 1 worker", "read_export, 2 workers"
UNTOLD = "read_export without profile, 1 worker"
#: Readers with the same exact values.
EXACT = (PEOPLE, "orjson", "msgspec")
#: The values they give are not the same: numbers and binary stay text, which is less work.
TEXT_ONLY = ("DuckDB", "polars", "pyarrow.json", "PySpark")
HEADER = (
    "",
    "MB read",
    "MB per CPU s",
    "MB per s",
    "of zlib",
    "times TypeDeserializer, CPU",
    "elapsed",
    "peak MB",
)
PER_CORE, TWO_CORES, FLAT_MEMORY = 5.0, 1.7, 1.25

Result = dict[str, Any]
Results = dict[str, list[Result]]


def show(measured: dict[str, Results], size: int) -> None:
    """Print the section of docs/benchmarks.md and draw its plot."""
    print(report.save(plot(measured), "bench-reading"))
    for shape, results in measured.items():
        rounds = len(results[LIMIT])
        print(f"\n**{shape}**, {size / 1e6:.0f} MB unpacked, rounds: {rounds}\n")
        print(report.table(HEADER, [row(name, results) for name in results if results[name]]))
        print()
        print("\n".join(verdicts(results)))


def row(name: str, results: Results) -> list[str]:
    found = results[name]
    return [
        name + (" (text)" if name.startswith(TEXT_ONLY) else ""),
        f"{found[0]['mb']:.0f}",
        f"{statistics.median(speed(r, 'cpu') for r in found):.0f}",
        f"{statistics.median(speed(r, 'wall') for r in found):.0f}",
        f"{ratio(results, name, LIMIT, 'cpu'):.2f}",
        f"{ratio(results, name, PEOPLE, 'cpu'):.1f}",
        f"{ratio(results, name, PEOPLE, 'wall'):.1f}",
        f"{statistics.median(r['peak_mb'] for r in found):.0f}",
    ]


def verdicts(results: Results) -> list[str]:
    """Whether the targets are met, as far as what they need was measured."""
    lines: list[str] = []
    if results.get(ONE):
        ours = ratio(results, ONE, PEOPLE, "cpu")
        lines.append(verdict("times TypeDeserializer per core", ours, PER_CORE))
        best, fastest = best_peer(results)
        lines.append(verdict(f"times the fastest other reader ({best})", ours / fastest, 1.0))
        if results.get(UNTOLD):
            untold = ratio(results, UNTOLD, PEOPLE, "cpu") / fastest
            lines.append(verdict("the same without a profile, in two passes", untold, 1.0))
    for one, two in ((ONE, TWO), ("inference, 1 worker", "inference, 2 workers")):
        if results.get(one) and results.get(two):
            lines.append(verdict(f"{two}, times one", ratio(results, two, one, "wall"), TWO_CORES))
    lines += [memory(results, n) for n in (ONE, TWO) if results.get(n) and results.get(part_of(n))]
    return lines


def best_peer(results: Results) -> tuple[str, float]:
    """The fastest reader that is not ours, and how many times the TypeDeserializer it is."""
    peers = (n for n in results if results[n] and n.startswith((*TEXT_ONLY, *EXACT)))
    speeds = {name: ratio(results, name, PEOPLE, "cpu") for name in peers}
    best = max(speeds, key=lambda name: speeds[name])
    return best, speeds[best]


def part_of(name: str) -> str:
    return f"{name}, a quarter"


def memory(results: Results, name: str) -> str:
    whole, part = (
        statistics.median(r["peak_mb"] for r in results[n]) for n in (name, part_of(name))
    )
    met = "met" if whole <= FLAT_MEMORY * part else "**missed**"
    return (
        f"- {name}: peak {whole:.0f} MB, of a quarter of the export {part:.0f} MB, "
        f"target at most {FLAT_MEMORY:g} times: {met}"
    )


def verdict(what: str, value: float, least: float) -> str:
    met = "met" if value >= least else "**missed**"
    return f"- {what}: {value:.2f}, target at least {least:g}: {met}"


def speed(result: Result, clock: str) -> float:
    return result["mb"] / result[clock]


def ratio(results: Results, name: str, base: str, clock: str) -> float:
    """The median over the rounds that have both of the ratio within each."""
    bases = {r["round"]: r for r in results[base]}
    return statistics.median(
        speed(r, clock) / speed(bases[r["round"]], clock)
        for r in results[name]
        if r["round"] in bases
    )


def plot(measured: dict[str, Results]) -> Any:
    """Bars: MB per CPU second of each reader, per shape, on a logarithmic scale."""
    drawing, axes = report.figure("Reading exports", "MB per CPU second", "")
    names = [n for n in next(iter(measured.values())) if "quarter" not in n and "2 " not in n]
    names.reverse()
    height = 0.8 / len(measured)
    for position, (shape, results) in enumerate(measured.items()):
        there = [(i, n) for i, n in enumerate(names) if results.get(n)]
        axes.barh(
            [i - position * height for i, _ in there],
            [statistics.median(speed(r, "cpu") for r in results[n]) for _, n in there],
            height,
            label=shape,
        )
    axes.set_yticks([i - height for i in range(len(names))], names, fontsize=7)
    axes.set_xscale("log")
    axes.legend()
    return drawing
