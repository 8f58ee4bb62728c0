"""What a materialization records, as numbers that plot, and how it is read back."""

from dataclasses import replace

import dagster as dg
import pytest

from ddb_assets.core.ports import ExportNote
from ddb_assets.orchestration.metadata import (
    NOTE_KEY,
    RecordedRefresh,
    note_metadata,
    read_note,
    refreshed_metadata,
)


@pytest.fixture
def metadata(make_spec, make_refreshed, clock_now):
    """Of a table moved from an old location."""
    outcome = make_refreshed(make_spec("orders"), notes=("`a` became text",))
    return refreshed_metadata(outcome, now=clock_now)


def test_numbers_are_numbers(metadata):
    """The UI plots integers and floats and nothing else."""
    expected = {
        "ddb_assets/items": 2,
        "ddb_assets/billed_bytes": 5 * 2**30,
        "ddb_assets/stored_bytes": 77,
        "ddb_assets/files": 1,
        "ddb_assets/export_seconds": 368.0,
        "ddb_assets/waiting_seconds": 1.5,
        "ddb_assets/verifying_seconds": 0.5,
        "ddb_assets/inferring_seconds": 0.25,
        "ddb_assets/publishing_seconds": 0.75,
        "ddb_assets/data_age_seconds": 900.0,
        "ddb_assets/estimated_cost_usd": 0.5,
        "dagster/row_count": 2,
        "dagster/size_bytes": 77,
    }
    assert {key: metadata[key].value for key in expected} == expected
    kinds = (dg.IntMetadataValue, dg.FloatMetadataValue)
    assert all(isinstance(metadata[key], kinds) for key in expected)


def test_dagsters_standard_keys_are_filled(metadata):
    """Table name, location and columns have their own place in the UI."""
    assert metadata["dagster/table_name"].value == "raw.orders"
    assert metadata["dagster/uri"].value.endswith("/data/")
    columns = metadata["dagster/column_schema"].schema.columns
    assert [(c.name, c.type) for c in columns] == [("item", "struct<id:struct<s:string>>")]


def test_where_the_table_was_and_is(metadata):
    """Both locations, the export and what was done."""
    assert metadata["ddb_assets/previous_location"].value == "s3://exports/old/"
    assert metadata["ddb_assets/location"].value == metadata["dagster/uri"].value
    assert metadata["ddb_assets/publication"].value == "moved"
    assert metadata["ddb_assets/export_id"].value == "01772346-00000001"
    assert metadata["ddb_assets/notes"].value == "- `a` became text"
    assert "ddb_assets/query_execution_id" not in metadata


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-central-1", "eu-central-1.console.aws.amazon.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_links_lead_to_the_console_of_the_partition(
    make_spec, make_refreshed, clock_now, region, host
):
    """Export, table, S3 prefix, Glue table and query each have a link."""
    outcome = make_refreshed(make_spec("orders"), query_execution_id="q-1")
    arn = outcome.manifest.export_arn.replace("eu-central-1", region)
    table_arn = outcome.manifest.table_arn.replace("eu-central-1", region)
    outcome = replace(
        outcome, manifest=replace(outcome.manifest, export_arn=arn, table_arn=table_arn)
    )
    metadata = refreshed_metadata(outcome, now=clock_now)
    for name in ("export", "table", "s3", "glue", "athena"):
        value = metadata[f"ddb_assets/{name}_console"]
        assert isinstance(value, dg.UrlMetadataValue)
        assert host in value.value


def test_an_arn_no_console_knows_costs_the_link_and_not_the_refresh(
    make_spec, make_refreshed, clock_now
):
    """Metadata is made without links."""
    outcome = make_refreshed(make_spec("orders"))
    outcome = replace(
        outcome, manifest=replace(outcome.manifest, export_arn="odd", table_arn="odd")
    )
    metadata = refreshed_metadata(outcome, now=clock_now)
    assert not [key for key in metadata if key.endswith("_console")]
    assert metadata["dagster/row_count"].value == 2


def test_the_price_is_yours_to_set(make_spec, make_refreshed, clock_now):
    """5 GB at 0.114 USD."""
    outcome = make_refreshed(make_spec("orders"))
    metadata = refreshed_metadata(outcome, now=clock_now, price_per_gb=0.114)
    assert metadata["ddb_assets/estimated_cost_usd"].value == pytest.approx(0.57)


def test_dagster_stores_and_returns_the_metadata(metadata, instance, clock_now):
    """Through the event log and back, with the data's own time."""
    key = dg.AssetKey("orders")
    instance.report_runless_asset_event(dg.AssetMaterialization(key, metadata=metadata))
    stored = instance.get_latest_materialization_event(key).asset_materialization.metadata
    facts = RecordedRefresh.read(stored)
    assert facts.items == 2
    assert facts.export_seconds == 368.0
    assert facts.previous_location == "s3://exports/old/"
    assert (clock_now - facts.export_time).total_seconds() == 900


def test_foreign_metadata_reads_as_nothing():
    """Another tool's materialization has none of it, or the wrong kind."""
    foreign = {"ddb_assets/items": dg.MetadataValue.text("many"), "rows": dg.MetadataValue.int(1)}
    facts = RecordedRefresh.read(foreign)
    assert facts == RecordedRefresh(None, None, None, None, None, None, None, None)


@pytest.mark.parametrize("with_time", [True, False])
def test_a_note_reads_back_as_it_was_written(with_time, clock_now):
    """Every field, the export's time included."""
    cut = clock_now if with_time else None
    note = ExportNote("table-arn", "id", "export-arn", "token", 3, cut)
    assert read_note(note_metadata(note)) == note


@pytest.mark.parametrize(
    "entry",
    [
        dg.MetadataValue.json({}),
        dg.MetadataValue.json([1]),
        dg.MetadataValue.text("a note"),
        dg.MetadataValue.int(4),
        dg.MetadataValue.json(
            {
                "table_arn": "a",
                "table_id": "b",
                "export_arn": None,
                "client_token": "t",
                "launch": 0,
                "export_time": None,
            }
        ),
        dg.MetadataValue.json(
            {
                "table_arn": "a",
                "table_id": "b",
                "export_arn": "e",
                "client_token": "t",
                "launch": 0,
                "export_time": "yesterday",
            }
        ),
    ],
    ids=["empty", "list", "text", "number", "no-arn", "bad-time"],
)
def test_an_unreadable_note_is_no_note(entry):
    """It is left aside; the step goes on."""
    assert read_note({NOTE_KEY: entry}) is None
    assert read_note({}) is None
