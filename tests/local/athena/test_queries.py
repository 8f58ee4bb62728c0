"""SELECT over the objects at a table's location."""

import base64
import json
from typing import Any

import pytest

HIVE = "org.apache.hive.hcatalog.data.JsonSerDe"
OPENX = "org.openx.data.jsonserde.JsonSerDe"
ARTICLE = "struct<userid:struct<s:string>,createat:struct<n:string>>"


def create(
    account: Any,
    columns: dict[str, str],
    *,
    name: str = "article",
    location: str = "s3://lake/e1/data/",
    serde: str = HIVE,
    **parameters: str,
) -> None:
    """A table made through Glue, as the product makes it."""
    account.glue.create_table(
        DatabaseName="ddb",
        TableInput={
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {
                "Columns": [{"Name": key, "Type": of} for key, of in columns.items()],
                "Location": location,
                "SerdeInfo": {
                    "SerializationLibrary": serde,
                    "Parameters": {key.replace("__", "."): one for key, one in parameters.items()},
                },
            },
        },
    )


def article(user: str, at: int) -> dict[str, Any]:
    """One line of an export."""
    return {"Item": {"userId": {"S": user}, "createAt": {"N": str(at)}}}


def test_an_export_is_read_file_by_file(account: Any) -> None:
    """Several files, an empty one, _started and what lies beside data/ do not matter."""
    account.put("e1/data/a.json.gz", article("u1", 1577804400))
    account.put("e1/data/b.json.gz", article("u2", 1577804401))
    account.put("e1/data/empty.json.gz", raw=b"")
    account.put("e1/_started", raw=b"")
    account.put("e1/data/_started", raw=b"x")
    account.put("e1/data/.hidden/x.json", raw=b"x")
    account.put("e1/manifest-summary.json", raw=b"no")
    account.put("e1/database/c.json.gz", article("u3", 3))
    create(account, {"item": ARTICLE})
    sql = 'SELECT item.userid.s, CAST(item.createat.n AS bigint) AS n, "$path" FROM ddb.article'
    rows = account.rows(f"{sql} ORDER BY n")
    assert rows == [
        ["u1", "1577804400", "s3://lake/e1/data/a.json.gz"],
        ["u2", "1577804401", "s3://lake/e1/data/b.json.gz"],
    ]
    found = account.run("SELECT count(*) FROM article")
    sizes = account.s3.list_objects_v2(Bucket="lake", Prefix="e1/data/")["Contents"]
    read = sum(one["Size"] for one in sizes if one["Key"].endswith(".gz"))
    assert found["Statistics"]["DataScannedInBytes"] == read
    assert account.rows("SELECT * FROM article")[0] == ["{userid={s=u1}, createat={n=1577804400}}"]


def test_an_object_that_is_replaced_is_read_anew(account: Any) -> None:
    """The local copy goes by content."""
    create(account, {"item": ARTICLE})
    for user in ("before", "after"):
        account.put("e1/data/a.json.gz", article(user, 1))
        assert account.rows("SELECT item.userid.s FROM article") == [[user]]
    account.s3.delete_object(Bucket="lake", Key="e1/data/a.json.gz")
    assert account.rows("SELECT item.userid.s FROM article") == []


def test_moving_the_location_changes_what_is_read(account: Any) -> None:
    """By DDL and by Glue alike."""
    account.put("e1/data/a.json.gz", article("old", 1))
    account.put("e2/data/a.json.gz", article("new", 1))
    create(account, {"item": ARTICLE})
    account.run("ALTER TABLE article SET LOCATION 's3://lake/e2/data/'")
    assert account.rows("SELECT item.userid.s FROM article") == [["new"]]


def test_a_location_without_objects_is_an_empty_table(account: Any) -> None:
    """Zero rows with the declared columns, no error."""
    create(account, {"item": ARTICLE, "extra": "decimal(5,2)"})
    assert account.rows("SELECT item.userid.s, extra FROM article") == []
    assert account.rows("SELECT count(*) FROM article") == [["0"]]


