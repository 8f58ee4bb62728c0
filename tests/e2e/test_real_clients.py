"""Clients nobody here wrote read a published table on the local AWS.

They come from an environment of their own (`make clients`): what they send was not written with
the emulator in mind, and what they make of its answers was not either.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest

from ddb_assets.local.process import LocalProcess

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
USER = "7155dc64-982a-4559-9f94-5320dc4d003d"
ROWS = [(USER, "XXXXXXX", "hoge", 1577804400), (USER, "YYYYYY", "foo", 1577804401)]
COLUMNS = (
    "item struct<userId:struct<S:string>,articleId:struct<S:string>,"
    "content:struct<S:string>,createAt:struct<N:string>>"
)
SERDE = "org.apache.hive.hcatalog.data.JsonSerDe"
SELECT = (
    "SELECT item.userId.s AS user_id, item.articleId.s AS article_id, item.content.s AS content, "
    "CAST(item.createAt.n AS bigint) AS created FROM ddb.article ORDER BY created"
)
EXPORT_SECONDS = 1.0


@pytest.fixture(scope="module")
def clients():
    """The folder of the clients' executables; made once and kept."""
    subprocess.run(
        ["make", "--no-print-directory", "clients", f"PYTHON={sys.executable}"],
        cwd=ROOT,
        check=True,
        timeout=900,
        stdout=subprocess.DEVNULL,
    )
    return ROOT / ".venv-clients" / "bin"


@pytest.fixture(scope="module")
def aws():
    """A local AWS with the sample tables."""
    with LocalProcess.start(export_seconds=EXPORT_SECONDS, sample=True) as process:
        yield process


@pytest.fixture(scope="module")
def env(aws):
    """A clean environment that leads to it, with no configuration file of whoever runs this."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        **aws.env,
        "AWS_PAGER": "",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def publish_by_hand(env):
    """Export Article and point a Glue table at it with nothing but boto3."""
    session = boto3.Session(
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        region_name=env["AWS_REGION"],
    )
    dynamodb = session.client("dynamodb", endpoint_url=env["AWS_ENDPOINT_URL"])
    glue = session.client("glue", endpoint_url=env["AWS_ENDPOINT_URL"])
    arn = dynamodb.describe_table(TableName="Article")["Table"]["TableArn"]
    export = dynamodb.export_table_to_point_in_time(
        TableArn=arn, S3Bucket="ddb-exports", S3Prefix="Article"
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
    glue.create_database(DatabaseInput={"Name": "ddb"})
    name, _, hive_type = COLUMNS.partition(" ")
    glue.create_table(
        DatabaseName="ddb",
        TableInput={
            "Name": "article",
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"EXTERNAL": "TRUE"},
            "StorageDescriptor": {
                "Columns": [{"Name": name, "Type": hive_type}],
                "Location": f"s3://ddb-exports/Article/AWSDynamoDB/{folder}/data/",
                "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                "SerdeInfo": {"SerializationLibrary": SERDE},
            },
        },
    )


@pytest.fixture(scope="module")
def published(env):
    """The Article table, exported and queryable as `ddb.article`."""
    publish_by_hand(env)


@pytest.fixture
def cli(clients, env):
    """Runs one `aws` command; its parsed answer, or the finished process if it may fail."""

    def run(*arguments, may_fail=False):
        finished = subprocess.run(
            [clients / "aws", *arguments, "--output", "json"],
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if may_fail:
            return finished
        assert finished.returncode == 0, f"{arguments}: {finished.stderr}"
        return json.loads(finished.stdout) if finished.stdout.strip() else None

    return run


@pytest.fixture
def athena(cli):
    """Runs a statement through the aws CLI; its result rows, the header included."""

    def run(sql):
        started = cli(
            "athena", "start-query-execution", "--query-string", sql, "--work-group", "ddb"
        )["QueryExecutionId"]
        deadline = time.monotonic() + 60
        while True:
            execution = cli("athena", "get-query-execution", "--query-execution-id", started)
            status = execution["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                break
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert status["State"] == "SUCCEEDED", status
        results = cli("athena", "get-query-results", "--query-execution-id", started)
        return [
            tuple(cell.get("VarCharValue") for cell in row["Data"])
            for row in results["ResultSet"]["Rows"]
        ]

    return run


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
    header, *rows = athena(SELECT)
    assert header == ("user_id", "article_id", "content", "created")
    assert [(*row[:3], int(row[3])) for row in rows] == ROWS


AWSWRANGLER = """
import json, sys
import awswrangler as wr
mode, sql = sys.argv[1:]
frame = wr.athena.read_sql_query(
    sql, database="ddb", workgroup="ddb",
    ctas_approach=mode == "ctas", unload_approach=mode == "unload",
    s3_output="s3://ddb-exports/unload/" if mode == "unload" else None,
)
rows = [[str(a), str(b), str(c), int(d)] for a, b, c, d in frame.itertuples(index=False)]
json.dump({"columns": list(frame.columns), "rows": rows, "type": str(frame["created"].dtype)},
          sys.stdout)
