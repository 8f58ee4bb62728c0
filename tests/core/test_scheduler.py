"""One thread, many waits."""

import pytest

from ddb_assets.core.scheduling.calls import Rate
from ddb_assets.core.scheduling.scheduler import Pause, Scheduler, Signal, Slots


def sleeper(clock, seconds, value):
    """A task that sleeps once."""
    yield Pause(until=clock.monotonic() + seconds)
    return value


def test_tasks_end_in_the_order_of_their_due_times(world):
    """A thousand sleeps take as long as the longest."""
    scheduler = Scheduler(world.clock)
    for number in range(1000):
        scheduler.spawn(str(number), sleeper(world.clock, (number * 7919) % 1000, number))
    ended = [(world.clock.seconds, finished.value) for finished in scheduler.run()]
    assert [seconds for seconds, _ in ended] == sorted(seconds for seconds, _ in ended)
    assert world.clock.seconds == 999


def test_an_exception_ends_its_task_alone(world):
    """It is handed out like a result."""

    def bad():
        yield Pause(until=5)
        raise ValueError("no")

    scheduler = Scheduler(world.clock)
    scheduler.spawn("bad", bad())
    scheduler.spawn("good", sleeper(world.clock, 10, "done"))
    first, second = scheduler.run()
    assert isinstance(first.error, ValueError)
    assert second.value == "done"


def test_a_base_exception_ends_everything(world):
    """Terminate is not a task's business."""

    def terminate():
        yield Pause(until=5)
        raise KeyboardInterrupt

    scheduler = Scheduler(world.clock)
    scheduler.spawn("good", sleeper(world.clock, 10, "done"))
    scheduler.spawn("bad", terminate())
    with pytest.raises(KeyboardInterrupt):
        list(scheduler.run())
    assert world.clock.seconds == 5


def test_whichever_comes_first_ends_a_pause(world):
    """The signal or the time; the other one then means nothing."""
    signal, ended = Signal(), []

    def waiting(until):
        yield Pause(until=until, signal=signal)
        ended.append(world.clock.seconds)
        yield Pause(until=100)
        ended.append(world.clock.seconds)

    def setter():
        yield Pause(until=20)
        signal.set()

    scheduler = Scheduler(world.clock)
    for key, task in (("a", waiting(10)), ("b", waiting(30)), ("set", setter())):
        scheduler.spawn(key, task)
    list(scheduler.run())
    assert ended == [10, 20, 100, 100]


def test_a_signal_that_is_set_does_not_make_wait(world):
    """Set before or after: nobody misses it."""
    signal = Signal()
    signal.set()

    def waiting():
        yield Pause(signal=signal)
        return world.clock.seconds

    scheduler = Scheduler(world.clock)
    scheduler.spawn("a", waiting())
    (finished,) = scheduler.run()
    assert finished.value == 0


def test_a_wait_for_nothing_is_a_defect_not_a_hang(world):
    """Nobody can set this signal any more."""

    def waiting():
        yield Pause(signal=Signal())

    scheduler = Scheduler(world.clock)
    scheduler.spawn("a", waiting())
    with pytest.raises(RuntimeError, match="nobody will set"):
        list(scheduler.run())


def test_slots_are_handed_on_in_order(world):
    """Never more than the limit, first come, first served."""
    slots, order, holding = Slots(2), [], [0]

    def holder(number):
        yield from slots.acquire()
        holding[0] += 1
        assert holding[0] <= 2
        order.append(number)
        yield Pause(until=world.clock.seconds + 10)
        holding[0] -= 1
        slots.release()

    scheduler = Scheduler(world.clock)
    for number in range(7):
        scheduler.spawn(str(number), holder(number))
    list(scheduler.run())
    assert order == list(range(7))
    assert slots.free == 2


def test_a_closed_waiter_does_not_keep_its_slot(world):
    """Whoever gives up in the queue leaves it."""
    slots = Slots(1)
    list(slots.acquire())
    second = slots.acquire()
    next(second)
    second.close()
    slots.release()
    assert slots.free == 1


def test_a_rate_allows_a_burst_and_then_its_share(world):
    """Ten at once, then five a second; after a throttle half of that."""
    rate, times = Rate(world.clock, per_second=5, burst=10), []

    def caller(count):
        for _ in range(count):
            yield from rate.take()
            times.append(world.clock.seconds)

    scheduler = Scheduler(world.clock)
    scheduler.spawn("a", caller(20))
    list(scheduler.run())
    assert times[9] == 0
    assert times[19] == pytest.approx(2.0)
    rate.throttled()
    scheduler.spawn("b", caller(21))
    list(scheduler.run())
    assert times[-1] - times[-2] == pytest.approx(0.4)
