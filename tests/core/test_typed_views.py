"""The typed view comes after the raw table, is ours or nobody's, and is part of the refresh."""

import base64
import json

import pytest

from ddb_assets.core.outcome import Failed, Refreshed
from ddb_assets.errors import (
    AccessDeniedError,
    CatalogConflictError,
    DeclarationError,
    ServiceUnavailableError,
    VersionConflictError,
)
from ddb_assets.schema.declaration import parse_columns

CUT = frozenset({"cut"})


def view(world, name="a_typed"):
    """The Glue table of the view, and its decoded document."""
    body = world.aws.glue[name][-1][0]
    text = body["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    return body, json.loads(base64.b64decode(text))


@pytest.fixture
def spec(world):
    """A table with a view."""
    return world.table("a", typed_view="a_typed")


def test_the_view_is_created_with_the_table(world, spec):
    """In the form Athena gives views, with types, comments and provenance."""
    outcome = world.refresh(spec)["a"]
    body, document = view(world)
    assert document == {
        "originalSql": (
            'SELECT\n  "raw"."item"."userid"."s" AS "userid",\n'
            '  CAST("raw"."item"."createat"."n" AS bigint) AS "createat"\n'
            'FROM "ddb"."a" AS "raw"'
        ),
        "catalog": "awsdatacatalog",
        "schema": "ddb",
        "columns": [
            {"name": "userid", "type": "varchar"},
            {"name": "createat", "type": "bigint"},
        ],
        "runAsInvoker": False,
    }
    assert body["TableType"] == "VIRTUAL_VIEW"
    assert "Description" not in body, "it would take the place of the comment Trino looks for"
    assert body["ViewExpandedText"] == "/* Presto View */"
    assert body["StorageDescriptor"]["Columns"] == [
        {"Name": "userid", "Type": "string", "Comment": "userId"},
        {"Name": "createat", "Type": "bigint", "Comment": "createAt"},
    ]
    assert body["Parameters"]["presto_view"] == "true"
    assert body["Parameters"]["ddb_assets.export_arn"] == outcome.manifest.export_arn
    assert outcome.view.action == "created"
    assert outcome.view.columns == (
        ("userid", "varchar", "userId"),
        ("createat", "bigint", "createAt"),
    )
    order = [subject for operation, subject in world.aws.calls if operation == "create_table"]
    assert order == ["a", "a_typed"]


def test_the_view_gets_wider_with_the_table(world, spec):
    """A new attribute and a fraction: the columns stay in order, names stay."""
    world.refresh(spec)
    world.aws.items["a"] = [{"userId": {"S": "c"}, "createAt": {"N": "0.5"}, "x": {"BOOL": True}}]
    world.clock.sleep(60)
    outcome = world.refresh(spec, run="run-2")["a"]
    assert [c[:2] for c in outcome.view.columns] == [
        ("userid", "varchar"),
        ("createat", "decimal(20,1)"),
        ("x", "boolean"),
    ]
    assert outcome.view.action == "moved"
    assert "changed: createat: bigint -> decimal(20,1)" in outcome.view.notes


def test_what_people_added_to_the_view_stays(world, spec):
    """A description and a parameter of theirs."""
    world.refresh(spec)
    body = world.aws.glue["a_typed"][-1][0]
    body["Description"] = "Ask Ann"
    body["Parameters"]["team"] = "crm"
    world.clock.sleep(60)
    world.refresh(spec, run="run-2")
    body, _ = view(world)
    assert body["Description"] == "Ask Ann"
    assert body["Parameters"]["team"] == "crm"


def test_a_published_view_is_not_written_again(world, spec):
    """A repeated run reads no data file and changes nothing."""
    world.refresh(spec)
    world.aws.calls.clear()
    outcome = world.refresh(spec)["a"]
    assert outcome.view.action == "unchanged"
    assert outcome.view.columns == (
        ("userid", "varchar", "userId"),
        ("createat", "bigint", "createAt"),
    )
    for operation in ("create_table", "update_table", "stream"):
        assert world.aws.count(operation) == 0


@pytest.mark.parametrize("operation", ["create_table a_typed", "get_table a_typed"])
def test_a_failed_view_leaves_the_table_and_its_retry_repairs_it(world, spec, operation):
    """The table shows the export, the error says so; the retry reads the items for the view."""
    # get_table: the preflight and the look before reading come first.
    sooner = [None, None] if operation.startswith("get") else []
    world.aws.faults[operation] += [*sooner, AccessDeniedError("no", remedy="allow it")]
    failed = world.refresh(spec)["a"]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, AccessDeniedError)
    assert "but its typed view a_typed could not be written: no" in failed.error.cause
    assert failed.error.remedy == "allow it"
    assert world.aws.location("a") is not None
    assert "a_typed" not in world.aws.glue
    repaired = world.refresh(spec)["a"]
    assert isinstance(repaired, Refreshed)
    assert repaired.publication.action == "unchanged"
    assert repaired.view.action == "created"
    assert dict(c[:2] for c in repaired.view.columns)["createat"] == "bigint"
    assert world.aws.count("start_export") == 1


