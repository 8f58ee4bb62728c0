"""Addresses of the AWS console, for metadata and messages; pure text, nothing is asked of AWS.

A region belongs to a partition and each partition has its own console. The partition is read from
an ARN or from the region's name. Addresses of the commercial partition are as seen in the browser;
the other partitions' root domains are those of their sign-in endpoints (botocore's rules).
"""

from urllib.parse import quote, urlencode

_ROOTS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-iso": "console.c2shome.ic.gov",
    "aws-iso-b": "console.sc2shome.sgov.gov",
    "aws-iso-e": "console.csphome.adc-e.uk",
    "aws-iso-f": "console.csphome.hci.ic.gov",
    "aws-eusc": "console.amazonaws-eusc.eu",
}

_REGION_PREFIXES = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}


def partition_of(region: str) -> str:
    """The partition a region belongs to, e.g. `aws-cn` for `cn-north-1`."""
    for prefix, partition in _REGION_PREFIXES.items():
        if region.startswith(prefix):
            return partition
    return "aws"


def region_of(arn: str) -> str:
    """The region an ARN names.

    Raises:
        ValueError: If this is not an ARN with a region.
    """
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[3]:
        msg = f"not an ARN with a region: {arn!r}"
        raise ValueError(msg)
    return parts[3]


def export_url(export_arn: str) -> str:
    """The DynamoDB console's list of exports, in the region of this one.

    The console has no documented address of a single export.
    """
    region = region_of(export_arn)
    return f"{_home('dynamodbv2', region)}#exports"


def table_url(table_arn: str) -> str:
    """The live DynamoDB table."""
    region = region_of(table_arn)
    name = table_arn.split(":", 5)[5].split("/")[1]
    return f"{_home('dynamodbv2', region)}#table?{_query(name=name)}"


def s3_url(location: str, *, region: str) -> str:
    """The objects under `s3://bucket/prefix/`; `region` chooses the console, not the bucket.

    Raises:
        ValueError: If the location is not an `s3://` one.
    """
    scheme, _, rest = location.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        msg = f"not an s3:// location: {location!r}"
        raise ValueError(msg)
    query = _query(region=region, prefix=prefix)
    return f"https://{_host(region)}/s3/buckets/{quote(bucket)}?{query}"


def glue_table_url(database: str, table: str, *, region: str, catalog_id: str | None = None) -> str:
    """The table in the Glue Data Catalog."""
    query = {"database": database}
    if catalog_id:
        query["catalogId"] = catalog_id
    view = f"#/v2/data-catalog/tables/view/{quote(table, safe='')}"
    return f"{_home('glue', region)}{view}?{_query(**query)}"


def athena_query_url(query_id: str, *, region: str) -> str:
    """One Athena query execution."""
    return f"{_home('athena', region)}#/query-editor/history/{quote(query_id, safe='')}"


def athena_editor_url(*, region: str) -> str:
    """Athena's query editor."""
    return f"{_home('athena', region)}#/query-editor"


def _host(region: str) -> str:
    return f"{region}.{_ROOTS[partition_of(region)]}"


def _home(service: str, region: str) -> str:
    return f"https://{_host(region)}/{service}/home?{_query(region=region)}"


def _query(**values: str) -> str:
    return urlencode(values, quote_via=quote, safe="/")
