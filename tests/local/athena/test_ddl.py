"""DDL changes the Glue catalog, SHOW and DESCRIBE read it."""

from typing import Any

import pytest

CREATE = """
CREATE EXTERNAL TABLE IF NOT EXISTS `ddb`.`Article` (
  `item` struct<userId:struct<s:string>,`order`:struct<n:string>> COMMENT 'it\\'s'
) COMMENT 'articles'
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('case.insensitive'='FALSE', 'mapping.s'='S')
STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://lake/exports/data/'
TBLPROPERTIES ('source'='dynamodb');
"""
JSON = "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'"


def plain(name: str, columns: str = "a int", rest: str = "") -> str:
    """A CREATE TABLE over JSON lines."""
    return f"CREATE EXTERNAL TABLE {name} ({columns}) {rest} {JSON} LOCATION 's3://lake/{name}/'"


def test_create_table_keeps_everything_in_glue(account: Any) -> None:
    """Names and types are folded; SerDe, properties, comments and location are as given."""
    account.run(CREATE)
    table = account.table("article")
    assert table["Name"] == "article"
    assert table["TableType"] == "EXTERNAL_TABLE"
    assert table["Parameters"] == {
        "EXTERNAL": "TRUE",
        "comment": "articles",
        "source": "dynamodb",
    }
    storage = table["StorageDescriptor"]
    assert storage["Columns"] == [
        {
            "Name": "item",
            "Type": "struct<userid:struct<s:string>,order:struct<n:string>>",
            "Comment": "it's",
        }
    ]
    assert storage["Location"] == "s3://lake/exports/data/"
    assert storage["SerdeInfo"] == {
        "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
        "Parameters": {"case.insensitive": "FALSE", "mapping.s": "S"},
    }


def test_create_table_that_exists_needs_if_not_exists(account: Any) -> None:
    """Twice is an error, unless it is said to be fine."""
    account.run(plain("t"))
    account.run(plain("IF NOT EXISTS t", "b string").replace("lake/IF NOT EXISTS t", "lake/x"))
    assert "AlreadyExistsException" in account.reason(plain("t"))
    assert account.table("t")["StorageDescriptor"]["Columns"][0]["Name"] == "a"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (plain("t", "a struct<`my-attr`:string>"), ": expected at the position 9"),
        (plain("t", "a struct<my-attr:string>"), "FAILED: ParseException"),
        (plain("t", "a int, A string"), "Duplicate column name: a"),
        (plain("nodb.t"), "Database does not exist: nodb"),
        (f"CREATE EXTERNAL TABLE t (a int) {JSON}", "needs a LOCATION"),
        (f"CREATE EXTERNAL TABLE t (a int) {JSON} LOCATION 'https://lake/x/'", "Invalid S3"),
        ("CREATE EXTERNAL TABLE t (a int", "FAILED: ParseException"),
        (
            "CREATE TABLE t (a int) LOCATION 's3://lake/t/' TBLPROPERTIES ('table_type'='ICEBERG')",
            "LOCAL_ENGINE_UNSUPPORTED",
        ),
        ("CREATE EXTERNAL TABLE t (a int) STORED AS ORC LOCATION 's3://lake/t/'", "STORED AS ORC"),
        ("ALTER TABLE missing SET LOCATION 's3://lake/x/'", "Table not found ddb.missing"),
        ("ALTER TABLE t RENAME TO u", "Table not found"),
        ("DROP TABLE missing", "Table not found"),
        ("DROP DATABASE missing", "Database does not exist"),
        ("CREATE DATABASE ddb", "Database ddb already exists"),
        ("MSCK REPAIR TABLE missing", "Table not found"),
        ("DESCRIBE missing", "Table not found"),
        ("SHOW TABLES IN missing", "Database does not exist"),
        ("SHOW FUNCTIONS", "LOCAL_ENGINE_UNSUPPORTED"),
        ("EXPLAIN SELECT 1", "LOCAL_ENGINE_UNSUPPORTED"),
        ("PREPARE p FROM SELECT 1", "LOCAL_ENGINE_UNSUPPORTED"),
        ("OPTIMIZE t REWRITE DATA USING BIN_PACK", "LOCAL_ENGINE_UNSUPPORTED"),
        ("VACUUM t", "LOCAL_ENGINE_UNSUPPORTED"),
        ("MERGE INTO a USING b ON 1 = 1 WHEN MATCHED THEN DELETE", "LOCAL_ENGINE_UNSUPPORTED"),
        ("DELETE FROM a", "LOCAL_ENGINE_UNSUPPORTED"),
    ],
)
def test_a_statement_that_fails_changes_nothing_and_says_why(
    account: Any, sql: str, words: str
) -> None:
    """The reason holds Hive's words, or says that it is this engine."""
    assert words in account.reason(sql)
    assert account.glue.get_tables(DatabaseName="ddb")["TableList"] == []


