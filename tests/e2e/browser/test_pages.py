"""What a person sees in the UI: buttons pressed and pages looked at in a real browser."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

GROUP = "/locations/ddb_assets/asset-groups/ddb"


@pytest.fixture
def materialized(served):
    """All sample tables, materialized at least once."""
    nodes = served.asset_nodes()
    keys = [node["assetKey"]["path"] for node in nodes if node["isMaterializable"]]
    assert served.wait(served.materialize(keys)) == "SUCCESS"


def test_the_materialize_all_button_turns_every_table_green(page, served, keep):
    """The group's lineage shows live and exported tables; the button materializes them."""
    page.goto(served.url + GROUP)
    page.get_by_text("Materialize all").first.click()
    assert served.wait(served.newest_run()) == "SUCCESS"
    page.reload()
    for name in ("Article", "article", "legacy_users", "shop_orders", "waiting_list"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    expect(page.get_by_text("Materialized", exact=True)).not_to_have_count(0)
    keep("lineage")


def test_an_asset_page_shows_rows_columns_and_metadata(page, served, keep, materialized):
    """Row count, the column schema and the metadata of the last refresh are on the page."""
    page.goto(f"{served.url}/assets/athena/ddb/shop_orders")
    expect(page.get_by_text("3,000").first).to_be_visible()
    expect(page.get_by_text("Column name").first).to_be_visible()
    expect(page.get_by_text("ddb_assets/export_arn").first).to_be_visible()
    keep("asset")


def test_numbers_plot(page, served, keep, materialized):
    """The Plots tab draws items, bytes and seconds over the materializations."""
    page.goto(f"{served.url}/assets/athena/ddb/shop_orders")
    page.get_by_role("button", name="Plots").first.click()
    plotted = page.get_by_text("ddb_assets/items").first
    expect(plotted).to_be_visible()
    plotted.scroll_into_view_if_needed()
    keep("plots")


def test_a_runs_page_tells_what_happened(page, served, keep, materialized):
    """The run's log has the core's own lines."""
    page.goto(f"{served.url}/runs/{served.newest_run()}")
    expect(page.get_by_text("Success").first).to_be_visible()
    page.get_by_placeholder("Filter…").first.fill("Article")
    expect(page.get_by_text("Article: ").first).to_be_visible()
    keep("run")
