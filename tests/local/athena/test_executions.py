"""A query's life: states, faults, cancelling, tokens, limits, workgroups, results."""

import json
import pickle
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.athena.models import athena_backends

from ddb_assets.local import clock, settings
from ddb_assets.local.athena.executions import Execution
from ddb_assets.local.faults import QUERY_JOB, Fault

TOKEN = "t" * 32


def backend() -> Any:
    """The backend behind the account."""
    return athena_backends["123456789012"]["us-east-1"]


def refused(account: Any, sql: str = "SELECT 1", **given: Any) -> str:
    """The message StartQueryExecution refuses with."""
    with pytest.raises(ClientError) as caught:
        account.start(sql, **given)
    error = caught.value.response["Error"]
    assert error["Code"] in {"InvalidRequestException", "TooManyRequestsException"}
    return f"{error['Code']}: {error['Message']}"


def test_a_query_is_queued_runs_and_succeeds_by_the_clock(account: Any) -> None:
    """query_seconds is the emulator's time, and DDL takes effect at its end."""
    settings.configure(query_seconds=100)
    found = account.start("CREATE DATABASE later")
    seen = []
    for _ in range(4):
        seen.append(account.poll(found)["Status"]["State"])
        clock.advance(30)
    assert seen == ["QUEUED", "RUNNING", "RUNNING", "RUNNING"]
    assert account.glue.get_database(Name="later")["Database"]["Name"] == "later"
    status = account.ended(found)["Status"]
    assert status["State"] == "SUCCEEDED"
    assert status["CompletionDateTime"] >= status["SubmissionDateTime"]


def test_ddl_has_not_happened_before_its_time(account: Any) -> None:
    """While it is RUNNING the catalog is unchanged."""
    settings.configure(query_seconds=100)
    account.start("CREATE DATABASE later")
    clock.advance(99)
    with pytest.raises(ClientError):
        account.glue.get_database(Name="later")


def test_a_stopped_query_is_cancelled_and_does_nothing(account: Any) -> None:
    """CANCELLED is final, with a reason."""
    settings.configure(query_seconds=100)
    found = account.start("CREATE DATABASE later")
    account.athena.stop_query_execution(QueryExecutionId=found)
    clock.advance(200)
    status = account.poll(found)["Status"]
    assert status["State"] == "CANCELLED"
    assert status["StateChangeReason"]
    assert account.glue.get_databases()["DatabaseList"][0]["Name"] == "ddb"
    assert len(account.glue.get_databases()["DatabaseList"]) == 1
    with pytest.raises(ClientError, match="Final query state: CANCELLED"):
        account.athena.get_query_results(QueryExecutionId=found)


def test_stopping_a_query_that_ended_changes_nothing(account: Any) -> None:
    """It stays SUCCEEDED."""
    found = account.run("SELECT 1")["QueryExecutionId"]
    account.athena.stop_query_execution(QueryExecutionId=found)
    assert account.poll(found)["Status"]["State"] == "SUCCEEDED"


def test_a_query_can_fall_back_to_queued_and_still_succeed(account: Any) -> None:
    """RUNNING, QUEUED, RUNNING, then the truth."""
    backend().faults.add(Fault(QUERY_JOB, "REQUEUED"))
    found = account.start("SELECT 1")
    assert [account.poll(found)["Status"]["State"] for _ in range(3)] == [
        "RUNNING",
        "QUEUED",
        "RUNNING",
    ]
    assert account.ended(found)["Status"]["State"] == "SUCCEEDED"


def test_a_query_can_stay_queued_until_it_is_stopped(account: Any) -> None:
    """However much time passes."""
    backend().faults.add(Fault(QUERY_JOB, "STUCK"))
    found = account.start("SELECT 1")
    clock.advance(86400)
    assert account.poll(found)["Status"]["State"] == "QUEUED"
    account.athena.stop_query_execution(QueryExecutionId=found)
    assert account.poll(found)["Status"]["State"] == "CANCELLED"


@pytest.mark.parametrize(
    ("code", "state", "category", "retryable"),
    [
        ("FAILED", "FAILED", 2, False),
        ("SYSTEM", "FAILED", 1, True),
        ("CANCELLED", "CANCELLED", 0, False),
    ],
)
def test_a_query_fails_or_is_cancelled_on_order_and_does_nothing(
    account: Any, code: str, state: str, category: int, retryable: bool
) -> None:
    """The fault's message is the reason; the next query is fine."""
    backend().faults.add(Fault(QUERY_JOB, code, "no luck"))
    status = account.ended(account.start("CREATE DATABASE x"))["Status"]
    assert (status["State"], status["StateChangeReason"]) == (state, "no luck")
    if state == "FAILED":
        assert status["AthenaError"]["ErrorCategory"] == category
        assert status["AthenaError"]["Retryable"] is retryable
    account.run("CREATE DATABASE x")