def test_set_location_changes_the_location_and_nothing_else(account: Any) -> None:
    """One new version, the old one archived."""
    account.run(CREATE)
    before = account.table("article")
    found = account.run("ALTER TABLE `ddb`.`article` SET LOCATION 's3://lake/new/data/'")
    assert (found["StatementType"], found["SubstatementType"]) == ("DDL", "ALTER_TABLE")
    after = account.table("article")
    assert after["StorageDescriptor"].pop("Location") == "s3://lake/new/data/"
    before["StorageDescriptor"].pop("Location")
    ignored = {"VersionId", "UpdateTime"}
    assert {k: v for k, v in after.items() if k not in ignored} == {
        k: v for k, v in before.items() if k not in ignored
    }
    versions = account.glue.get_table_versions(DatabaseName="ddb", TableName="article")
    assert [one["VersionId"] for one in versions["TableVersions"]] == ["1", "0"]


def test_columns_and_properties_are_changed(account: Any) -> None:
    """ADD COLUMNS appends, REPLACE COLUMNS replaces, SET TBLPROPERTIES merges."""
    account.run(plain("t"))
    account.run("ALTER TABLE t ADD COLUMNS (b struct<x:string> COMMENT 'new', c decimal)")
    columns = account.table("t")["StorageDescriptor"]["Columns"]
    assert [one["Type"] for one in columns] == ["int", "struct<x:string>", "decimal(10,0)"]
    assert "Duplicate column name: b" in account.reason("ALTER TABLE t ADD COLUMNS (B int)")
    account.run("ALTER TABLE t REPLACE COLUMNS (z string)")
    assert account.table("t")["StorageDescriptor"]["Columns"] == [{"Name": "z", "Type": "string"}]
    account.run("ALTER TABLE t SET TBLPROPERTIES ('k'='v', 'l'='w')")
    account.run("ALTER TABLE t SET TBLPROPERTIES ('k'='v2')")
    assert account.table("t")["Parameters"] == {"EXTERNAL": "TRUE", "k": "v2", "l": "w"}
    assert account.rows("SHOW TBLPROPERTIES t('k')") == [["k\tv2"]]


def test_databases_are_created_altered_and_dropped(account: Any) -> None:
    """Also under the word SCHEMA, in backticks, with comment, location and properties."""
    account.run(
        "CREATE SCHEMA IF NOT EXISTS `My_DB` COMMENT 'c' LOCATION 's3://lake/' "
        "WITH DBPROPERTIES ('a'='b')"
    )
    account.run("ALTER DATABASE my_db SET DBPROPERTIES ('c'='d')")
    database = account.glue.get_database(Name="MY_DB")["Database"]
    assert database["Name"] == "my_db"
    assert database["Description"] == "c"
    assert database["Parameters"] == {"a": "b", "c": "d"}
    account.run("CREATE DATABASE IF NOT EXISTS my_db")
    account.run(plain("t"), QueryExecutionContext={"Database": "`my_db`"})
    assert account.rows("SHOW DATABASES") == [["ddb"], ["default"], ["my_db"]]
    assert account.rows("SHOW DATABASES LIKE 'my*'") == [["my_db"]]
    assert "is not empty" in account.reason("DROP DATABASE my_db")
    account.run("DROP DATABASE my_db CASCADE")
    account.run("DROP DATABASE IF EXISTS my_db")
    assert account.rows("SHOW SCHEMAS") == [["ddb"], ["default"]]