def test_a_prefix_without_a_slash_is_a_folder(account: Any) -> None:
    """s3://lake/e1/data does not read s3://lake/e1/data2/."""
    account.put("e1/data/a.json", article("u", 1))
    account.put("e1/data2/a.json", article("v", 1))
    create(account, {"item": ARTICLE}, location="s3://lake/e1/data")
    assert account.rows("SELECT item.userid.s FROM article") == [["u"]]


def every_type(number: int) -> dict[str, Any]:
    """An item with every DynamoDB type, awkward values included."""
    return {
        "pk": {"S": f"key-{number}"},
        "sk": {"N": str(number)},
        "n38": {"N": f"{10**37 + number}"},
        "tiny": {"N": "1E-130"},
        "text": {"S": ["", "é😀", "line\nbreak", 'tab\t"quote"', "{a=b}, null"][number % 5]},
        "b": {"B": "AAEC/w=="},
        "flag": {"BOOL": number % 2 == 0},
        "nothing": {"NULL": True},
        "m": {"M": {} if number % 3 else {"In ner": {"L": [{"N": str(number)}, {"S": "x"}]}}},
        "l": {"L": [] if number % 2 else [{"M": {"k": {"S": str(number)}}}, {"NULL": True}]},
        "ss": {"SS": ["a", "b"]},
        "ns": {"NS": ["1", "2.5"]},
        "bs": {"BS": ["AA=="]},
        "Order": {"S": "reserved"},
        **({"maybe": {"S": "here"}} if number % 7 == 0 else {}),
    }


EVERY_TYPE = (
    "struct<pk:struct<s:string>,sk:struct<n:string>,n38:struct<n:string>,tiny:struct<n:string>,"
    "text:struct<s:string>,b:struct<b:string>,flag:struct<bool:boolean>,"
    "nothing:struct<null:boolean>,m:struct<m:map<string,struct<l:array<struct<n:string,s:string>>>>>,"
    "l:struct<l:array<struct<m:map<string,struct<s:string>>,null:boolean>>>,"
    "ss:struct<ss:array<string>>,ns:struct<ns:array<string>>,bs:struct<bs:array<string>>,"
    "order:struct<s:string>,maybe:struct<s:string>>"
)


def test_three_thousand_items_of_every_type_are_read_exactly(account: Any) -> None:
    """Every value of every item, through the API, as it was written."""
    items = [every_type(number) for number in range(3000)]
    for part in range(4):
        account.put(f"e1/data/{part}.json.gz", *({"Item": item} for item in items[part::4]))
    create(account, {"item": EVERY_TYPE})
    fields = ("pk.s", "sk.n", "n38.n", "tiny.n", "text.s", "b.b", "flag.bool", "nothing.null")
    more = ("ss.ss", "ns.ns", "bs.bs", '"order".s', "maybe.s")
    shown = ", ".join(f"item.{one}" for one in (*fields, *more))
    nested = "CAST(item.m.m AS json), json_format(CAST(item.l.l AS json))"
    order = "ORDER BY CAST(item.sk.n AS bigint)"
    rows = account.rows(f"SELECT {shown}, {nested} FROM article {order}")
    assert len(rows) == 3000
    for item, row in zip(items, rows, strict=True):
        scalars = [next(iter(item[one.split(".")[0]].values())) for one in fields]
        assert row[:8] == [str(one).lower() if isinstance(one, bool) else one for one in scalars]
        assert row[8:11] == ["[a, b]", "[1, 2.5]", "[AA==]"]
        assert row[11:13] == ["reserved", "here" if "maybe" in item else None]
        inner = item["m"]["M"].get("In ner")
        expected = (
            {"In ner": {"l": [{"n": inner["L"][0]["N"], "s": None}, {"n": None, "s": "x"}]}}
            if inner
            else {}
        )
        assert json.loads(row[13]) == expected
        listed = [
            {"m": {"k": {"s": one["M"]["k"]["S"]}}, "null": None}
            if "M" in one
            else {"m": None, "null": True}
            for one in item["l"]["L"]
        ]
        assert json.loads(row[14]) == listed
    total = sum(int(item["n38"]["N"]) for item in items[:3])
    sql = "SELECT sum(CAST(item.n38.n AS decimal(38,0))) FROM article"
    assert account.rows(f"{sql} WHERE CAST(item.sk.n AS int) < 3") == [[str(total)]]


