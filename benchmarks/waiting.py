"""When an export's end is noticed, and for how many calls: the product against fixed intervals.

    python benchmarks/waiting.py [--draws 4000]

On a virtual clock, seeded: the same draws give the same figures on every machine.
"""

import argparse
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import NormalDist

import report
from waiting_model import (
    DURATIONS,
    Draw,
    One,
    Waited,
    best,
    every,
    lognormal,
    neighbours,
    product,
)

OURS = "**ddb_assets**, first export of a table"
STRATEGIES = {
    "300 s, then 60 s for the query (the 2021 pipeline)": every(300, then=60),
    "60 s": every(60),
    "30 s (Airflow)": every(30),
    "20 s (the SDK's waiter, 60 tries)": every(20, first=0, most=60),
    "5 s": every(5),
    OURS: lambda durations: product([One(duration) for duration in durations]),
}


@dataclass(frozen=True)
class History:
    """How a table's own durations differ, and how many of its exports are known.

    Attributes:
        spread: Standard deviation of the duration's logarithm, or the farthest it is off.
        past: So many earlier exports are known.
        uniform: Never farther off than `spread`, and as often there as anywhere between.
    """

    spread: float
    past: int
    uniform: bool = False

    def __str__(self) -> str:
        within = "within ±" if self.uniform else "spread "
        return f"{within}{100 * self.spread:.0f} %, {self.past} known"

    def factor(self, rng: random.Random) -> float:
        """An export's duration over the table's usual one."""
        if self.uniform:
            return 1 + rng.uniform(-self.spread, self.spread)
        return math.exp(self.spread * rng.gauss(0, 1))

    def factors(self) -> list[float]:
        """The distribution of `factor` itself: as many as a bound needs, all equally likely."""
        shares = [(number + 0.5) / DRAWN for number in range(DRAWN)]
        if self.uniform:
            return [1 + self.spread * (2 * share - 1) for share in shares]
        return [math.exp(self.spread * NormalDist().inv_cdf(share)) for share in shares]


#: A distribution's tail decides what the last calls are worth: with fewer the bound is too low.
DRAWN = 200_000
WITHIN_10, SPREAD_7, SPREAD_10 = History(0.10, 5, uniform=True), History(0.07, 5), History(0.10, 5)
HISTORIES = [
    History(0.05, 5),
    SPREAD_7,
    WITHIN_10,
    SPREAD_10,
    History(0.10, 20),
    History(0.25, 5),
    History(0.25, 20),
]
FLEETS = [10, 30, 100, 300]
#: How far a table's export lies from what its size says: a factor of e to the power of this.
SCATTERS = [0.10, 0.25, 0.60]
PEERS = 40
COSTS = [0.0002 * 1.4**step for step in range(15)]


def main() -> None:
    """Print the section of docs/benchmarks.md and draw its plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--draws", type=int, default=4000)
    draws = parser.parse_args().draws
    print(f"{draws:,} exports a row; lag is the first poll after the end minus the end.\n")
    without = {name: _without_history(draw, draws) for name, draw in DURATIONS.items()}
    with_history = {known: _with_history(known, draws) for known in HISTORIES}
    fleets = {number: _fleet(number, draws) for number in FLEETS}
    first = {scatter: _first_among_many(scatter, draws // 4) for scatter in SCATTERS}
    for name, found in without.items():
        print(_against_fixed(name, found))
    print(_learned(with_history))
    print(_together(fleets))
    print(_new_among_many(first))
    print(_verdicts(with_history, fleets, without, first))
    print(_plot(without["lognormal, median 5.5 min"], with_history))


def _without_history(draw: Draw, draws: int) -> dict[str, Waited]:
    rng = random.Random(1)
    durations = [draw(rng) for _ in range(draws)]
    return {name: wait(durations) for name, wait in STRATEGIES.items()}


def _table_with_history(rng: random.Random, history: History) -> One:
    usual = lognormal(rng)
    taken = [usual * history.factor(rng) for _ in range(history.past + 1)]
    return One(taken[0], taken[1:])


def _with_history(history: History, draws: int) -> Waited:
    rng = random.Random(2)
    return product([_table_with_history(rng, history) for _ in range(draws)])


def _fleet(together: int, draws: int) -> Waited:
    rng = random.Random(3)
    exports = [_table_with_history(rng, SPREAD_10) for _ in range(max(draws // 4, 3 * together))]
    return product(exports, together=together)


def _first_among_many(scatter: float, draws: int) -> tuple[Waited, Waited]:
    """A table's first export with the account's other tables in sight, and without."""
    rng = random.Random(5)
    exports: list[One] = []
    for _ in range(draws):
        *peers, own = neighbours(rng, PEERS + 1, scatter)
        exports.append(One(own.seconds, size=own.billed_bytes, peers=peers))
    return product(exports), product([One(one.seconds) for one in exports])


def _figures(waited: Waited) -> list[str]:
    return [f"{waited.mean:.2f}", f"{waited.p99:.1f}", f"{waited.each:.1f}"]


def _against_fixed(name: str, found: dict[str, Waited]) -> str:
    rows = []
    for strategy, waited in found.items():
        lost = 100 * waited.given_up / (waited.given_up + len(waited.lags))
        rows.append([strategy, f"{waited.mean_seconds:.1f}", *_figures(waited), f"{lost:.0f} %"])
    header = ["", "mean lag s", "mean lag %", "p99 %", "calls", "given up"]
    return f"**Durations: {name}**\n\n{report.table(header, rows)}\n"


def _learned(found: dict[History, Waited]) -> str:
    rows = []
    for history, waited in found.items():
        told = "–"
        if not history.uniform:
            told = f"{_best_lag(_predicted(history), waited.each):.2f}"
        everything = _best_lag(history.factors(), waited.each)
        rows.append([history, *_figures(waited), told, f"{everything:.2f}"])
    header = [
        "the table's exports",
        "mean lag %",
        "p99 %",
        "calls",
        "best possible mean lag % for these calls",
        "knowing everything",
    ]
    return (
        "**A table with history**: its usual duration is drawn from the lognormal distribution; "
        "its exports are lognormal around that with the spread given, or anywhere within so much "
        "of it.\n\n"
        f"{report.table(header, rows)}\n\n"
        "The last two columns are the best plan that dynamic programming finds: for somebody who "
        "knows the spread exactly and only has to estimate the usual duration from the known "
        "exports, and for somebody who knows that exactly, too. With a spread of 10 % and 8 calls "
        f"the latter's mean lag is {_best_lag(SPREAD_10.factors(), 8):.2f} %.\n"
    )


def _predicted(history: History) -> list[float]:
    """The next duration over its estimate: the spread, and the estimate's own."""
    width = history.spread * math.sqrt(1 + 1 / history.past)
    return History(width, history.past).factors()


