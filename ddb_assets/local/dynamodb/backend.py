"""The backend that takes the place of moto's for DynamoDB."""

from decimal import Context, localcontext
from typing import Any, cast

import moto.dynamodb.urls as stock_urls
from moto.dynamodb.exceptions import (
    ResourceNotFoundException,
    TableNotFoundException,
)
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from ddb_assets.local import clock, faults, settings
from ddb_assets.local.dynamodb.book import LARGEST_PAGE, SETTLE_SECONDS, ExportBook, export_id
from ddb_assets.local.dynamodb.errors import error, validation
from ddb_assets.local.dynamodb.filters import ItemFilter, TableKey
from ddb_assets.local.dynamodb.jobs import ExportJob, Failure, Snapshot
from ddb_assets.local.dynamodb.numbers import normalise_item
from ddb_assets.local.dynamodb.requests import (
    INCREMENTAL,
    ION,
    Constraints,
    ExportRequest,
    parse_table_arn,
)
from ddb_assets.local.dynamodb.tables import WRITES, JournaledTable, Tables, update_in_place
from ddb_assets.local.dynamodb.timer import ExportTimer
from ddb_assets.local.dynamodb.times import check_export_time, check_window, require_recovery
from ddb_assets.local.plumbing import require_members, routed

require_members(
    DynamoDBBackend,
    "put_item",
    "update_item",
    "delete_item",
    "transact_write_items",
    "describe_continuous_backups",
    "update_continuous_backups",
    "export_table",
    "describe_export",
    "list_exports",
)
#: Enough digits for the exact sum of any two numbers (exponents from -130-37 to 125).
_EXACT = Context(prec=300)


