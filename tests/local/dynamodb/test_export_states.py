"""An export's way from IN_PROGRESS to its end, its snapshot, and what fails it."""

import gzip
import json
import pickle
import threading
import time
from datetime import UTC, datetime, timedelta

from ddb_assets.local import clock, settings
from ddb_assets.local.dynamodb import jobs

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def eventually(condition, seconds=60.0):
    """Wait until it holds; True if it did. The limit only ends a test that failed."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_the_first_answer_is_in_progress(aws):
    """Even an export that takes no time has no result in the answer to its request."""
    arn = aws.table()
    aws.bucket()
    first = aws.export(arn)
    assert first["ExportStatus"] == "IN_PROGRESS"
    assert not {"EndTime", "ItemCount", "BilledSizeBytes", "ExportManifest"} & set(first)
    assert aws.describe(first)["ExportStatus"] == "COMPLETED"


def test_the_answer_shows_defaults_and_only_what_was_sent(aws):
    """ExportFormat and encryption are defaulted, ClientToken is always there, ExportType is not."""
    arn = aws.table()
    aws.bucket()
    first = aws.export(arn)
    assert first["ExportFormat"] == "DYNAMODB_JSON"
    assert first["S3SseAlgorithm"] == "AES256"
    assert first["ClientToken"]
    assert not {"ExportType", "S3BucketOwner", "S3Prefix", "S3SseKmsKeyId"} & set(first)
    table = aws.dynamodb.describe_table(TableName="Article")["Table"]
    assert first["TableId"] == table["TableId"]
    sent = {"ExportType": "FULL_EXPORT", "S3BucketOwner": "123456789012", "S3Prefix": "p"}
    assert sent.items() <= aws.export(arn, **sent).items()


def test_it_stays_in_progress_for_the_configured_time(aws):
    """By the emulator's clock; EndTime is when it was due, and S3 holds only _started before."""
    settings.configure(export_seconds=300)
    clock.set(START)
    arn = aws.table()
    aws.bucket()
    export = aws.export(arn)
    clock.advance(290)
    assert aws.describe(export)["ExportStatus"] == "IN_PROGRESS"
    assert [key.rpartition("/")[2] for key in aws.objects()] == ["_started"]
    clock.advance(100)
    ended = aws.describe(export)
    assert ended["ExportStatus"] == "COMPLETED"
    assert ended["EndTime"] - ended["StartTime"] == timedelta(seconds=300)


def test_s3_shows_the_files_although_nobody_asks(aws):
    """A timer ends an export that is due."""
    arn = aws.table()
    aws.bucket()
    aws.export(arn)
    assert eventually(lambda: any(key.endswith("manifest-summary.md5") for key in aws.objects()))


def test_the_timer_follows_a_clock_set_forward(in_process):
    """It does not sleep through the hour that the clock skips."""
    settings.configure(export_seconds=3600)
    arn = in_process.table()
    in_process.bucket()
    in_process.export(arn)
    clock.advance(3601)
    assert eventually(lambda: any("manifest" in key for key in in_process.objects()))


def test_a_write_after_the_request_is_not_in_the_export(aws):
    """The export holds the items of its moment, not of its end."""
    settings.configure(export_seconds=60)
    arn = aws.table()
    aws.bucket()
    aws.put("Article", id="kept", text="old")
    aws.put("Article", id="deleted")
    export = aws.export(arn)
    aws.put("Article", id="kept", text="new")
    aws.put("Article", id="late")
    aws.dynamodb.delete_item(TableName="Article", Key={"id": {"S": "deleted"}})
    clock.advance(61)
    items = {item["id"]["S"]: item for item in aws.items(aws.describe(export))}
    assert set(items) == {"kept", "deleted"}
    assert items["kept"]["text"] == {"S": "old"}


def test_an_export_time_in_the_past_gives_the_table_as_it_was(aws):
    """Later puts, updates and deletes are undone."""
    clock.set(START)
    arn = aws.table()
    aws.bucket()
    aws.put("Article", id="changed", text="old")
    aws.put("Article", id="deleted")
    clock.advance(60)
    moment = clock.now().replace(microsecond=0)
    clock.advance(60)
    aws.put("Article", id="late")
    aws.dynamodb.delete_item(TableName="Article", Key={"id": {"S": "deleted"}})
    aws.dynamodb.update_item(
        TableName="Article",
        Key={"id": {"S": "changed"}},
        UpdateExpression="SET #t = :new",
        ExpressionAttributeNames={"#t": "text"},
        ExpressionAttributeValues={":new": {"S": "new"}},
    )
    described = aws.describe(aws.export(arn, ExportTime=moment))
    items = {item["id"]["S"]: item for item in aws.items(described)}
    assert set(items) == {"changed", "deleted"}
    assert items["changed"]["text"] == {"S": "old"}
    assert described["ExportTime"] == moment
    summary = json.loads(aws.read("exports", described["ExportManifest"]))
    assert summary["exportTime"] == moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_an_export_outlives_its_table(aws):
    """The table is deleted meanwhile; the export completes and can still be described."""
    settings.configure(export_seconds=60)
    arn = aws.table()
    aws.bucket()
    aws.put("Article", id="one")
    export = aws.export(arn)
    aws.dynamodb.delete_table(TableName="Article")
    clock.advance(61)
    assert aws.describe(export)["ItemCount"] == 1