"""


@pytest.mark.parametrize("mode", ["plain", "ctas", "unload"])
def test_awswrangler_reads_the_two_articles(published, clients, env, mode):
    """`read_sql_query` in each of its three ways: result CSV, CTAS table and UNLOAD, typed."""
    sql = SELECT if mode == "plain" else SELECT.partition(" ORDER BY")[0]
    found = python(clients, env, AWSWRANGLER, mode, sql)
    assert found["columns"] == ["user_id", "article_id", "content", "created"]
    assert sorted(as_rows(found["rows"]), key=lambda row: row[3]) == ROWS
    assert found["type"].lower() == "int64"


PYATHENA = """
import json, sys
from pyathena import connect
cursor = connect(work_group="ddb", schema_name="ddb").cursor()
cursor.execute(sys.argv[1])
rows = cursor.fetchall()
cursor.execute(
    "SELECT item.content.s FROM article WHERE item.articleId.s = %(id)s", {"id": "YYYYYY"}
)
json.dump({"rows": rows, "by_id": cursor.fetchall()}, sys.stdout)
"""


def test_pyathena_reads_the_two_articles(published, clients, env):
    """The DB-API: typed rows, a parameter, the context database."""
    found = python(clients, env, PYATHENA, SELECT)
    assert as_rows(found["rows"]) == ROWS
    assert found["by_id"] == [["foo"]]


PYATHENA_PANDAS = """
import json, sys
from pyathena import connect
from pyathena.pandas.cursor import PandasCursor
cursor = connect(work_group="ddb", schema_name="ddb", cursor_class=PandasCursor).cursor()
frame = cursor.execute(sys.argv[1]).as_pandas()
json.dump([[str(a), str(b), str(c), int(d)] for a, b, c, d in frame.itertuples(index=False)],
          sys.stdout)
