"""No location moves to an export of which one byte, count or object is not as it should be."""

import base64
import gzip
import hashlib
import json

import pytest

from ddb_assets.core.outcome import Refreshed
from ddb_assets.errors import ExportObjectsGoneError, ManifestInvalidError


def resummed(world, key, change):
    """Rewrite a manifest and its checksum: the lie is consistent."""
    body = change(world.aws.objects[key])
    world.aws.put(key, body)
    checksum = base64.b64encode(hashlib.md5(body).digest())
    world.aws.put(key.removesuffix(".json") + ".md5", checksum)


def completed(world, spec):
    """Start the export and let it complete; returns the prefix of its objects."""
    started = world.refresh(spec, wait=False)[spec.name]
    world.clock.sleep(400)
    world.aws.describe_export(started.export.arn)
    return f"{spec.prefix}/AWSDynamoDB/{started.export.export_id}/"


def summary(**changes):
    """Change fields of manifest-summary.json."""
    return lambda body: json.dumps({**json.loads(body), **changes}).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"itemCount": 3},
        {"tableId": "another"},
        {"tableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/Other"},
        {"exportArn": "another"},
        {"s3Bucket": "another"},
        {"outputFormat": "ION"},
        {"exportType": "INCREMENTAL_EXPORT"},
        {"manifestFilesS3Key": "another"},
        {"exportTime": "yesterday"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_summary_of_something_else_is_refused(world, changes):
    """Although its checksum is right."""
    spec = world.table("Article")
    root = completed(world, spec)
    resummed(world, f"{root}manifest-summary.json", summary(**changes))
    outcome = world.refresh(spec)["Article"]
    assert isinstance(outcome.error, ManifestInvalidError)
    assert outcome.error.table == "Article"
    assert world.aws.location("article") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"".join(body.splitlines(keepends=True)[:-2]),
        lambda body: body + body.splitlines(keepends=True)[0],
        lambda body: body.replace(b"Article/", b"Other/"),
        lambda body: body.replace(b'"itemCount": 1', b'"itemCount": -1'),
        lambda body: body + b"{",
    ],
    ids=["lines missing", "a line twice", "foreign files", "negative count", "no JSON"],
)
def test_a_list_of_files_that_does_not_fit_is_refused(world, change):
    """Although its checksum is right."""
    spec = world.table("Article")
    root = completed(world, spec)
    resummed(world, f"{root}manifest-files.json", change)
    assert isinstance(world.refresh(spec)["Article"].error, ManifestInvalidError)


def test_a_missing_data_file_is_named(world):
    """Everything else is there."""
    spec = world.table("Article")
    root = completed(world, spec)
    del world.aws.objects[f"{root}data/part1.json.gz"]
    error = world.refresh(spec)["Article"].error
    assert isinstance(error, ExportObjectsGoneError)
    assert error.details["key"].endswith("part1.json.gz")


def test_another_object_in_place_of_a_data_file_is_refused(world):
    """Its etag is not the manifest's."""
    spec = world.table("Article")
    root = completed(world, spec)
    world.aws.put(f"{root}data/part1.json.gz", gzip.compress(b""))
    assert isinstance(world.refresh(spec)["Article"].error, ManifestInvalidError)


def test_a_strange_object_among_the_data_is_refused(world):
    """Athena would read it; a folder marker of the console it would not."""
    spec = world.table("Article")
    root = completed(world, spec)
    world.aws.put(f"{root}data/", b"")
    assert isinstance(world.refresh(spec, wait=True)["Article"], Refreshed)
    other = world.table("Other")
    root = completed(world, other)
    world.aws.put(f"{root}data/note.txt", b"hello")
    assert isinstance(world.refresh(other)["Other"].error, ManifestInvalidError)


@pytest.mark.parametrize("infer", [True, False])
def test_full_verification_reads_every_byte(world, infer):
    """A changed byte under the same etag is only seen by `verify: full`."""
    spec = world.table("Article", infer=infer)
    root = completed(world, spec)
    key = f"{root}data/part1.json.gz"
    body = bytearray(world.aws.objects[key])
    body[4] ^= 1  # the time in gzip's header: the items are the same
    world.aws.objects[key] = bytes(body)
    assert isinstance(world.refresh(spec, verify="full")["Article"].error, ManifestInvalidError)
    assert isinstance(world.refresh(spec)["Article"], Refreshed)


def test_full_verification_reads_each_file_once(world):
    """Inference and MD5 share the bytes."""
    spec = world.table("Article", verify="full")
    assert isinstance(world.refresh(spec)["Article"], Refreshed)
    assert world.aws.count("stream") == 3


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (lambda: gzip.compress(b'{"Item":{"userId":{"S":"a"}}}\n')[:-9], "breaks off"),
        (lambda: b"not gzip at all", "broken"),
        (lambda: gzip.compress(b'{"Item":{"userId":{"S":"a"}}}\n' * 2), "number of items"),
        (lambda: gzip.compress(b'{"userId":{"S":"a"}}\n'), "not an item"),
    ],
    ids=["truncated", "no gzip", "too many lines", "no item"],
)
def test_inference_refuses_what_it_cannot_read_whole(world, body, lines):
    """A file that lies under its etag is found out while it is read."""
    spec = world.table("Article")
    root = completed(world, spec)
    world.aws.objects[f"{root}data/part1.json.gz"] = body()
    error = world.refresh(spec)["Article"].error
    assert isinstance(error, ManifestInvalidError)
    assert lines in error.cause


def test_several_gzip_members_and_long_lines_are_read(world):
    """One file of two members, a line longer than a turn, no newline at its end."""
    spec = world.table("Article")
    root = completed(world, spec)
    long = json.dumps({"Item": {"userId": {"S": "x" * 3_000_000}}}).encode()
    part = gzip.compress(long[:1_500_000]) + gzip.compress(long[1_500_000:])
    world.aws.objects[f"{root}data/part1.json.gz"] = part
    outcome = world.refresh(spec)["Article"]
    assert isinstance(outcome, Refreshed)
    assert outcome.profile.items == 2
