"""Many exports are watched with few calls, each at its own times."""

import random
import statistics
from dataclasses import replace
from datetime import timedelta

import pytest

from ddb_assets.core.outcome import Refreshed
from ddb_assets.core.ports import PastExport
from ddb_assets.errors import AccessDeniedError, ServiceUnavailableError, ThrottledError


def fleet(world, number, seed=0):
    """Tables with history whose exports take about as long as usual."""
    rng = random.Random(1000 * number + seed)
    specs = []
    for index in range(number):
        name = f"t{index:03}"
        specs.append(world.table(name, infer=False))
        usual = 330 * rng.uniform(0.6, 1.6)
        world.history.past[name] = [PastExport(usual * rng.gauss(1, 0.08)) for _ in range(8)]
        world.aws.seconds[name] = usual * rng.gauss(1, 0.08)
    return specs


def lags(world, outcomes):
    """Lag in per cent of each export's duration."""
    return [
        100 * (o.timings.waited_seconds - world.aws.seconds[n]) / world.aws.seconds[n]
        for n, o in outcomes.items()
    ]


@pytest.mark.parametrize("number", [30, 100, 200])
def test_a_fleet_costs_few_calls_per_export(world, number):
    """At most four calls of waiting per export, with a few per cent of lag."""
    specs = fleet(world, number)
    outcomes = world.refresh(*specs)
    assert all(isinstance(o, Refreshed) for o in outcomes.values())
    calls = world.aws.count("describe_export") + world.aws.count("list_exports")
    assert calls / number <= 4
    assert statistics.mean(lags(world, outcomes)) <= 3.5


def test_a_table_alone_is_watched_closely(world):
    """With history: a lag of about a per cent for some nine calls."""
    found, calls = [], 0
    for index in range(30):
        (spec,) = fleet(world, 1, seed=index)
        world.aws.calls.clear()
        found += lags(world, world.refresh(spec, run=f"run-{index}"))
        calls += world.aws.count("describe_export")
    assert statistics.mean(found) <= 1.3
    assert calls / 30 <= 10


def test_describing_stays_below_the_accounts_rate(world):
    """Of two hundred exports that end together, at most 13 are asked for in any second."""
    specs = [world.table(f"t{n}", infer=False) for n in range(200)]
    for spec in specs:
        world.history.past[spec.name] = [PastExport(300.0)] * 5
    times = []
    world.aws.hooks["describe_export"] = [
        lambda: times.append(world.clock.seconds) for _ in range(10_000)
    ]
    world.refresh(*specs)
    for first, fourteenth in zip(times, times[13:], strict=False):
        assert fourteenth - first >= 0.99
    starts = sorted(running.export.start_time for running in world.aws.exports.values())
    for first, twenty_first in zip(starts, starts[20:], strict=False):
        assert (twenty_first - first).total_seconds() >= 0.99


def test_without_the_right_to_list_each_export_is_described(world):
    """ListExports is a saving, not a need."""
    specs = fleet(world, 20)
    world.aws.faults["list_exports"] = [AccessDeniedError("not authorized")] * 100
    outcomes = world.refresh(*specs)
    assert all(isinstance(o, Refreshed) for o in outcomes.values())
    assert world.aws.count("list_exports") <= 1


def test_an_old_account_is_not_listed_from_end_to_end(world):
    """Ninety days of other people's exports make listing dearer than asking."""
    other = world.table("other", infer=False)
    world.refresh(other, run="old", wait=False)
    (arn,) = world.aws.exports
    specs = fleet(world, 30)
    world.refresh(*specs, wait=False)
    # Listed newest first, the old ones before ours: the worst order there can be.
    for number in range(3000):
        world.aws.exports[f"{arn}{number}"] = world.aws.exports[arn]
    outcomes = world.refresh(*specs)
    assert all(isinstance(o, Refreshed) for o in outcomes.values())
    assert world.aws.count("list_exports") <= 60


def test_one_export_that_cannot_be_asked_for_holds_up_nobody(world):
    """Its own patience ends with its own error."""
    bad, good = world.table("bad"), world.table("good")
    world.aws.seconds.update(bad=5000.0, good=2000.0)
    world.refresh(bad, good, wait=False)
    arn = world.ledgers["run-1"].notes["bad"].export_arn
    world.aws.faults[f"describe_export {arn}"] = [
        None,
        *[ServiceUnavailableError("500") for _ in range(1000)],
    ]
    outcomes = world.refresh(bad, good)
    assert isinstance(outcomes["bad"].error, ServiceUnavailableError)
    assert "tries in" in outcomes["bad"].error.cause
    assert isinstance(outcomes["good"], Refreshed)


def test_throttling_slows_down_and_goes_on(world):
    """A throttled account is asked at half the rate, not given up."""
    specs = fleet(world, 40)
    world.aws.faults["describe_export"] = [ThrottledError("slow down") for _ in range(60)]
    world.aws.faults["list_exports"] = [ThrottledError("slow down") for _ in range(5)]
    outcomes = world.refresh(*specs)
    assert all(isinstance(o, Refreshed) for o in outcomes.values())


@pytest.mark.parametrize("behind", [-3, 3], ids=["ahead", "behind"])
def test_a_clock_days_off_does_not_delay_the_looks(world, behind):
    """StartTime is AWS's clock's, waiting is by ours: the looks lie as if both agreed."""
    days = timedelta(days=behind)
    start_export = type(world.aws).start_export
    describe_export = type(world.aws).describe_export

    def skewed(export):
        return replace(export, start_time=export.start_time - days)

    world.aws.start_export = lambda request: skewed(start_export(world.aws, request))
    world.aws.describe_export = lambda arn: skewed(describe_export(world.aws, arn))
    spec = world.table("Article", infer=False)
    outcome = world.refresh(spec)["Article"]
    assert outcome.timings.waited_seconds < 1.07 * world.aws.export_seconds


def test_a_look_after_a_restart_goes_by_the_age_of_the_intent(world):
    """An export that an earlier attempt of this run has begun is not taken for a new one."""
    spec = world.table("Article", infer=False)
    world.history.past["Article"] = [PastExport(3000.0)] * 8
    world.aws.export_seconds = 3000.0
    began = world.clock.now()
    world.refresh(spec, started_at=began, wait=False)
    world.clock.sleep(2900)
    world.aws.calls.clear()
    outcome = world.refresh(spec, started_at=began)["Article"]
    assert outcome.timings.waited_seconds < 150
    assert world.aws.count("describe_export") <= 8
