"""What an export leaves in S3, held against what real exports look like."""

import base64
import gzip
import hashlib
import json
import re
import time

import pytest

from ddb_assets.local import settings

EMPTY_GZIP = bytes.fromhex("1f8b08000000000000ff03000000000000000000")


@pytest.fixture
def completed(aws):
    """A completed export of two items under the prefix Article."""
    arn = aws.table()
    aws.bucket()
    aws.put("Article", id="one", content="hoge", createAt={"N": "1577804400"})
    aws.put("Article", id="two", content="foo", createAt={"N": "1577804401"})
    return aws.describe(aws.export(arn, S3Prefix="Article"))


def export_id(described):
    """The last part of the ARN."""
    return described["ExportArn"].rpartition("/")[2]


def test_the_arn_ends_in_the_start_time_and_eight_hex_digits(completed):
    """…:table/<name>/export/<14 digits of milliseconds>-<8 hex>."""
    pattern = r"arn:aws:dynamodb:us-east-1:123456789012:table/Article/export/(\d{14})-[0-9a-f]{8}"
    match = re.fullmatch(pattern, completed["ExportArn"])
    assert match
    assert int(match[1]) == round(completed["StartTime"].timestamp() * 1000)


def test_the_objects_are_those_of_a_real_export(aws, completed):
    """_started, both manifests with their md5 files, and four data files; nothing else."""
    folder = f"Article/AWSDynamoDB/{export_id(completed)}/"
    keys = aws.objects()
    assert all(key.startswith(folder) for key in keys)
    names = sorted(key.removeprefix(folder) for key in keys)
    data = [name for name in names if name.startswith("data/")]
    assert sorted(set(names) - set(data)) == [
        "_started",
        "manifest-files.json",
        "manifest-files.md5",
        "manifest-summary.json",
        "manifest-summary.md5",
    ]
    assert len(data) == 4
    assert all(re.fullmatch(r"data/[a-z2-7]{26}\.json\.gz", name) for name in data)
    assert aws.read("exports", f"{folder}_started") == b""


