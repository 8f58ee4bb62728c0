"""Drift of the items, judged by the profiles beside the exports: each kind, and what is none."""

import pytest

from ddb_assets.core.operating.health import TableHealth
from ddb_assets.core.operating.operator import operator_context
from ddb_assets.core.operating.rollback import rollback
from ddb_assets.errors import AccessDeniedError
from ddb_assets.schema.declaration import parse_columns

ALL = {"new": "warn", "missing": "warn", "retyped": "error", "wider": "warn"}
FIRST = [{"userId": {"S": "a"}, "num": {"N": "1"}, "old": {"S": ""}}]


@pytest.fixture
def shown(world):
    """Publishes these items, a day after the last ones; the spec."""

    def publish(items, **settings):
        if "orders" not in world.aws.tables:
            world.aws.create("orders")
        spec = world.spec("orders", **settings)
        world.aws.items["orders"] = items
        world.clock.sleep(86400)
        outcome = world.refresh(spec, run=f"run-{len(world.aws.exports)}")["orders"]
        assert outcome.publication
        return spec

    return publish


@pytest.fixture
def verdict(world):
    """What a check says right now."""

    def judge(spec, severities=ALL, **options):
        health = TableHealth(operator_context(world.aws.gateways, world.clock), spec)
        world.aws.calls.clear()
        found = health.drift({**ALL, **severities}, **options)
        assert world.aws.count("stream") == 0, "no item is read"
        return found

    return judge


@pytest.mark.parametrize(
    ("items", "kind", "text"),
    [
        ([{**FIRST[0], "x": {"S": ""}}], "new", "x: S"),
        ([{"userId": {"S": "a"}, "num": {"N": "1"}}], "missing", "old: S"),
        ([{**FIRST[0], "old": {"N": "1"}}], "retyped", "old: S -> N | S"),
        ([{**FIRST[0], "num": {"N": "0.5"}}], "wider", "num: bigint -> decimal(20,1)"),
    ],
)
def test_each_kind_has_its_severity(shown, verdict, items, kind, text):
    """And can be ignored; it is counted all the same."""
    shown(FIRST)
    spec = shown(items)
    found = verdict(spec)
    assert not found.kept
    assert found.severity == ALL[kind]
    assert found.reason.startswith(f"since the last export: 1 {kind} ({text}) — look")
    assert found.facts[f"drift_{kind}"] == 1
    assert found.facts["drifted"] == [f"{kind}: {text.partition(':')[0]}"]
    assert verdict(spec, {kind: "error"}).severity == "error"
    ignored = verdict(spec, {kind: "ignore"})
    assert ignored.kept, ignored.reason
    assert ignored.facts[f"drift_{kind}"] == 1


def test_the_worst_kind_counts(shown, verdict):
    """A warning and an error are an error, in one sentence."""
    shown(FIRST)
    spec = shown([{**FIRST[0], "old": {"N": "1"}, "x": {"S": ""}}])
    found = verdict(spec)
    assert found.severity == "error"
    assert "1 new (x: S), 1 retyped (old: S -> N | S)" in found.reason


def test_drift_is_over_with_the_next_export_that_is_alike(shown, verdict):
    """It is compared with what the table showed before, not with how it once began."""
    shown(FIRST)
    changed = [{**FIRST[0], "x": {"S": ""}}]
    shown(changed)
    found = verdict(shown(changed))
    assert (found.kept, found.severity) == (True, None)
    assert found.facts["drift_new"] == 0
    assert found.facts["attributes"] == 4


def test_the_first_export_is_compared_with_the_declaration_alone(shown, verdict):
    """Without one there is nothing to compare with; that is no failure."""
    assert verdict(shown(FIRST)).reason == "the first export whose items were counted"
    declared = shown(FIRST, columns=parse_columns({"userId": "S", "num": "S", "gone": "N"}))
    found = verdict(declared)
    said = "beside the declaration: 1 missing (gone: N), 1 retyped (num: S -> N | S)"
    assert said in found.reason
    assert found.severity == "error"
    assert found.facts["declaration_new"] == 0
    strict = verdict(declared, undeclared=True)
    assert "1 new (old: S)" in strict.reason
    assert strict.facts["declaration_new"] == 1


def test_a_rollback_is_compared_with_what_it_left(world, shown, verdict):
    """Whatever a table showed last."""
    shown(FIRST)
    spec = shown([{**FIRST[0], "x": {"S": ""}}])
    world.clock.sleep(60)
    rollback(spec, gateways=world.aws.gateways, clock=world.clock)
    assert "1 missing (x: S)" in verdict(spec).reason


def test_an_export_without_items_is_no_drift(shown, verdict):
    """Nothing is missing from nothing, and what comes after it is compared with nothing."""
    shown(FIRST)
    assert verdict(shown([])).reason == "the published export holds no items"
    assert verdict(shown(FIRST)).kept


def test_what_was_not_counted_is_a_warning(world, shown, verdict):
    """Published before profiles were kept, or by a run without the right to write them."""
    spec = shown(FIRST)
    (key,) = [key for key in world.aws.objects if key.endswith("-profile.json")]
    del world.aws.objects[key]
    found = verdict(spec)
    assert (found.kept, found.severity) == (False, "warn")
    assert "is not kept beside it — refresh the table" in found.reason


def test_nothing_published_is_a_warning_too(world, verdict):
    """As with every promise."""
    found = verdict(world.table("orders"))
    assert (found.kept, found.severity) == (False, "warn")


def test_a_profile_that_may_not_be_read_is_no_verdict(world, shown, verdict):
    """It is an error of the check."""
    spec = shown(FIRST)
    world.aws.faults["read ddb_assets-profile.json"].append(AccessDeniedError("refused"))
    with pytest.raises(AccessDeniedError):
        verdict(spec)


def test_a_name_of_64_kilobytes_stays_short(shown, verdict):
    """In sentences and facts."""
    shown(FIRST)
    found = verdict(shown([{**FIRST[0], "x" * 65_000: {"S": ""}}]))
    assert len(found.reason) < 500
    assert len(found.facts["drifted"][0]) < 250
