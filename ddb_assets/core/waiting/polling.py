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
- A first export is predicted from other tables' exports, as a line over their sizes. Where none are
  known, its scale is not: then it is asked for in proportion to its age.

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
_UNKNOWN_FIRST = (2.0, 8.0, 24.0, 94.0)
_UNKNOWN_GROWTH = 0.058

#: A table without history is judged by the other tables of its refresh: so many at least, ...
_MIN_PEERS = 5
#: ... which are as far apart as this before there are many, worth so many of them, ...
_PEER_SPREAD = 0.35
_PEER_WEIGHT = 4.0
#: ... and never closer than this to one that is not among them.
_MIN_PEER_SPREAD = 0.10
#: Beyond the sizes that were seen, a factor of e in size adds this much to the spread.
_BEYOND_SPREAD = 0.5
_FIT_ROUNDS = 4

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


def plan(
    past: Sequence[PastExport],
    *,
    size_bytes: int | None = None,
    peers: Sequence[PastExport] = (),
) -> PollPlan:
    """Learn from earlier exports of the same table or, where there are none, of its neighbours.

    Args:
        past: Of this table; newest first, as History gives them. Where their billed sizes differ,
            duration is read as a line over size.
        size_bytes: The table's size now: it says where on that line this export lies.
        peers: The newest export of each other table of the account that is known.
    """
    usable = [p for p in past if p.seconds > 0]
    if not usable:
        return _by_peers([p for p in peers if p.seconds > 0], size_bytes)
    logs = [math.log(p.seconds) for p in usable]
    centre, residuals = _by_size(usable, size_bytes) or _by_centre(logs)
    squares = sum(r * r for r in residuals)
    variance = (_PRIOR_WEIGHT * _PRIOR_SPREAD**2 + squares) / (_PRIOR_WEIGHT + len(usable) - 1)
    # The next one differs from the true centre, and the true centre from the estimated one.
    spread = max(_MIN_SPREAD, math.sqrt(variance * (1 + 1 / len(usable))))
    return PollPlan(math.exp(centre), spread)


def _by_peers(peers: Sequence[PastExport], size: int | None) -> PollPlan:
    """A first export, by how long other tables' took: as a line over their sizes, or about as long.

    A guess that is wide costs more calls, never more lag: see `_MAX_GROWTH`.
    """
    if len(peers) < _MIN_PEERS:
        return PollPlan()
    centre = statistics.median(math.log(p.seconds) for p in peers)
    residuals = [math.log(p.seconds) - centre for p in peers]
    beyond = 0.0
    if size is not None and all(p.billed_bytes is not None for p in peers):
        sizes = [float(p.billed_bytes or 0) for p in peers]
        floor, slope = _relative_line(sizes, [p.seconds for p in peers])
        fitted = [math.log(floor + slope * s) for s in sizes]
        apart = [math.log(p.seconds) - f for p, f in zip(peers, fitted, strict=True)]
        if slope > 0 and _squares(apart) < 0.8 * _squares(residuals):
            residuals = apart
            largest = max(sizes)
            centre = math.log(floor + slope * size)
            if size > largest:
                beyond = _BEYOND_SPREAD * (centre - math.log(floor + slope * largest))
    number = len(peers)
    prior = _PEER_WEIGHT * _PEER_SPREAD**2
    variance = (prior + _squares(residuals)) / (_PEER_WEIGHT + number - 2)
    spread = math.sqrt(variance * (1 + 2 / number) + beyond**2)
    return PollPlan(math.exp(centre), max(_MIN_PEER_SPREAD, spread))


def _relative_line(sizes: Sequence[float], seconds: Sequence[float]) -> tuple[float, float]:
    """Floor and slope (>= 0) of seconds over sizes, by least squares of the relative error.

    What scatters is a factor, not a number of seconds: one long export must not outweigh the rest.
    """
    fitted = list(seconds)
    floor, slope = min(seconds), 0.0
    for _ in range(_FIT_ROUNDS):
        weights = [1 / f**2 for f in fitted]
        total = sum(weights)
        mean_x = sum(w * x for w, x in zip(weights, sizes, strict=True)) / total
        mean_y = sum(w * y for w, y in zip(weights, seconds, strict=True)) / total
        square = sum(w * (x - mean_x) ** 2 for w, x in zip(weights, sizes, strict=True))
        if square <= 0:
            return mean_y, 0.0
        across = sum(
            w * (x - mean_x) * (y - mean_y) for w, x, y in zip(weights, sizes, seconds, strict=True)
        )
        slope = max(0.0, across / square)
        floor = max(mean_y - slope * mean_x, 0.5 * min(seconds))
        fitted = [floor + slope * x for x in sizes]
    return floor, slope


def _squares(values: Sequence[float]) -> float:
    return sum(v * v for v in values)


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
