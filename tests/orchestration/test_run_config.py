"""The launchpad: what a run can be asked, and what is refused before anything starts."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from ddb_assets.core.options import RefreshOptions
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.run_config import RefreshConfig, Verify, options_from

PLAIN = RefreshOptions()
ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/export/01772346000000-1a2b3c4d"
USERS = ARN.replace("orders", "users")


@pytest.fixture
def ask(make_spec, clock_now):
    """The options of a config for these tables."""

    def options(*tables, base=PLAIN, **config):
        specs = [make_spec(name) for name in tables or ("orders",)]
        return options_from(RefreshConfig(**config), specs, now=clock_now, base=base)

    return options


def test_an_empty_config_changes_nothing(ask):
    """A plain refresh, with what was declared."""
    declared = RefreshOptions(
        consistent_groups=frozenset({"g"}), cut_lag_seconds=60, max_in_flight=5, max_queries=2
    )
    assert ask(base=declared) == declared


@pytest.mark.parametrize(
    "text",
    ["2026-03-01T06:00:00Z", "2026-03-01T07:00:00+01:00", " 2026-03-01T06:00:00+00:00 "],
)
def test_an_export_time_is_a_moment_in_utc(ask, text):
    """Any offset; the same second."""
    assert ask(export_time=text).export_time == datetime(2026, 3, 1, 6, tzinfo=UTC)


def test_each_of_several_tables_adopts_its_own_export(ask):
    """In any order, separated by spaces, commas or lines."""
    for text in (f"{ARN} {USERS}", f"{USERS},{ARN}", f"\n{ARN},\n{USERS}\n"):
        options = ask("users", "orders", adopt=text)
        assert options.adopt == {"orders": ARN, "users": USERS}


def test_what_is_asked_reaches_the_options(ask):
    """Each field of the config."""
    options = ask(adopt=f" {ARN} ", verify=Verify.full, allow_older=True)
    assert (options.adopt, options.verify, options.allow_older) == (ARN, "full", True)
    assert not options.accept_changes
    assert ask(accept_changes=True).accept_changes
    assert ask(verify=Verify.manifest).verify == "manifest"
    assert ask(wait=False).wait is False


@pytest.mark.parametrize(
    ("tables", "config", "said"),
    [
        ((), {"export_time": "yesterday"}, "export_time 'yesterday' is not allowed"),
        ((), {"export_time": "2026-03-01T06:00:00"}, "2026-03-01T06:00:00Z is UTC"),
        ((), {"export_time": "2026-03-01T06:00:00.5Z"}, "a whole second"),
        ((), {"export_time": "2026-03-01T06:30:01Z"}, "in the past; now it is 2026-03-01T06:30"),
        ((), {"export_time": ""}, "export_time '' is not allowed"),
        ((), {"export_time": "2026-03-01"}, "a moment with its offset"),
        ((), {"export_time": "2026-02-30T06:00:00Z"}, "export_time '2026-02-30T06:00:00Z' is not"),
        ((), {"export_time": "2026-03-01T07:30:01+01:00"}, "in the past; now it is"),
        ((), {"export_time": "2026-01-25T06:29:59Z"}, "not before 2026-01-25T06:30:00Z"),
        ((), {"adopt": ""}, "adopt '' is not allowed"),
        (("orders", "users"), {"adopt": f"{ARN} nonsense"}, "adopt 'nonsense' is not allowed"),
        ((), {"adopt": ARN.replace(":dynamodb:", ":s3:")}, "adopt 'arn:aws:s3:"),
        ((), {"adopt": ARN.replace("123456789012", "1234")}, "adopt 'arn:aws:dynamodb:"),
        ((), {"adopt": ARN.partition("/export/")[0]}, "adopt 'arn:aws:dynamodb:"),
        ((), {"wait": False, "verify": Verify.full}, "wait: false and verify exclude each other"),
        ((), {"wait": False, "allow_older": True}, "wait: false and allow_older exclude"),
        ((), {"wait": False, "accept_changes": True}, "wait: false and accept_changes exclude"),
        ((), {"adopt": "0123-abc"}, "arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/export/ID"),
        (
            ("orders", "users"),
            {"adopt": ARN},
            "1 export of orders; selected are 2 tables: orders, users",
        ),
        (("orders", "users"), {"adopt": f"{ARN} {ARN}"}, "2 exports of orders; selected are 2"),
        (("orders",), {"adopt": f"{ARN} {USERS}"}, "2 exports of orders, users; selected are 1"),
        (("users",), {"adopt": ARN}, "users: the export to adopt is of the table orders"),
        ((), {"adopt": ARN, "wait": False}, "adopt and wait: false exclude each other"),
        ((), {"adopt": ARN, "force_new": True}, "adopt and force_new exclude each other"),
        (
            (),
            {"adopt": ARN, "export_time": "2026-03-01T06:00:00Z"},
            "adopt and export_time exclude each other",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(ask, tables, config, said):
    """The error names the setting, the value and what is allowed."""
    with pytest.raises(DeclarationError, match=said):
        ask(*tables, **config)


def test_the_oldest_second_of_the_longest_window_is_allowed(ask):
    """Whether the table's own window reaches back so far is asked of AWS before the export."""
    asked = ask(export_time="2026-01-25T06:30:00Z")
    assert asked.export_time == datetime(2026, 1, 25, 6, 30, tzinfo=UTC)


@pytest.fixture
def no_aws(fake_aws, monkeypatch):
    """Whoever asks for a service of AWS fails."""

    def refuse(self, **_):
        raise AssertionError("AWS was asked")

    monkeypatch.setattr(type(fake_aws), "gateways", refuse)


@pytest.mark.parametrize(
    "config",
    [
        {"export_time": "2026-03-01T06:30:01Z"},
        {"export_time": "2026-01-25T06:29:59Z"},
        {"export_time": "2026-03-01T06:00:00"},
        {"export_time": "2026-03-01T06:00:00.5Z"},
        {"adopt": "nonsense"},
        {"adopt": ARN},
        {"adopt": f"{ARN} {USERS}", "force_new": True},
        {"wait": False, "verify": "full"},
    ],
)
@pytest.mark.usefixtures("no_aws")
def test_a_wrong_value_asks_nothing_of_aws(make_step, materialize, fake_refresh, config):
    """The run fails with the reason; no retry is made of it."""
    step = make_step("orders", "users", retry_policy=dg.RetryPolicy(max_retries=2))
    result = materialize(step, config=config)
    assert not result.success
    assert fake_refresh.calls == []
    (event,) = [event for event in result.all_events if event.is_step_failure]
    failure = event.step_failure_data.user_failure_data
    assert failure.metadata["error"].value == "DeclarationError"
    assert not [event for event in result.all_events if event.is_step_up_for_retry]


@pytest.mark.parametrize(
    "config",
    [
        {"export_time": 17},
        {"adopt": [ARN]},
        {"force_new": "yes"},
        {"wait": "no"},
        {"verify": "thoroughly"},
        {"allow_older": 1},
        {"accept_changes": "all"},
        {"exprot_time": "2026-03-01T06:00:00Z"},
    ],
)
@pytest.mark.usefixtures("no_aws")
def test_a_value_of_the_wrong_type_or_name_makes_no_run(
    make_step, materialize, fake_refresh, instance, config
):
    """Dagster refuses it in the launchpad already."""
    with pytest.raises(dg.DagsterInvalidConfigError):
        materialize(make_step("orders"), config=config)
    assert fake_refresh.calls == []
    assert instance.get_runs() == []
