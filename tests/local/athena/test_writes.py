"""CTAS, INSERT INTO and UNLOAD write files, partitions and manifests."""

import gzip
import json
from typing import Any

import pytest


def manifest(account: Any, found: dict[str, Any]) -> list[str]:
    """The URIs a query says it wrote."""
    uri = found["Statistics"]["DataManifestLocation"]
    assert uri == f"s3://lake/results/{found['QueryExecutionId']}-manifest.csv"
    return account.read(uri).decode().splitlines()


def test_ctas_makes_a_parquet_table_with_the_querys_types(account: Any) -> None:
    """Glue has the columns, the manifest the files, SELECT the rows."""
    found = account.run(
        "CREATE TABLE t WITH (format = 'PARQUET', external_location = 's3://lake/t/') AS "
        "SELECT 'a' AS s, 1.50 AS d, 7 AS i, array[cast(row(1) AS row(x int))] AS r, "
        "map(array['k'], array[2]) AS m, CAST(NULL AS varchar) AS n"
    )
    assert (found["StatementType"], found["SubstatementType"]) == ("DDL", "CREATE_TABLE_AS_SELECT")
    table = account.table("t")
    assert [(one["Name"], one["Type"]) for one in table["StorageDescriptor"]["Columns"]] == [
        ("s", "string"),
        ("d", "decimal(3,2)"),
        ("i", "int"),
        ("r", "array<struct<x:int>>"),
        ("m", "map<string,int>"),
        ("n", "string"),
    ]
    (uri,) = manifest(account, found)
    assert uri.startswith("s3://lake/t/")
    assert account.read(uri).startswith(b"PAR1")
    assert account.rows("SELECT * FROM t") == [["a", "1.50", "7", "[{x=1}]", "{k=2}", None]]
    assert "TABLE_ALREADY_EXISTS" in account.reason("CREATE TABLE t AS SELECT 1 AS x")
    account.run("CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS x")


def test_ctas_without_a_location_writes_below_the_results(account: Any) -> None:
    """tables/ID/, and WITH NO DATA writes nothing."""
    found = account.run("CREATE TABLE t AS SELECT 1 AS x WITH NO DATA")
    location = account.table("t")["StorageDescriptor"]["Location"]
    assert location == f"s3://lake/results/tables/{found['QueryExecutionId']}/"
    assert manifest(account, found) == []
    assert account.rows("SELECT * FROM t") == []


def test_ctas_partitions_by_the_last_columns(account: Any) -> None:
    """A folder and a partition per value; NULL has Hive's name."""
    account.run(
        "CREATE TABLE t WITH (partitioned_by = ARRAY['p']) AS "
        "SELECT 1 AS a, 'x' AS p UNION ALL SELECT 2, NULL UNION ALL SELECT 3, 'x'"
    )
    assert account.rows("SHOW PARTITIONS t") == [["p=__HIVE_DEFAULT_PARTITION__"], ["p=x"]]
    assert account.rows("SELECT a, p FROM t ORDER BY a") == [["1", "x"], ["2", None], ["3", "x"]]
    assert "HIVE_COLUMN_ORDER_MISMATCH" in account.reason(
        "CREATE TABLE u WITH (partitioned_by = ARRAY['a']) AS SELECT 1 AS a, 2 AS b"
    )


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE TABLE t WITH (format = 'ORC') AS SELECT 1 AS x", "LOCAL_ENGINE_UNSUPPORTED"),
        ("CREATE TABLE t WITH (bucket_count = 2) AS SELECT 1 AS x", "LOCAL_ENGINE_UNSUPPORTED"),
        (
            "CREATE TABLE t WITH (table_type = 'ICEBERG') AS SELECT 1 AS x",
            "LOCAL_ENGINE_UNSUPPORTED",
        ),
        (
            "CREATE TABLE t WITH (external_location = 's3://lake/full/') AS SELECT 1 AS x",
            "HIVE_PATH_ALREADY_EXISTS",
        ),
        ("CREATE TABLE nodb.t AS SELECT 1 AS x", "SCHEMA_NOT_FOUND"),
        ("CREATE TABLE t AS SELECT 1 AS x, 2 AS x", "DUPLICATE_COLUMN_NAME"),
        ("CREATE TABLE t AS SELECT now() AS x", "NOT_SUPPORTED: Unsupported Hive type"),
        ("CREATE TABLE t AS SELECT * FROM missing", "TABLE_NOT_FOUND"),
        ("CREATE TABLE t AS SELECT 1 / 0 AS x", "DIVISION_BY_ZERO"),
        ("UNLOAD (SELECT 1 AS x) TO 's3://lake/u/' WITH (format = 'ORC')", "LOCAL_ENGINE_"),
        ("UNLOAD (SELECT 1 AS x) TO 's3://lake/u/'", "SYNTAX_ERROR"),
        (
            "UNLOAD (SELECT 1 AS x) TO 's3://lake/full/' WITH (format = 'PARQUET')",
            "HIVE_PATH_ALREADY_EXISTS",
        ),
        (
            "UNLOAD (SELECT array[1] AS x) TO 's3://lake/u/' WITH (format = 'TEXTFILE')",
            "LOCAL_ENGINE_UNSUPPORTED",
        ),
        ("INSERT INTO missing SELECT 1", "TABLE_NOT_FOUND"),
    ],
)
def test_a_write_that_fails_leaves_no_table_and_no_file(
    account: Any, sql: str, reason: str
) -> None:
    """Nothing is half done."""
    account.put("full/x.json", {"a": 1})
    assert account.reason(sql).startswith(reason)
    assert account.glue.get_tables(DatabaseName="ddb")["TableList"] == []
    assert [key for key in account.keys("") if not key.startswith("full/")] == []


