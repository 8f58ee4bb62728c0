"""A thousand failures and a slow notifier: each message once, each tick in time."""

import json
import threading
import time
from collections import Counter

import dagster as dg
import pytest

from ddb_assets.core.spec import TableSpec
from ddb_assets.orchestration.sensors.declared import SensedTables
from ddb_assets.orchestration.sensors.failed_refreshes import (
    FailedRefreshes,
    failed_refreshes_sensor,
)
from ddb_assets.orchestration.sensors.telling import ATTEMPTS, Told

THOUSAND = [f"table-{number:04d}" for number in range(1000)]
TICK_SECONDS = 40


class HandClock:
    """Moves when a notifier takes its time."""

    def __init__(self):
        self.elapsed = 0.0

    def monotonic(self):
        """Seconds since the beginning."""
        return self.elapsed

    def sleep(self, seconds):
        """Move on."""
        self.elapsed += seconds


@pytest.fixture(autouse=True)
def _timeout_of_dagster(monkeypatch):
    monkeypatch.setenv("DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS", str(TICK_SECONDS + 20))


class Project:
    """Tables whose runs fail; every tick has a sensor of its own, as after a restart."""

    def __init__(self, instance, names):
        self.instance = instance
        keys = {name: dg.AssetKey(["athena", "raw", name]) for name in names}
        tables = {key: TableSpec(name, "raw", name, "exports", name) for name, key in keys.items()}
        self.sensed = SensedTables(
            name="refresh_raw", tables=tables, steps=dict.fromkeys(tables, "refresh_raw")
        )
        self.clock = HandClock()
        self.told = []
        self.cursor = Told(-1).dump()

    def fail(self, names):
        """A run in which these tables failed."""
        entries = {name: dg.MetadataValue.json({"cause": "PITR is off"}) for name in names}

        @dg.op(name="refresh_raw")
        def step():
            raise dg.Failure("no", metadata=entries)

        @dg.job
        def refresh():
            step()

        return refresh.execute_in_process(instance=self.instance, raise_on_error=False).run_id

    def slow(self, failure):
        """Two seconds per message."""
        self.clock.sleep(2)
        self.told.append((failure.run_id, failure.table))

    def tick(self, notifier=None, *, keep_cursor=True):
        """One evaluation; its reactions."""
        settings = FailedRefreshes(notifier=notifier or self.slow)
        sensor = failed_refreshes_sensor(self.sensed, settings, clock=self.clock)
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        data = sensor.evaluate_tick(context)
        if keep_cursor:
            self.cursor = data.cursor
        return data


@pytest.fixture
def project(instance):
    """A thousand tables."""
    return Project(instance, THOUSAND)


@pytest.mark.slow
def test_a_thousand_messages_are_told_over_many_ticks_each_once(project):
    """Forty seconds per tick, two per message; the next tick goes on where this one ended."""
    run_id = project.fail(reversed(THOUSAND))
    began, ticks = 0.0, 0
    while len(project.told) < len(THOUSAND):
        data = project.tick()
        ticks += 1
        assert project.clock.elapsed - began <= TICK_SECONDS
        began = project.clock.elapsed
        assert len(project.told) == min(ticks * 20, 1000)
        assert len(project.cursor) < 300
    assert project.told == [(run_id, name) for name in THOUSAND]
    (reaction,) = data.dagster_run_reactions
    assert (reaction.dagster_run.run_id, reaction.error) == (run_id, None)
    assert project.tick().skip_message == "no news"
    assert len(project.told) == 1000


def test_runs_that_fail_meanwhile_wait_for_their_turn(project):
    """Many small failures after one: in order, each once, none lost between two ticks."""
    runs = [project.fail(THOUSAND[:30])]
    project.tick()
    runs += [project.fail([name]) for name in THOUSAND[:40]]
    for _ in range(4):
        project.tick()
    expected = [(runs[0], name) for name in THOUSAND[:30]]
    assert project.told == expected + [(run, THOUSAND[n]) for n, run in enumerate(runs[1:])]


def test_a_message_slower_than_a_tick_still_gets_through(project):
    """One per tick at least: otherwise the sensor would stand still for ever."""
    project.fail(THOUSAND[:3])

    def slowest(failure):
        project.clock.sleep(100)
        project.told.append(failure.table)

    for number in range(1, 4):
        project.tick(slowest)
        assert project.told == THOUSAND[:number]


