"""Each promise of a published table: kept, broken, kept again; and what is no verdict at all."""

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pytest

from ddb_assets.core.export import Pitr
from ddb_assets.core.operating.health import TableHealth
from ddb_assets.core.operating.operator import operator_context
from ddb_assets.core.operating.retention import RetentionPolicy
from ddb_assets.errors import AccessDeniedError, QueryFailedError
from ddb_assets.schema.declaration import parse_columns

DECLARED = parse_columns({"userId": "S", "createAt": "N"})


@pytest.fixture
def health(world):
    """A fresh examination of a table, as each check run makes one."""

    def examine(spec):
        return TableHealth(operator_context(world.aws.gateways, world.clock), spec)

    return examine


@pytest.fixture
def published(world):
    """A table after its first refresh, with its attributes declared."""
    spec = world.table("orders", columns=DECLARED)
    world.refresh(spec)
    return spec


def edit(world, change):
    """What a person does in the Glue console."""
    body, _ = world.aws.glue["orders"][-1]
    body = deepcopy(body)
    change(body)
    world.aws.glue["orders"].append((body, world.clock.now()))


def test_the_newest_export_is_shown(health, published):
    """Right after a refresh; its id and moment are the facts."""
    verdict = health(published).newest_export()
    assert verdict.kept, verdict.reason
    assert verdict.facts["newer_exports"] == 0
    assert verdict.facts["export_id"]


def test_a_newer_export_nobody_published_is_said(world, health, published):
    """Started and left alone; after its adoption the promise holds again."""
    world.clock.sleep(600)
    (left,) = world.refresh(published, run="run-2", wait=False).values()
    world.clock.sleep(600)
    verdict = health(published).newest_export()
    assert not verdict.kept
    assert left.export.arn in verdict.reason
    world.refresh(published, run="run-3", adopt=left.export.arn)
    assert health(published).newest_export().kept


def test_an_export_to_another_folder_is_somebody_elses(world, health, published):
    """It is listed, but breaks no promise."""
    world.clock.sleep(600)
    world.refresh(replace(published, prefix="elsewhere", table="copy"), run="run-2")
    verdict = health(published).newest_export()
    assert verdict.kept, verdict.reason
    assert verdict.facts["newer_elsewhere"] == 1


def test_a_location_moved_by_hand_was_never_verified(world, health, published):
    """It names an export, but no refresh proved it."""
    arn = next(iter(world.aws.exports))
    edit(world, lambda body: body["Parameters"].pop("ddb_assets.export_arn"))
    verdict = health(published).newest_export()
    assert not verdict.kept
    assert arn.rpartition("/")[2] in verdict.reason
    assert "not published by a refresh" in verdict.reason


def test_an_export_whose_manifest_is_gone_is_no_longer_whole(world, health, published):
    """Somebody emptied the bucket."""
    for key in [k for k in world.aws.objects if k.endswith("manifest-summary.json")]:
        del world.aws.objects[key]
    verdict = health(published).newest_export()
    assert not verdict.kept
    assert "no longer whole" in verdict.reason


@pytest.mark.parametrize("promise", ["newest_export", "schema", "row_count"])
def test_before_the_first_refresh_nothing_is_published(world, health, promise):
    """A no, not an error: the table was declared and is not there."""
    verdict = getattr(health(world.table("orders")), promise)()
    assert not verdict.kept
    assert "nothing is published" in verdict.reason


def test_a_deleted_live_table_is_a_no(world, health, published):
    """Neither is there anything newer nor anything to recover."""
    del world.aws.tables["orders"]
    verdict = health(published).newest_export()
    assert (verdict.kept, verdict.reason) == (False, "the DynamoDB table does not exist")


def test_the_schema_is_that_of_the_declaration(health, published):
    """With nothing to add, to remove or to retype."""
    verdict = health(published).schema(undeclared=True)
    assert verdict.kept, verdict.reason
    assert set(map(len, verdict.facts.values())) == {0}


@pytest.mark.parametrize(
    "edited",
    [
        ("struct<userid:struct<s:string>>", "missing_columns", "lacks"),
        (
            "struct<userid:struct<s:string>,createat:struct<n:bigint>>",
            "changed_columns",
            "another type",
        ),
        (
            "struct<userid:struct<s:string>,createat:struct<n:string>,x:string>",
            "foreign_columns",
            "unknown to every refresh",
        ),
    ],
)
def test_a_table_edited_by_hand_has_drifted(world, health, published, edited):
    """Columns removed, retyped or added outside of a refresh; the path is named."""
    type_, fact, word = edited

    def retype(body):
        body["StorageDescriptor"]["Columns"][0]["Type"] = type_

    edit(world, retype)
    verdict = health(published).schema()
    assert not verdict.kept
    assert word in verdict.reason
    assert len(verdict.facts[fact]) == 1


def test_a_refresh_mends_a_table_that_lost_a_field(world, health, published):
    """Red, then green again."""

    def narrow(body):
        body["StorageDescriptor"]["Columns"][0]["Type"] = "struct<userid:struct<s:string>>"

    edit(world, narrow)
    assert not health(published).schema().kept
    world.clock.sleep(600)
    world.refresh(published, run="run-2")
    assert health(published).schema().kept


