"""What a publication does to a Glue table that is already there."""

from copy import deepcopy

import pytest

from ddb_assets.core.outcome import Refreshed
from ddb_assets.errors import CatalogConflictError
from ddb_assets.schema.declaration import parse_columns

HIVE = "org.apache.hive.hcatalog.data.JsonSerDe"


def glue_table(location, columns=None, **fields):
    """A table somebody made by hand."""
    return {
        "Name": "article",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"owner": "ann"},
        "Description": "Ann's",
        "StorageDescriptor": {
            "Columns": columns
            or [{"Name": "item", "Type": "struct<userid:struct<s:string>>", "Comment": "mine"}],
            "Location": location,
            "SerdeInfo": {"SerializationLibrary": HIVE, "Parameters": {}},
        },
        **fields,
    }


def by_hand(world, table):
    """Put it into the catalog."""
    world.aws.databases.add("ddb")
    world.aws.glue["article"] = [(table, world.clock.now())]


def test_a_table_over_an_export_is_taken_over_with_what_people_set(world):
    """A hand-made pipeline's table moves on; its owner, description and comments stay."""
    spec = world.table("Article", serde="hive")
    earlier = world.refresh(world.spec("Article", table="elsewhere"), run="old")["Article"]
    by_hand(world, glue_table(earlier.publication.location))
    outcome = world.refresh(spec)["Article"]
    table = world.aws.glue["article"][-1][0]
    assert outcome.publication.action == "moved"
    assert table["Parameters"]["owner"] == "ann"
    assert table["Description"] == "Ann's"
    (column,) = table["StorageDescriptor"]["Columns"]
    assert column["Comment"] == "mine"
    assert "createat" in column["Type"]


@pytest.mark.parametrize(
    "change",
    [
        {"TableType": "VIRTUAL_VIEW"},
        {"Parameters": {"table_type": "ICEBERG"}},
        {"PartitionKeys": [{"Name": "day", "Type": "string"}]},
        {"StorageDescriptor": {"Location": "s3://somewhere/else/", "Columns": []}},
        {"Parameters": {"ddb_assets.table_arn": "arn:aws:dynamodb:us-east-1:1:table/Other"}},
    ],
    ids=["view", "iceberg", "partitioned", "no export", "another table's"],
)
def test_a_table_that_cannot_be_ours_is_refused_and_untouched(world, change):
    """And nothing is paid for."""
    spec = world.table("Article")
    location = "s3://exports/Article/AWSDynamoDB/01767225600000-00000000/data/"
    table = {**glue_table(location), **change}
    by_hand(world, deepcopy(table))
    outcome = world.refresh(spec)["Article"]
    assert isinstance(outcome.error, CatalogConflictError)
    assert world.aws.glue["article"][-1][0] == table
    assert world.aws.count("start_export") == 0


def test_somebody_elses_column_types_are_not_changed(world):
    """Where a type would have to change, the table's owner decides."""
    spec = world.table("Article", serde="hive")
    earlier = world.refresh(world.spec("Article", table="elsewhere"), run="old")["Article"]
    columns = [{"Name": "item", "Type": "struct<userid:string>"}]
    by_hand(world, glue_table(earlier.publication.location, columns))
    outcome = world.refresh(spec)["Article"]
    assert isinstance(outcome.error, CatalogConflictError)
    assert "cannot hold this export" in outcome.error.cause
    assert world.aws.location("article") == earlier.publication.location


def test_attributes_that_vanish_keep_their_columns(world):
    """A query on them goes on working."""
    spec = world.table("Article")
    world.refresh(spec)
    world.aws.items["Article"] = [{"userId": {"S": "a"}, "title": {"S": "t"}}]
    columns = world.refresh(spec, run="run-2")["Article"].publication.columns
    assert "createat" in columns[0][1]
    assert "title" in columns[0][1]


def test_declared_columns_are_there_before_any_item_has_them(world):
    """Declared ones win; what is found is added."""
    columns = parse_columns({"userId": "S", "address": {"M": {"zip": "N"}}})
    outcome = world.refresh(world.table("Article", columns=columns))["Article"]
    assert "zip" in outcome.publication.columns[0][1]
    assert "createat" in outcome.publication.columns[0][1]


def test_without_inference_only_declared_columns_and_keys_are_read(world):
    """And no data file is opened."""
    outcome = world.refresh(world.table("Article", infer=False))["Article"]
    assert isinstance(outcome, Refreshed)
    assert outcome.profile is None
    assert world.aws.count("stream") == 0
    assert "userid" in outcome.publication.columns[0][1]


def test_a_name_that_needs_a_mapping_says_so(world):
    """The note reaches the reader of the materialization."""
    outcome = world.refresh(world.table("Article", [{"userId": {"S": "a"}, "a-b": {"S": "x"}}]))
    publication = outcome["Article"].publication
    assert any("OpenX" in note for note in publication.notes)
    serde = world.aws.glue["article"][-1][0]["StorageDescriptor"]["SerdeInfo"]
    assert serde["Parameters"]["case.insensitive"] == "FALSE"


def test_what_the_declaration_has_no_place_for_is_reported(world):
    """A map declared with fixed keys does not hold open ones: the note says so, also on a move."""
    items = [
        {"userId": {"S": str(n)}, "visits": {"M": {f"day-{n}": {"N": "1"}}}} for n in range(300)
    ]
    spec = world.table("Article", items, columns=parse_columns({"visits": {"M": {"total": "N"}}}))
    for run in ("run-1", "run-2"):
        publication = world.refresh(spec, run=run)["Article"].publication
        (note,) = [n for n in publication.notes if n.startswith("not in the Athena table")]
        assert note.endswith("no place for it: visits.*")


def test_people_s_properties_and_declared_ones_meet(world):
    """Declared parameters are written, others kept."""
    spec = world.table("Article", extra_parameters=(("team", "data"),))
    world.refresh(spec)
    world.aws.glue["article"][-1][0]["Parameters"]["owner"] = "ann"
    world.refresh(spec, run="run-2")
    parameters = world.aws.glue["article"][-1][0]["Parameters"]
    assert parameters["team"] == "data"
    assert parameters["owner"] == "ann"
    assert parameters["EXTERNAL"] == "TRUE"
