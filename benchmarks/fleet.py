"""Many tables in one Dagster run: wall time, CPU, memory and calls, by hand or `make bench-fleet`.

    python benchmarks/fleet.py [--tables 10 100 1000] [--designs product nothing] [--write]

Each row is a Dagster run in a process of its own with an instance on disk, against an account whose
exports take five seconds. Every table was refreshed once before, so that there is a table to move
and a history to learn from; that first run is not measured. Start of the interpreter and imports
are not in the wall time; starting the steps' processes is.
"""

import argparse
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import report
from fleet_process import Watched

HERE = Path(__file__).parent
#: Without capture of standard output, which starts four processes per step and has no part in this.
INSTANCE_YAML = """\
telemetry: {enabled: false}
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""
WAITING = ("DescribeExport", "ListExports")
EXPORT_SECONDS = 5.0
IN_FLIGHT = 300
#: The product's limits on its own calls: a second, and at once.
STARTS = (15.0, 5)
DESCRIBES = (10.0, 3)
#: Allowed at 1,000 tables: so many times the account's own time and Dagster's own events.
MOST = 1.1
MOST_MEGABYTES = 200.0
MOST_CALLS = 4.0

NAMES = {
    "nothing": "does nothing: Dagster's own events",
    "product": "ddb_assets",
    "unlimited": "ddb_assets, if AWS took any number of calls a second",
    "nothing_declared": "does nothing, with views and checks",
    "declared": "ddb_assets with typed views and checks, as by default",
    "one_step_per_table": "one asset per table, Dagster's multiprocess executor, 40 at once",
}
#: What of Dagster's is in a design's time.
EVENTS = {"product": "nothing", "unlimited": "nothing", "declared": "nothing_declared"}
SIZES = {
    "nothing": (1, 10, 100, 1000),
    "product": (1, 10, 100, 1000),
    "unlimited": (100, 1000),
    "nothing_declared": (10, 100, 1000),
    "declared": (10, 100, 1000),
    "one_step_per_table": (1, 10, 100),
}
#: Only if asked for: a process for each table takes longer than all other rows together.
LONG = {"one_step_per_table": (1000,)}


@dataclass
class Row:
    """One measured run."""

    design: str
    tables: int
    wall: float
    cpu: float
    megabytes: float
    processes: int
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def waiting_calls(self) -> float:
        """Calls per export to learn that it is done."""
        return sum(self.calls[operation] for operation in WAITING) / self.tables

    @property
    def ideal(self) -> float:
        """Seconds that the account takes by itself, whoever asks."""
        if self.design.startswith("nothing"):
            return 0.0
        waves = EXPORT_SECONDS * math.ceil(self.tables / IN_FLIGHT)
        if self.design == "unlimited":
            return waves
        paced = [max(0.0, self.tables - burst) / rate for rate, burst in (STARTS, DESCRIBES)]
        return max(waves, EXPORT_SECONDS + max(paced))


def execute(home: Path) -> None:
    """The measured process: one run of the job, its wall time on standard output."""
    sys.path.insert(0, str(HERE))
    # Here, not above: the process that watches must not be as large as the one it watches.
    import dagster as dg  # noqa: PLC0415 - only the measured process needs Dagster
    from dagster._core.definitions.reconstruct import ReconstructableRepository  # noqa: PLC0415
    from dagster._core.execution.api import execute_run_iterator  # noqa: PLC0415

    # As a run's worker does it (`dagster api execute_run`): the definitions are resolved once and
    # each event is seen once. `dg.reconstructable` resolves them twice, and `dg.execute_job` keeps
    # all events for its result: at 1,000 tables with views and checks 90 MB that no worker needs.
    job = ReconstructableRepository.for_module("fleet_job", "fleet").get_reconstructable_job(
        "fleet"
    )
    quiet = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    with dg.DagsterInstance.from_config(str(home)) as instance:
        began = time.perf_counter()
        run = instance.create_run_for_job(
            job.get_definition(), run_config=quiet, job_code_origin=job.get_python_origin()
        )
        done = 0
        for event in execute_run_iterator(job, run, instance):
            assert not event.is_failure, event.message
            done += event.is_step_materialization
        wall = time.perf_counter() - began
    print(json.dumps({"wall": wall, "done": done}))


class Bench:
    """An account and an instance for each number of tables, refreshed once; a copy for each row."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def seed(self, tables: int) -> Path:
        """The folder with a history; made when it is first asked for."""
        seeded = self._folder / f"seed-{tables}"
        if not seeded.exists():
            _say(f"{tables} tables: a first refresh, not measured ...")
            (seeded / "home").mkdir(parents=True)
            (seeded / "home" / "dagster.yaml").write_text(INSTANCE_YAML)
            with self._started(seeded, "unlimited", tables) as process:
                _finished(process, seeded)
        return seeded

    def measure(self, design: str, tables: int) -> Row:
        """One run."""
        folder = self._folder / "row"
        shutil.copytree(self.seed(tables), folder)
        calls = folder / "account" / "calls"
        calls.write_text("")
        with self._started(folder, design, tables) as process:
            watched = Watched(process.pid)
            watched.start()
            answer = _finished(process, folder)
            watched.stop()
        assets = tables * (2 if design.endswith("declared") else 1)
        assert answer["done"] == assets, f"{answer['done']} of {assets} materialized"
        made = Counter(calls.read_text().split())
        shutil.rmtree(folder)
        return Row(
            design,
            tables,
            answer["wall"],
            watched.cpu,
            watched.megabytes,
            watched.number,
            made,
        )

    def _started(self, folder: Path, design: str, tables: int) -> "subprocess.Popen[bytes]":
        environment = {
            **os.environ,
            "DAGSTER_HOME": str(folder / "home"),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parent}",
            "FLEET_DESIGN": design,
            "FLEET_TABLES": str(tables),
            "FLEET_FOLDER": str(folder / "account"),
        }
        command = [sys.executable, str(HERE / "fleet.py"), "--execute", str(folder / "home")]
        with (folder / "errors").open("wb") as errors:
            return subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=errors, cwd=folder
            )


