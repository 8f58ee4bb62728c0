"""DynamoDB: tables that change and may be replaced, exports with tokens, and what they write."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ddb_assets.core.export import Export, ExportSummary, Pitr, TableDescription
from ddb_assets.core.request import ExportRequest
from ddb_assets.errors import (
    ExportNotFoundError,
    ExportNotRestorableYetError,
    ExportTimeError,
    LimitExceededError,
    PitrDisabledError,
    RequestInvalidError,
    TableNotFoundError,
)

from .exports import Ending, SimulatedExport, SimulatedTable, write_export
from .objects import S3
from .promises import BrokenPromise
from .virtual_time import VirtualClock

#: A token answers with its export until this long after that one completed (SDK model).
TOKEN_LIFE = timedelta(hours=8)
#: LatestRestorableDateTime is typically this far behind (AWS docs).
RESTORE_LAG = timedelta(minutes=5)
PITR_WINDOW = timedelta(days=35)
MAX_IN_FLIGHT = 300


class SimulatedDynamoDB:
    """Tables and exports of one account."""

    def __init__(self, clock: VirtualClock, s3: S3) -> None:
        self._clock = clock
        self._s3 = s3
        self._incarnations = 0
        self.tables: dict[str, SimulatedTable] = {}
        self.exports: dict[str, SimulatedExport] = {}
        self.by_location: dict[str, SimulatedExport] = {}
        self._tokens: dict[str, tuple[ExportRequest, SimulatedExport]] = {}
        #: How the next exports of a table end, by the number of exports it had; else `usual`.
        self.endings: dict[str, dict[int, Ending]] = {}
        self.usual = Ending()
        #: LatestRestorableDateTime is this far behind now.
        self.restore_lag = RESTORE_LAG
        #: Exports of somebody else in the account, until these moments.
        self.others: list[datetime] = []

    # -- what people do ---------------------------------------------------------------------

    def create(self, name: str) -> SimulatedTable:
        """Create a table, or re-create it with another id."""
        self._incarnations += 1
        digest = hashlib.md5(f"{name}#{self._incarnations}".encode()).hexdigest()
        table_id = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))
        self.tables[name] = SimulatedTable(name, table_id, self._clock.now())
        return self.tables[name]

    def drop(self, name: str) -> None:
        """Delete a table; its exports go on."""
        if (table := self.tables.pop(name, None)) is not None:
            table.deleted = self._clock.now()

    # -- what AWS answers -------------------------------------------------------------------

    def describe_table(self, name: str) -> TableDescription:
        """DescribeTable."""
        table = self._table(name)
        return TableDescription(table.name, table.arn, table.table_id, "ACTIVE", (("id", "S"),))

    def describe_pitr(self, name: str) -> Pitr:
        """DescribeContinuousBackups."""
        table = self._table(name)
        if not table.pitr:
            return Pitr(enabled=False)
        latest = (self._clock.now() - self.restore_lag).replace(microsecond=0)
        return Pitr(enabled=True, earliest=latest - PITR_WINDOW, latest=latest)

    def start_export(self, request: ExportRequest, paid_by: str) -> tuple[SimulatedExport, bool]:
        """ExportTableToPointInTime: the export, and whether it is a new one."""
        table = self._table(request.table_arn.rpartition("/")[2])
        now = self._clock.now()
        if (known := self._tokens.get(request.client_token)) is not None:
            asked, export = known
            if export.ended is None or now <= export.ended + TOKEN_LIFE:
                if _parameters(asked) != _parameters(request):
                    raise RequestInvalidError(
                        "Duplicate request detected",
                        code="ExportConflictException",
                        remedy="Send the parameters the token was first used with.",
                    )
                return export, False
        self._refuse(table, request, now)
        running = sum(e.status == "IN_PROGRESS" for e in self.exports.values())
        if running + sum(end > now for end in self.others) >= MAX_IN_FLIGHT:
            raise LimitExceededError(
                "300 exports are running",
                code="LimitExceededException",
                remedy="Wait until some have ended.",
            )
        export = self._begin(table, request, now, paid_by)
        self._tokens[request.client_token] = (request, export)
        return export, True

    def describe_export(self, arn: str) -> Export:
        """DescribeExport; it goes on answering after its table was deleted."""
        if (export := self.exports.get(arn)) is None:
            raise ExportNotFoundError(
                f"there is no export {arn}",
                code="ExportNotFoundException",
                remedy="List the table's exports.",
            )
        return export.described()

    def list_exports(self, table_arn: str | None) -> list[ExportSummary]:
        """Newest first within a table; by ARN only those of the incarnation that lives."""
        living = {id(table) for table in self.tables.values()}
        found = [
            export
            for export in self.exports.values()
            if table_arn is None or (export.table.arn == table_arn and id(export.table) in living)
        ]
        found.sort(key=lambda export: export.export_id, reverse=True)
        return [ExportSummary(export.arn, export.status) for export in found]

    # -- what AWS does ----------------------------------------------------------------------

    def _table(self, name: str) -> SimulatedTable:
        if (table := self.tables.get(name)) is None:
            raise TableNotFoundError(
                f"Table not found: {name}",
                code="TableNotFoundException",
                remedy="Create the table or take it out of the declaration.",
            )
        return table

    def _refuse(self, table: SimulatedTable, request: ExportRequest, now: datetime) -> None:
        if not table.pitr:
            raise PitrDisabledError(
                f"Point in time recovery is not enabled for table '{table.name}'",
                code="PointInTimeRecoveryUnavailableException",
                remedy=f"aws dynamodb update-continuous-backups --table-name {table.name} …",
            )
        if (moment := request.export_time) is None:
            return
        if moment.microsecond:
            raise BrokenPromise("contract", "an export time is a whole second")
        if moment > now - self.restore_lag:
            raise ExportNotRestorableYetError(
                "the export time cannot be restored yet",
                code="InvalidExportTimeException",
                remedy="Wait a few minutes.",
            )
        if moment < now - self.restore_lag - PITR_WINDOW:
            raise ExportTimeError(
                "the export time is before the earliest restorable time",
                code="InvalidExportTimeException",
                remedy="Choose a later one.",
            )

    def _begin(
        self, table: SimulatedTable, request: ExportRequest, now: datetime, paid_by: str
    ) -> SimulatedExport:
        millis = int(now.timestamp() * 1000)
        suffix = hashlib.md5(f"{len(self.exports)}".encode()).hexdigest()[:8]
        of_table = sum(e.table.name == table.name for e in self.exports.values())
        ending = self.endings.get(table.name, {}).get(of_table, self.usual)
        if request.bucket not in self._s3.buckets:
            ending = Ending(seconds=5.0, failure="S3NoSuchBucket")
        whole = now.replace(microsecond=now.microsecond // 1000 * 1000)
        export = SimulatedExport(
            request=request,
            table=table,
            export_id=f"{millis:014d}-{suffix}",
            started=now,
            export_time=request.export_time or whole,
            ending=ending,
            paid_by=paid_by,
        )
        export.lines = table.items_at(export.export_time)
        self.exports[export.arn] = export
        self.by_location[export.location] = export
        self._clock.after(ending.seconds, lambda: self._end(export))
        return export

    def _end(self, export: SimulatedExport) -> None:
        export.ended = self._clock.now()
        gone = export.request.bucket not in self._s3.buckets
        if export.ending.failure or gone:
            export.status = "FAILED"
            if gone:
                export.ending = replace(export.ending, failure="S3NoSuchBucket")
            return
        export.status = "COMPLETED"
        write_export(export, self._s3)
        if export.ending.damage != "no-manifest":
            self._clock.after(export.ending.manifest_delay, lambda: self._show_manifests(export))

    def _show_manifests(self, export: SimulatedExport) -> None:
        if export.request.bucket in self._s3.buckets:
            for key, content in export.manifests.items():
                self._s3.put(export.request.bucket, key, content)


def _parameters(request: ExportRequest) -> tuple[Any, ...]:
    """What AWS compares when a token comes again: everything that is sent."""
    return (
        request.table_arn,
        request.bucket,
        request.prefix,
        request.export_time,
        request.bucket_owner,
        request.sse_algorithm,
        request.kms_key_id,
        request.filter,
        request.kind,
    )