class LocalDynamoDB(DynamoDBBackend):
    """moto's DynamoDB of one account and region, with journaled tables and real exports.

    Attributes:
        faults: What goes wrong on order.
        exports: Every export, running or ended.
    """

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tables = Tables()
        self.exports = ExportBook()
        self.faults = faults.Faults()
        self._timer = ExportTimer()

    @property
    def _url_module(self) -> Any:
        from ddb_assets.local.dynamodb.api import (  # noqa: PLC0415 - it needs this module
            LocalDynamoDBResponse,
        )

        return routed(stock_urls, LocalDynamoDBResponse)

    def put_item(self, table_name: str, *args: Any, **kwargs: Any) -> Item:
        """Store an item."""
        with WRITES:
            return super().put_item(table_name, *args, **kwargs)

    def delete_item(
        self, table_name: str, key: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Item | None:
        """Remove an item."""
        with WRITES:
            return super().delete_item(table_name, normalise_item(key), *args, **kwargs)

    def update_item(
        self, table_name: str, key: dict[str, dict[str, Any]], *args: Any, **kwargs: Any
    ) -> Item:
        """Change an item, or make it: one write, or none."""
        with WRITES, localcontext(_EXACT):
            key = normalise_item(key)
            table = cast("JournaledTable", self.get_table(table_name))
            update = super().update_item
            return update_in_place(
                table,
                self.get_keys_value(table, key),
                lambda: update(table_name, key, *args, **kwargs),
            )

    def transact_write_items(self, transact_items: list[dict[str, Any]]) -> None:
        """Write several items or none."""
        with WRITES:
            super().transact_write_items(transact_items)

    def execute_statement(
        self, statement: str, parameters: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Run one PartiQL statement."""
        with WRITES:
            return super().execute_statement(statement, parameters)

    def create_table(self, *args: Any, **kwargs: Any) -> Table:
        """Make a table."""
        with WRITES:
            return super().create_table(*args, **kwargs)

    def delete_table(self, name: str) -> Table:
        """Remove a table; its exports stay."""
        with WRITES:
            return super().delete_table(name)

    def describe_continuous_backups(self, table_name: str) -> dict[str, Any]:
        """Whether a table's past can be exported, and since when."""
        return self._described_recovery(self._table_named(table_name))

    def update_continuous_backups(
        self, table_name: str, point_in_time_spec: dict[str, Any]
    ) -> dict[str, Any]:
        """Switch recovery on or off, or set its period."""
        with WRITES:
            table = self._table_named(table_name)
            if point_in_time_spec["PointInTimeRecoveryEnabled"]:
                days = point_in_time_spec.get("RecoveryPeriodInDays")
                table.recovery.enable(table.journal, days)
            else:
                table.recovery.disable(table.journal)
            return self._described_recovery(table)

    def start_export(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ExportTableToPointInTime.

        Args:
            parameters: The request as it came.

        Returns:
            The ExportDescription; of a new export always IN_PROGRESS.

        Raises:
            JsonRESTError: The request is refused; its token is not used up.
        """
        request = ExportRequest.parse(parameters, account=self.account_id)
        with WRITES:
            table = self._table_of(request)
            job = self.exports.repeated(request)
            if job is None:
                job = self._new_export(request, table)
                self.exports.enter(job)
                description = job.describe()
                self.end_exports_in_time()
                return description
        job.settle(wait_seconds=SETTLE_SECONDS)
        return job.describe()

    def find_export(self, arn: str) -> ExportJob:
        """DescribeExport.

        Raises:
            JsonRESTError: No ARN of an export, another account's, or unknown.
        """
        check = Constraints()
        check.required("exportArn", arn)
        check.length("exportArn", arn, least=37, most=1024)
        check.refuse()
        parts = arn.split(":", 5)
        if len(parts) < 6 or parts[0] != "arn":
            raise validation("Invalid Export ARN")
        _, _, service, region, account, resource = parts
        if account != self.account_id:
            raise error("AccessDeniedException", "Access is denied")
        if service != "dynamodb" or "/export/" not in resource:
            raise validation("Invalid Export ARN")
        if region != self.region_name:
            raise error("ExportNotFoundException", "Export not found: Invalid export arn")
        job = self.exports.find(arn)
        if job is None:
            raise error("ExportNotFoundException", f"Export not found: Export not found: {arn}")
        if not job.ended:  # also after a restart, which ends the timer
            self.end_exports_in_time()
        return job

    def page_exports(
        self, table_arn: str | None, size: int | None, token: str | None
    ) -> tuple[list[ExportJob], str | None]:
        """ListExports. A table that is gone, or was made again, has no exports here.

        Raises:
            JsonRESTError: ValidationException or AccessDeniedException.
        """
        check = Constraints()
        check.length("tableArn", table_arn, least=1, most=1024)
        check.between("maxResults", size, least=1, most=LARGEST_PAGE)
        check.refuse()
        if table_arn is None:
            return self.exports.page(lambda _: True, size=size or LARGEST_PAGE, token=token)
        table = self.tables.get(parse_table_arn(table_arn, account=self.account_id).name)
        current = cast("JournaledTable", table).table_id if table is not None else None
        return self.exports.page(
            lambda job: job.table_arn == table_arn and job.table_id == current,
            size=size or LARGEST_PAGE,
            token=token,
        )

    def end_exports_in_time(self) -> None:
        """Let exports end when they are due, also if nobody asks for them."""
        account, region, book = self.account_id, self.region_name, self.exports

        def in_progress() -> list[ExportJob]:
            regions = dynamodb_backends.get(account)  # by get: asking by index would make it
            ours = regions is not None and regions.get(region) is self
            # moto's reset empties a backend before it makes it anew
            current = cast("dict[str, object]", vars(self)).get("exports") is book
            return book.in_progress() if ours and current else []

        if self.exports.in_progress():
            self._timer.wake(in_progress)

    def end_work(self, timeout_seconds: float) -> None:
        """End the timer; exports under way go on when the state is restored."""
        self._timer.stop(timeout_seconds)

    def _new_export(self, request: ExportRequest, table: JournaledTable) -> ExportJob:
        if request.kind == INCREMENTAL:
            check_window(request.sent["IncrementalExportSpecification"], table)
            raise validation("Invalid Request: the local AWS does not do incremental exports yet")
        require_recovery(table)
        if request.export_time is not None:
            check_export_time(request.export_time, table)
        chosen = None
        if request.filter is not None:
            key = TableKey(table.schema, table.hash_key_type, table.range_key_type)
            chosen = ItemFilter(request.filter, key)
        if request.data_format == ION:
            raise validation(
                "Invalid Request: the local AWS writes DYNAMODB_JSON only, not ExportFormat ION"
            )
        self.exports.require_room()
        # The export's moment lies after every write so far and before every later one.
        start_millis = self.exports.next_start_millis(
            table.journal.advance_to(clock.now_micros()) + 1
        )
        start_micros = start_millis * 1000
        table.journal.advance_to(start_micros - 1)
        if request.export_time is None:
            export_micros, images = start_micros, dict(table.journal.images)
        else:
            export_micros = clock.to_micros(request.export_time)
            images = table.journal.at(export_micros)
        struck = self.faults.take(faults.EXPORT_JOB)
        configured = settings.current()
        return ExportJob(
            request,
            export_id=export_id(start_millis),
            start_micros=start_micros,
            snapshot=Snapshot(
                table_arn=table.table_arn,
                table_id=table.table_id,
                images=images,
                filter=chosen,
                export_micros=export_micros,
                partitions=configured.partitions,
            ),
            failure=Failure(struck.code or "UNKNOWN", struck.message) if struck else None,
            seconds=configured.export_seconds,
        )

    def _table_of(self, request: ExportRequest) -> JournaledTable:
        table = self.tables.get(request.table.name)
        if table is None or table.table_arn != request.sent["TableArn"]:
            raise TableNotFoundException(request.sent["TableArn"])
        return cast("JournaledTable", table)

    def _table_named(self, name: str) -> JournaledTable:
        try:
            return cast("JournaledTable", self.get_table(name))
        except ResourceNotFoundException as cause:
            raise TableNotFoundException(name) from cause

    def _described_recovery(self, table: JournaledTable) -> dict[str, Any]:
        if table.recovery.enabled:
            table.journal.forget(table.recovery.earliest_micros())
        return table.recovery.describe()
