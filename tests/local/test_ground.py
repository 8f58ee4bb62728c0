"""Clock, settings and faults of the local AWS, and how it takes the place of moto's backends."""

import pickle
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from moto.core.base_backend import BackendDict
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends

from ddb_assets import local
from ddb_assets.local import clock, plumbing, settings
from ddb_assets.local.faults import Fault, Faults

MOMENT = datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _defaults():
    clock.reset()
    settings.reset()
    yield
    clock.reset()
    settings.reset()


def test_the_clock_runs_from_where_it_is_set():
    """Set, advanced and reset, it goes on; micros and datetime agree."""
    clock.set(MOMENT)
    assert timedelta(0) <= clock.now() - MOMENT < timedelta(seconds=5)
    clock.advance(3600)
    assert timedelta(hours=1) <= clock.now() - MOMENT < timedelta(hours=1, seconds=5)
    assert clock.from_micros(clock.to_micros(MOMENT)) == MOMENT
    assert clock.to_micros(MOMENT) == 1_767_225_600_500_000
    first = clock.now_micros()
    time.sleep(0.002)
    assert clock.now_micros() > first
    clock.reset()
    assert clock.offset_seconds() == 0
    assert abs(clock.now_micros() - time.time_ns() // 1000) < 1_000_000


def test_the_clock_takes_no_time_without_a_zone():
    """A naive datetime could be any moment."""
    with pytest.raises(ValueError, match="has no time zone"):
        clock.set(datetime(2026, 1, 1))  # noqa: DTZ001 - the case at hand


def test_a_saved_offset_restores_the_clock():
    """As a snapshot does it."""
    clock.set(MOMENT)
    offset = clock.offset_seconds()
    clock.reset()
    clock.advance(offset)
    assert abs((clock.now() - MOMENT).total_seconds()) < 5


def test_settings_default_to_the_limits_of_aws():
    """300 exports, 20 DDL queries, 4 partitions; no waiting."""
    assert settings.current() == settings.Settings(
        export_seconds=0,
        partitions=4,
        pitr_lag_seconds=0,
        query_seconds=0,
        max_exports_in_flight=300,
        max_active_ddl=20,
    )


def test_settings_are_changed_one_by_one_and_put_back():
    """`configure` returns what was in force."""
    settings.configure(export_seconds=5)
    before = settings.configure(partitions=2)
    assert (before.export_seconds, before.partitions) == (5, 4)
    assert (settings.current().export_seconds, settings.current().partitions) == (5, 2)
    settings.restore(before)
    assert settings.current() == before


@pytest.mark.parametrize("change", [{"partitions": 0}, {"export_seconds": -1}])
def test_a_setting_out_of_range_is_refused(change):
    """And the old one stays in force."""
    with pytest.raises(ValueError, match="must be at least"):
        settings.configure(**change)
    assert settings.current() == settings.Settings()


def test_an_unknown_setting_is_refused():
    """A typo is no silent default."""
    with pytest.raises(TypeError, match="export_second"):
        settings.configure(export_second=1)


def test_a_fault_strikes_the_nth_call_of_its_operation_once():
    """Other operations and other calls are let through."""
    faults = Faults()
    fault = Fault("DescribeExport", "ThrottlingException", nth=2)
    faults.add(fault)
    struck = [faults.take(name) for name in ("ListExports", "DescribeExport", "DescribeExport")]
    assert [found and found.code for found in struck] == [None, None, "ThrottlingException"]
    assert faults.take("DescribeExport") is None
    assert faults.ordered == ()


def test_a_fault_may_strike_several_calls_in_a_row():
    """`times` of them, after which all is well."""
    faults = Faults()
    faults.add(Fault("GetTable", "InternalError", times=3, status=500))
    assert [faults.take("GetTable") is not None for _ in range(4)] == [True, True, True, False]


def test_faults_of_one_operation_strike_one_after_the_other():
    """Two orders for the next call: the first takes it, the second the one after."""
    faults = Faults()
    faults.add(Fault("GetTable", "A"))
    faults.add(Fault("GetTable", "B"))
    struck = [faults.take("GetTable") for _ in range(3)]
    assert [found and found.code for found in struck] == ["A", "B", None]


def test_a_fault_becomes_an_error_of_the_service():
    """Status, header and body; a fault without a code is only slow."""
    faults = Faults()
    faults.add(Fault("X", "Denied", "no", status=403))
    faults.add(Fault("X", None, delay_seconds=0.05))
    status, headers, body = faults.answer("X", type_prefix="com.amazonaws#")
    assert status == 403
    assert headers == {"x-amzn-errortype": "Denied"}
    assert body == '{"__type": "com.amazonaws#Denied", "message": "no"}'
    started = time.monotonic()
    assert faults.answer("X") is None
    assert time.monotonic() - started >= 0.05


def test_threads_take_every_fault_once():
    """A hundred orders, eight threads, a hundred strikes."""
    faults, struck = Faults(), []
    faults.add(Fault("X", "A", times=100))

    def take():
        struck.extend(1 for _ in range(50) if faults.take("X"))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(struck) == 100


def test_faults_are_part_of_a_snapshot():
    """They are pickled with their backend."""
    faults = Faults()
    faults.add(Fault("X", "A"))
    assert pickle.loads(pickle.dumps(faults)).ordered == faults.ordered


def test_an_impossible_fault_is_refused():
    """There is no call number 0."""
    with pytest.raises(ValueError, match="nth >= 1"):
        Fault("X", "A", nth=0)


def test_install_swaps_the_class_and_uninstall_puts_it_back():
    """Twice is once; regions made before are made anew."""
    stock = dynamodb_backends["123456789012"]["us-east-1"]
    assert type(stock) is DynamoDBBackend
    local.install(["dynamodb"])
    local.install(["dynamodb"])
    ours = dynamodb_backends["123456789012"]["us-east-1"]
    assert type(ours) is not DynamoDBBackend
    assert isinstance(ours, DynamoDBBackend)
    local.uninstall()
    assert dynamodb_backends.backend is DynamoDBBackend
    assert type(dynamodb_backends["123456789012"]["us-east-1"]) is DynamoDBBackend
    BackendDict.reset()


def test_a_reset_of_moto_keeps_our_classes_and_clears_faults():
    """`mock_aws` resets at its start: the registration survives, the orders do not."""
    local.install(["dynamodb"])
    try:
        backend = dynamodb_backends["123456789012"]["us-east-1"]
        backend.faults.add(Fault("X", "A"))
        backend.reset()
        assert backend.faults.ordered == ()
        BackendDict.reset()
        assert type(dynamodb_backends["123456789012"]["us-east-1"]) is type(backend)
    finally:
        local.uninstall()


@pytest.mark.parametrize("found", ["5.1.9", "5.3.0", "6.0"])
def test_another_moto_is_refused_by_name(monkeypatch, found):
    """The message says what is wanted and how to get it."""
    monkeypatch.setattr(plumbing, "version", lambda _: found)
    with pytest.raises(plumbing.MotoVersionError, match=rf"moto 5\.2\.x, found {found}: pip"):
        local.install(["dynamodb"])
    assert dynamodb_backends.backend is DynamoDBBackend


def test_a_part_of_moto_that_moved_is_named():
    """Before anything is answered wrongly."""
    with pytest.raises(plumbing.MotoVersionError, match="DynamoDBBackend has no gone_method"):
        plumbing.require_members(DynamoDBBackend, "put_item", "gone_method")
