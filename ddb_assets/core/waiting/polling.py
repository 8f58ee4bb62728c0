"""When to ask next whether an export is done: a pure function of its history and its age.

The cost of a poll plan is lag (first successful poll minus the export's end) plus calls at c each,
both in shares of the duration. The plan works on x, the logarithm of age over expected duration:

- For a duration with hazard h(x) the cost is least when polls lie sqrt(2c / h(x)) apart: rarely
  while it cannot be done yet, densely around the time past exports took.
- The next duration is taken as logistic in x. The spread of a few past exports is itself a guess,
  which makes the prediction Student's t; the logistic is nearly the t of nine degrees of freedom,
  and its hazard is one line.
- The first look is where the chance of being done already is worth a call: a chance proportional
  to c / spread (fitted to the plans that dynamic programming finds for a known spread).
- Past the band, intervals grow with the delay: an export ten times late tells nothing of when.

However it is done, lag × calls cannot be much below the spread s of the prediction: 1.0 s for the
best plan when s is known exactly (dynamic programming), about 1.1 s here: 1.2 % and 8 calls go
together up to s of 9 % at best, 8 % here. Measured in docs/benchmarks.md.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

from ddb_assets.core.ports import PastExport

#: No two polls of one export are closer than this.
MIN_INTERVAL_SECONDS = 1.0
#: A late export is asked for at least this often, however long it has run already.
MAX_INTERVAL_SECONDS = 600.0

#: Without history: a few quick looks (a local export takes seconds; on AWS the shortest on record
#: took 95 s), then in proportion to its age.
_UNKNOWN_FIRST = (2.0, 7.0, 25.0, 70.0, 100.0)
_UNKNOWN_GROWTH = 0.059

#: Before there is a history: how far apart two exports of one table are, worth so many exports.
_PRIOR_SPREAD = 0.10
_PRIOR_WEIGHT = 4.0
_MIN_SPREAD = 0.03
#: A call in shares of the duration: 0.14 % of lag are worth one call.
_CALL_COST = 0.0014
#: Chance of being done before the first look, in units of c / spread.
_EARLY_CHANCE = 2.0
_MAX_EARLY_CHANCE = 0.1
#: The scale of a logistic whose standard deviation is 1.
_LOGISTIC_SCALE = math.sqrt(3) / math.pi
#: Past the band, polls lie this much of the lateness (in x) apart, ...
_LATE_GROWTH = 0.08
#: ... and never further off than this share of the export's age.
_MAX_GROWTH = 0.06
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

        `stretch` widens the intervals where many exports share the account's call rate: there a
        call costs stretch² as much, which also moves the first look.
        """
        if self.expected_seconds is None:
            return _next_unknown(age_seconds, stretch)
        scale = _LOGISTIC_SCALE * self.spread
        cost = _CALL_COST * stretch**2
        early = min(_MAX_EARLY_CHANCE, _EARLY_CHANCE * cost / self.spread)
        first = self.expected_seconds * math.exp(scale * math.log(early / (1 - early)))
        if age_seconds < first - MIN_INTERVAL_SECONDS:
            return first
        late = math.log(max(age_seconds, first) / self.expected_seconds)
        hazard = 1 / (scale * (1 + math.exp(-late / scale)))
        share = max(math.sqrt(2 * cost / hazard), _LATE_GROWTH * stretch * late)
        interval = min(share, _MAX_GROWTH * stretch) * max(age_seconds, first)
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
    centre, residuals = _by_size(usable, size_bytes) or _by_centre(logs)
    squares = sum(r * r for r in residuals)
    variance = (_PRIOR_WEIGHT * _PRIOR_SPREAD**2 + squares) / (_PRIOR_WEIGHT + len(usable) - 1)
    # The next one differs from the true centre, and the true centre from the estimated one.
    spread = max(_MIN_SPREAD, math.sqrt(variance * (1 + 1 / len(usable))))
    return PollPlan(math.exp(centre), spread)


def _by_centre(logs: list[float]) -> tuple[float, list[float]]:
    """The Hodges-Lehmann centre: as robust as a median, nearly as exact as a mean."""
    pairs = combinations_with_replacement(logs, 2)
    centre = statistics.median((a + b) / 2 for a, b in pairs)
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
    _, plain = _by_centre([math.log(s) for _, s in sized])
    if sum(r * r for r in residuals) > 0.5 * sum(r * r for r in plain):
        return None
    return math.log(here), residuals


def _next_unknown(age: float, stretch: float) -> float:
    for moment in _UNKNOWN_FIRST:
        if age < moment - MIN_INTERVAL_SECONDS / 2:
            return moment
    return age + min(age * _UNKNOWN_GROWTH * stretch, MAX_INTERVAL_SECONDS)