def test_manifest_summary_has_its_fields_in_order(aws, completed):
    """One compact object without a newline; times with milliseconds; no exportType."""
    body = aws.read("exports", completed["ExportManifest"])
    summary = json.loads(body)
    assert list(summary) == [
        "version",
        "exportArn",
        "startTime",
        "endTime",
        "tableArn",
        "tableId",
        "exportTime",
        "s3Bucket",
        "s3Prefix",
        "s3SseAlgorithm",
        "s3SseKmsKeyId",
        "manifestFilesS3Key",
        "billedSizeBytes",
        "itemCount",
        "outputFormat",
    ]
    assert body == json.dumps(summary, separators=(",", ":")).encode()
    assert summary["version"] == "2020-06-30"
    assert summary["exportArn"] == completed["ExportArn"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", summary["startTime"])
    assert summary["exportTime"] == summary["startTime"]
    assert summary["s3Prefix"] == "Article"
    assert (summary["s3SseAlgorithm"], summary["s3SseKmsKeyId"]) == ("AES256", None)
    assert summary["manifestFilesS3Key"].startswith("Article/AWSDynamoDB/")
    assert (summary["itemCount"], summary["billedSizeBytes"]) == (2, 0)
    assert summary["outputFormat"] == "DYNAMODB_JSON"


def test_manifest_files_has_a_line_per_data_file(aws, completed):
    """Field order, checksum, ETag rule and count hold for every file; the counts add up."""
    folder = f"Article/AWSDynamoDB/{export_id(completed)}/"
    body = aws.read("exports", f"{folder}manifest-files.json")
    assert body.endswith(b"\n")
    entries = [json.loads(line) for line in body.splitlines()]
    assert len(entries) == 4
    for entry in entries:
        assert list(entry) == ["itemCount", "md5Checksum", "etag", "dataFileS3Key"]
        assert entry["dataFileS3Key"].startswith(f"{folder}data/")
        data = aws.read("exports", entry["dataFileS3Key"])
        digest = hashlib.md5(data).digest()
        assert entry["md5Checksum"] == base64.b64encode(digest).decode()
        assert entry["etag"] == hashlib.md5(digest).hexdigest() + "-1"
        head = aws.s3.head_object(Bucket="exports", Key=entry["dataFileS3Key"])
        assert head["ETag"] == f'"{entry["etag"]}"'
        assert len(gzip.decompress(data).splitlines()) == entry["itemCount"]
    assert sum(entry["itemCount"] for entry in entries) == completed["ItemCount"] == 2


def test_md5_files_hold_the_base64_digest_of_their_manifest(aws, completed):
    """24 bytes, no newline."""
    folder = f"Article/AWSDynamoDB/{export_id(completed)}/"
    for name in ("manifest-summary", "manifest-files"):
        digest = hashlib.md5(aws.read("exports", f"{folder}{name}.json")).digest()
        stored = aws.read("exports", f"{folder}{name}.md5")
        assert stored == base64.b64encode(digest)
        assert len(stored) == 24


def test_an_empty_partition_is_the_twenty_bytes_of_aws(aws):
    """An empty table gives files that are empty byte for byte, and a count of 0."""
    arn = aws.table()
    aws.bucket()
    described = aws.describe(aws.export(arn))
    data = [aws.read("exports", key) for key in aws.objects() if "/data/" in key]
    assert data == [EMPTY_GZIP] * 4
    assert base64.b64encode(hashlib.md5(EMPTY_GZIP).digest()) == b"FjvgqIxwymKf1RbbqtrZag=="
    assert described["ItemCount"] == 0


def test_without_a_prefix_keys_start_with_awsdynamodb(aws):
    """S3Prefix is optional, and null in the summary."""
    arn = aws.table()
    aws.bucket()
    described = aws.describe(aws.export(arn))
    assert described["ExportManifest"].startswith("AWSDynamoDB/")
    assert "S3Prefix" not in described
    assert json.loads(aws.read("exports", described["ExportManifest"]))["s3Prefix"] is None


def test_a_slash_at_the_end_of_the_prefix_is_not_doubled(aws):
    """A prefix foo/ writes below foo/AWSDynamoDB."""
    arn = aws.table()
    aws.bucket()
    aws.describe(aws.export(arn, S3Prefix="a/b/"))
    assert all(key.startswith("a/b/AWSDynamoDB/") for key in aws.objects())


def test_every_type_is_exported_with_its_exact_text(aws):
    """Each line is the item as DynamoDB's JSON; nothing is escaped that need not be."""
    arn = aws.table()
    aws.bucket()
    item = {
        "id": {"S": 'é "quoted"\nline 🎉'},
        "n": {"N": "12345678901234567890.123456789012345678"},
        "tiny": {"N": "1E-130"},
        "b": {"B": b"\x00\xff"},
        "t": {"BOOL": False},
        "z": {"NULL": True},
        "m": {"M": {"N": {"L": [{"S": ""}, {"M": {}}, {"L": []}]}}},
        "ss": {"SS": ["x", "y"]},
        "ns": {"NS": ["1", "2.5"]},
        "bs": {"BS": [b"one"]},
    }
    aws.dynamodb.put_item(TableName="Article", Item=item)
    described = aws.describe(aws.export(arn))
    files = (aws.read("exports", key) for key in aws.objects() if "/data/" in key)
    (line,) = b"".join(gzip.decompress(body) for body in files).splitlines()
    assert '"id":{"S":"é \\"quoted\\"\\nline 🎉"}'.encode() in line
    (exported,) = aws.items(described)
    assert list(exported) == list(item)
    assert exported["b"] == {"B": "AP8="}
    assert exported["bs"] == {"BS": ["b25l"]}
    assert exported["tiny"] == {"N": "0." + "0" * 129 + "1"}
    same = ("id", "n", "t", "z", "m", "ss", "ns")
    assert {name: exported[name] for name in same} == {name: item[name] for name in same}


def test_items_of_one_partition_key_lie_in_one_file(in_process):
    """A partition key's items are never spread; many keys fill every file."""
    arn = in_process.table(id="S", at="N")
    in_process.bucket()
    for partition in range(40):
        for at in range(3):
            in_process.put("Article", id=f"p{partition}", at={"N": str(at)})
    in_process.describe(in_process.export(arn))
    files = [
        {json.loads(line)["Item"]["id"]["S"] for line in gzip.decompress(body).splitlines()}
        for body in (in_process.read("exports", k) for k in in_process.objects() if "/data/" in k)
    ]
    assert all(files)
    assert sum(len(keys) for keys in files) == 40


def test_the_number_of_files_is_a_setting(in_process):
    """One file per partition, as many as configured."""
    settings.configure(partitions=7)
    arn = in_process.table()
    in_process.bucket()
    in_process.describe(in_process.export(arn))
    assert sum("/data/" in key for key in in_process.objects()) == 7


def test_a_large_table_is_billed_by_its_size(in_process):
    """Beyond a megabyte the billed size is that of the items, and equals TableSizeBytes."""
    arn = in_process.table()
    in_process.bucket()
    for i in range(12):
        in_process.put("Article", id=str(i), text="x" * 100_000)
    described = in_process.describe(in_process.export(arn))
    table = in_process.dynamodb.describe_table(TableName="Article")["Table"]
    assert described["BilledSizeBytes"] == table["TableSizeBytes"] > 1_200_000


def test_a_hundred_thousand_items_are_exported_in_one_go(in_process):
    """A loop gone quadratic would not end within the minute that a busy machine is given."""
    arn = in_process.table()
    in_process.bucket()
    journal = in_process.backend.tables["Article"].journal
    for i in range(100_000):
        journal.record((f'{{"S":"{i}"}}', None), b'{"id":{"S":"%d"},"n":{"N":"%d"}}' % (i, i))
    export = in_process.export(arn)
    ends = time.monotonic() + 60
    while (described := in_process.describe(export))["ExportStatus"] == "IN_PROGRESS":
        assert time.monotonic() < ends
        time.sleep(0.05)
    assert described["ItemCount"] == 100_000
