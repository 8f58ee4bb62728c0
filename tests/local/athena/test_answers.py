"""What Athena answers about queries: results, lists, names, metadata."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ddb_assets.local import settings


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
