"""Columns grow by themselves; what can break a query is refused before anything moves."""

import pytest

from ddb_assets.core.operating.adopt import adopt
from ddb_assets.core.outcome import Failed, Refreshed
from ddb_assets.errors import SchemaChangeError
from ddb_assets.schema.declaration import parse_columns

KEY = {"userId": {"S": "a"}}
OPENED = {"M": {f"k{i}": {"N": "1"} for i in range(101)}}
BREAKING = {
    "keys that open": ({"M": {"x": {"N": "1"}}}, OPENED, "item.a.m: struct<"),
    "a number no decimal holds": ({"N": "1"}, {"N": "1E-130"}, "o_typed.a: bigint -> string"),
    "a field of a second type": (
        {"M": {"x": {"N": "1"}}},
        {"M": {"x": {"S": ""}}},
        "o_typed.a: struct<x:bigint> -> struct<x:struct<",
    ),
    "an element of a second type": (
        {"L": [{"S": ""}]},
        {"L": [{"N": "1"}]},
        "o_typed.a: array<string> -> array<struct<",
    ),
}
ADDITIVE = {
    "a second type": ({"S": ""}, {"N": "1"}),
    "more digits": ({"N": "1"}, {"N": "0.5"}),
    "more digits of a decimal": ({"N": "0.5"}, {"N": "1234.5678"}),
    "more digits in a set": ({"NS": ["1"]}, {"NS": ["0.5"]}),
    "more digits in a list of maps": (
        {"L": [{"M": {"x": {"N": "1"}}}]},
        {"L": [{"M": {"x": {"N": "0.5"}, "y": {"S": ""}}}]},
    ),
    "a new key": ({"M": {"x": {"N": "1"}}}, {"M": {"x": {"N": "1"}, "y": {"S": ""}}}),
    "a key that is gone": ({"M": {"x": {"N": "1"}, "y": {"S": ""}}}, {"M": {"x": {"N": "1"}}}),
    "the first value after NULL": ({"NULL": True}, {"N": "1"}),
    "the first element": ({"L": []}, {"L": [{"M": {"x": {"N": "1"}}}]}),
    "the first key": ({"M": {}}, {"M": {"x": {"N": "1"}}}),
    "so many first keys": ({"M": {}}, OPENED),
    "a null inside": ({"M": {"x": {"N": "1"}}}, {"M": {"x": {"NULL": True}}}),
    "another type of values in an open map": (OPENED, {"M": {"k0": {"N": "0.5"}}}),
}


@pytest.fixture
def exported(world):
    """Publishes an export whose items have this attribute `a`, an hour after the last one."""
    world.aws.create("orders")

    def publish(value, *, run=None, spec=(), **options):
        world.aws.items["orders"] = [KEY if value is None else {**KEY, "a": value}]
        world.clock.sleep(3600)
        made = world.spec("orders", **{"typed_view": "o_typed", **dict(spec)})
        run = run or f"run-{len(world.aws.exports)}"
        return world.refresh(made, run=run, **options)["orders"]

    return publish


@pytest.mark.parametrize("kind", ADDITIVE)
def test_additions_need_no_asking(exported, kind):
    """Raw table and view grow with the data, and every column stays under its name."""
    before, after = ADDITIVE[kind]
    first = exported(before)
    outcome = exported(after)
    assert isinstance(outcome, Refreshed), outcome.error
    names = [name for name, _, _ in outcome.view.columns]
    assert names[: len(first.view.columns)] == [name for name, _, _ in first.view.columns]


def test_a_column_that_no_item_has_any_more_stays(exported):
    """It reads as NULL; nothing is ever removed, also not with its declaration."""
    declared = {"spec": {"columns": parse_columns({"a": "S", "declared": "N"})}}
    first = exported({"S": "x"}, **declared)
    outcome = exported(None)
    assert isinstance(outcome, Refreshed)
    assert outcome.publication.columns == first.publication.columns
    assert [c[0] for c in outcome.view.columns] == ["a", "declared", "userid"]