def test_a_lost_answer_of_the_view_is_read_back(world, spec):
    """CreateTable took effect: the conflict of its second try ends in a reading."""
    world.aws.lost["create_table"] += [
        ServiceUnavailableError("gone"),
        ServiceUnavailableError("x"),
    ]
    outcome = world.refresh(spec)["a"]
    assert isinstance(outcome, Refreshed)
    assert outcome.view.action == "created"


def test_a_competing_change_of_the_view_is_seen(world, spec):
    """The other's addition and ours are both there afterwards."""
    world.refresh(spec)
    world.clock.sleep(60)

    def meddle():
        body = json.loads(json.dumps(world.aws.glue["a_typed"][-1][0]))
        body["Parameters"]["team"] = "crm"
        world.aws.glue["a_typed"].append((body, world.clock.now()))

    world.aws.hooks["update_table a_typed"].append(meddle)
    outcome = world.refresh(spec, run="run-2")["a"]
    body, _ = view(world)
    assert body["Parameters"]["team"] == "crm"
    assert body["Parameters"]["ddb_assets.export_arn"] == outcome.manifest.export_arn


def test_a_view_others_change_without_end_is_an_error(world, spec):
    """Twenty lost swaps; the table stays."""
    world.refresh(spec)
    world.clock.sleep(60)
    world.aws.faults["update_table a_typed"] += [VersionConflictError("another version")] * 20
    failed = world.refresh(spec, run="run-2")["a"]
    assert isinstance(failed.error, VersionConflictError)
    assert "20 times in a row" in failed.error.cause


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"TableType": "EXTERNAL_TABLE"}, "is a table"),
        ({"TableType": "VIRTUAL_VIEW", "ViewOriginalText": "x"}, "was not made by ddb_assets"),
        (
            {
                "TableType": "VIRTUAL_VIEW",
                "Parameters": {"ddb_assets.view": "{}", "ddb_assets.table_arn": "arn:other"},
            },
            "shows another DynamoDB table (arn:other)",
        ),
    ],
)
def test_a_taken_name_costs_no_export(world, spec, body, says):
    """Whatever is there under the view's name stays as it is."""
    world.aws.databases.add("ddb")
    world.aws.glue["a_typed"] = [({"Name": "a_typed", **body}, world.clock.now())]
    failed = world.refresh(spec)["a"]
    assert isinstance(failed.error, CatalogConflictError)
    assert says in failed.error.cause
    assert "typed_view" in failed.error.remedy
    assert world.aws.count("start_export") == 0
    assert len(world.aws.glue["a_typed"]) == 1


def test_a_name_taken_meanwhile_is_refused(world, spec):
    """Somebody created it while the export ran; nothing is published over what he cannot have."""
    world.clock.at(100, lambda: world.aws.glue.update(a_typed=[({"Name": "a_typed"}, None)]))
    failed = world.refresh(spec)["a"]
    assert isinstance(failed.error, CatalogConflictError)
    assert world.aws.glue["a_typed"] == [({"Name": "a_typed"}, None)]


