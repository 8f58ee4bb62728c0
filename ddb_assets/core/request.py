"""The frozen parameters of one export and the client token that makes repeating it free."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ddb_assets.core.spec import ExportFilter, SseAlgorithm

ExportKind = Literal["FULL_EXPORT"]


@dataclass(frozen=True)
class ExportRequest:
    """Everything `ExportTableToPointInTime` is asked for, decided once and never per attempt.

    Attributes:
        table_arn: The table's ARN.
        table_id: The table's UUID; a re-created table has another one.
        intent_id: The run this export belongs to, stable over its retries.
        launch: 0 for the first export of this intent, one more after each terminal FAILED.
        export_time: Whole second to export, UTC; None is the latest restorable time.
    """

    table_arn: str
    table_id: str
    bucket: str
    prefix: str
    intent_id: str
    launch: int = 0
    export_time: datetime | None = None
    bucket_owner: str | None = None
    sse_algorithm: SseAlgorithm | None = None
    kms_key_id: str | None = None
    filter: ExportFilter | None = None
    kind: ExportKind = "FULL_EXPORT"

    @property
    def client_token(self) -> str:
        """A function of run, table, kind, cut and launch; never of the clock or the attempt.

        DynamoDB answers a repeated token with the export it already started, for 8 hours after
        that one completed (SDK model of ExportTableToPointInTime).
        """
        cut = self.export_time.isoformat() if self.export_time else None
        parts = [self.intent_id, self.table_arn, self.table_id, self.kind, cut, self.launch]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:48]
