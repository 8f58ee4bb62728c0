"""DynamoDB: tables, point-in-time recovery and exports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ddb_assets.aws.answers import impossible, required, utc
from ddb_assets.aws.errors import translated
from ddb_assets.aws.subject import Subject
from ddb_assets.core.export import Export, ExportSummary, Pitr, TableDescription
from ddb_assets.core.request import ExportRequest
from ddb_assets.core.spec import ExportFilter
from ddb_assets.errors import RequestInvalidError, UnsupportedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# AWS page ListExports: MaxResults is 1 to 25.
LIST_EXPORTS_PAGE = 25

_EXPORT_ARN = re.compile(r"arn:[\w-]+:dynamodb:[\w-]+:\d{12}:table/[^/]+/export/[^/]+")


class DynamoDBGateway:
    """`core.ports.DynamoDB` over boto3."""

    def __init__(self, client: Callable[[], DynamoDBClient]) -> None:
        """Make the gateway; the client is asked for at each call and may be made then."""
        self._client = client

    def describe_table(self, name: str) -> TableDescription:
        """The live table; raises TableNotFoundError."""
        with translated(self._subject(name)):
            answer: Any = self._client().describe_table(TableName=name)
            return _table(required(answer, "Table", "DescribeTable"))

    def describe_pitr(self, name: str) -> Pitr:
        """Point-in-time recovery; raises TableNotFoundError.

        `ContinuousBackupsStatus` always reads ENABLED (AWS page PointInTimeRecovery_Howitworks);
        only `PointInTimeRecoveryStatus` says whether there is something to export.
        """
        with translated(self._subject(name)):
            answer: Any = self._client().describe_continuous_backups(TableName=name)
            backups = required(answer, "ContinuousBackupsDescription", "DescribeContinuousBackups")
        pitr = backups.get("PointInTimeRecoveryDescription", {})
        return Pitr(
            enabled=pitr.get("PointInTimeRecoveryStatus") == "ENABLED",
            earliest=utc(pitr.get("EarliestRestorableDateTime")),
            latest=utc(pitr.get("LatestRestorableDateTime")),
            recovery_days=pitr.get("RecoveryPeriodInDays"),
        )

    def tags(self, table_arn: str) -> dict[str, str]:
        """DynamoDB's tags of the table, all pages; raises TableNotFoundError."""
        found: dict[str, str] = {}
        request: dict[str, Any] = {"ResourceArn": table_arn}
        while True:
            with translated(Subject.of_arn(table_arn)):
                page: Any = self._client().list_tags_of_resource(**request)
            found |= {tag["Key"]: tag["Value"] for tag in page.get("Tags", ())}
            token = page.get("NextToken")
            if not token:
                return found
            if token == request.get("NextToken"):
                raise impossible("ListTagsOfResource gave the same NextToken twice")
            request["NextToken"] = token

    def start_export(self, request: ExportRequest) -> Export:
        """Start the export, or get the one already started with the same client token.

        Raises:
            UnsupportedError: The installed botocore does not know a parameter that is needed.
            RequestInvalidError: The export time is not a whole second of a known time zone.
            PitrDisabledError, ExportTimeError, ExportNotRestorableYetError, LimitExceededError,
            TableNotFoundError, ThrottledError: AWS refused it.
        """
        parameters = export_parameters(request)
        subject = Subject.of_arn(request.table_arn)
        with translated(subject):
            client = self._client()
            _refuse_unknown(client, parameters, subject)
            answer: Any = client.export_table_to_point_in_time(**parameters)
            return _export(answer, "ExportTableToPointInTime")

    def describe_export(self, arn: str) -> Export:
        """The export as it is now; raises ExportNotFoundError."""
        with translated(Subject.of_arn(arn)):
            answer: Any = self._client().describe_export(ExportArn=arn)
            return _export(answer, "DescribeExport")

    def list_exports(self, table_arn: str | None = None) -> Iterator[ExportSummary]:
        """All exports of the last 90 days, a page per call, asked for as they are read.

        botocore has no paginator for ListExports.
        """
        subject = Subject.of_arn(table_arn) if table_arn else Subject()
        request: dict[str, Any] = {"MaxResults": LIST_EXPORTS_PAGE}
        if table_arn:
            request["TableArn"] = table_arn
        while True:
            with translated(subject):
                page: Any = self._client().list_exports(**request)
            for summary in page.get("ExportSummaries", ()):
                yield ExportSummary(
                    arn=_export_arn(summary, "ListExports"),
                    status=required(summary, "ExportStatus", "ListExports"),
                    kind=summary.get("ExportType", "FULL_EXPORT"),
                )
            token = page.get("NextToken")
            if not token:
                return
            if token == request.get("NextToken"):
                raise impossible("ListExports gave the same NextToken twice")
            request["NextToken"] = token

    def _subject(self, name: str) -> Subject:
        with translated(Subject(table=name)):
            return Subject(table=name, region=self._client().meta.region_name)


