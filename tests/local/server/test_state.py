"""State that outlives a server."""

import json
import os
import stat
import threading
import time

import pytest
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID

from ddb_assets.local import clock
from ddb_assets.local.pickling import StateError
from ddb_assets.local.state import StateFolder


@pytest.fixture
def folder(tmp_path):
    """A folder that does not exist yet."""
    return tmp_path / "kept" / "here"


def put(server, table="kept", key="a"):
    """A table with one item."""
    dynamodb = server.client("dynamodb")
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName=table, Item={"id": {"S": key}, "n": {"N": "1"}})


def test_everything_is_there_again_after_a_restart(start, folder):
    """Tables, items, objects with their etags, catalog and workgroups; and it can be written to."""
    with start(sample=False, state_dir=folder) as server:
        put(server)
        s3 = server.client("s3")
        s3.create_bucket(Bucket="kept-bucket")
        etag = s3.put_object(Bucket="kept-bucket", Key="k", Body=b"v" * 100_000)["ETag"]
        server.client("glue").create_database(DatabaseInput={"Name": "kept_db"})
        server.client("athena").create_work_group(Name="kept-group")
        table_id = (
            server.client("dynamodb").describe_table(TableName="kept")["Table"].get("TableId")
        )
    with start(sample=False, state_dir=folder) as server:
        dynamodb = server.client("dynamodb")
        assert dynamodb.get_item(TableName="kept", Key={"id": {"S": "a"}})["Item"]["n"] == {
            "N": "1"
        }
        assert dynamodb.describe_table(TableName="kept")["Table"].get("TableId") == table_id
        kept = server.client("s3").get_object(Bucket="kept-bucket", Key="k")
        assert (kept["ETag"], kept["Body"].read()) == (etag, b"v" * 100_000)
        assert server.client("glue").get_database(Name="kept_db")
        assert server.client("athena").get_work_group(WorkGroup="kept-group")
        put(server, table="later")
        assert set(dynamodb.list_tables()["TableNames"]) == {"kept", "later"}


@pytest.mark.slow
def test_samples_are_not_put_twice_into_what_was_restored(start, folder):
    """An item deleted from a sample table stays deleted."""
    key = {"userId": {"S": "7155dc64-982a-4559-9f94-5320dc4d003d"}, "articleId": {"S": "YYYYYY"}}
    with start(sample=True, state_dir=folder) as server:
        server.client("dynamodb").delete_item(TableName="Article", Key=key)
    with start(sample=True, state_dir=folder) as server:
        assert server.client("dynamodb").scan(TableName="Article")["Count"] == 1


def test_a_snapshot_on_request_survives_a_crash(start, folder, tmp_path):
    """What was asked to be kept is kept even if the server is never ended properly."""
    with start(sample=False, state_dir=folder) as server:
        put(server)
        status, answer = server.control("snapshot", {})
        assert status == 200
        assert answer["bytes"] == (folder / "state.pickle").stat().st_size
        crashed = tmp_path / "crashed"
        crashed.mkdir()
        for name in ("state.pickle", "stamp.json", "lock"):
            (crashed / name).write_bytes((folder / name).read_bytes())
        put(server, table="after-the-snapshot")
    with start(sample=False, state_dir=crashed) as server:
        assert server.client("dynamodb").list_tables()["TableNames"] == ["kept"]


