"""The column schema and lineage a person sees on the asset's page."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from ddb_assets.core.publication import Publication, PublishedView
from ddb_assets.orchestration.columns import (
    MAX_ROWS,
    MAX_TYPE,
    column_lineage,
    live_schema,
    raw_schema,
)
from ddb_assets.orchestration.metadata import preview_table
from ddb_assets.orchestration.views import view_schema
from ddb_assets.schema.declaration import parse_columns

LIVE = dg.AssetKey(["dynamodb", "orders"])
ITEMS = [
    {"userId": {"S": "a"}, "createAt": {"N": "1"}, "photo": {"B": "AA=="}},
    {"userId": {"S": "b"}, "createAt": {"N": "2"}},
    {"userId": {"S": "c"}, "address": {"M": {"zipCode": {"N": "1"}}}},
]


@pytest.fixture
def outcome():
    """Three items published by the core over its own fake AWS."""
    path = Path(__file__).parents[1] / "core" / "conftest.py"
    spec = importlib.util.spec_from_file_location("core_fakes", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    world = module.World()
    return world.refresh(world.table("orders", ITEMS))["orders"]


def test_each_attribute_is_a_row_with_origin_and_presence(outcome):
    """In every item, in some, or not counted where it lies inside another."""
    schema = raw_schema(outcome.publication, outcome.profile)
    rows = {c.name: (c.type, c.description, c.constraints.nullable) for c in schema.columns}
    assert rows.pop("item")[0].startswith("struct<")
    assert rows == {
        "item.userid.s": ("string", "userId: string; in every item", False),
        "item.createat.n": ("string", "createAt: number, as exact text; in 67 % of 3 items", True),
        "item.photo.b": ("string", "photo: binary, as base64; in 33 % of 3 items", True),
        "item.address.m.zipcode.n": ("string", "address.zipCode: number, as exact text", True),
    }


def test_without_inference_nothing_is_said_of_presence(outcome):
    """A table that was at this export already."""
    schema = raw_schema(outcome.publication, None)
    assert "item.createat.n" in {c.name for c in schema.columns}
    assert not [c for c in schema.columns if "items" in (c.description or "")]


def test_lineage_leads_from_attribute_to_column(outcome):
    """Each row to its attribute, the raw column to all of them."""
    lineage = column_lineage(outcome.publication, LIVE).deps_by_column
    assert lineage["item.address.m.zipcode.n"] == [dg.TableColumnDep(LIVE, "address.zipCode")]
    assert {dep.column_name for dep in lineage["item"]} == {
        "userId",
        "createAt",
        "photo",
        "address.zipCode",
    }


def test_a_type_takes_no_more_room_than_the_page_has():
    """A longer one would push the descriptions off it; the view's column says it there."""
    lines = 'array(row("sku" varchar, "price" decimal(9,2), "gift" boolean))'
    view = PublishedView(
        "raw",
        "t_typed",
        "created",
        columns=(
            ("id", "varchar", "id"),
            ("gift_note", "varchar", "gift-note"),
            ("lines", lines, "lines"),
            ("more_lines", lines, "more-lines"),
        ),
    )
    rows = {c.name: (c.type, c.description) for c in view_schema(view).columns}
    cut = 'array(row("sku" varchar, "price" decima…'
    assert len(cut) == MAX_TYPE
    assert rows == {
        "id": ("varchar", None),
        "gift_note": ("varchar", "attribute gift-note"),
        "lines": (cut, lines),
        "more_lines": (cut, f"attribute more-lines; {lines}"),
    }


def test_schema_and_lineage_of_a_huge_table_are_bounded(outcome):
    """They are kept with every materialization."""
    path = outcome.publication.paths[0]
    many = tuple(replace(path, column=f"item.a{n}.s", attribute=f"a{n}") for n in range(9999))
    huge = replace(outcome.publication, paths=many)
    assert len(raw_schema(huge, None).columns) == MAX_ROWS + 1
    assert len(column_lineage(huge, LIVE).deps_by_column) == MAX_ROWS + 1


def test_a_table_laid_out_by_others_shows_its_columns_alone():
    """Nothing is known of what they hold."""
    foreign = Publication(
        "raw", "t", "s3://b/", "arn", None, "unchanged", columns=(("a", "int", ""),)
    )
    assert [c.name for c in raw_schema(foreign, None).columns] == ["a"]
    assert not column_lineage(foreign, LIVE).deps_by_column


def test_a_live_table_shows_its_keys_and_what_was_declared():
    """Attributes of several types are one row; keys say what they are."""
    attributes = parse_columns({"userId": "S", "at": "N", "mixed": ["S", "N"]})
    rows = {
        c.name: (c.type, c.description)
        for c in live_schema(attributes, (("userId", "S"), ("at", "N"))).columns
    }
    assert rows == {
        "userId": ("string", "partition key"),
        "at": ("number", "sort key"),
        "mixed": ("string | number", None),
    }


def test_a_preview_is_a_table_over_all_attributes():
    """What an item lacks is empty, what is long is cut."""
    shown = preview_table([{"a": {"S": "x" * 9999}}, {"b": {"N": "1.50"}}])
    first, second = (record.data for record in shown.records)
    assert len(first["a"]) == 500
    assert first["a"].endswith("…")
    assert second == {"a": None, "b": "1.50"}
    assert [column.name for column in shown.schema.columns] == ["a", "b"]