def test_names_that_differ_by_case_need_openx_and_mappings(account: Any) -> None:
    """The Hive SerDe fails on them, OpenX reads each."""
    account.put("e1/data/a.json", {"Item": {"userId": {"S": "u"}, "userID": {"S": "v"}}})
    create(account, {"item": "struct<userid:struct<s:string>>"})
    assert account.reason("SELECT * FROM article").startswith("HIVE_CURSOR_ERROR")
    mapping = {
        "case__insensitive": "FALSE",
        "mapping__item": "Item",
        "mapping__s": "S",
        "mapping__userid": "userId",
        "mapping__userid_2": "userID",
    }
    shape = "struct<userid:struct<s:string>,userid_2:struct<s:string>>"
    create(account, {"item": shape}, name="exact", serde=OPENX, **mapping)
    sql = "SELECT item.userid.s, item.userid_2.s FROM exact"
    assert account.rows(sql) == [["u", "v"]]


@pytest.mark.parametrize(
    ("columns", "given", "body", "reason"),
    [
        (
            {"item": "struct<n:bigint>"},
            {},
            b'{"item":{"n":"1.10"}}',
            "HIVE_BAD_DATA: Error parsing",
        ),
        ({"item": "string"}, {}, b"{", "HIVE_CURSOR_ERROR: Row is not a valid JSON Object"),
        (
            {"item": "struct<my-attr:string>"},
            {},
            b"{}",
            "HIVE_METASTORE_ERROR: Error: : expected at the position 9 of",
        ),
        ({"a": "int", "A": "int"}, {}, b"{}", "HIVE_INVALID_METADATA"),
        ({"a": "int"}, {"serde": "x.Y"}, b"{}", "LOCAL_ENGINE_UNSUPPORTED"),
        ({"a": "int"}, {"location": "s3://gone/x/"}, b"{}", "HIVE_METASTORE_ERROR: The specified"),
        ({"a": "int"}, {"location": "/tmp/x"}, b"{}", "LOCAL_ENGINE_UNSUPPORTED"),
    ],
)
def test_a_table_that_cannot_be_read_fails_the_query(
    account: Any, columns: dict[str, str], given: dict[str, str], body: bytes, reason: str
) -> None:
    """With Athena's code, the file and the line where there is one."""
    account.put("e1/data/a.json", raw=body)
    create(account, columns, **given)
    assert account.reason("SELECT * FROM article").startswith(reason)


def test_a_damaged_gzip_file_fails_the_query(account: Any) -> None:
    """HIVE_CURSOR_ERROR names the object."""
    account.s3.put_object(Bucket="lake", Key="e1/data/a.json.gz", Body=b"\x1f\x8b\x08nonsense")
    create(account, {"item": "string"})
    reason = account.reason("SELECT * FROM article")
    assert reason.startswith("HIVE_CURSOR_ERROR")
    assert "s3://lake/e1/data/a.json.gz" in reason


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "SELECT * FROM missing",
            "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.ddb.missing' does not exist",
        ),
        ("SELECT *\nFROM nodb.t", "SCHEMA_NOT_FOUND: line 2:11: Schema 'nodb' does not exist"),
        ("SELECT nope FROM article", "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be"),
        ("SELECT nope AS nope FROM article", "COLUMN_NOT_FOUND"),
        ("SELECT item.nope FROM article", "COLUMN_NOT_FOUND: line 1:13: Column 'nope'"),
        ("SELECT 1 FROM article WHERE z.a = 1", "COLUMN_NOT_FOUND"),
        ("SELECT * FROM other_catalog.ddb.article", "LOCAL_ENGINE_UNSUPPORTED"),
        ("SELECT * FROM information_schema.tables", "LOCAL_ENGINE_UNSUPPORTED"),
        ('SELECT * FROM "article$snapshots"', "LOCAL_ENGINE_UNSUPPORTED"),
        ("SELECT * FROM read_csv('/etc/passwd')", "LOCAL_ENGINE_UNSUPPORTED"),
        ("SELECT * FROM '/etc/passwd'", "TABLE_NOT_FOUND"),
    ],
)
def test_a_name_that_is_not_there_is_reported_where_it_stands(
    account: Any, sql: str, reason: str
) -> None:
    """Trino's codes and positions; nothing outside of S3 is ever read."""
    create(account, {"item": ARTICLE})
    assert account.reason(sql).startswith(reason)