"""


def test_pyathenas_pandas_cursor_reads_the_result_file(published, clients, env):
    """It takes the CSV from S3 instead of GetQueryResults."""
    assert as_rows(python(clients, env, PYATHENA_PANDAS, SELECT)) == ROWS


def test_the_documented_loop_works_with_the_aws_cli_alone(cli, athena):
    """From create-table to rows, step by step as the AWS pages show it."""
    cli("s3api", "create-bucket", "--bucket", "cli-exports")
    cli(
        *("dynamodb", "create-table", "--table-name", "Cli.Music"),
        *("--attribute-definitions", "AttributeName=Artist,AttributeType=S"),
        "AttributeName=Year,AttributeType=N",
        *("--key-schema", "AttributeName=Artist,KeyType=HASH", "AttributeName=Year,KeyType=RANGE"),
        *("--billing-mode", "PAY_PER_REQUEST"),
    )
    for year, title in ((1999, "Ünder the 🌉"), (2001, 'with "quotes",\nand a line')):
        item = {"Artist": {"S": "The Ends"}, "Year": {"N": str(year)}, "Title": {"S": title}}
        put = ("dynamodb", "put-item", "--table-name", "Cli.Music", "--item", json.dumps(item))
        cli(*put)
    recovery = "PointInTimeRecoveryEnabled=true"
    cli(
        *("dynamodb", "update-continuous-backups", "--table-name", "Cli.Music"),
        *("--point-in-time-recovery-specification", recovery),
    )
    table = cli("dynamodb", "describe-table", "--table-name", "Cli.Music")["Table"]
    export = cli(
        *("dynamodb", "export-table-to-point-in-time", "--table-arn", table["TableArn"]),
        *("--s3-bucket", "cli-exports", "--s3-prefix", "music", "--export-format", "DYNAMODB_JSON"),
    )["ExportDescription"]
    assert export["ExportStatus"] == "IN_PROGRESS"
    cli("dynamodb", "wait", "export-completed", "--export-arn", export["ExportArn"])
    done = cli("dynamodb", "describe-export", "--export-arn", export["ExportArn"])
    assert done["ExportDescription"]["ExportStatus"] == "COMPLETED"
    assert done["ExportDescription"]["ItemCount"] == 2
    summary_key = done["ExportDescription"]["ExportManifest"]
    folder = f"s3://cli-exports/{summary_key.rpartition('/')[0]}"
    listed = cli(
        "s3api", "list-objects-v2", "--bucket", "cli-exports", "--prefix", "music/AWSDynamoDB/"
    )
    names = {entry["Key"].rpartition("/")[2] for entry in listed["Contents"]}
    assert {"manifest-summary.json", "manifest-summary.md5", "_started"} <= names

    athena("CREATE DATABASE cli_music")
    athena(
        "CREATE EXTERNAL TABLE cli_music.songs (item struct<Artist:struct<S:string>,"
        f"Year:struct<N:string>,Title:struct<S:string>>) ROW FORMAT SERDE '{SERDE}' "
        "LOCATION 's3://cli-exports/nothing-here/'"
    )
    select = "SELECT item.title.s, item.year.n FROM cli_music.songs ORDER BY item.year.n"
    assert len(athena(select)) == 1  # the header alone: a location without objects has no rows
    athena(f"ALTER TABLE cli_music.songs SET LOCATION '{folder}/data/'")
    assert athena(select)[1:] == [
        ("Ünder the 🌉", "1999"),
        ('with "quotes",\nand a line', "2001"),
    ]
    shown = cli("glue", "get-table", "--database-name", "cli_music", "--name", "songs")
    assert shown["Table"]["StorageDescriptor"]["Location"] == f"{folder}/data/"


def test_the_aws_cli_copies_objects_both_ways(cli, tmp_path):
    """`aws s3 cp` waits for 100-continue, and cuts large files into parts."""
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(os.urandom(20 * 1024 * 1024))
    for step in ((source, "s3://ddb-exports/cp/large"), ("s3://ddb-exports/cp/large", copy)):
        finished = cli("s3", "cp", "--only-show-errors", *map(str, step), may_fail=True)
        assert finished.returncode == 0, finished.stderr
    assert copy.read_bytes() == source.read_bytes()


def test_the_aws_cli_is_told_at_once_what_is_missing(cli):
    """An unknown table is AWS's own error; an unknown operation is not retried for minutes."""
    refused = cli("dynamodb", "describe-table", "--table-name", "absent", may_fail=True)
    assert "ResourceNotFoundException" in refused.stderr
    began = time.monotonic()
    refused = cli("glue", "list-blueprints", may_fail=True)
    assert refused.returncode != 0
    assert "LocalNotImplemented" in refused.stderr
    assert time.monotonic() - began < 15