def _finished(process: "subprocess.Popen[bytes]", folder: Path) -> dict[str, float]:
    assert process.stdout is not None
    try:
        said = process.stdout.read().decode().splitlines()
    except BaseException:
        # Ended by hand: no run is left behind that would disturb the next measurement.
        process.terminate()
        raise
    if process.wait():
        raise SystemExit(f"a run failed:\n{(folder / 'errors').read_text()[-3000:]}")
    return json.loads(said[-1])


def rendered(rows: Sequence[Row]) -> str:
    """The table, and how far from the targets it is."""
    header = [
        "",
        "tables",
        "wall s",
        "the account's own s",
        "wall over it",
        "CPU s",
        "peak MB a process",
        "processes",
        "calls while waiting, per export",
        "all calls, per table",
    ]
    lines: list[list[str]] = []
    for row in rows:
        idle = row.design.startswith("nothing")
        lines.append(
            [
                NAMES[row.design],
                f"{row.tables:,}",
                f"{row.wall:.1f}",
                "–" if idle else f"{row.ideal:.1f}",
                "–" if idle else f"{row.wall / row.ideal:.2f}",
                f"{row.cpu:.1f}",
                f"{row.megabytes:.0f}",
                str(row.processes),
                "–" if idle else f"{row.waiting_calls:.1f}",
                "–" if idle else f"{row.calls.total() / row.tables:.1f}",
            ]
        )
    return "\n".join([report.table(header, lines), "", *judged(rows)])


def judged(rows: Sequence[Row]) -> Iterable[str]:
    """A line per target."""
    found = {(row.design, row.tables): row for row in rows}
    for (design, tables), row in found.items():
        events = found.get((EVENTS.get(design, ""), tables))
        if tables < 1000 or events is None:
            continue
        about = f"{tables:,} tables, {NAMES[design]}"
        most = round(MOST * (row.ideal + events.wall), 1)
        yield report.verdict(f"wall of {about}", row.wall, most, " s")
        yield report.verdict(f"largest process of {about}", row.megabytes, MOST_MEGABYTES, " MB", 0)
        yield report.verdict(f"calls per export of {about}", row.waiting_calls, MOST_CALLS)


def drawn(rows: Sequence[Row]) -> str:
    """Wall time over the number of tables."""
    drawing, axes = report.figure("One Dagster run refreshes", "tables", "wall seconds")
    for design in dict.fromkeys(row.design for row in rows):
        measured = [(row.tables, row.wall) for row in rows if row.design == design]
        style = ":" if design.startswith("nothing") else "-"
        axes.plot(*zip(*measured, strict=True), style, marker="o", label=NAMES[design])
    axes.set(xscale="log", yscale="log")
    axes.legend(fontsize=7)
    return report.save(drawing, "bench-fleet")


def _sizes(design: str, *, long: bool) -> Sequence[int]:
    return SIZES[design] + (LONG.get(design, ()) if long else ())


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def main() -> None:
    """Measure what was asked for and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tables", type=int, nargs="+", help="instead of each design's own")
    parser.add_argument("--designs", nargs="+", default=list(NAMES), choices=list(NAMES))
    parser.add_argument("--long", action="store_true", help="1,000 processes, too: 90 minutes")
    parser.add_argument("--plot", action="store_true", help="into docs/images")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("--execute", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.execute:
        execute(options.execute)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    rows: list[Row] = []
    machine = report.machine()
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        bench = Bench(Path(folder))
        for design in options.designs:
            for tables in options.tables or _sizes(design, long=options.long):
                _say(f"{design}, {tables} tables, load {os.getloadavg()[0]:.1f} ...")
                rows.append(bench.measure(design, tables))
                _say(f"  {rows[-1].wall:.1f} s, {rows[-1].cpu:.1f} CPU s, {dict(rows[-1].calls)}")
                if options.write:
                    # Row by row: who ends it early keeps what was measured.
                    report.write("fleet", f"{machine}\n\n{rendered(rows)}")
    # Only now: what draws is large, and a process counts as large as the one it was forked from.
    plot = f"\n\n{drawn(rows)}" if options.plot else ""
    if options.write and plot:
        report.write("fleet", f"{machine}\n\n{rendered(rows)}{plot}")
    print(rendered(rows) + plot)


if __name__ == "__main__":
    main()
