"""How fast exports are read, and with how much memory, against everything else that could.

    python benchmarks/reading.py                      # 150 MB of each shape
    python benchmarks/reading.py --size 1GB --shapes flat

Every job runs in a process of its own, all jobs in turn, round after round; what counts are the
ratios within a round, of which the median is shown. On a machine that others use as well, nothing
else means anything.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import reading_data
import reading_jobs

from ddb_assets.reading.export import Scan

UNITS = {"MB": 10**6, "GB": 10**9}
LIMIT = "zlib alone"
PEOPLE = "boto3 TypeDeserializer loop"
#: (title, job, files): the same with a quarter of the export, for the memory.
QUARTER = reading_data.FILES // 4

Result = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", default="150MB", help="unpacked, of each shape: 150MB, 1GB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shapes", nargs="+", default=list(reading_data.SHAPES))
    parser.add_argument("--jobs", help="a regular expression; the jobs whose names match")
    parser.add_argument("--data", type=Path, help="keep the synthetic exports here")
    options = parser.parse_args()
    size = int(float(options.size[:-2]) * UNITS[options.size[-2:]])
    with tempfile.TemporaryDirectory() as scratch:
        for shape in options.shapes:
            folder = (options.data or Path(scratch)) / f"{shape}-{size}"
            if not (folder / "profile.json").exists():
                prepare(folder, shape, size)
            report(shape, folder, measure(folder, options.rounds, options.jobs))


def prepare(folder: Path, shape: str, size: int) -> None:
    print(f"making {shape}, {size / 1e6:.0f} MB ...", file=sys.stderr)
    reading_data.make(folder, shape, size)
    manifest = reading_jobs.manifest(sorted(folder.glob("*.json.gz")))
    profile = Scan(reading_jobs.Folder(), manifest, workers=2).profile()  # type: ignore[arg-type]
    (folder / "tiny" / "profile.json").write_text(profile.to_json())
    (folder / "profile.json").write_text(profile.to_json())


def measure(folder: Path, rounds: int, pattern: str | None) -> dict[str, list[Result]]:
    """Job -> one result per round; the order turns, so that nobody always comes first."""
    every = {
        job: (job, reading_jobs.SLOW_FILES if job in reading_jobs.SLOW else None)
        for job in reading_jobs.JOBS
    }
    for workers in ("1 worker", "2 workers"):
        every[f"read_export, {workers}, a quarter"] = (f"read_export, {workers}", QUARTER)
    wanted = {t: j for t, j in every.items() if t in {LIMIT, PEOPLE} or re.search(pattern or "", t)}
    names = list(wanted)
    results: dict[str, list[Result]] = {name: [] for name in names}
    for turn in range(rounds):
        start = turn * len(names) // rounds
        for name in names[start:] + names[:start]:
            results[name].append(run(folder, *wanted[name]))
            found = results[name][-1]
            print(f"  {name}: {found['mb'] / found['cpu']:.0f} MB/s", file=sys.stderr)
    return results


def run(folder: Path, job: str, files: int | None) -> Result:
    script = Path(__file__).with_name("reading_jobs.py")
    command = [sys.executable, str(script), job, str(folder), *([str(files)] if files else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{job} failed:\n{done.stderr}")
    found: Result = json.loads(done.stdout.splitlines()[-1])
    total = json.loads((folder / "counts.json").read_text())["bytes"]
    found["mb"] = total / 1e6 * found["files"] / reading_data.FILES
    return found


def report(shape: str, folder: Path, results: dict[str, list[Result]]) -> None:
    """A Markdown table; MB/s are unpacked bytes over CPU seconds, and over elapsed ones."""
    print(
        f"\n**{shape}**, {sum(f.stat().st_size for f in folder.glob('*.gz')) / 1e6:.0f} MB packed\n"
    )
    print(
        "| | MB per CPU s | MB per s | of zlib | times TypeDeserializer, CPU | elapsed | peak MB |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, found in results.items():
        speed = [r["mb"] / r["cpu"] for r in found]
        elapsed = [r["mb"] / r["wall"] for r in found]
        cells = [
            f"{statistics.median(speed):.0f}",
            f"{statistics.median(elapsed):.0f}",
            f"{ratio(speed, results[LIMIT], 'cpu'):.2f}",
            f"{ratio(speed, results[PEOPLE], 'cpu'):.1f}",
            f"{ratio(elapsed, results[PEOPLE], 'wall'):.1f}",
            f"{statistics.median(r['peak_mb'] for r in found):.0f}",
        ]
        print(f"| {name} | {' | '.join(cells)} |")
    pairs = [
        ("read_export, 1 worker", "read_export, 2 workers"),
        ("inference, 1 worker", "inference, 2 workers"),
    ]
    for one, two in pairs:
        if one in results and two in results:
            gain = statistics.median(
                a["wall"] / b["wall"] for a, b in zip(results[one], results[two], strict=True)
            )
            print(f"\n{two}: {gain:.2f} times as fast as with one")


def ratio(speeds: list[float], base: list[Result], clock: str) -> float:
    """The median over the rounds of the ratio within each."""
    pairs = zip(speeds, base, strict=True)
    return statistics.median(speed / (r["mb"] / r[clock]) for speed, r in pairs)


if __name__ == "__main__":
    main()
