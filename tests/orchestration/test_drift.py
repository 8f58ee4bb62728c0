"""Profile and drift as Dagster shows them: with each materialization, and as a check."""

import json

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTree

from ddb_assets import Table, build_dynamodb_assets
from ddb_assets.components import DynamoDBTablesComponent
from ddb_assets.core.operating.drift import ROW
from ddb_assets.errors import AccessDeniedError, DeclarationError
from ddb_assets.orchestration.check_settings import Checks, DriftSeverities
from ddb_assets.orchestration.profiles import MAX_PROFILE
from ddb_assets.schema.profile import Profile

ORDERS = dg.AssetKey(["athena", "raw", "orders"])
FIRST = {"userId": {"S": "a"}, "n": {"N": "1"}}
TABLE = dg.TableMetadataValue
DENIED = AccessDeniedError("PutObject was refused", remedy="allow it")


@pytest.fixture
def world(core_fakes):
    """The core's own fake AWS, with one table."""
    world = core_fakes.World()
    world.aws.create("orders")
    return world


@pytest.fixture
def build(world, world_resource):
    """Definitions of that table over the fake AWS."""

    def make(table="orders", **settings):
        return build_dynamodb_assets(
            tables=[table], database="raw", bucket="exports", aws=world_resource, **settings
        )

    return make


@pytest.fixture
def materialize(world, instance):
    """Refreshes the table with these items; the metadata of its materialization."""

    def run(definitions, *items):
        world.aws.items["orders"] = list(items)
        world.clock.sleep(3600)
        job = definitions.resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(instance=instance, asset_selection=[ORDERS]).success
        event = instance.get_latest_materialization_event(ORDERS)
        metadata = event.asset_materialization.metadata
        return {k: v if isinstance(v, TABLE) else v.value for k, v in metadata.items()}

    return run


@pytest.fixture
def check(instance):
    """Runs the drift check alone; its evaluation."""

    def run(definitions):
        chosen = dg.AssetSelection.checks(dg.AssetCheckKey(ORDERS, "drift"))
        job = dg.define_asset_job("some", selection=chosen).resolve(
            asset_graph=definitions.resolve_asset_graph(), resource_defs=definitions.resources
        )
        (found,) = job.execute_in_process(instance=instance).get_asset_check_evaluations()
        return found

    return run


def counts(metadata, prefix="drift"):
    """Kind -> how many."""
    found = {k.removeprefix("ddb_assets/"): v for k, v in metadata.items()}
    return {k: v for k, v in found.items() if k.startswith(f"{prefix}_")}


def test_each_materialization_counts_what_changed(build, materialize):
    """Numbers by kind, zeros included, so that they plot; each difference in a table."""
    definitions = build()
    first = materialize(definitions, FIRST)
    assert first["ddb_assets/attributes"] == 2
    assert Profile.from_dict(first["ddb_assets/profile"]).items == 1
    assert not counts(first)
    second = materialize(definitions, {"userId": {"N": "1"}, "x": {"S": ""}})
    assert counts(second) == {
        "drift_new": 1,
        "drift_missing": 1,
        "drift_retyped": 1,
        "drift_wider": 0,
    }
    rows = [tuple(r.data[name] for name in ROW) for r in second["ddb_assets/drift"].records]
    assert rows == [
        ("the last export", "missing", "n", "N", ""),
        ("the last export", "new", "x", "", "S"),
        ("the last export", "retyped", "userId", "S", "N | S"),
    ]
    third = materialize(definitions, {"userId": {"N": "1"}, "x": {"S": ""}})
    assert set(counts(third).values()) == {0}
    assert "ddb_assets/drift" not in third


def test_the_declaration_is_compared_with_as_well(build, materialize):
    """Beyond it and missing from it, from the first export on."""
    declared = Table("orders", columns={"userId": "S", "n": "S", "gone": "B"})
    found = materialize(build(declared), {**FIRST, "x": {"S": ""}})
    assert counts(found, "declaration") == {
        "declaration_new": 1,
        "declaration_missing": 1,
        "declaration_retyped": 1,
    }
    assert {record.data["against"] for record in found["ddb_assets/drift"].records} == {
        "the declaration"
    }


