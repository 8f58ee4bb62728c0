"""Every benchmark in a size that ends in about ten minutes, each into its section of the document.

    python benchmarks/run.py [waiting loading fleet reading scanning]

A benchmark prints Markdown; what it prints is what docs/benchmarks.md shows.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import report

HERE = Path(__file__).parent
BENCHMARKS = {
    "waiting": ["waiting.py"],
    "loading": ["loading.py"],
    "fleet": ["fleet.py", "--plot"],
    "reading": ["reading.py"],
    "scanning": ["scanning.py"],
}


def main() -> None:
    """Run what was asked for; a failed benchmark leaves its section as it was."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", default=list(BENCHMARKS), metavar="NAME")
    names = parser.parse_args().names
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no benchmark {min(unknown)}: there are {', '.join(BENCHMARKS)}")
    failed = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        script, *arguments = BENCHMARKS[name]
        machine, began = report.machine(), time.monotonic()
        command = [sys.executable, str(HERE / script), *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            failed.append(name)
            continue
        report.write(name, f"{machine}\n\n{done.stdout}")
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