def test_an_export_under_way_ends_after_the_restart(start, folder):
    """The export goes on where it was: same ARN, its objects are there once, nothing is lost."""
    with start(sample=False, state_dir=folder, export_seconds=3600) as server:
        put(server)
        server.client("s3").create_bucket(Bucket="ddb-exports")
        dynamodb = server.client("dynamodb")
        dynamodb.update_continuous_backups(
            TableName="kept",
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        table = dynamodb.describe_table(TableName="kept")["Table"]["TableArn"]
        arn = dynamodb.export_table_to_point_in_time(TableArn=table, S3Bucket="ddb-exports")[
            "ExportDescription"
        ]["ExportArn"]
        dynamodb.delete_table(TableName="kept")
    with start(sample=False, state_dir=folder) as server:
        dynamodb, s3 = server.client("dynamodb"), server.client("s3")
        described = dynamodb.describe_export(ExportArn=arn)["ExportDescription"]
        assert described["ExportStatus"] == "IN_PROGRESS"
        server.control("clock", {"advance": 3600})
        described = dynamodb.describe_export(ExportArn=arn)["ExportDescription"]
        assert described["ExportStatus"] == "COMPLETED"
        assert described["ItemCount"] == 1
        files = s3.get_object(
            Bucket="ddb-exports",
            Key=described["ExportManifest"].replace("manifest-summary", "manifest-files"),
        )
        named = {json.loads(line)["dataFileS3Key"] for line in files["Body"].iter_lines()}
        listed = s3.list_objects_v2(Bucket="ddb-exports", Prefix="AWSDynamoDB/")["Contents"]
        assert {entry["Key"] for entry in listed if "/data/" in entry["Key"]} == named


def test_queries_and_their_results_are_kept_and_waiting_ones_run_later(start, folder):
    """A finished query keeps its rows; one that had not begun begins after the restart."""
    with start(sample=False, state_dir=folder) as server:
        athena = server.client("athena")
        server.client("s3").create_bucket(Bucket="results-bucket")
        where = {"OutputLocation": "s3://results-bucket/r/"}

        def ask(sql):
            return athena.start_query_execution(QueryString=sql, ResultConfiguration=where)[
                "QueryExecutionId"
            ]

        done = ask("SELECT 42 AS answer")
        assert ended(athena, done)["State"] == "SUCCEEDED"
        server.control("settings", {"query_seconds": 3600})
        waiting = ask("CREATE DATABASE later")
    with start(sample=False, state_dir=folder) as server:
        athena = server.client("athena")
        rows = athena.get_query_results(QueryExecutionId=done)["ResultSet"]["Rows"]
        assert [row["Data"][0]["VarCharValue"] for row in rows] == ["answer", "42"]
        state = athena.get_query_execution(QueryExecutionId=waiting)["QueryExecution"]["Status"]
        assert state["State"] in ("QUEUED", "RUNNING")
        server.control("clock", {"advance": 3600})
        assert ended(athena, waiting)["State"] == "SUCCEEDED"
        assert server.client("glue").get_database(Name="later")


def ended(athena, query):
    """The final status of a query."""
    deadline = time.monotonic() + 20
    while True:
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] not in ("QUEUED", "RUNNING"):
            return status
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_clock_and_faults_on_order_are_kept(start, folder):
    """A server an hour ahead is an hour ahead again."""
    with start(sample=False, state_dir=folder) as server:
        server.control("clock", {"advance": 3600})
        fault = {"service": "dynamodb", "operation": "DescribeTable", "code": "X"}
        server.control("faults", fault)
    with start(sample=False, state_dir=folder) as server:
        assert 3590 < clock.offset_seconds() < 3610
        [kept] = server.control("faults?service=dynamodb")[1]["faults"]
        assert kept["operation"] == "DescribeTable"


def test_folder_and_files_are_private(start, folder):
    """Items may be real data."""
    with start(sample=False, state_dir=folder):
        pass
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "state.pickle").stat().st_mode) == 0o600


def test_a_folder_used_for_something_else_is_left_alone(tmp_path):
    """`--state-dir .` must not make a project's folder private."""
    (tmp_path / "pyproject.toml").write_text("")
    tmp_path.chmod(0o755)
    with pytest.raises(StateError, match="holds no state of a local AWS"):
        StateFolder(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]


def test_a_file_others_could_have_written_is_not_read(start, folder):
    """Reading a pickle runs what stands in it."""
    with start(sample=False, state_dir=folder):
        pass
    (folder / "state.pickle").chmod(0o666)
    with (
        pytest.raises(StateError, match="can be written by others"),
        start(sample=False, state_dir=folder),
    ):
        pass


def test_a_file_of_another_user_is_not_read(start, folder, monkeypatch):
    """Not even one with harmless permissions."""
    with start(sample=False, state_dir=folder):
        pass
    someone_else = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: someone_else)
    with (
        pytest.raises(StateError, match="belongs to another user"),
        start(sample=False, state_dir=folder),
    ):
        pass


def test_state_of_other_versions_is_refused_by_name(start, folder):
    """The message says which versions, and the way out."""
    with start(sample=False, state_dir=folder):
        pass
    (folder / "stamp.json").write_text(json.dumps({"ddb_assets": "0.0.9", "moto": "5.1.0"}))
    with (
        pytest.raises(StateError, match=r"written by .*moto 5\.1\.0.* and this is .*moto 5\.2"),
        start(sample=False, state_dir=folder),
    ):
        pass


