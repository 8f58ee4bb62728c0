"""`make demo`: from a clean environment to queried tables, and nothing left running."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]


def test_demo_refreshes_and_prints_every_sample_table(marked):
    """Exit 0; the rows, the export ARN, the S3 location, items and seconds are on the screen."""
    run = subprocess.run(
        [sys.executable, "-m", "ddb_assets.cli.main", "demo", "--export-seconds", "2"],
        env=marked.env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    for expected in ("ddb.article", "ddb.shop_orders", "ddb.legacy_users", "ddb.waiting_list"):
        assert f"{expected}_typed" in run.stdout
        assert expected in run.stdout
    assert re.search(r"7155dc64-982a-4559-9f94-5320dc4d003d.*XXXXXXX.*hoge", run.stdout)
    assert re.search(r"YYYYYY.*foo", run.stdout)
    assert re.search(
        r"arn:aws:dynamodb:us-east-1:\d{12}:table/Article/export/\d{14}-[0-9a-f]{8}", run.stdout
    )
    assert re.search(r"s3://ddb-exports/Article/AWSDynamoDB/\d{14}-[0-9a-f]{8}/data/", run.stdout)
    assert "3,000" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
    assert "Warning" not in run.stdout + run.stderr
    assert not marked.gone()