def test_calls_can_be_throttled_on_order(account: Any) -> None:
    """A refused StartQueryExecution has started nothing."""
    backend().faults.add(Fault("StartQueryExecution", "TooManyRequestsException", "slow down"))
    assert "slow down" in refused(account)
    assert account.athena.list_query_executions()["QueryExecutionIds"] == []
    account.run("SELECT 1")


def test_twenty_ddl_queries_may_be_active(account: Any) -> None:
    """The twenty-first is refused; queries of rows do not count, ended DDL does not either."""
    settings.configure(query_seconds=60)
    first = [account.start(f"CREATE DATABASE d{number}") for number in range(20)]
    assert refused(account, "CREATE DATABASE d20").startswith("TooManyRequestsException")
    account.start("SELECT 1")
    account.start("SHOW DATABASES")
    account.start("CREATE TABLE t AS SELECT 1 AS x")
    account.athena.stop_query_execution(QueryExecutionId=first[0])
    account.start("CREATE DATABASE d20")
    clock.advance(61)
    account.ended(first[1])
    account.start("CREATE DATABASE d21")


def test_the_same_token_is_the_same_query(account: Any) -> None:
    """Another query under it is refused; a refused request does not use it up."""
    assert "mismatched" in refused(account, "SELEC 1", ClientRequestToken=TOKEN)
    first = account.start("SELECT 1", ClientRequestToken=TOKEN)
    account.ended(first)
    assert account.start("SELECT 1", ClientRequestToken=TOKEN) == first
    assert "Idempotent parameters do not match" in refused(
        account, "SELECT 2", ClientRequestToken=TOKEN
    )


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEC 1", "line 1:1: mismatched input 'SELEC'. Expecting"),
        ("SELECT FROM WHERE", "line 1:13: mismatched input 'WHERE'"),
        ("SELECT 1;\nSELECT 2", "Only one sql statement is allowed"),
        ("-- nothing", "Query string cannot be empty"),
        ("SELECT '" + "x" * 262144 + "'", "longer than 262144"),
    ],
)
def test_a_text_that_is_no_statement_is_refused_at_the_start(
    account: Any, sql: str, message: str
) -> None:
    """No query exists afterwards."""
    assert message in refused(account, sql)
    assert account.athena.list_query_executions()["QueryExecutionIds"] == []


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1;", "  -- hi\n/* there */ SELECT ';', '--', 'a\\' -- end", "(SELECT 1)", "VALUES 1"],
)
def test_comments_and_a_last_semicolon_do_not_matter(account: Any, sql: str) -> None:
    """Marks inside texts are no comments; a backslash is a character."""
    assert account.run(sql)["StatementType"] == "DML"


def test_an_output_location_is_needed(account: Any) -> None:
    """From the request or the workgroup, in a bucket that exists."""
    assert "No output location provided" in refused(account, ResultConfiguration={})
    there = {"OutputLocation": "s3://missing/x/"}
    assert "Unable to verify/create output bucket missing" in refused(
        account, ResultConfiguration=there
    )
    wrong = {"OutputLocation": "/tmp"}
    assert "not a valid S3 path" in refused(account, ResultConfiguration=wrong)
    assert "WorkGroup nope is not found" in refused(account, WorkGroup="nope")


def group(
    account: Any, name: str = "ddb", *, enforce: bool, location: str = "s3://lake/own"
) -> None:
    """A workgroup with an output location."""
    account.athena.create_work_group(
        Name=name,
        Configuration={
            "ResultConfiguration": {"OutputLocation": "s3://lake/own"},
            "EnforceWorkGroupConfiguration": enforce,
        },
    )


def test_a_workgroup_that_enforces_wins_over_the_request(account: Any) -> None:
    """One that does not is only the default."""
    group(account, "strict", enforce=True)
    group(account, "loose", enforce=False)
    strict = account.run("SELECT 1", WorkGroup="strict")
    assert strict["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/own/")
    assert strict["WorkGroup"] == "strict"
    loose = account.run("SELECT 1", WorkGroup="loose")
    assert loose["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/results/")
    default = account.run("SELECT 1", WorkGroup="loose", ResultConfiguration={})
    assert default["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/own/")