@pytest.mark.parametrize("kind", BREAKING)
def test_what_can_break_a_query_is_refused_first(world, exported, kind):
    """Neither the table nor the view moves; the error names the change and the way on."""
    before, after, said = BREAKING[kind]
    first = exported(before)
    glue = {name: len(versions) for name, versions in world.aws.glue.items()}
    outcome = exported(after)
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, SchemaChangeError)
    assert not outcome.error.retryable
    assert said in outcome.error.cause
    assert len(outcome.error.cause) < 1000
    assert f"ddb-assets adopt orders {outcome.export.arn} --accept-changes" in outcome.error.remedy
    assert {name: len(versions) for name, versions in world.aws.glue.items()} == glue
    assert world.aws.location("orders") == first.publication.location


@pytest.mark.parametrize("kind", BREAKING)
def test_it_is_accepted_with_one_word(world, exported, kind):
    """The refused export is published, without a second one and without reading an item again."""
    before, after, _ = BREAKING[kind]
    exported(before)
    refused = exported(after)
    world.aws.calls.clear()
    outcome = adopt(
        refused.spec,
        refused.export.arn,
        gateways=world.aws.gateways,
        clock=world.clock,
        accept_changes=True,
    )
    assert isinstance(outcome, Refreshed), outcome.error
    assert outcome.publication.action == "moved"
    assert world.aws.count("start_export") == world.aws.count("stream") == 0
    assert isinstance(exported(after), Refreshed), "and is not asked again"


@pytest.mark.parametrize("kind", BREAKING)
def test_it_can_be_accepted_for_a_run(exported, kind):
    """`accept_changes` in the launchpad."""
    before, after, _ = BREAKING[kind]
    exported(before)
    assert isinstance(exported(after), Failed)
    assert isinstance(exported(after, accept_changes=True), Refreshed)


def test_any_evolution_asks_nothing(exported):
    """`evolve: any`, for those who would rather have the data."""
    exported({"N": "1"})
    assert isinstance(exported({"N": "1E-130"}, spec={"evolve": "any"}), Refreshed)


def test_what_is_declared_is_wanted(exported):
    """A map declared with open keys becomes one, although it was a row; nothing else does."""
    exported({"M": {"x": {"N": "1"}}})
    opened = {"columns": parse_columns({"a": {"M": {"*": "N"}}})}
    assert isinstance(exported({"M": {"x": {"N": "1"}}}, spec=opened), Refreshed)


def test_a_field_that_would_get_another_name_is_asked(exported):
    """An odd name changes the SerDe; under the other one a field named like a type is renamed."""
    exported({"M": {"n": {"N": "1"}}})
    outcome = exported({"M": {"n": {"N": "1"}, "odd name": {"S": ""}}})
    assert isinstance(outcome, Failed)
    assert "field n: is called n_" in outcome.error.cause


def test_without_a_view_the_raw_table_alone_is_asked_for(exported):
    """Its numbers are text: no digit can break it."""
    plain = {"typed_view": None}
    exported({"N": "1"}, spec=plain)
    assert isinstance(exported({"N": "1E-130"}, spec=plain), Refreshed)
    exported({"M": {"x": {"N": "1"}}}, spec=plain)
    assert isinstance(exported(OPENED, spec=plain), Failed)


def test_the_other_tables_of_a_run_go_on(world, exported):
    """One table asks; a table beside it is published."""
    exported({"N": "1"})
    world.aws.items["orders"] = [{**KEY, "a": {"N": "1E-130"}}]
    world.clock.sleep(3600)
    asks = world.spec("orders", typed_view="o_typed")
    outcomes = world.refresh(asks, world.table("users"), run="both")
    assert isinstance(outcomes["orders"], Failed)
    assert isinstance(outcomes["users"], Refreshed)


def test_a_retry_of_a_refused_run_is_refused_again_at_no_cost(world, exported):
    """No export, no item: the answer is already known."""
    exported({"N": "1"})
    refused = exported({"N": "1E-130"}, run="one")
    world.aws.calls.clear()
    again = exported({"N": "1E-130"}, run="one")
    assert isinstance(again.error, SchemaChangeError)
    assert again.export.arn == refused.export.arn
    assert world.aws.count("start_export") == world.aws.count("stream") == 0