def test_partitions_are_added_moved_found_and_dropped(account: Any) -> None:
    """Each partition has its own location; MSCK finds folders named by the keys."""
    account.run(plain("p", rest="PARTITIONED BY (dt string, h int)"))
    account.put("p/dt=2020-01-01/h=1/a.json", {"a": 1})
    account.put("p/dt=2020-01-02/h=2/_skip.json", {"a": 9})
    account.put("elsewhere/b.json", {"a": 2})
    repaired = account.rows("MSCK REPAIR TABLE p")
    assert repaired[1:] == [["Repair: Added partition to metastore p:dt=2020-01-01/h=1"]]
    assert account.rows("MSCK REPAIR TABLE p") == []
    account.run(
        "ALTER TABLE p ADD IF NOT EXISTS PARTITION (dt='2020-01-01', h=1) "
        "PARTITION (h=2, dt='2020-01-02') LOCATION 's3://lake/elsewhere/'"
    )
    assert account.rows("SHOW PARTITIONS p") == [["dt=2020-01-01/h=1"], ["dt=2020-01-02/h=2"]]
    query = "SELECT a, dt, h FROM p ORDER BY a"
    assert account.rows(query) == [["1", "2020-01-01", "1"], ["2", "2020-01-02", "2"]]
    assert account.rows("SELECT a FROM p WHERE h = 2") == [["2"]]
    account.run("ALTER TABLE p PARTITION (dt='2020-01-02', h=2) SET LOCATION 's3://lake/none/'")
    assert account.rows(query) == [["1", "2020-01-01", "1"]]
    assert account.table("p")["StorageDescriptor"]["Location"] == "s3://lake/p/"
    assert "already exists" in account.reason("ALTER TABLE p ADD PARTITION (dt='2020-01-01', h=1)")
    assert "partition columns are (dt, h)" in account.reason("ALTER TABLE p ADD PARTITION (dt='x')")
    account.run(
        "ALTER TABLE p DROP PARTITION (dt='2020-01-01', h=1), PARTITION (dt='2020-01-02', h=2)"
    )
    assert account.rows("SHOW PARTITIONS p") == []
    assert "Partition not found" in account.reason("ALTER TABLE p DROP PARTITION (dt='x', h=1)")
    account.run("ALTER TABLE p DROP IF EXISTS PARTITION (dt='x', h=1)")


def test_msck_repair_needs_no_partition_keys(account: Any) -> None:
    """Glue tables made elsewhere may lack the field."""
    account.glue.create_table(
        DatabaseName="ddb",
        TableInput={"Name": "t", "StorageDescriptor": {"Location": "s3://lake/t/"}},
    )
    assert account.rows("MSCK REPAIR TABLE t") == []


def test_show_and_describe_are_utility_statements_in_hives_layout(account: Any) -> None:
    """One text column, no header row; DESCRIBE pads and separates by tabs."""
    account.run(CREATE)
    account.run(plain("p", "a int COMMENT 'first'", "PARTITIONED BY (dt string)"))
    account.run("CREATE VIEW v AS SELECT 1 AS one")
    assert account.rows("SHOW TABLES") == [["article"], ["p"], ["v"]]
    assert account.rows("SHOW TABLES IN ddb 'a*|p'") == [["article"], ["p"]]
    assert account.rows("SHOW VIEWS") == [["v"]]
    assert account.rows("SHOW COLUMNS IN p") == [["a".ljust(20)], ["dt".ljust(20)]]
    described = account.rows("DESCRIBE p")
    assert described[0] == ["\t".join(one.ljust(20) for one in ("a", "int", "first"))]
    assert ["# Partition Information\t \t "] in described
    found = account.run("SHOW CREATE TABLE ddb.article")
    assert found["StatementType"] == "UTILITY"
    assert found["ResultConfiguration"]["OutputLocation"].endswith(".txt")


def test_the_statement_that_show_create_table_prints_makes_the_same_table(account: Any) -> None:
    """Its text runs, and gives the same definition."""
    account.run(CREATE)
    lines = [one[0] or "" for one in account.rows("SHOW CREATE TABLE article")]
    before = account.table("article")["StorageDescriptor"]
    account.run("DROP TABLE article")
    account.run("\n".join(lines).replace("`ddb.article`", "`ddb`.`article`"))
    assert account.table("article")["StorageDescriptor"] == before


def test_drop_minds_what_is_a_view_and_what_a_table(account: Any) -> None:
    """DROP TABLE does not drop views."""
    account.run("CREATE VIEW v AS SELECT 1 AS one")
    assert "view" in account.reason("DROP TABLE v")
    account.run("DROP VIEW v")
    account.run("DROP VIEW IF EXISTS v")
    assert account.rows("SHOW TABLES") == []