def test_update_work_group_changes_what_queries_do(account: Any) -> None:
    """Location replaced, removed, workgroup disabled."""
    group(account, enforce=True)
    update = account.athena.update_work_group
    changes = {"ResultConfigurationUpdates": {"OutputLocation": "s3://lake/new/"}}
    update(WorkGroup="ddb", Description="d", ConfigurationUpdates=changes)
    found = account.run("SELECT 1", WorkGroup="ddb")
    assert found["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/new/")
    removal = {"ResultConfigurationUpdates": {"RemoveOutputLocation": True}}
    update(WorkGroup="ddb", ConfigurationUpdates=removal)
    assert "No output location" in refused(account, WorkGroup="ddb", ResultConfiguration={})
    update(WorkGroup="ddb", State="DISABLED")
    assert "is disabled" in refused(account, WorkGroup="ddb")
    shown = account.athena.get_work_group(WorkGroup="ddb")["WorkGroup"]
    assert (shown["State"], shown["Description"]) == ("DISABLED", "d")


def test_results_come_in_pages_with_one_header(account: Any) -> None:
    """1,000 rows a page, the header being one of them."""
    sql = "SELECT x FROM UNNEST(sequence(1, 2500)) AS t(x) ORDER BY x"
    found = account.run(sql)["QueryExecutionId"]
    results = account.athena.get_paginator("get_query_results")
    pages = [
        [row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]]
        for page in results.paginate(QueryExecutionId=found)
    ]
    assert [len(page) for page in pages] == [1000, 1000, 501]
    assert [*pages[0], *pages[1], *pages[2]] == ["x", *map(str, range(1, 2501))]
    answer = account.athena.get_query_results(QueryExecutionId=found, MaxResults=2)
    assert len(answer["ResultSet"]["Rows"]) == 2
    with pytest.raises(ClientError, match="Invalid NextToken"):
        account.athena.get_query_results(QueryExecutionId=found, NextToken="x")


def test_null_is_no_value_and_the_csv_quotes_everything_else(account: Any) -> None:
    """The file at the output location, and its companion."""
    sql = "SELECT 'a\"b' AS t, CAST(NULL AS varchar) AS n, 'x\ny' AS l, '' AS e"
    found = account.run(sql)
    assert account.rows(sql) == [['a"b', None, "x\ny", ""]]
    uri = found["ResultConfiguration"]["OutputLocation"]
    assert uri == f"s3://lake/results/{found['QueryExecutionId']}.csv"
    assert account.read(uri) == b'"t","n","l","e"\n"a""b",,"x\ny",""\n'
    assert account.read(f"{uri}.metadata") == b""


def test_ddl_leaves_a_text_file(account: Any) -> None:
    """Lines of the answer."""
    found = account.run("SHOW DATABASES")
    uri = found["ResultConfiguration"]["OutputLocation"]
    assert account.read(uri) == b"ddb\ndefault\n"
    assert found["SubstatementType"] == "SHOW_DATABASES"


def test_results_of_a_query_that_has_not_succeeded_are_refused(account: Any) -> None:
    """With its state."""
    failed = account.start("SELECT 1/0")
    shown = account.ended(failed)
    assert shown["ResultConfiguration"]["OutputLocation"].endswith(".csv")
    with pytest.raises(ClientError, match="Final query state: FAILED"):
        account.athena.get_query_results(QueryExecutionId=failed)
    settings.configure(query_seconds=100)
    running = account.start("SELECT 1")
    with pytest.raises(ClientError, match="Current state: QUEUED"):
        account.athena.get_query_results(QueryExecutionId=running)
    with pytest.raises(ClientError, match="QueryExecution nope was not found"):
        account.poll("nope")


def test_executions_are_listed_newest_first_by_workgroup_and_fetched_in_batches(
    account: Any,
) -> None:
    """Ids that are not known are reported, not refused."""
    group(account, enforce=True)
    ids = [account.run(f"SELECT {number}")["QueryExecutionId"] for number in range(3)]
    other = account.run("SELECT 9", WorkGroup="ddb")["QueryExecutionId"]
    pages = account.athena.get_paginator("list_query_executions").paginate(
        PaginationConfig={"PageSize": 2}
    )
    assert [one for page in pages for one in page["QueryExecutionIds"]] == ids[::-1]
    listed = account.athena.list_query_executions(WorkGroup="ddb")["QueryExecutionIds"]
    assert listed == [other]
    batch = account.athena.batch_get_query_execution(QueryExecutionIds=[ids[0], "nope"])
    assert [one["QueryExecutionId"] for one in batch["QueryExecutions"]] == [ids[0]]
    assert batch["UnprocessedQueryExecutionIds"][0]["QueryExecutionId"] == "nope"


