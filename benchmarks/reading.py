"""How fast exports are read, and with how much memory, against everything else that could.

    python benchmarks/reading.py                      # 1 GB of each shape, nine minutes
    python benchmarks/reading.py --size 100MB --shapes flat --jobs 'read_export'

Every job runs in a process of its own, all jobs in turn, round after round; what counts are the
ratios within a round, of which the median is shown. On a machine that others use as well, nothing
else means anything. Slow readers read a part of the data, some of them in the first round only.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import reading_data
import reading_jobs
import reading_report
from reading_report import LIMIT, PEOPLE, Result

from ddb_assets.reading.export import Scan

HERE = Path(__file__).parent
UNITS = {"MB": 10**6, "GB": 10**9}
SECONDS = 500
QUARTER = reading_data.FILES // 4
SPARK = "PySpark, 1 thread"
SPARK_PYTHON = HERE.parent / ".venv-spark" / "bin" / "python"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", default="1GB", help="unpacked, of each shape: 150MB, 1GB")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="no round begins later")
    parser.add_argument("--rounds", type=int, default=3, help="of each shape, at most")
    parser.add_argument("--shapes", nargs="+", default=list(reading_data.SHAPES))
    parser.add_argument("--jobs", default="", help="a regular expression; jobs whose names match")
    parser.add_argument("--data", type=Path, help="keep the synthetic exports here")
    options = parser.parse_args()
    size = int(float(options.size[:-2]) * UNITS[options.size[-2:]])
    ends = time.monotonic() + options.seconds
    measured: dict[str, dict[str, list[Result]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for left, shape in zip(range(len(options.shapes), 0, -1), options.shapes, strict=True):
            folder = (options.data or Path(scratch)) / f"{shape}-{size}"
            if not (folder / "profile.json").exists():
                prepare(folder, shape, size)
            until = time.monotonic() + (ends - time.monotonic()) / left
            measured[shape] = measure(folder, options.rounds, until, options.jobs)
            if options.data is None:
                shutil.rmtree(folder)
    reading_report.show(measured, size)


def prepare(folder: Path, shape: str, size: int) -> None:
    print(f"making {shape}, {size / 1e6:.0f} MB ...", file=sys.stderr)
    reading_data.make(folder, shape, size)
    profile = Scan(reading_jobs.Folder(), reading_jobs.manifest(folder), workers=2).profile()  # type: ignore[arg-type]
    for each in (folder, *(folder / small for small in reading_data.SMALL)):
        (each / "profile.json").write_text(profile.to_json())


def jobs_of(folder: Path, pattern: str) -> dict[str, list[str]]:
    """Name -> the command's arguments; the limit and the baseline are always there."""
    every: dict[str, list[str]] = {}
    for job in reading_jobs.JOBS:
        part = reading_jobs.PARTS.get(job, reading_data.FILES)
        where = folder / "small" if job in reading_jobs.SMALL_DATA else folder
        every[job] = [sys.executable, str(HERE / "reading_jobs.py"), job, str(where), str(part)]
    for workers in ("1 worker", "2 workers"):
        job = f"read_export, {workers}"
        every[f"{job}, a quarter"] = [*every[job][:-1], str(QUARTER)]
    if SPARK_PYTHON.exists():
        every[SPARK] = [str(SPARK_PYTHON), str(HERE / "reading_spark.py"), str(folder), "2"]
    else:
        print(f"{SPARK} is left out: there is no .venv-spark (no Java?)", file=sys.stderr)
    return {n: c for n, c in every.items() if n in {LIMIT, PEOPLE} or re.search(pattern, n)}


def measure(folder: Path, rounds: int, until: float, pattern: str) -> dict[str, list[Result]]:
    """Job -> its result of each round; the order turns, so that nobody always comes first."""
    jobs = jobs_of(folder, pattern)
    results: dict[str, list[Result]] = {name: [] for name in jobs}
    last = 0.0
    for turn in range(rounds):
        if turn and time.monotonic() + last > until:
            break
        began = time.monotonic()
        names = [name for name in jobs if not turn or name not in {*reading_jobs.ONCE, SPARK}]
        start = turn * len(names) // rounds
        for name in names[start:] + names[:start]:
            found = run(name, jobs[name]) | {"round": turn}
            results[name].append(found)
            print(f"  {name}: {found['mb'] / found['cpu']:.0f} MB/s", file=sys.stderr)
        # The first round has more jobs in it, so this errs on the side of ending in time.
        last = time.monotonic() - began
    return results


def run(name: str, command: list[str]) -> Result:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    found: Result = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