def test_an_edited_memory_is_refused(world, spec):
    """Guessing would narrow columns."""
    world.refresh(spec)
    world.aws.glue["a_typed"][-1][0]["Parameters"]["ddb_assets.view"] = "{}"
    world.clock.sleep(60)
    failed = world.refresh(spec, run="run-2")["a"]
    assert isinstance(failed.error, CatalogConflictError)
    assert "drop the view" in failed.error.remedy
    world.aws.glue.pop("a_typed")
    assert world.refresh(spec, run="run-2")["a"].view.action == "created"


def test_a_view_too_large_for_glue_is_an_error_with_a_remedy(world):
    """The raw table is published all the same."""
    items = [{f"attribute_number_{i}_{'x' * 60}": {"N": "0.5"} for i in range(1100)}]
    spec = world.table("a", items, typed_view="a_typed")
    failed = world.refresh(spec)["a"]
    assert isinstance(failed.error, DeclarationError)
    assert "typed_view: false" in failed.error.remedy
    assert world.aws.location("a") is not None


def test_an_empty_table_has_a_view_of_what_is_declared(world):
    """Keys and declared columns; the first items decide the numbers."""
    spec = world.table("a", [], typed_view="a_typed", columns=parse_columns({"n": "N"}))
    outcome = world.refresh(spec)["a"]
    assert dict(c[:2] for c in outcome.view.columns) == {"n": "bigint", "userid": "varchar"}


def test_without_inference_numbers_are_text(world):
    """Nobody has looked at their digits."""
    spec = world.table(
        "a", typed_view="a_typed", columns=parse_columns({"createAt": "N"}), infer=False
    )
    outcome = world.refresh(spec)["a"]
    assert dict(c[:2] for c in outcome.view.columns)["createat"] == "varchar"


def test_a_rollback_keeps_the_wider_types(world, spec):
    """The earlier export's numbers fit the later one's types."""
    first = world.refresh(spec)["a"]
    world.aws.items["a"] = [{"userId": {"S": "c"}, "createAt": {"N": "0.5"}}]
    world.clock.sleep(60)
    world.refresh(spec, run="run-2")
    back = world.refresh(spec, run="run-3", adopt=first.manifest.export_arn, allow_older=True)["a"]
    assert back.publication.location == first.publication.location
    assert dict(c[:2] for c in back.view.columns)["createat"] == "decimal(20,1)"


def test_a_table_moved_by_athena_has_the_same_view(world):
    """No statement of its own: Athena's DDL slots are for the tables."""
    spec = world.table("a", typed_view="a_typed", publish_with="athena")
    world.refresh(spec)
    world.clock.sleep(60)
    outcome = world.refresh(spec, run="run-2")["a"]
    assert outcome.publication.query_execution_id is not None
    assert outcome.view.action == "moved"
    assert len(world.aws.queries) == 1


def test_a_failed_view_does_not_tear_a_cut(world):
    """All tables of the cut have moved; only the one whose view failed is reported."""
    specs = [world.table(n, group="cut", typed_view=f"{n}_typed") for n in ("a", "b", "c")]
    world.aws.faults["create_table b_typed"].append(AccessDeniedError("no"))
    outcomes = world.refresh(*specs, consistent_groups=CUT)
    assert isinstance(outcomes["b"], Failed)
    assert isinstance(outcomes["a"], Refreshed)
    assert isinstance(outcomes["c"], Refreshed)
    assert all(world.aws.location(name) for name in "abc")
    again = world.refresh(*specs, consistent_groups=CUT)
    assert all(isinstance(o, Refreshed) for o in again.values())
    assert again["b"].view.action == "created"


def test_a_cut_held_back_writes_no_view(world):
    """No table moves, so no view is created."""
    specs = [world.table(n, group="cut", typed_view=f"{n}_typed") for n in ("a", "b")]
    world.aws.failures["b"].append(("S3AccessDenied", "Access Denied"))
    world.refresh(*specs, consistent_groups=CUT)
    assert world.aws.glue == {}


def test_a_view_named_like_a_table_is_refused_before_anything_is_asked(world):
    """Two of one name in one database."""
    specs = [world.table("a", typed_view="b"), world.table("b")]
    with pytest.raises(DeclarationError, match=r"ddb\.b more than once"):
        world.refresh(*specs)
    assert world.aws.calls == []