def test_parameters_are_bound_as_values(account: Any) -> None:
    """A text with a question mark or a quote in it is a text; a wrong number of them fails."""
    sql = "SELECT ?, '?', ? + 1"
    assert account.rows(sql, ExecutionParameters=["'it''s ?'", "41"]) == [["it's ?", "?", "42"]]
    assert "expected 3 but found 1" in account.reason("SELECT ?, ?, ?", ExecutionParameters=["1"])
    assert "is no literal" in account.reason("SELECT ?", ExecutionParameters=["x"])
    shown = account.run("SELECT ?", ExecutionParameters=["1"])
    assert shown["ExecutionParameters"] == ["1"]


def test_executions_survive_a_snapshot(account: Any) -> None:
    """Ended ones as they were; one that was running is FAILED afterwards."""
    found = account.run("SELECT 1")["QueryExecutionId"]
    kept: Execution = pickle.loads(pickle.dumps(backend().queries[found]))
    assert kept.describe("SUCCEEDED") == backend().queries[found].describe("SUCCEEDED")
    kept._state = "RUNNING"
    torn: Execution = pickle.loads(pickle.dumps(kept))
    assert torn.status == "FAILED"
    assert json.dumps(torn.describe("FAILED"))


def test_named_queries_tags_and_catalogs_answer_what_clients_ask(account: Any) -> None:
    """What Terraform and the console need."""
    group(account, enforce=True)
    arn = "arn:aws:athena:us-east-1:123456789012:workgroup/ddb"
    assert account.athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == []
    made = account.athena.create_named_query(Name="n", Database="ddb", QueryString="SELECT 1")
    account.athena.delete_named_query(NamedQueryId=made["NamedQueryId"])
    assert account.athena.list_named_queries()["NamedQueryIds"] == []
    with pytest.raises(ClientError, match="was not found"):
        account.athena.delete_named_query(NamedQueryId=made["NamedQueryId"])
    catalogs = account.athena.list_data_catalogs()["DataCatalogsSummary"]
    assert catalogs == [{"CatalogName": "AwsDataCatalog", "Type": "GLUE"}]
    catalog = account.athena.get_data_catalog(Name="AwsDataCatalog")["DataCatalog"]
    assert catalog["Type"] == "GLUE"


def test_metadata_is_glues(account: Any) -> None:
    """One catalog: databases and tables made through Glue are Athena's."""
    storage = {
        "Columns": [{"Name": "a", "Type": "int"}],
        "Location": "s3://lake/t/",
        "SerdeInfo": {"SerializationLibrary": "x.Y"},
    }
    for name in ("t", "u"):
        account.glue.create_table(
            DatabaseName="ddb",
            TableInput={"Name": name, "StorageDescriptor": storage, "TableType": "EXTERNAL_TABLE"},
        )
    given = {"CatalogName": "AwsDataCatalog", "DatabaseName": "DDB"}
    shown = account.athena.get_table_metadata(**given, TableName="T")["TableMetadata"]
    assert shown["Columns"] == [{"Name": "a", "Type": "int"}]
    assert shown["Parameters"]["location"] == "s3://lake/t/"
    assert shown["Parameters"]["serde.serialization.lib"] == "x.Y"
    listed = account.athena.list_table_metadata(**given)["TableMetadataList"]
    assert [one["Name"] for one in listed] == ["t", "u"]
    found = account.athena.list_table_metadata(**given, Expression="u*")["TableMetadataList"]
    assert [one["Name"] for one in found] == ["u"]
    assert account.athena.get_database(**given)["Database"]["Name"] == "ddb"
    databases = account.athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]
    assert [one["Name"] for one in databases] == ["ddb", "default"]
    for call, more in (
        (account.athena.get_table_metadata, {"TableName": "nope"}),
        (account.athena.get_database, {}),
    ):
        name = "ddb" if more else "nope"
        with pytest.raises(ClientError, match="EntityNotFoundException"):
            call(CatalogName="AwsDataCatalog", DatabaseName=name, **more)
