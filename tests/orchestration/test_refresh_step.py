"""One step, many tables: what is published stays published, what failed says why."""

import dagster as dg
import pytest

from ddb_assets.core.options import RefreshOptions
from ddb_assets.errors import DeclarationError, PitrDisabledError, ServiceUnavailableError
from ddb_assets.orchestration.metadata import NOTE_KEY

KEYS = {name: dg.AssetKey(["athena", "raw", name]) for name in ("orders", "users", "carts")}


def published(result) -> list[str]:
    """The materialized tables, in order."""
    return [e.asset_key.path[-1] for e in result.get_asset_materialization_events()]


def failure_of(result) -> dg.Failure:
    """What the UI shows of the failed step."""
    event = next(e for e in result.all_events if e.is_step_failure)
    return event.step_failure_data.user_failure_data


def test_every_table_of_the_group_is_materialized_by_one_step(make_step, materialize, fake_refresh):
    """Three tables: one call of the core, three materializations, no failure."""
    result = materialize(make_step("orders", "users", "carts"))
    assert result.success
    assert published(result) == ["orders", "users", "carts"]
    assert [call["tables"] for call in fake_refresh.calls] == [["orders", "users", "carts"]]


def test_only_what_is_selected_is_refreshed(make_step, materialize, fake_refresh):
    """Materializing one asset asks the core for one table."""
    result = materialize(make_step("orders", "users"), selection=[KEYS["users"]])
    assert published(result) == ["users"]
    assert fake_refresh.calls[0]["tables"] == ["users"]


def test_the_core_gets_this_runs_identity(make_step, materialize, fake_refresh, instance):
    """The intent is the run's id and its start, so a repeated call is the same call."""
    result = materialize(make_step("orders"))
    call = fake_refresh.calls[0]
    record = instance.get_run_record_by_id(result.run_id)
    assert call["intent_id"] == result.run_id
    assert call["started_at"].timestamp() == pytest.approx(record.start_time)


def test_one_failed_table_does_not_stop_the_others(make_step, materialize, fake_refresh):
    """The good ones are materialized, the failure names the bad one, its cause and remedy."""
    fake_refresh.failing = {"orders": [PitrDisabledError("PITR is off", remedy="switch it on")]}
    result = materialize(make_step("orders", "users", "carts"))
    assert not result.success
    assert published(result) == ["users", "carts"]
    failure = failure_of(result)
    assert failure.description.startswith("orders: PITR is off — switch it on")
    assert failure.description.endswith("(1 of 3 tables failed)")
    entry = failure.metadata["orders"].value
    assert entry["cause"] == "PITR is off"
    assert entry["remedy"] == "switch it on"
    assert entry["error"] == "PitrDisabledError"
    assert entry["retryable"] is False
    assert entry["export_arn"].startswith("arn:aws:dynamodb:")
    assert "users" not in failure.metadata


def test_a_retry_skips_what_the_run_published(make_step, materialize, fake_refresh, log_lines):
    """The second attempt asks the core for the failed table alone, and starts no second export."""
    fake_refresh.failing = {"users": [ServiceUnavailableError("AWS is away")]}
    step = make_step("orders", "users", retry_policy=dg.RetryPolicy(max_retries=1))
    result = materialize(step)
    assert result.success
    assert [call["tables"] for call in fake_refresh.calls] == [["orders", "users"], ["users"]]
    assert fake_refresh.starts == ["orders", "users"]
    assert published(result) == ["orders", "users"]
    assert "orders: already published in this run" in log_lines(result.run_id)


def test_a_failure_nobody_can_retry_is_not_retried(make_step, materialize, fake_refresh):
    """A terminal error stops the retry policy at once."""
    fake_refresh.failing = {"users": [PitrDisabledError("PITR is off")] * 2}
    materialize(make_step("orders", "users", retry_policy=dg.RetryPolicy(max_retries=3)))
    assert len(fake_refresh.calls) == 1


def test_one_retryable_table_is_enough_to_retry(make_step, materialize, fake_refresh):
    """Terminal and transient failures together: the retry may help the transient one."""
    fake_refresh.failing = {
        "orders": [PitrDisabledError("PITR is off")] * 2,
        "users": [ServiceUnavailableError("AWS is away")],
    }
    result = materialize(make_step("orders", "users", retry_policy=dg.RetryPolicy(max_retries=1)))
    assert published(result) == ["users"]
    assert "orders: PITR is off" in failure_of(result).description


def test_a_rerun_from_failure_finds_the_export_of_the_failed_run(
    make_step, materialize, fake_refresh, rerun_from_failure
):
    """The new run has the old one's intent, start and notes; nothing is paid twice."""
    fake_refresh.failing = {"orders": [ServiceUnavailableError("AWS is away")]}
    step = make_step("orders")
    first = materialize(step)
    assert rerun_from_failure(step, first.run_id).success
    assert fake_refresh.starts == ["orders"]
    before, after = fake_refresh.calls
    assert after["intent_id"] == first.run_id
    assert after["started_at"] == before["started_at"]


