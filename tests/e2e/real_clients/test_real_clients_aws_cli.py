"""The aws CLI against the local AWS: the documented loop, large objects and refusals."""

import json
import os
import time

import pytest

pytestmark = pytest.mark.e2e

SERDE = "org.apache.hive.hcatalog.data.JsonSerDe"


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