def test_an_export_survives_a_snapshot_of_the_backend(in_process):
    """A running export, filter and all, is pickled and completes afterwards."""
    settings.configure(export_seconds=60)
    arn = in_process.table()
    in_process.bucket()
    in_process.put("Article", id="one")
    in_process.put("Article", id="two")
    specification = {
        "FilterExpression": "id = :id",
        "ExpressionAttributeValues": {":id": {"S": "two"}},
    }
    export = in_process.export(arn, FilterSpecification=specification)
    backend = in_process.backend
    kept = pickle.loads(pickle.dumps(vars(backend)))
    vars(backend).update(kept)
    clock.advance(61)
    assert in_process.items(in_process.describe(export)) == [{"id": {"S": "two"}}]


def test_a_reset_ends_the_timer(in_process):
    """After moto's reset nothing of the old exports is written."""
    settings.configure(export_seconds=0.3)
    arn = in_process.table()
    in_process.bucket()
    in_process.export(arn)
    in_process.backend.reset()
    time.sleep(0.6)
    assert [key.rpartition("/")[2] for key in in_process.objects()] == ["_started"]
    assert in_process.dynamodb.list_exports()["ExportSummaries"] == []


def test_gzip_of_a_data_file_has_the_header_of_aws(in_process):
    """No file name, no time, operating system unknown; any gzip reads it."""
    arn = in_process.table()
    in_process.bucket()
    in_process.put("Article", id="one")
    in_process.describe(in_process.export(arn))
    for key in in_process.objects():
        if "/data/" in key:
            body = in_process.read("exports", key)
            assert body[:10] == bytes.fromhex("1f8b08000000000000ff")
            gzip.decompress(body)


def test_the_moment_of_an_export_lies_between_two_writes(in_process):
    """Its ExportTime, asked of the journal later, gives exactly the items it holds."""
    aws = in_process
    arn = aws.table()
    aws.bucket()
    journal = aws.backend.tables["Article"].journal
    for i in range(50):
        aws.backend.put_item("Article", {"id": {"S": "one"}, "n": {"N": str(i)}})
        held = dict(journal.images)
        export = aws.backend.start_export({"TableArn": arn, "S3Bucket": "exports"})
        aws.backend.put_item("Article", {"id": {"S": "one"}, "n": {"N": "-1"}})
        assert journal.at(clock.to_micros(export["ExportTime"])) == held


def test_the_timer_ends_with_the_work_and_starts_again_when_asked(in_process):
    """As when the server stops; after a restart the first question about an export wakes it."""
    settings.configure(export_seconds=3600)
    aws = in_process
    arn = aws.table()
    aws.bucket()
    export = aws.export(arn)
    thread = aws.backend._timer._thread  # those of other tests may be ending just now
    assert thread.is_alive()
    aws.backend.end_work(60)
    assert not thread.is_alive()
    assert aws.describe(export)["ExportStatus"] == "IN_PROGRESS"
    clock.advance(3601)
    assert eventually(lambda: any("manifest" in key for key in aws.objects()))


def test_a_timer_that_is_ending_does_not_swallow_a_question(in_process, monkeypatch):
    """Woken while the stopped thread still looks at an export, it has a new thread."""
    settings.configure(export_seconds=3600)
    aws = in_process
    arn = aws.table()
    aws.bucket()
    looking, go_on = threading.Event(), threading.Event()

    def settle(job, *, wait_seconds):
        looking.set()
        go_on.wait(60)

    with monkeypatch.context() as patch:
        patch.setattr(jobs.ExportJob, "settle", settle)
        export = aws.export(arn)
        old = aws.backend._timer._thread
        clock.advance(3601)
        assert looking.wait(60)
        aws.backend.end_work(0)
        assert old.is_alive()
    try:
        aws.backend.end_exports_in_time()
        assert eventually(lambda: any("manifest" in key for key in aws.objects()))
        assert old.is_alive()
    finally:
        go_on.set()
    old.join(60)
    assert not old.is_alive()
    assert aws.describe(export)["ExportStatus"] == "COMPLETED"
