"""Every ending is handled: bad exports, queries, tables and buckets end in one clear error."""

from dataclasses import replace

import pytest
from ddb_simulation.athena import Course
from ddb_simulation.cases import Case, Happening
from ddb_simulation.exports import Ending
from ddb_simulation.families import BAD_ENDINGS, THREE, endings, outages, settings
from ddb_simulation.faults import Outage
from ddb_simulation.runner import run_case

from ddb_assets.errors import (
    AccessDeniedError,
    DeadlineExceededError,
    ExportFailedError,
    ExportInterruptedError,
    ExportObjectsGoneError,
    GroupHeldBackError,
    ManifestInvalidError,
    ManifestMissingError,
    PitrDisabledError,
    QueryFailedError,
    QueryStuckError,
    TableNotFoundError,
    TableReplacedError,
)

#: What an export that ends so is reported as.
OF_ENDING = {
    "S3NoSuchBucket": ExportFailedError,
    "S3AccessDenied": ExportFailedError,
    "KmsNotFoundException": ExportFailedError,
    "InternalServerError": ExportInterruptedError,
    "file-missing": (ManifestInvalidError, ExportObjectsGoneError),
    "no-manifest": ManifestMissingError,
}


def errors_of(report, table):
    """What was said of a table, oldest first."""
    return [failed.error for failed in report.failed if failed.spec.name == table]


@pytest.mark.parametrize("ending", BAD_ENDINGS, ids=lambda e: e.failure or e.damage)
def test_a_bad_export_is_one_error_of_its_table_and_the_others_are_published(ending):
    """The class says what it is; the error names table, cause and remedy (the audit looks)."""
    case = Case(tables=THREE, endings={"users": (ending,)}, mends=ending.failure is not None)
    report = run_case(case)
    wanted = OF_ENDING.get(ending.failure or ending.damage or "", ManifestInvalidError)
    assert isinstance(errors_of(report, "users")[0], wanted)
    refreshed = {outcome.spec.name for outcome in report.refreshed}
    assert refreshed == (set(THREE) if case.mends else {"orders", "visits"})
    assert report.paid() == (4 if case.mends else 3)


@pytest.mark.parametrize("ending", BAD_ENDINGS, ids=lambda e: e.failure or e.damage)
def test_a_bad_export_in_a_cut_holds_the_other_tables_back(ending):
    """None moves; the others say which table they were held back for."""
    case = Case(tables=THREE, consistent=True, endings={"users": (ending,) * 9}, mends=False)
    report = run_case(case)
    assert not report.refreshed
    assert isinstance(errors_of(report, "orders")[0], GroupHeldBackError)
    assert "users" in str(errors_of(report, "visits")[0])


@pytest.mark.parametrize(
    ("course", "error"),
    [
        (Course(end="FAILED"), QueryFailedError),
        (Course(end="CANCELLED"), QueryFailedError),
        (Course(queued=float("inf")), QueryStuckError),
    ],
    ids=["failed", "cancelled", "never leaves the queue"],
)
def test_a_query_that_never_succeeds_is_one_error(course, error):
    """The table stays where it was."""
    case = Case(method="athena", courses=(course,) * 50, mends=False)
    report = run_case(case)
    assert not report.refreshed
    assert isinstance(errors_of(report, "orders")[0], error)


@pytest.mark.parametrize(
    ("action", "at", "error"),
    [
        ("drop", 0.0, TableNotFoundError),
        ("drop", 100.0, (TableReplacedError, TableNotFoundError)),
        ("recreate", 100.0, TableReplacedError),
        ("pitr-off", 0.0, PitrDisabledError),
    ],
)
def test_what_people_do_to_a_table_meanwhile_is_told(action, at, error):
    """Deleted, re-created or without point-in-time recovery: the others go on."""
    happening = Happening(at, action, "users")
    case = Case(tables=THREE, happenings=(happening,), mends=action == "recreate")
    report = run_case(case)
    assert isinstance(errors_of(report, "users")[0], error)
    assert {"orders", "visits"} <= {outcome.spec.name for outcome in report.refreshed}


def test_switching_recovery_off_while_the_export_runs_does_no_harm():
    """The export that runs goes on; only new ones are refused."""
    report = run_case(Case(happenings=(Happening(100.0, "pitr-off", "orders"),)))
    assert not report.failed


def test_a_deadline_ends_the_wait_and_a_retry_finds_the_same_export():
    """The export goes on in AWS; nothing is paid twice."""
    case = Case(endings={"orders": (Ending(5000.0),)}, deadline=3600.0, restart_after=3600.0)
    report = run_case(case)
    assert isinstance(errors_of(report, "orders")[0], DeadlineExceededError)
    assert len(report.refreshed) == 1
    assert report.paid() == 1


def test_an_export_of_eight_hours_is_waited_for():
    """There is no cap of our own."""
    report = run_case(Case(endings={"orders": (Ending(8 * 3600.0),)}))
    assert not report.failed
    assert len(report.refreshed) == 1


def test_a_full_account_is_waited_for():
    """300 exports of others run: the request is made again until one has ended."""
    report = run_case(Case(tables=THREE, happenings=(Happening(0.0, "fill-account"),)))
    assert not report.failed
    assert report.paid() == 3


def test_a_cut_that_cannot_be_restored_yet_is_waited_for():
    """Point-in-time recovery lags 25 minutes behind: all tables still get the same second."""
    report = run_case(Case(tables=THREE, consistent=True, restore_lag=1500.0))
    assert not report.failed
    assert len({outcome.export.export_time for outcome in report.refreshed}) == 1


def test_an_altered_file_with_its_old_etag_is_found_by_full_verification():
    """Only the md5 of every byte shows it."""
    silent = {"orders": (Ending(damage="file-altered-silently"),)}
    report = run_case(Case(endings=silent, verify="full", mends=False))
    assert isinstance(errors_of(report, "orders")[0], ManifestInvalidError)


def test_a_permission_that_is_missing_for_one_table_stops_only_that_one():
    """AccessDenied is not tried again and again, and names the table."""
    for operation in ("dynamodb.describe_table", "dynamodb.start_export", "catalog.update_table"):
        denied = Outage(operation, "denied", "users")
        report = run_case(Case(tables=THREE, outages=(denied,), mends=False))
        assert isinstance(errors_of(report, "users")[0], AccessDeniedError)
        assert {outcome.spec.name for outcome in report.refreshed} == {"orders", "visits"}


def test_two_hours_without_aws_during_the_wait_are_survived():
    """The local AWS goes away and comes back: the same export is finished."""
    gone = Outage("", "unavailable", begins=60.0, ends=7200.0)
    for case in settings():
        report = run_case(replace(case, outages=(gone,), restart_after=1800.0))
        assert {outcome.spec.name for outcome in report.refreshed} == set(case.tables)
        assert report.paid() == len(case.tables)


@pytest.mark.slow
def test_every_bad_ending_for_one_table_three_tables_and_a_cut():
    """Both ways to publish; whatever mends by itself ends well, the rest in errors."""
    for case in endings():
        run_case(case)


@pytest.mark.slow
def test_every_operation_refused_for_two_hours_or_for_ever():
    """For one table or for all: each attempt ends, and says why."""
    for case in outages():
        run_case(case)