def _best_lag(durations: Sequence[float], calls: float) -> float:
    """Lag of the best plan with so many calls, between the two nearest of `COSTS`."""
    plans = [best(durations, cost) for cost in COSTS]
    for (low_lag, more), (high_lag, fewer) in pairwise(plans):
        if fewer <= calls <= more:
            share = math.log(more / calls) / math.log(more / fewer)
            return low_lag * (high_lag / low_lag) ** share
    raise ValueError(f"{calls:.1f} calls are outside {plans}")


def _together(found: dict[int, Waited]) -> str:
    rows = []
    for number, waited in found.items():
        bound = _best_lag(_predicted(SPREAD_10), waited.each)
        rows.append([f"{number} in flight", *_figures(waited), f"{bound:.2f}"])
    header = ["", "mean lag %", "p99 %", "calls per export", "best possible mean lag % for these"]
    return (
        "**A fleet**: spread 10 %, 5 known exports each, watched together. A page of ListExports "
        "counts as a call; the account also lists all exports that ended before, so that few in "
        "flight are described one by one.\n\n"
        f"{report.table(header, rows)}\n"
    )


def _new_among_many(found: dict[float, tuple[Waited, Waited]]) -> str:
    rows = []
    for scatter, (told, alone) in found.items():
        about = f"{100 * scatter:.0f} % off what its size says"
        rows.append([about, *_figures(told), f"{alone.mean:.2f}", f"{alone.each:.1f}"])
    header = ["", "mean lag %", "p99 %", "calls", "without them: mean lag %", "calls"]
    return (
        f"**A table's first export, {PEERS} other tables' being known**: tables of 1 MB to 100 GB, "
        "exports of two minutes and a second per 20 MB, times a lognormal factor. The product fits "
        "that line itself.\n\n"
        f"{report.table(header, rows)}\n"
    )


def _verdicts(
    learned: dict[History, Waited],
    fleets: dict[int, Waited],
    without: dict[str, dict[str, Waited]],
    first: dict[float, tuple[Waited, Waited]],
) -> str:
    lines = []
    for history in [SPREAD_7, WITHIN_10, SPREAD_10]:
        waited = learned[history]
        about = f"of a table's exports, {history}"
        lines += [
            report.verdict(f"mean lag {about}", waited.mean, 1.2, " %", 2),
            report.verdict(f"calls {about}", waited.each, 8),
        ]
    for number in FLEETS[1:]:
        about = f"calls per export with {number} in flight"
        lines.append(report.verdict(about, fleets[number].each, 4))
    for name, found in without.items():
        lines += [
            report.verdict(f"mean lag without history, {name}", found[OURS].mean, 3, " %", 2),
            report.verdict(f"calls without history, {name}", found[OURS].each, 35),
        ]
    for scatter, (told, _) in first.items():
        about = f"a first export among {PEERS} known ones, {100 * scatter:.0f} % off"
        lines += [
            report.verdict(f"mean lag of {about}", told.mean, 3, " %", 2),
            report.verdict(f"calls of {about}", told.each, 35),
        ]
    return "\n".join([*lines, ""])


def _plot(fixed: dict[str, Waited], learned: dict[History, Waited]) -> str:
    drawing, axes = report.figure(
        "Lag against calls (lognormal durations, median 5.5 min)",
        "calls per export",
        "mean lag, % of the duration",
    )
    for name, waited in fixed.items():
        label = "ddb_assets, no history" if name == OURS else name.partition(" (")[0]
        axes.plot(waited.each, waited.mean, "o", color="C1" if name == OURS else "0.5")
        axes.annotate(
            label.partition(", then")[0],
            (waited.each, waited.mean),
            xytext=(6, 3),
            textcoords="offset points",
        )
    for history, color in [(HISTORIES[0], "C0"), (SPREAD_10, "C2"), (History(0.25, 5), "C3")]:
        waited = learned[history]
        label = f"ddb_assets, {history}"
        axes.plot(waited.each, waited.mean, "D", color=color, label=label)
        plans = list(map(partial(best, _predicted(history)), COSTS))
        calls, lags = [c for _, c in plans], [lag for lag, _ in plans]
        axes.plot(calls, lags, "-", color=color, linewidth=0.9, label="… the best there is")
    axes.set(xscale="log", yscale="log", xlim=(1.5, 120), ylim=(0.3, 100))
    axes.legend(fontsize=7)
    return report.save(drawing, "bench-waiting")


if __name__ == "__main__":
    main()
