"""Start now, finish later: exports of many tables are published by one run, by their ARNs."""

import pytest

from ddb_assets.core.outcome import Failed, Refreshed
from ddb_assets.errors import DeclarationError, GroupHeldBackError

CUT = frozenset({"cut"})


def started(outcomes):
    """The ARN per table of exports nobody waited for."""
    return {name: outcome.export.arn for name, outcome in outcomes.items()}


def test_exports_started_by_one_run_are_published_by_another(world):
    """Each table at its own export; nothing new is started."""
    specs = [world.table(name) for name in ("a", "b", "c")]
    arns = started(world.refresh(*specs, wait=False))
    world.clock.sleep(3600)
    outcomes = world.refresh(*specs, run="run-2", adopt=arns)
    assert {name: o.export.arn for name, o in outcomes.items()} == arns
    assert all(isinstance(o, Refreshed) for o in outcomes.values())
    assert len(world.aws.exports) == 3


def test_a_consistent_cut_that_was_started_is_finished_together(world):
    """A member that fails holds the others back, as if they had been waited for."""
    specs = [world.table(name, group="cut") for name in ("a", "b")]
    arns = started(world.refresh(*specs, wait=False, consistent_groups=CUT))
    world.clock.sleep(3600)
    outcomes = world.refresh(*specs, run="run-2", adopt=arns, consistent_groups=CUT)
    assert all(isinstance(o, Refreshed) for o in outcomes.values())
    assert len({o.manifest.export_time for o in outcomes.values()}) == 1
    world.aws.failures["b"].append(("S3AccessDenied", "Access Denied"))
    before = [world.aws.location(name) for name in ("a", "b")]
    arns = started(world.refresh(*specs, run="run-3", wait=False, consistent_groups=CUT))
    world.clock.sleep(3600)
    outcomes = world.refresh(*specs, run="run-4", adopt=arns, consistent_groups=CUT)
    assert isinstance(outcomes["a"].error, GroupHeldBackError)
    assert isinstance(outcomes["b"], Failed)
    assert [world.aws.location(name) for name in ("a", "b")] == before


def test_exports_of_different_seconds_are_no_cut(world):
    """The first one's second is the cut's; another one is refused and nobody moves."""
    specs = [world.table(name, group="cut") for name in ("a", "b")]
    arns = started(world.refresh(*specs, wait=False, consistent_groups=CUT))
    world.clock.sleep(3600)
    later = started(world.refresh(*specs, run="run-2", wait=False, consistent_groups=CUT))
    world.clock.sleep(3600)
    mixed = {"a": arns["a"], "b": later["b"]}
    outcomes = world.refresh(*specs, run="run-3", adopt=mixed, consistent_groups=CUT)
    errors = {type(o.error) for o in outcomes.values()}
    assert errors == {DeclarationError, GroupHeldBackError}
    assert [world.aws.location(name) for name in ("a", "b")] == [None, None]


@pytest.mark.parametrize("named", [["a"], ["a", "b", "c"], ["a", "c"]])
def test_exactly_the_selected_tables_must_be_named(world, named):
    """Neither fewer nor more, before anything is asked of AWS."""
    specs = [world.table(name) for name in ("a", "b")]
    with pytest.raises(DeclarationError, match="not of the selected tables"):
        world.refresh(*specs, adopt=dict.fromkeys(named, "arn"))
