"""Failing tables among good ones: the good ones are published, the retry mends the others."""

import pytest
from real_aws import EXPORT_SECONDS

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True, scope="module")
def _quick_exports(aws):
    """Nobody is killed here while an export runs."""
    aws.control("settings", {"export_seconds": 1})
    yield
    aws.control("settings", {"export_seconds": EXPORT_SECONDS})


def _versions(aws, tables):
    return {table: aws.published(table)["VersionId"] for table in tables}


def test_bad_tables_fail_with_cause_and_remedy_and_a_retry_exports_only_them(dagster, aws):
    """No bucket, no recovery: both named at once; mended, the retry touches no good table."""
    good, bad = ["good-1", "good-2"], ["without-bucket", "without-recovery-1"]
    first = dagster.launch("one_step", [*good, *bad])
    assert dagster.ended(first) == "FAILURE"
    assert sorted(dagster.materialized(first)) == ["good_1", "good_2"]
    message = dagster.failure(first)
    assert "(2 of 4 tables failed)" in message
    assert "without-bucket: " in message
    assert "bucket-to-be-made" in message
    assert "without-recovery-1: " in message
    assert "update-continuous-backups" in message
    aws.assert_exported_once_and_published(good)
    assert [status for _, status in aws.exports("without-bucket")] == ["FAILED"]
    assert aws.exports("without-recovery-1") == []
    untouched = _versions(aws, good)

    aws.client("s3").create_bucket(Bucket="bucket-to-be-made")
    aws.switch_recovery_on("without-recovery-1")
    second = dagster.retry(first)
    assert dagster.ended(second) == "SUCCESS", dagster.failure(second)
    aws.assert_exported_once_and_published([*good, "without-recovery-1"])
    assert sorted(status for _, status in aws.exports("without-bucket")) == ["COMPLETED", "FAILED"]
    assert aws.published("without-bucket") is not None
    assert _versions(aws, good) == untouched


def test_a_retry_of_failed_assets_alone_asks_nothing_of_the_good_ones(dagster, aws):
    """Dagster's retry from asset failure selects the failed table and only that."""
    first = dagster.launch("one_step", ["fine-1", "without-recovery-2"])
    assert dagster.ended(first) == "FAILURE"
    assert dagster.materialized(first) == ["fine_1"]
    aws.switch_recovery_on("without-recovery-2")
    second = dagster.retry(first, "FROM_ASSET_FAILURE")
    assert dagster.ended(second) == "SUCCESS", dagster.failure(second)
    assert dagster.materialized(second) == ["without_recovery_2"]
    assert not any("fine-1" in line for line in dagster.story(second))
    aws.assert_exported_once_and_published(["fine-1", "without-recovery-2"])
