"""The handler that takes the place of moto's for DynamoDB."""

from typing import Any, cast

from moto.core.common_types import TYPE_RESPONSE
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX
from moto.dynamodb.responses import DynamoHandler

from ddb_assets.local.dynamodb.backend import LocalDynamoDB
from ddb_assets.local.dynamodb.book import summary_of
from ddb_assets.local.dynamodb.numbers import normalise_request
from ddb_assets.local.dynamodb.tables import WRITES
from ddb_assets.local.plumbing import require_members

require_members(
    DynamoHandler,
    "call_action",
    "dynamodb_backend",
    "export_table_to_point_in_time",
    "describe_export",
    "list_exports",
    "describe_continuous_backups",
    "update_continuous_backups",
)
#: Operations that may write an export's objects and must not hold up everything else meanwhile.
_UNLOCKED = frozenset({"ExportTableToPointInTime", "DescribeExport", "ListExports"})


class LocalDynamoDBResponse(DynamoHandler):
    """DynamoDB's operations; one at a time, since moto's tables are not made for threads."""

    @property
    def backend(self) -> LocalDynamoDB:
        """The backend of the caller's account and region."""
        return cast("LocalDynamoDB", self.dynamodb_backend)

    def call_action(self) -> TYPE_RESPONSE:
        """Answer one call: a fault that was ordered, a refused number, or the operation."""
        operation = self._get_action()
        struck = self.backend.faults.answer(operation, type_prefix=ERROR_TYPE_PREFIX)
        if struck is not None:
            return struck
        try:
            normalise_request(getattr(self, "params", {}))
        except JsonRESTError as refusal:
            return refusal.code or 400, dict(refusal.get_headers()), refusal.description
        if operation in _UNLOCKED:
            return super().call_action()
        with WRITES:
            return super().call_action()

    def export_table_to_point_in_time(self) -> ActionResult:
        """ExportTableToPointInTime."""
        return ActionResult({"ExportDescription": self.backend.start_export(self.body)})

    def describe_export(self) -> ActionResult:
        """DescribeExport."""
        job = self.backend.find_export(self.body.get("ExportArn"))
        return ActionResult({"ExportDescription": job.describe()})

    def list_exports(self) -> ActionResult:
        """ListExports."""
        page, token = self.backend.page_exports(
            self.body.get("TableArn"), self.body.get("MaxResults"), self.body.get("NextToken")
        )
        answer: dict[str, Any] = {"ExportSummaries": [summary_of(job) for job in page]}
        if token is not None:
            answer["NextToken"] = token
        return ActionResult(answer)
