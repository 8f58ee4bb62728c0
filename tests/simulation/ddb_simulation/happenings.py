"""Puts what a case wants to go wrong into its world."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from .cases import Case, Happening
from .dynamodb import MAX_IN_FLIGHT
from .world import BUCKET, World

#: How long others keep the account full.
FULL_SECONDS = 1800.0
#: What concerns every table.
FOR_ALL = frozenset({"drop-bucket", "fill-account"})


def arrange(world: World, case: Case, began: float) -> None:
    """Arm faults and outages, plan endings, and let people act at their times."""
    world.faults = {(fault.actor, fault.at): fault for fault in case.faults}
    world.outages = [
        replace(outage, begins=began + outage.begins, ends=began + outage.ends)
        for outage in case.outages
    ]
    dynamodb = world.dynamodb
    dynamodb.restore_lag = timedelta(seconds=case.restore_lag)
    for table, endings in case.endings.items():
        had = sum(export.table.name == table for export in dynamodb.exports.values())
        dynamodb.endings[table] = dict(enumerate(endings, start=had))
    asked = len(world.athena.queries)
    world.athena.courses = dict(enumerate(case.courses, start=asked))
    for happening in case.happenings:
        world.clock.at(began + happening.at, _deed(world, happening))


def _deed(world: World, happening: Happening) -> Callable[[], None]:
    table = happening.table
    dynamodb = world.dynamodb

    def drop() -> None:
        dynamodb.drop(table)

    def recreate() -> None:
        dynamodb.drop(table)
        dynamodb.create(table)

    def pitr_off() -> None:
        dynamodb.tables[table].pitr = False

    def drop_bucket() -> None:
        world.audit.destroyed = True
        world.s3.drop_bucket(BUCKET)

    def drop_objects() -> None:
        world.audit.destroyed = True
        lying = world.s3.under(BUCKET, f"{table}/")
        world.s3.delete(BUCKET, [key for key in lying if "/data/" in key])

    def edit_catalog() -> None:
        for key, name in world.audit.owners.items():
            if name == table and key in world.glue.tables:
                world.act_for(None, lambda key=key: world.glue.edit(key, owner="somebody"))

    def fill_account() -> None:
        end = world.clock.now() + timedelta(seconds=FULL_SECONDS)
        dynamodb.others = [end] * MAX_IN_FLIGHT

    return {
        "drop": drop,
        "recreate": recreate,
        "pitr-off": pitr_off,
        "drop-bucket": drop_bucket,
        "drop-objects": drop_objects,
        "edit-catalog": edit_catalog,
        "fill-account": fill_account,
    }[happening.action]
