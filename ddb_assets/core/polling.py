"""When to ask next whether an export is done: a pure function of its history and its age.

The cost of a poll plan is lag (first successful poll minus the export's end) plus calls. For a
duration with hazard h(t) the sum is least when polls lie sqrt(2c/h(t)) apart: rarely while it
cannot be done yet, densely around the time past exports took, and again in proportion to its age
once it is late. Measured against fixed intervals in docs/benchmarks.md.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ddb_assets.core.ports import PastExport

#: No two polls of one export are closer than this.
MIN_INTERVAL_SECONDS = 1.0
#: A late export is asked for at least this often, however long it has run already.
MAX_INTERVAL_SECONDS = 300.0

#: Without history: a few quick looks (a local or tiny export), then in proportion to its age.
_UNKNOWN_FIRST = (2.0, 7.0, 25.0, 65.0)
_UNKNOWN_GROWTH = 0.059

#: How far one more past export moves the spread away from the prior.
_PRIOR_SPREAD = 0.10
_PRIOR_WEIGHT = 6.0
_MIN_SPREAD = 0.03
#: Share of exports that take nothing like as long as their predecessors, and how they spread.
_STRAY_SHARE = 0.02
_STRAY_SPREAD = 0.7
#: Weight of a call against lag (shares of the duration); found by simulation. For a normal
#: spread s no plan gets below lag × calls = 1.04 s; this one stays within a fifth of that.
_CALL_COST = 0.0013
#: In standard deviations: one export in a hundred is done before the first look.
_FIRST_QUANTILE = -2.4
#: The widest a poll may lie after the one before, in shares of the export's age.
_MAX_GROWTH = 0.05
#: Bytes must differ by this factor before duration is read as a function of size.
_SIZE_FACTOR = 1.2


@dataclass(frozen=True)
class PollPlan:
    """Poll times of one export, in seconds since it started.

    Attributes:
        expected_seconds: How long it will probably take; None without history.
        spread: Standard deviation of the logarithm of the duration.
    """

    expected_seconds: float | None = None
    spread: float = _PRIOR_SPREAD

    def next(self, age_seconds: float, *, stretch: float = 1.0) -> float:
        """The age at which to ask next, given that it was not done at `age_seconds`.

        `stretch` widens the intervals where many exports share the account's call rate.
        """
        if self.expected_seconds is None:
            return _next_unknown(age_seconds, stretch)
        first = self.expected_seconds * math.exp(_FIRST_QUANTILE * self.spread)
        if age_seconds < first - MIN_INTERVAL_SECONDS:
            return first
        age = max(age_seconds, first, 1e-3)
        position = math.log(age / self.expected_seconds)
        share = math.sqrt(2 * _CALL_COST / _hazard(position, self.spread)) * stretch
        interval = min(share, _MAX_GROWTH * stretch) * age
        return age_seconds + min(max(interval, MIN_INTERVAL_SECONDS), MAX_INTERVAL_SECONDS)


def plan(past: Sequence[PastExport], *, size_bytes: int | None = None) -> PollPlan:
    """Learn from earlier exports of the same table; newest first, as History gives them.

    Where their billed sizes differ, duration is read as a line over size and `size_bytes`, the
    table's size now, says where on it this export lies.
    """
    usable = [p for p in past if p.seconds > 0]
    if not usable:
        return PollPlan()
    logs = [math.log(p.seconds) for p in usable]
    centre, residuals = _by_size(usable, size_bytes) or _by_median(logs)
    degrees = max(len(residuals) - 1, 0)
    squares = sum(r * r for r in residuals)
    variance = (_PRIOR_WEIGHT * _PRIOR_SPREAD**2 + squares) / (_PRIOR_WEIGHT + degrees)
    spread = max(_MIN_SPREAD, math.sqrt(variance * (1 + 1 / len(usable))))
    return PollPlan(math.exp(centre), spread)


def _by_median(logs: list[float]) -> tuple[float, list[float]]:
    centre = statistics.median(logs)
    return centre, [value - centre for value in logs]


def _by_size(past: Sequence[PastExport], size: int | None) -> tuple[float, list[float]] | None:
    sized = [(p.billed_bytes, p.seconds) for p in past if p.billed_bytes]
    if not size or len(sized) < 4 or len(sized) < len(past):
        return None
    sizes = [float(b) for b, _ in sized]
    if max(sizes) < _SIZE_FACTOR * min(sizes):
        return None
    slope, floor = statistics.linear_regression(sizes, [s for _, s in sized])
    fitted = [floor + slope * b for b in sizes]
    here = floor + slope * min(max(size, min(sizes)), _SIZE_FACTOR * max(sizes))
    if slope <= 0 or here <= 0 or min(fitted) <= 0:
        return None
    residuals = [math.log(s / f) for (_, s), f in zip(sized, fitted, strict=True)]
    _, plain = _by_median([math.log(s) for _, s in sized])
    if sum(r * r for r in residuals) > 0.5 * sum(r * r for r in plain):
        return None
    return math.log(here), residuals


def _next_unknown(age: float, stretch: float) -> float:
    for moment in _UNKNOWN_FIRST:
        if age < moment - MIN_INTERVAL_SECONDS / 2:
            return moment
    return age + min(age * _UNKNOWN_GROWTH * stretch, MAX_INTERVAL_SECONDS)


def _hazard(position: float, spread: float) -> float:
    """Chance per unit of log time of ending now, of those that have not ended yet."""
    density = survival = 0.0
    for weight, width in ((1 - _STRAY_SHARE, spread), (_STRAY_SHARE, _STRAY_SPREAD)):
        z = position / width
        density += weight * math.exp(-0.5 * z * z) / (width * math.sqrt(2 * math.pi))
        survival += weight * 0.5 * math.erfc(z / math.sqrt(2))
    return density / survival if survival > 1e-12 else 1 / _STRAY_SPREAD