def export_parameters(request: ExportRequest) -> dict[str, Any]:
    """ExportTableToPointInTime's parameters: a pure function, so a repeated call is the same call.

    Optional ones are sent only where they were set. Type and format are always sent: everything
    after depends on them, so they are not left to a default of AWS.
    """
    optional = {
        "S3Prefix": request.prefix,
        "S3BucketOwner": request.bucket_owner,
        "S3SseAlgorithm": request.sse_algorithm,
        "S3SseKmsKeyId": request.kms_key_id,
        "ExportTime": _whole_second(request.export_time),
        "FilterSpecification": _filter(request.filter) if request.filter else None,
    }
    return {
        "TableArn": request.table_arn,
        "S3Bucket": request.bucket,
        "ClientToken": request.client_token,
        "ExportFormat": "DYNAMODB_JSON",
        "ExportType": request.kind,
        **{name: value for name, value in optional.items() if value},
    }


def _whole_second(moment: datetime | None) -> datetime | None:
    """Botocore would send a fraction as it is, and read a naive time as local time."""
    if moment is not None and (moment.microsecond or moment.tzinfo is None):
        raise RequestInvalidError(
            f"the export time {moment.isoformat()} is not a whole second of a known time zone",
            remedy="cut it to seconds and give it in UTC",
        )
    return moment


def _filter(wanted: ExportFilter) -> dict[str, Any]:
    parts = {
        "KeyConditionExpression": wanted.key_condition,
        "FilterExpression": wanted.filter,
        "ProjectionExpression": wanted.projection,
        "ExpressionAttributeNames": dict(wanted.names),
        "ExpressionAttributeValues": dict(wanted.values),
    }
    # An empty specification is refused by AWS, and means the same as none.
    return {name: value for name, value in parts.items() if value}


def _refuse_unknown(client: DynamoDBClient, parameters: dict[str, Any], subject: Subject) -> None:
    operation = client.meta.service_model.operation_model("ExportTableToPointInTime")
    shape: Any = operation.input_shape
    unknown = sorted(parameters.keys() - shape.members.keys())
    if unknown:
        from botocore import __version__  # noqa: PLC0415 - loaded long since; keeps imports cheap

        raise UnsupportedError(
            f"botocore {__version__} is too old: its ExportTableToPointInTime has no "
            f"{', '.join(unknown)}",
            table=subject.table,
            remedy="pip install --upgrade boto3"
            + (", or export without a filter" if "FilterSpecification" in unknown else ""),
            unknown=unknown,
        )


def _table(found: dict[str, Any]) -> TableDescription:
    types = {a["AttributeName"]: a["AttributeType"] for a in found["AttributeDefinitions"]}
    # Partition key first, whatever the order of the answer.
    schema = sorted(found["KeySchema"], key=lambda key: key["KeyType"] != "HASH")
    return TableDescription(
        name=required(found, "TableName", "DescribeTable"),
        arn=required(found, "TableArn", "DescribeTable"),
        table_id=required(found, "TableId", "DescribeTable"),
        status=required(found, "TableStatus", "DescribeTable"),
        keys=tuple((key["AttributeName"], types[key["AttributeName"]]) for key in schema),
        item_count=found.get("ItemCount", 0),
        size_bytes=found.get("TableSizeBytes", 0),
        raw=found,
    )


def _export(answer: dict[str, Any], operation: str) -> Export:
    found = required(answer, "ExportDescription", operation)
    arn = _export_arn(found, operation)
    return Export(
        arn=arn,
        status=required(found, "ExportStatus", operation),
        table_arn=required(found, "TableArn", operation),
        table_id=required(found, "TableId", operation),
        bucket=required(found, "S3Bucket", operation),
        prefix=found.get("S3Prefix"),
        export_time=utc(found.get("ExportTime")),
        start_time=utc(found.get("StartTime")),
        end_time=utc(found.get("EndTime")),
        client_token=found.get("ClientToken"),
        manifest_key=found.get("ExportManifest"),
        item_count=found.get("ItemCount"),
        billed_bytes=found.get("BilledSizeBytes"),
        failure_code=found.get("FailureCode"),
        failure_message=found.get("FailureMessage"),
        # Left out of the answer where it was not sent (aws-contract section 1.2).
        kind=found.get("ExportType", "FULL_EXPORT"),
        export_format=found.get("ExportFormat", "DYNAMODB_JSON"),
        raw=found,
    )


def _export_arn(found: dict[str, Any], operation: str) -> str:
    arn = required(found, "ExportArn", operation)
    if not _EXPORT_ARN.fullmatch(arn):
        raise impossible(
            f"{operation} answered the export ARN {arn}, which is not "
            "arn:…:dynamodb:REGION:ACCOUNT:table/NAME/export/ID",
            arn=arn,
        )
    return arn