def test_data_beyond_the_declaration_is_drift(world, health):
    """A declared number that is text in one item."""
    items = [{"userId": {"S": "a"}, "createAt": {"S": "yesterday"}}]
    spec = world.table("orders", items, columns=DECLARED)
    world.refresh(spec)
    verdict = health(spec).schema()
    assert not verdict.kept
    assert "createAt (S)" in verdict.reason


def test_an_undeclared_attribute_is_drift_only_if_asked_for(world, health):
    """Declared attributes win and the rest is inferred, so it is listed at least."""
    items = [{"userId": {"S": "a"}, "color": {"S": "red"}}]
    spec = world.table("orders", items, columns=DECLARED)
    world.refresh(spec)
    lenient, strict = health(spec).schema(), health(spec).schema(undeclared=True)
    assert lenient.kept
    assert lenient.facts["undeclared_attributes"] == ["color"]
    assert not strict.kept
    assert "color" in strict.reason


def test_without_a_declaration_nothing_is_beyond_it(world, health):
    """All attributes are inferred."""
    spec = world.table("orders")
    world.refresh(spec)
    assert health(spec).schema(undeclared=True).kept


def test_recovery_off_is_said_with_the_call_that_switches_it_on(world, health, published):
    """And on again it is kept."""
    world.aws.pitr["orders"] = Pitr(enabled=False)
    verdict = health(published).pitr()
    assert not verdict.kept
    assert "aws dynamodb update-continuous-backups --table-name orders" in verdict.reason
    world.aws.pitr["orders"] = Pitr(True, world.clock.now() - timedelta(days=3))
    assert health(published).pitr().kept


@pytest.mark.parametrize(("recovery_days", "window_days"), [(35, 1), (6, 6), (None, 6)])
def test_the_window_is_what_is_set(world, health, published, recovery_days, window_days):
    """Recovery switched on yesterday for 35 days keeps a promise of seven."""
    earliest = world.clock.now() - timedelta(days=window_days)
    world.aws.pitr["orders"] = Pitr(True, earliest, recovery_days=recovery_days)
    verdict = health(published).pitr(days=7)
    assert verdict.kept is (recovery_days == 35)
    assert verdict.facts["pitr_window_seconds"] == window_days * 86400 - 300


def test_the_age_is_that_of_the_data(world, health, published):
    """Not that of the publication."""
    now = world.clock.now()
    export_time = next(iter(world.aws.exports.values())).export.export_time
    kept = health(published).data_age(since=export_time, promise="p")
    broken = health(published).data_age(since=export_time + timedelta(seconds=1), promise="p")
    assert (kept.kept, broken.kept) == (True, False)
    age = (now - export_time).total_seconds()
    assert kept.facts["data_age_seconds"] == pytest.approx(age, abs=0.001)
    assert age > 300


def test_old_exports_beyond_the_retention_are_counted(world, health, published):
    """Of three the oldest may go; nothing is deleted by looking."""
    for run in ("run-2", "run-3"):
        world.clock.sleep(86400)
        world.refresh(published, run=run)
    world.clock.sleep(86400)
    policy = RetentionPolicy(keep_last=1, keep_days=0, rollback_days=0)
    objects = dict(world.aws.objects)
    verdict = health(published).retention(policy)
    assert not verdict.kept
    assert verdict.facts["old_exports"] == 1
    assert verdict.facts["old_bytes"] > 0
    assert world.aws.objects == objects
    assert health(published).retention(RetentionPolicy()).kept


def test_athena_counts_what_the_manifest_says(world, health, published):
    """Two items; one row lost in S3 is seen."""
    assert health(published).row_count().kept
    for key in [k for k in world.aws.objects if "part1" in k]:
        del world.aws.objects[key]
    again = TableHealth(
        replace(operator_context(world.aws.gateways, world.clock), intent_id="later"), published
    )
    verdict = again.row_count()
    assert not verdict.kept
    assert verdict.facts == {"athena_rows": 1, "manifest_items": 2}


def test_a_count_that_a_refresh_overtook_begins_anew(world, health, published):
    """The rows of one export are never held against the manifest of another."""
    world.clock.sleep(600)
    world.aws.items["orders"] = [{"userId": {"S": "a"}}]
    world.aws.hooks["rows"].append(lambda: world.refresh(published, run="run-2"))
    verdict = health(published).row_count()
    assert verdict.kept, verdict.reason
    assert verdict.facts["athena_rows"] == 1


def test_a_query_that_fails_is_no_verdict(world, health, published):
    """Athena's reason and the query's id are in the error."""
    world.aws.query_ends.append("FAILED out of scan quota")
    with pytest.raises(QueryFailedError, match="out of scan quota"):
        health(published).row_count()


def test_a_terminated_count_stops_its_query(world, health, published):
    """It would scan on for nobody."""
    world.aws.faults["statuses"].append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        health(published).row_count()
    assert world.aws.count("stop") == 1


def test_a_missing_permission_is_no_verdict(world, health, published):
    """Whether the promise is kept is not known."""
    world.aws.faults["describe_pitr"].append(AccessDeniedError("refused"))
    with pytest.raises(AccessDeniedError):
        health(published).pitr()


def test_each_fact_is_asked_once(world, health, published):
    """All cheap checks of a table together read the Glue table once for each reader."""
    world.aws.calls.clear()
    one = health(published)
    one.newest_export()
    one.schema()
    one.pitr()
    one.data_age(since=world.clock.now(), promise="p")
    assert world.aws.count("get_table") <= 2
    assert world.aws.count("describe_pitr") == 1
