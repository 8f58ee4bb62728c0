"""Addresses of the AWS console in every partition."""

import boto3
import pytest

from ddb_assets.core import console

EXPORT = "arn:{}:dynamodb:{}:123456789012:table/legacy.Users/export/01767225600500-1a2b3c4d"


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("aws-iso", "us-iso-east-1", "us-iso-east-1.console.c2shome.ic.gov"),
        ("aws-iso-b", "us-isob-east-1", "us-isob-east-1.console.sc2shome.sgov.gov"),
    ],
)
def test_each_partition_has_its_own_console(partition, region, host):
    """A person in China or GovCloud is sent to their own console."""
    assert console.export_url(EXPORT.format(partition, region)) == (
        f"https://{host}/dynamodbv2/home?region={region}#exports"
    )


def test_every_region_the_sdk_knows_gets_its_partition():
    """The prefixes agree with botocore's partitions, region by region."""
    session = boto3.Session()
    for partition in session.get_available_partitions():
        regions = session.get_available_regions("dynamodb", partition_name=partition)
        assert regions, partition
        for region in regions:
            assert console.partition_of(region) == partition, region


def test_a_table_s_name_is_in_its_address():
    """Dots and hyphens are legal in a DynamoDB name and in the address."""
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/legacy.Users-2"
    assert console.table_url(arn).endswith("#table?name=legacy.Users-2")


def test_a_prefix_is_escaped_but_keeps_its_slashes():
    """S3's console takes the prefix as a parameter."""
    url = console.s3_url("s3://ddb-exports/A&B c/AWSDynamoDB/", region="us-east-1")
    assert url == (
        "https://us-east-1.console.aws.amazon.com/s3/buckets/ddb-exports"
        "?region=us-east-1&prefix=A%26B%20c/AWSDynamoDB/"
    )


def test_a_glue_table_names_its_database_and_its_catalog():
    """A cross-account catalog is part of the address."""
    url = console.glue_table_url("ddb", "article", region="us-east-1", catalog_id="1" * 12)
    assert url.endswith(
        "/glue/home?region=us-east-1#/v2/data-catalog/tables/view/article"
        "?database=ddb&catalogId=111111111111"
    )


def test_a_query_is_found_in_the_history():
    """The id is the address's last part."""
    assert console.athena_query_url("q-1", region="eu-west-1") == (
        "https://eu-west-1.console.aws.amazon.com/athena/home?region=eu-west-1"
        "#/query-editor/history/q-1"
    )


@pytest.mark.parametrize("arn", ["nonsense", "arn:aws:s3:::bucket"])
def test_what_is_no_regional_arn_is_refused(arn):
    """No address is better than a wrong one."""
    with pytest.raises(ValueError, match="ARN"):
        console.export_url(arn)


@pytest.mark.parametrize("location", ["https://x/y", "s3://", "bucket/key"])
def test_what_is_no_s3_location_is_refused(location):
    """Only `s3://bucket/…` has a place in the console."""
    with pytest.raises(ValueError, match="s3://"):
        console.s3_url(location, region="us-east-1")
