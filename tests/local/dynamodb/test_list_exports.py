"""ListExports: order, pages, and tables that are gone."""

import base64

import pytest
from botocore.exceptions import ClientError

from ddb_assets.local import clock, settings


def summaries(aws, **parameters):
    """One page."""
    return aws.dynamodb.list_exports(**parameters)["ExportSummaries"]


def test_it_lists_the_newest_first_whatever_their_state(aws):
    """Running, completed and failed ones, with the type that was defaulted."""
    settings.configure(export_seconds=60)
    arn = aws.table()
    aws.bucket()
    failed = aws.export(arn, S3Bucket="nowhere")["ExportArn"]
    clock.advance(61)
    running = aws.export(arn)["ExportArn"]
    assert summaries(aws, TableArn=arn) == [
        {"ExportArn": running, "ExportStatus": "IN_PROGRESS", "ExportType": "FULL_EXPORT"},
        {"ExportArn": failed, "ExportStatus": "FAILED", "ExportType": "FULL_EXPORT"},
    ]


def test_pages_hold_every_export_once(aws):
    """Page after page by NextToken, within a table and across tables; 25 by default at most."""
    aws.bucket()
    arns = [aws.table(name) for name in ("a", "b", "c")]
    made = {arn: [aws.export(arn)["ExportArn"] for _ in range(10)] for arn in arns}
    seen, token, pages = [], None, []
    while True:
        page = aws.dynamodb.list_exports(MaxResults=7, **({"NextToken": token} if token else {}))
        pages.append(len(page["ExportSummaries"]))
        seen += [found["ExportArn"] for found in page["ExportSummaries"]]
        token = page.get("NextToken")
        if token is None:
            break
    assert pages == [7, 7, 7, 7, 2]
    assert seen == [export for arn in arns for export in reversed(made[arn])]
    assert len(summaries(aws)) == 25
    assert len(summaries(aws, TableArn=arns[1])) == 10


def test_exports_started_between_two_pages_do_not_shift_them(aws):
    """What was on the first page is not repeated on the second."""
    arn = aws.table()
    aws.bucket()
    old = [aws.export(arn)["ExportArn"] for _ in range(4)]
    page = aws.dynamodb.list_exports(TableArn=arn, MaxResults=2)
    aws.export(arn)
    rest = summaries(aws, TableArn=arn, MaxResults=2, NextToken=page["NextToken"])
    assert [found["ExportArn"] for found in rest] == [old[1], old[0]]


@pytest.mark.parametrize("token", ["no-token", base64.b64encode(b"arn:aws:x").decode()])
def test_a_foreign_token_is_refused(aws, token):
    """The message repeats it."""
    with pytest.raises(ClientError) as refused:
        summaries(aws, NextToken=token)
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"] == f"Invalid Request: Provided nextToken is invalid: {token}"


def test_a_page_of_more_than_25_is_refused(aws):
    """The model's limit."""
    with pytest.raises(ClientError) as refused:
        summaries(aws, MaxResults=26)
    assert "Member must have value less than or equal to 25" in str(refused.value)


def test_a_deleted_or_recreated_table_has_no_exports(aws):
    """By its ARN the list is empty, while DescribeExport goes on answering."""
    arn = aws.table()
    aws.bucket()
    export = aws.describe(aws.export(arn))
    aws.dynamodb.delete_table(TableName="Article")
    assert summaries(aws, TableArn=arn) == []
    aws.table()
    assert summaries(aws, TableArn=arn) == []
    assert aws.describe(export) == export
    now = aws.dynamodb.describe_table(TableName="Article")["Table"]["TableId"]
    assert export["TableId"] != now
    assert len(summaries(aws)) == 1


def test_exports_are_forgotten_after_ninety_days(aws):
    """Neither listed nor described."""
    arn = aws.table()
    aws.bucket()
    export = aws.describe(aws.export(arn))
    clock.advance(89 * 86_400)
    assert aws.describe(export)["ExportStatus"] == "COMPLETED"
    clock.advance(2 * 86_400)
    assert summaries(aws) == []
    with pytest.raises(ClientError, match="ExportNotFoundException"):
        aws.describe(export)


def test_regions_know_only_their_own_exports(in_process):
    """An export of one region is not listed in another."""
    arn = in_process.table()
    in_process.bucket()
    in_process.export(arn)
    elsewhere = in_process.client("dynamodb", region="eu-west-1")
    assert elsewhere.list_exports()["ExportSummaries"] == []