def test_a_damaged_file_is_refused_and_left_as_it_is(start, folder):
    """A failed start must not replace what somebody may still rescue."""
    with start(sample=False, state_dir=folder) as server:
        put(server)
    damaged = (folder / "state.pickle").read_bytes()[:-100]
    (folder / "state.pickle").write_bytes(damaged)
    with pytest.raises(StateError, match="cannot be read"), start(sample=False, state_dir=folder):
        pass
    assert (folder / "state.pickle").read_bytes() == damaged


def test_every_version_of_an_object_is_kept(start, folder):
    """In their order, with their ids, and the delete marker on top."""
    with start(sample=False, state_dir=folder) as server:
        s3 = server.client("s3")
        s3.create_bucket(Bucket="kept-bucket")
        s3.put_bucket_versioning(
            Bucket="kept-bucket", VersioningConfiguration={"Status": "Enabled"}
        )
        ids = [
            s3.put_object(Bucket="kept-bucket", Key="k", Body=body)["VersionId"]
            for body in (b"1", b"2")
        ]
        s3.delete_object(Bucket="kept-bucket", Key="k")
        before = s3.list_object_versions(Bucket="kept-bucket")
    with start(sample=False, state_dir=folder) as server:
        s3 = server.client("s3")
        after = s3.list_object_versions(Bucket="kept-bucket")
        assert after["Versions"] == before["Versions"]
        assert after["DeleteMarkers"] == before["DeleteMarkers"]
        bodies = [
            s3.get_object(Bucket="kept-bucket", Key="k", VersionId=each)["Body"].read()
            for each in ids
        ]
        assert bodies == [b"1", b"2"]


def test_a_key_of_kms_is_kept(start, folder):
    """An export can be encrypted with it; it holds an object that pickle alone cannot write."""
    with start(sample=False, state_dir=folder) as server:
        kms = server.client("kms")
        key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        public = kms.get_public_key(KeyId=key)["PublicKey"]
    with start(sample=False, state_dir=folder) as server:
        assert server.client("kms").get_public_key(KeyId=key)["PublicKey"] == public


@pytest.mark.parametrize("service", ["sqs", "glue"])
def test_what_cannot_be_kept_is_named_and_only_refused_where_it_matters(
    start, folder, caplog, service
):
    """A socket in a bystander is left out with a warning; in one of the four it is an error."""
    with start(sample=False, state_dir=folder) as server:
        put(server)
        server.client("sqs").list_queues()
        server.client("glue").get_databases()
        backend = get_backend(service)[DEFAULT_ACCOUNT_ID]["us-east-1"]
        backend.something = lambda: None
        status, answer = server.control("snapshot", {})
        del backend.something
    if service == "sqs":
        assert (status, answer["left_out"]) == (200, ["sqs"])
        assert "the state of sqs is not kept" in caplog.text
    else:
        assert status == 500
        assert "state of glue cannot be kept" in answer["message"]


def test_two_servers_do_not_share_a_folder(start, folder):
    """The second would overwrite what the first kept."""
    with (
        start(sample=False, state_dir=folder),
        pytest.raises(StateError, match="in use by another local AWS"),
    ):
        StateFolder(folder)


def test_an_interrupted_save_leaves_the_last_one(start, folder, monkeypatch):
    """The new file takes the old one's place only once it is whole."""
    with start(sample=False, state_dir=folder) as server:
        put(server)
        assert server.control("snapshot", {})[0] == 200
        before = (folder / "state.pickle").read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
            status, answer = server.control("snapshot", {})
        assert status == 500
        assert "disk full" in answer["message"]
        assert (folder / "state.pickle").read_bytes() == before


def test_calls_wait_while_a_snapshot_is_taken(start, folder, monkeypatch):
    """No call changes a backend while it is being written down."""
    with start(sample=False, state_dir=folder) as server:
        put(server)
        saving, go_on, answered = threading.Event(), threading.Event(), threading.Event()
        save = StateFolder.save

        def slow(self):
            saving.set()
            go_on.wait(10)
            return save(self)

        monkeypatch.setattr(StateFolder, "save", slow)
        snapshot = threading.Thread(target=lambda: server.control("snapshot", {}))
        snapshot.start()
        assert saving.wait(10)

        def call():
            server.client("dynamodb").list_tables()
            answered.set()

        caller = threading.Thread(target=call)
        caller.start()
        assert not answered.wait(0.5)
        go_on.set()
        assert answered.wait(10)
        snapshot.join(10)
        caller.join(10)
