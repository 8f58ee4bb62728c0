"""docs/benchmarks.md: each benchmark replaces its own section and nothing else.

A section lies between `<!-- bench: NAME -->` and `<!-- end -->`. Plots go to docs/images/.
"""

import os
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent / "docs"
DOCUMENT = DOCS / "benchmarks.md"


def write(name: str, text: str, document: Path = DOCUMENT) -> None:
    """Put `text` where the document keeps the section `name`.

    Raises:
        ValueError: The document has no such section.
    """
    begin, end = f"<!-- bench: {name} -->\n", "<!-- end -->"
    before, found, rest = document.read_text().partition(begin)
    if not found or end not in rest:
        raise ValueError(f"{document} has no section {begin.strip()} … {end}")
    after = rest.partition(end)[2]
    document.write_text(f"{before}{begin}\n{text.strip()}\n\n{end}{after}")


def machine() -> str:
    """What was measured on, and how busy it is now."""
    load, python = os.getloadavg()[0], ".".join(map(str, sys.version_info[:3]))
    return (
        f"*{os.cpu_count()} cores, load average {load:.1f} at the start; Python {python}, "
        f"Dagster {version('dagster')}, {time.strftime('%Y-%m-%d', time.gmtime())}.*"
    )


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def verdict(what: str, value: float, limit: float, unit: str = "", digits: int = 1) -> str:
    """A line that says whether a target is met."""
    met = "met" if value <= limit else "**missed**"
    return f"- {what}: {value:.{digits}f}{unit}, target at most {limit:g}{unit}: {met}"


def figure(title: str, across: str, up: str) -> tuple[Any, Any]:
    """An empty plot: matplotlib's figure and axes."""
    import matplotlib as mpl  # noqa: PLC0415 - a benchmark's processes do not need it

    # Text stays text and the same numbers give the same file.
    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "ddb_assets", "font.size": 9})
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the choice above

    drawing, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    axes.set(title=title, xlabel=across, ylabel=up)
    axes.grid(visible=True, which="both", linewidth=0.3, alpha=0.6)
    return drawing, axes


def save(drawing: Any, name: str) -> str:
    """Write docs/images/NAME.svg; returns the Markdown that shows it."""
    path = DOCS / "images" / f"{name}.svg"
    drawing.savefig(path, metadata={"Date": None})
    lines = (line.rstrip() for line in path.read_text().splitlines())
    path.write_text("\n".join(lines) + "\n")
    return f"![{name}](images/{path.name})"