def test_force_new_starts_an_export_although_the_retried_run_has_one(
    make_step, materialize, fake_refresh, rerun_from_failure
):
    """`force_new` cuts the chain: own intent, own export."""
    fake_refresh.failing = {"orders": [ServiceUnavailableError("AWS is away")]}
    step = make_step("orders")
    second = rerun_from_failure(step, materialize(step).run_id, config={"force_new": True})
    assert fake_refresh.starts == ["orders", "orders"]
    assert fake_refresh.calls[1]["intent_id"] == second.run_id


def test_a_second_run_is_a_new_intent(make_step, materialize, fake_refresh):
    """Two plain runs start two exports."""
    step = make_step("orders")
    materialize(step)
    materialize(step)
    assert fake_refresh.starts == ["orders", "orders"]
    assert fake_refresh.calls[0]["intent_id"] != fake_refresh.calls[1]["intent_id"]


def test_the_note_is_in_the_event_log_before_the_step_ends(make_step, materialize, instance):
    """Each started export is an observation on its asset with the ARN to read and to re-attach."""
    materialize(make_step("orders"))
    record = instance.fetch_observations(KEYS["orders"], limit=1).records[0]
    observation = record.asset_observation
    assert NOTE_KEY in observation.metadata
    assert observation.metadata["ddb_assets/export_arn"].value.endswith("-00000001")
    assert "console.aws.amazon.com" in observation.metadata["ddb_assets/export_console"].value
    assert observation.description.startswith("orders: export started, arn:aws:dynamodb:")


def test_without_waiting_nothing_is_materialized(make_step, materialize, fake_refresh, instance):
    """`wait: false` starts and notes the exports; the run is green, the assets are untouched."""
    result = materialize(make_step("orders", "users"), config={"wait": False})
    assert result.success
    assert published(result) == []
    assert fake_refresh.starts == ["orders", "users"]
    assert instance.fetch_observations(KEYS["orders"], limit=1).records


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"export_time": "2026-03-01T06:00:00"}, "offset"),
        ({"adopt": "arn:aws:s3:::bucket"}, "adopt 'arn:aws:s3:::bucket' is not allowed"),
    ],
)
def test_a_wrong_config_is_refused_before_anything_starts(
    make_step, materialize, fake_refresh, config, said
):
    """The core is never called, and no retry is tried."""
    result = materialize(
        make_step("orders", retry_policy=dg.RetryPolicy(max_retries=2)), config=config
    )
    assert not result.success
    assert said in failure_of(result).description
    assert fake_refresh.calls == []


@pytest.mark.parametrize("config", [{"verify": "twice"}, {"waite": False}])
def test_a_config_dagster_can_refuse_never_starts_a_run(make_step, materialize, config):
    """Unknown keys and unknown choices are refused by the launchpad's own schema."""
    with pytest.raises(dg.DagsterInvalidConfigError):
        materialize(make_step("orders"), config=config)


def test_terminate_propagates_and_says_what_goes_on(
    make_step, fake_refresh, fake_aws, instance, log_lines
):
    """The interrupt is not swallowed, and the log says that the export keeps running."""
    fake_refresh.interrupt_after = "orders"
    with pytest.raises(dg.DagsterExecutionInterruptedError):
        dg.materialize(
            [make_step("orders", "users")], resources={"aws": fake_aws}, instance=instance
        )
    run = instance.get_runs()[0]
    assert "other: keeps running" in log_lines(run.run_id)


def test_the_log_is_the_cores_story(make_step, materialize, log_lines):
    """One line per state change, in the core's words."""
    result = materialize(make_step("orders"))
    assert "orders: export started" in log_lines(result.run_id)


def test_an_error_of_the_whole_refresh_is_a_refusal(make_step, materialize, fake_refresh):
    """What the core refuses as a whole ends in one failure that no retry repeats."""
    fake_refresh.refusal = DeclarationError("adopt needs one table", remedy="select one")
    result = materialize(make_step("orders", retry_policy=dg.RetryPolicy(max_retries=2)))
    assert failure_of(result).description == "adopt needs one table — select one"
    assert len(fake_refresh.calls) == 1


def test_bucket_owners_reach_the_gateways(make_step, materialize, fake_refresh):
    """S3 is told whose bucket it must be."""
    materialize(make_step("orders", bucket_owner="210987654321"))
    assert fake_refresh.calls[0]["gateways"] == ("gateways", {"exports": "210987654321"})


def test_declared_options_reach_the_core(make_step, materialize, fake_refresh):
    """What was declared for all runs and what this run asks for are one set of options."""
    declared = RefreshOptions(consistent_groups=frozenset({"default"}), max_queries=3)
    materialize(make_step("orders", options=declared), config={"verify": "full"})
    options = fake_refresh.calls[0]["options"]
    assert (options.verify, options.max_queries) == ("full", 3)
    assert options.consistent_groups == {"default"}


def test_downstream_assets_run_after_a_retry_made_the_group_whole(
    make_step, fake_refresh, fake_aws, instance
):
    """A downstream of the table of the first attempt runs once the second attempt succeeds."""
    fake_refresh.failing = {"users": [ServiceUnavailableError("AWS is away")]}
    seen = []

    @dg.asset(deps=[KEYS["orders"]])
    def report() -> None:
        seen.append("report")

    step = make_step("orders", "users", retry_policy=dg.RetryPolicy(max_retries=1))
    assert dg.materialize([step, report], resources={"aws": fake_aws}, instance=instance).success
    assert seen == ["report"]
