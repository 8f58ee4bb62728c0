"""Clients nobody here wrote read a published table on the local AWS.

They come from an environment of their own (`make clients`): what they send was not written with
the emulator in mind, and what they make of its answers was not either.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[3]
USER = "7155dc64-982a-4559-9f94-5320dc4d003d"
ROWS = [(USER, "XXXXXXX", "hoge", 1577804400), (USER, "YYYYYY", "foo", 1577804401)]
COLUMNS = (
    "item struct<userId:struct<S:string>,articleId:struct<S:string>,"
    "content:struct<S:string>,createAt:struct<N:string>>"
)
SERDE = "org.apache.hive.hcatalog.data.JsonSerDe"
SELECT = (
    "SELECT item.userId.s AS user_id, item.articleId.s AS article_id, item.content.s AS content, "
    "CAST(item.createAt.n AS bigint) AS created FROM {database}.article ORDER BY created"
)


def by_the_product(env, tmp_path):
    """Materialize the project's own definitions in Dagster; the database they publish in."""
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "dagster", "asset", "materialize"),
            *("--select", "*", "-m", "ddb_assets.definitions"),
        ],
        env={**env, "DAGSTER_HOME": str(tmp_path), "DAGSTER_DISABLE_TELEMETRY": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return "ddb"


def by_hand(env, tmp_path):
    """Export Article and point a Glue table at it with nothing but boto3; the database."""
    session = boto3.Session(
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        region_name=env["AWS_REGION"],
    )
    dynamodb = session.client("dynamodb", endpoint_url=env["AWS_ENDPOINT_URL"])
    glue = session.client("glue", endpoint_url=env["AWS_ENDPOINT_URL"])
    arn = dynamodb.describe_table(TableName="Article")["Table"]["TableArn"]
    export = dynamodb.export_table_to_point_in_time(
        TableArn=arn, S3Bucket="ddb-exports", S3Prefix="by-hand"
    )["ExportDescription"]["ExportArn"]
    deadline = time.monotonic() + 30
    while True:
        described = dynamodb.describe_export(ExportArn=export)["ExportDescription"]
        if described["ExportStatus"] != "IN_PROGRESS":
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert described["ExportStatus"] == "COMPLETED", described
    assert described["ItemCount"] == 2
    folder = export.rpartition("/")[2]
    glue.create_database(DatabaseInput={"Name": "by_hand"})
    name, _, hive_type = COLUMNS.partition(" ")
    glue.create_table(
        DatabaseName="by_hand",
        TableInput={
            "Name": "article",
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"EXTERNAL": "TRUE"},
            "StorageDescriptor": {
                "Columns": [{"Name": name, "Type": hive_type}],
                "Location": f"s3://ddb-exports/by-hand/AWSDynamoDB/{folder}/data/",
                "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                "SerdeInfo": {"SerializationLibrary": SERDE},
            },
        },
    )
    return "by_hand"


@pytest.fixture(scope="module", params=[by_hand, by_the_product], ids=lambda way: way.__name__)
def published(request, env, tmp_path_factory):
    """The Article table, exported and queryable; the database it is in."""
    return request.param(env, tmp_path_factory.mktemp("dagster"))


def python(clients, env, code, *arguments):
    """What a script of a client's own environment writes to standard output, as JSON."""
    finished = subprocess.run(
        [clients / "python", "-W", "ignore", "-c", code, *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def as_rows(values):
    """Lists of JSON as tuples."""
    return [tuple(row) for row in values]


def test_the_aws_cli_reads_the_two_articles(published, athena):
    """start-query-execution, get-query-execution, get-query-results."""
    header, *rows = athena(SELECT.format(database=published))
    assert header == ("user_id", "article_id", "content", "created")
    assert [(*row[:3], int(row[3])) for row in rows] == ROWS


AWSWRANGLER = """
import json, sys
import awswrangler as wr
mode, database, sql = sys.argv[1:]
frame = wr.athena.read_sql_query(
    sql, database=database, workgroup="ddb",
    ctas_approach=mode == "ctas", unload_approach=mode == "unload",
    s3_output=f"s3://ddb-exports/unload/{database}/" if mode == "unload" else None,
)
rows = [[str(a), str(b), str(c), int(d)] for a, b, c, d in frame.itertuples(index=False)]
json.dump({"columns": list(frame.columns), "rows": rows, "type": str(frame["created"].dtype)},
          sys.stdout)
"""


@pytest.mark.parametrize("mode", ["plain", "ctas", "unload"])
def test_awswrangler_reads_the_two_articles(published, clients, env, mode):
    """`read_sql_query` in each of its three ways: result CSV, CTAS table and UNLOAD, typed."""
    sql = SELECT.format(database=published)
    if mode != "plain":  # Athena ignores the order of what it writes into files
        sql = sql.partition(" ORDER BY")[0]
    found = python(clients, env, AWSWRANGLER, mode, published, sql)
    assert found["columns"] == ["user_id", "article_id", "content", "created"]
    assert sorted(as_rows(found["rows"]), key=lambda row: row[3]) == ROWS
    assert found["type"].lower() == "int64"


PYATHENA = """
import json, sys
from pyathena import connect
cursor = connect(work_group="ddb", schema_name=sys.argv[1]).cursor()
cursor.execute(sys.argv[2])
rows = cursor.fetchall()
cursor.execute(
    "SELECT item.content.s FROM article WHERE item.articleId.s = %(id)s", {"id": "YYYYYY"}
)
json.dump({"rows": rows, "by_id": cursor.fetchall()}, sys.stdout)
"""


def test_pyathena_reads_the_two_articles(published, clients, env):
    """The DB-API: typed rows, a parameter, the context database."""
    found = python(clients, env, PYATHENA, published, SELECT.format(database=published))
    assert as_rows(found["rows"]) == ROWS
    assert found["by_id"] == [["foo"]]


PYATHENA_PANDAS = """
import json, sys
from pyathena import connect
from pyathena.pandas.cursor import PandasCursor
cursor = connect(work_group="ddb", schema_name=sys.argv[1], cursor_class=PandasCursor).cursor()
frame = cursor.execute(sys.argv[2]).as_pandas()
json.dump([[str(a), str(b), str(c), int(d)] for a, b, c, d in frame.itertuples(index=False)],
          sys.stdout)
"""


def test_pyathenas_pandas_cursor_reads_the_result_file(published, clients, env):
    """It takes the CSV from S3 instead of GetQueryResults."""
    sql = SELECT.format(database=published)
    assert as_rows(python(clients, env, PYATHENA_PANDAS, published, sql)) == ROWS


COUNTS = """
import json, sys
from pyathena import connect
cursor = connect(work_group="ddb", schema_name="ddb").cursor()
counts = {}
for table in sys.argv[1:]:
    counts[table] = cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
json.dump(counts, sys.stdout)
"""


@pytest.mark.parametrize("published", [by_the_product], indirect=True, ids=["by_the_product"])
def test_pyathena_finds_every_item_of_every_sample_table(published, clients, env):
    """Thousands of items of every type, names that collide by case, and none at all."""
    wanted = {"article": 2, "shop_orders": 3000, "legacy_users": 24, "waiting_list": 0}
    assert python(clients, env, COUNTS, *wanted) == wanted
