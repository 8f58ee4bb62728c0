"""What a person sees in the UI: buttons pressed and pages looked at in a real browser."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

GROUP = "/locations/ddb_assets/asset-groups/ddb"
ORDERS = "/assets/athena/ddb/shop_orders"
#: Of a run's log only what is written for people, not Dagster's own events.
STORY = "?levels=info|warning|error|critical"


def test_the_materialize_all_button_turns_every_table_green(page, served, keep):
    """The group's lineage: live table, raw table, typed view; the button refreshes them all."""
    page.goto(served.url + GROUP)
    known = {run["runId"] for run in served.runs()}
    page.get_by_text("Materialize all").first.click()
    expect(page.get_by_text("Materialized", exact=True)).to_have_count(8)
    (run,) = [run for run in served.runs() if run["runId"] not in known]
    assert served.wait(run["runId"]) == "SUCCESS"
    page.reload()
    for name in ("Article", "article", "legacy_users", "shop_orders", "waiting_list_typed"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    expect(page.get_by_text("Materialized", exact=True)).to_have_count(8)
    expect(page.get_by_text(re.compile(r"(\d+) / \1 Passed"))).to_have_count(4)
    keep("lineage")


def test_an_asset_page_shows_rows_columns_and_metadata(page, served, keep, history):
    """Row count, the column schema and the metadata of the last refresh are on the page."""
    page.goto(served.url + ORDERS)
    expect(page.get_by_text("3,190").first).to_be_visible()
    expect(page.get_by_text("Column name").first).to_be_visible()
    expect(page.get_by_text("order: number, as exact text; in every item")).to_be_visible()
    expect(page.get_by_text("ddb_assets/export_arn").first).to_be_visible()
    keep("asset")


def test_the_typed_view_shows_its_columns(page, served, keep, history):
    """Name, type and what the attribute is called in DynamoDB, side by side."""
    page.goto(f"{served.url}{ORDERS}_typed")
    expect(page.get_by_text("attribute gift-note").first).to_be_visible()
    expect(page.get_by_text("map(varchar, decimal(3,1))").first).to_be_visible()
    keep("columns")


def test_numbers_plot(page, served, keep, history):
    """Items, bytes and seconds over the refreshes."""
    page.goto(served.url + ORDERS)
    page.get_by_role("button", name="Plots").first.click()
    plotted = page.get_by_text("ddb_assets/items", exact=True).first
    expect(plotted).to_be_visible()
    expect(page.locator("canvas")).not_to_have_count(0)
    plotted.evaluate("element => element.scrollIntoView({block: 'start'})")
    keep("plots")


def test_the_launchpad_offers_what_a_run_can_be_asked(page, served, keep, history):
    """It opens with the defaults filled in and nothing missing."""
    page.goto(served.url + ORDERS)
    expect(page.get_by_text("3,190").first).to_be_visible()
    page.locator("button:has([aria-label='arrow_drop_down'])").first.click()
    page.get_by_text("Open launchpad").click()
    expect(page.get_by_text("No errors")).to_be_visible()
    for setting in ("allow_older", "force_new", "wait"):
        expect(page.locator(".CodeMirror").get_by_text(setting).first).to_be_visible()
    keep("launchpad")


def test_a_broken_promise_is_red_on_the_checks_page(page, served, aws, keep, history):
    """Executed with its button: the red check names the call that mends it."""
    recovery = {"TableName": "shop-orders"}
    switch = aws.client("dynamodb").update_continuous_backups
    page.goto(f"{served.url}{ORDERS}?view=checks")
    known = {run["runId"] for run in served.runs()}
    switch(**recovery, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False})
    try:
        page.get_by_text("Execute all").first.click()
        page.get_by_text("pitr", exact=True).first.click()
        remedy = page.get_by_text("update-continuous-backups --table-name shop-orders")
        expect(remedy.first).to_be_visible()
    finally:
        switch(**recovery, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    (run,) = [run for run in served.runs() if run["runId"] not in known]
    assert served.wait(run["runId"]) == "SUCCESS"
    keep("checks")


def test_a_failed_runs_log_is_a_story_with_cause_and_remedy(page, served, aws, keep, history):
    """One table's export fails: the reason is one red line among those of the good tables."""
    aws.order_fault(
        service="dynamodb",
        operation="ExportJob",
        code="S3AccessDenied",
        message="Access Denied (Service: Amazon S3; Status Code: 403)",
        nth=2,
    )
    keys = [n["assetKey"]["path"] for n in served.asset_nodes() if n["isMaterializable"]]
    run_id = served.materialize(keys)
    assert served.wait(run_id) == "FAILURE"
    page.goto(f"{served.url}/runs/{run_id}{STORY}")
    expect(page.get_by_text("Failure", exact=True).first).to_be_visible()
    expect(page.get_by_text("failed: Access Denied").first).to_be_visible()
    expect(page.get_by_text("allow s3:PutObject").first).to_be_visible()
    expect(page.get_by_text("now shows the table as of").first).to_be_visible()
    keep("run")