def test_insert_appends_files_and_partitions(account: Any) -> None:
    """Named columns leave the others NULL; types must fit."""
    account.run(
        "CREATE TABLE t WITH (external_location = 's3://lake/t/', partitioned_by = ARRAY['p']) AS "
        "SELECT 1 AS a, 'x' AS b, 'one' AS p"
    )
    found = account.run("INSERT INTO t SELECT 2, 'y', 'two' UNION ALL SELECT 3, 'z', 'one'")
    assert (found["StatementType"], found["SubstatementType"]) == ("DML", "INSERT")
    assert len(manifest(account, found)) == 2
    account.run("INSERT INTO t (p, a) VALUES ('two', 4)")
    assert account.rows("SELECT a, b, p FROM t ORDER BY a") == [
        ["1", "x", "one"],
        ["2", "y", "two"],
        ["3", "z", "one"],
        ["4", None, "two"],
    ]
    assert account.rows("SHOW PARTITIONS t") == [["p=one"], ["p=two"]]
    assert account.reason("INSERT INTO t SELECT 'no', 'y', 'two'").startswith("TYPE_MISMATCH")
    assert account.reason("INSERT INTO t SELECT 1").startswith("TYPE_MISMATCH")
    assert account.reason("INSERT INTO t (nope) SELECT 1").startswith("COLUMN_NOT_FOUND")
    answer = account.athena.get_query_results(QueryExecutionId=found["QueryExecutionId"])
    assert answer["UpdateCount"] == 2


def test_insert_writes_json_where_the_table_is_json(account: Any) -> None:
    """In a form the table's SerDe reads."""
    account.run(
        "CREATE EXTERNAL TABLE t (a int, s struct<x:string>) "
        "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe' LOCATION 's3://lake/t/'"
    )
    account.run("INSERT INTO t SELECT 1, CAST(row('é') AS row(x varchar))")
    assert account.rows("SELECT a, s.x FROM t") == [["1", "é"]]


def test_unload_writes_what_a_query_answers(account: Any) -> None:
    """Parquet, JSON and text; the parenthesis in a text does not end the query."""
    query = "SELECT 1 AS a, ')' AS b, CAST(NULL AS varchar) AS c"
    found = account.run(f"UNLOAD ({query}) TO 's3://lake/p' WITH (format = 'PARQUET')")
    assert (found["StatementType"], found["SubstatementType"]) == ("DML", "UNLOAD")
    (uri,) = manifest(account, found)
    assert account.read(uri).startswith(b"PAR1")
    found = account.run(f"UNLOAD ({query}) TO 's3://lake/j/' WITH (format = 'JSON')")
    (uri,) = manifest(account, found)
    assert json.loads(gzip.decompress(account.read(uri))) == {"a": 1, "b": ")", "c": None}
    found = account.run(
        f"UNLOAD ({query}) TO 's3://lake/t/' "
        "WITH (format = 'TEXTFILE', field_delimiter = ',', compression = 'NONE')"
    )
    (uri,) = manifest(account, found)
    assert account.read(uri) == b"1,),\\N\n"
    found = account.run(
        "UNLOAD (SELECT a, p FROM (VALUES (1, 'x'), (2, 'y')) t(a, p) WHERE a < ?) "
        "TO 's3://lake/q/' WITH (format = 'JSON', partitioned_by = ARRAY['p'])",
        ExecutionParameters=["9"],
    )
    folders = [uri.rsplit("/", 1)[0] for uri in manifest(account, found)]
    assert folders == ["s3://lake/q/p=x", "s3://lake/q/p=y"]


def test_a_column_added_later_is_null_in_older_parquet_files(account: Any) -> None:
    """And filled in newer ones."""
    account.run("CREATE TABLE t WITH (external_location = 's3://lake/t/') AS SELECT 1 AS a")
    account.run("ALTER TABLE t ADD COLUMNS (b struct<x:string>)")
    account.run("INSERT INTO t SELECT 2, CAST(row('y') AS row(x varchar))")
    assert account.rows("SELECT a, b, b.x FROM t ORDER BY a") == [
        ["1", None, None],
        ["2", "{x=y}", "y"],
    ]