def test_tables_are_joined_named_and_hidden_by_ctes(account: Any) -> None:
    """One- to three-part names, aliases, subqueries; a CTE hides a table of its name."""
    account.put("e1/data/a.json", article("u1", 1), article("u2", 2))
    create(account, {"item": ARTICLE})
    sql = """
        SELECT a.item.userid.s, (SELECT count(*) FROM AwsDataCatalog.ddb.ARTICLE) AS n
        FROM article a JOIN "ddb"."article" b ON a.item.userid.s = b.item.userid.s
        WHERE a.item.createat.n IN (SELECT item.createat.n FROM article) ORDER BY 1
    """
    assert account.rows(sql) == [["u1", "2"], ["u2", "2"]]
    assert account.rows("WITH article AS (SELECT 7 AS x) SELECT x FROM article") == [["7"]]


def test_an_iceberg_table_is_refused_clearly(account: Any) -> None:
    """It comes later."""
    account.glue.create_table(
        DatabaseName="ddb",
        TableInput={"Name": "ice", "Parameters": {"table_type": "ICEBERG"}},
    )
    assert "Iceberg" in account.reason("SELECT * FROM ice")
    assert "Iceberg" in account.reason("ALTER TABLE ice SET LOCATION 's3://lake/x/'")


def test_a_view_is_prestos_in_glue_and_keeps_its_database(account: Any) -> None:
    """Its bare names mean the database it was made in, wherever it is used."""
    account.put("e1/data/a.json", article("u1", 1))
    create(account, {"item": ARTICLE})
    account.run("CREATE VIEW v AS SELECT item.userid.s AS user_id, 1.50 AS price FROM article")
    table = account.table("v")
    assert table["TableType"] == "VIRTUAL_VIEW"
    assert table["ViewExpandedText"] == "/* Presto View */"
    assert table["Parameters"] == {"presto_view": "true", "comment": "Presto View"}
    text = table["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    assert json.loads(base64.b64decode(text)) == {
        "originalSql": "SELECT item.userid.s AS user_id, 1.50 AS price FROM article",
        "catalog": "awsdatacatalog",
        "schema": "ddb",
        "columns": [
            {"name": "user_id", "type": "varchar"},
            {"name": "price", "type": "decimal(3, 2)"},
        ],
        "runAsInvoker": False,
    }
    assert [one["Type"] for one in table["StorageDescriptor"]["Columns"]] == [
        "string",
        "decimal(3,2)",
    ]
    assert account.rows("SELECT * FROM ddb.v", database="default") == [["u1", "1.50"]]
    assert "View already exists" in account.reason("CREATE VIEW v AS SELECT 1 AS x")
    account.run("CREATE OR REPLACE VIEW v AS SELECT 2 AS x")
    account.run("CREATE OR REPLACE VIEW w AS SELECT x + 1 AS y FROM v")
    assert account.rows("SELECT y FROM w") == [["3"]]
    assert account.reason("CREATE VIEW z AS SELECT * FROM missing").startswith("TABLE_NOT_FOUND")
    assert account.rows("SHOW CREATE VIEW v")[0] == ["CREATE VIEW ddb.v AS"]