def test_without_a_stored_profile_the_last_materializations_counts(
    world, build, materialize, log_lines, instance
):
    """Where nothing may be written to the bucket, Dagster's own record is what is left."""
    definitions = build()
    world.aws.faults["write"] += [DENIED, DENIED]
    materialize(definitions, FIRST)
    second = materialize(definitions, {**FIRST, "x": {"S": ""}})
    assert counts(second)["drift_new"] == 1
    run = instance.get_latest_materialization_event(ORDERS).run_id
    (line,) = [line for line in log_lines(run) if "could not be kept" in line]
    assert "s3:PutObject" in line


def test_a_profile_too_large_for_an_event_is_cut_there_alone(world, build, materialize):
    """A thousand attributes: bounded in the event, whole beside the export, drift exact."""
    definitions = build(Table("orders", typed_view=False))
    many = {f"attribute {i:04}": {"M": {"x": {"N": "1"}, "y": {"S": ""}}} for i in range(1000)}
    first = materialize(definitions, {**FIRST, **many})
    assert len(json.dumps(first["ddb_assets/profile"])) <= MAX_PROFILE
    assert first["ddb_assets/profile"]["attributes"] == first["ddb_assets/attributes"] == 1002
    second = materialize(definitions, {**FIRST, **many, "x": {"S": ""}})
    assert counts(second)["drift_new"] == 1
    third = materialize(definitions, FIRST)
    assert counts(third)["drift_missing"] == 1001
    assert len(third["ddb_assets/drift"].records) == 100


def test_a_cut_profile_is_nothing_to_compare_with(world, build, materialize):
    """Without the whole one nothing is said to be missing."""
    definitions = build()
    world.aws.faults["write"] += [DENIED]
    materialize(definitions, {f"attribute {i:04}": {"S": ""} for i in range(1000)})
    assert not counts(materialize(definitions, FIRST))


@pytest.mark.parametrize(
    ("drift", "severity"),
    [
        (True, "WARN"),
        ("error", "ERROR"),
        (DriftSeverities(new="error"), "ERROR"),
        (DriftSeverities(new="ignore"), None),
    ],
)
def test_the_check_has_the_severity_of_the_kind(build, materialize, check, drift, severity):
    """It runs alone, from the profiles beside the exports."""
    definitions = build(Table("orders", checks=Checks(drift=drift)))
    materialize(definitions, FIRST)
    assert check(definitions).passed
    materialize(definitions, {**FIRST, "x": {"S": ""}})
    found = check(definitions)
    assert found.passed is (severity is None)
    assert found.metadata["ddb_assets/drift_new"].value == 1
    if severity:
        assert found.severity.value == severity
        assert found.description.startswith("since the last export: 1 new (x: S)")


def test_where_nothing_is_inferred_there_is_no_such_check(build):
    """Nobody counts what the items hold."""
    definitions = build(Table("orders", infer=False, columns={"userId": "S"}))
    names = {key.name for key in definitions.resolve_asset_graph().asset_check_keys}
    assert "schema" in names
    assert "drift" not in names


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{new: loud}", "checks.drift.new 'loud' is not allowed — allowed: ignore, warn, error"),
        ("loud", "checks.drift 'loud' is not allowed — allowed: warn, error, true"),
    ],
)
def test_yaml_says_what_a_severity_may_be(written, said):
    """One sentence with the table, the value and what is allowed."""
    text = "database: raw\nbucket: exports\ntables: [orders]\ndefaults: {checks: {drift: %s}}\n"
    component = DynamoDBTablesComponent.resolve_from_yaml(text % written)
    with pytest.raises(DeclarationError) as refused:
        component.build_defs(ComponentTree.for_test().load_context)
    assert str(refused.value).startswith(f"orders: {said}")


def test_yaml_gives_each_kind_its_severity():
    """What is not named has its usual one."""
    text = (
        "database: raw\nbucket: exports\ntables: [a]\ndefaults: {checks: {drift: {new: ignore}}}\n"
    )
    checks = DynamoDBTablesComponent.resolve_from_yaml(text).defaults.checks.declaration()
    assert checks.drift == DriftSeverities(new="ignore")
    assert dict(checks.chosen())["drift"] == "warn"