def test_the_first_tick_tells_nothing_of_the_past(project):
    """Switched on today, it is silent about last year."""
    project.fail(THOUSAND[:3])
    project.cursor = None
    assert project.tick().skip_message == "begins with the next run that fails"
    later = project.fail(THOUSAND[:1])
    project.tick()
    assert project.told == [(later, THOUSAND[0])]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "17",
        '{"version": 1}',
        '{"version": 99, "after": 3}',
        '{"version": 1, "after": "x", "run_id": null, "attempt": 1, "label": "", "again": [], '
        '"failed": []}',
    ],
)
def test_an_unreadable_cursor_begins_with_what_fails_from_now_on(project, text):
    """Nothing is told twice; the sensor works on."""
    project.fail(THOUSAND[:3])
    project.cursor = text
    project.tick()
    later = project.fail(THOUSAND[:1])
    project.tick()
    assert project.told == [(later, THOUSAND[0])]


def test_the_cursor_of_dagsters_own_sensor_is_understood(project):
    """An upgrade tells of what failed since the last tick before it."""
    first = project.fail(THOUSAND[:1])
    project.tick()
    after = json.loads(project.cursor)["after"]
    project.told.clear()
    second = project.fail(THOUSAND[:1])
    project.cursor = json.dumps({"__class__": "RunStatusSensorCursor", "record_id": after})
    project.tick()
    assert first != second
    assert project.told == [(second, THOUSAND[0])]


def test_what_a_notifier_refused_is_tried_in_the_next_ticks_and_nothing_else_is(project):
    """The chat was away for some tables: they are told later, the others not again."""
    project.fail(THOUSAND[:20])
    tried = Counter()

    def moody(failure):
        tried[failure.table] += 1
        if tried[failure.table] == 1 and failure.table in THOUSAND[5:8]:
            raise ConnectionError("the chat is away")
        project.told.append(failure.table)

    (red,) = project.tick(moody).dagster_run_reactions
    assert red.error.message == ("3 messages could not be delivered; they are in the tick's log")
    (green,) = project.tick(moody).dagster_run_reactions
    assert green.error is None
    assert Counter(project.told) == Counter(THOUSAND[:20])
    assert project.tick(moody).skip_message == "no news"


@pytest.mark.slow
def test_a_notifier_that_always_raises_blocks_nobody_for_ever(project):
    """Three attempts over all its messages; then the next run has its turn."""
    project.fail(THOUSAND)
    later = project.fail(THOUSAND[:1])
    tried = Counter()

    def broken(failure):
        project.clock.sleep(0.1)
        tried[failure.run_id, failure.table] += 1
        if failure.run_id != later:
            raise ConnectionError("the chat is away")
        project.told.append(failure.run_id)

    ticks = 0
    while not project.told:
        project.tick(broken)
        ticks += 1
        assert ticks <= 3 * 3 + 1
        assert len(project.cursor) < 40_000
    tried.pop((later, THOUSAND[0]))
    assert len(tried) == 1000
    assert set(tried.values()) == {ATTEMPTS}


def test_a_notifier_that_hangs_is_left_and_its_message_not_sent_again(project, monkeypatch):
    """It may yet arrive; the others are told in the same tick."""
    monkeypatch.setenv("DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS", "1")
    project.fail(THOUSAND[:3])
    release = threading.Event()

    def hanging(failure):
        project.told.append(failure.table)
        if failure.table == THOUSAND[0]:
            release.wait(60)

    began = time.monotonic()
    try:
        (red,) = project.tick(hanging).dagster_run_reactions
    finally:
        release.set()
    assert time.monotonic() - began < 30
    assert "did not return in" in red.error.cause.message
    assert project.told == THOUSAND[:3]
    assert project.tick(hanging).skip_message == "no news"


def test_a_tick_that_was_killed_repeats_only_its_own_messages(project):
    """Dagster keeps the cursor of a tick that ended: what earlier ticks told is not told again."""
    project.fail(THOUSAND[:60])
    project.tick()
    project.tick(keep_cursor=False)
    project.tick()
    project.tick()
    told = Counter(table for _, table in project.told)
    assert [told[name] for name in THOUSAND[:60]] == [1] * 20 + [2] * 20 + [1] * 20
