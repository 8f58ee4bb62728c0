"""One export: what it holds from its first moment, when it ends, and what it then leaves in S3."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ddb_assets.local import clock
from ddb_assets.local.dynamodb.destination import Destination, DestinationError
from ddb_assets.local.dynamodb.files import Summary, checksum, data_files, manifest_files
from ddb_assets.local.dynamodb.filters import ItemFilter
from ddb_assets.local.dynamodb.journal import Key
from ddb_assets.local.dynamodb.requests import DYNAMODB_JSON, ExportRequest

Status = Literal["IN_PROGRESS", "COMPLETED", "FAILED"]

#: A bucket that is not there is found out almost at once (AWS-run tests), whatever exports take.
FAILURE_SECONDS = 1.0
#: Below this an export is not billed; AWS billed 0 for tables of a few items.
LEAST_BILLED_BYTES = 1_000_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """Why an export failed."""

    code: str
    message: str


@dataclass(frozen=True)
class Result:
    """What a completed export came to."""

    manifest_key: str
    item_count: int
    billed_size_bytes: int


@dataclass(frozen=True)
class Snapshot:
    """The table as it is exported.

    Attributes:
        table_arn: The table's ARN.
        table_id: The table's uuid.
        images: Every item by stored key.
        filter: Which items and attributes, if not all.
        export_micros: The moment.
        partitions: How many files.
    """

    table_arn: str
    table_id: str
    images: Mapping[Key, bytes]
    filter: ItemFilter | None
    export_micros: int
    partitions: int


class ExportJob:
    """An export from its request to its end.

    Nothing happens to it but by `settle`, which writes its objects once it is due. Whoever comes
    first does the writing: a caller who asks for its status, or the backend's own timer.

    Args:
        request: The sound request.
        export_id: The last part of its ARN.
        start_micros: StartTime.
        snapshot: What is exported; dropped at the end.
        failure: Fail with this instead of writing.
        seconds: How long it takes.
    """

    def __init__(
        self,
        request: ExportRequest,
        *,
        export_id: str,
        start_micros: int,
        snapshot: Snapshot,
        failure: Failure | None,
        seconds: float,
    ) -> None:
        self.request = request
        self.export_id = export_id
        self.arn = f"{snapshot.table_arn}/export/{export_id}"
        self.table_arn, self.table_id = snapshot.table_arn, snapshot.table_id
        self.start_micros = start_micros
        self.export_micros = snapshot.export_micros
        self.status: Status = "IN_PROGRESS"
        self.failure = failure
        self.result: Result | None = None
        self._snapshot: Snapshot | None = snapshot
        self._folder = f"{request.prefix}AWSDynamoDB/{export_id}/"
        self._settling = threading.Lock()
        if self.failure is None:
            self.failure = self._start()
        if self.failure is not None:
            seconds = min(seconds, FAILURE_SECONDS)
        self.due_micros = start_micros + round(seconds * clock.MICROS_PER_SECOND)

    def __getstate__(self) -> dict[str, Any]:
        """For snapshots: everything but the lock."""
        return {name: value for name, value in vars(self).items() if name != "_settling"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """From a snapshot."""
        vars(self).update(state, _settling=threading.Lock())

    @property
    def ended(self) -> bool:
        """Whether it is COMPLETED or FAILED."""
        return self.status != "IN_PROGRESS"

    def settle(self, *, wait_seconds: float) -> None:
        """End the export if its time has come.

        Args:
            wait_seconds: How long to wait for somebody else who is writing it just now.
        """
        if self.ended or clock.now_micros() < self.due_micros:
            return
        if not self._settling.acquire(timeout=wait_seconds):
            return
        try:
            if not self.ended:
                self._end()
        finally:
            self._settling.release()

    def describe(self) -> dict[str, Any]:
        """The ExportDescription."""
        sent = self.request.sent
        echoed = ("S3BucketOwner", "S3Prefix", "S3SseKmsKeyId", "ExportType", "FilterSpecification")
        description: dict[str, Any] = {
            "ExportArn": self.arn,
            "ExportStatus": self.status,
            "StartTime": clock.from_micros(self.start_micros),
            "TableArn": self.table_arn,
            "TableId": self.table_id,
            "ExportTime": clock.from_micros(self.export_micros),
            "ClientToken": self.request.token,
            "S3Bucket": self.request.bucket,
            "S3SseAlgorithm": self.request.encryption,
            "ExportFormat": self.request.data_format,
            **{name: sent[name] for name in echoed if sent.get(name) is not None},
        }
        if self.ended:
            description["EndTime"] = clock.from_micros(self.due_micros)
        if self.status == "FAILED" and self.failure is not None:
            description["FailureCode"] = self.failure.code
            description["FailureMessage"] = self.failure.message
        if self.status == "COMPLETED" and self.result is not None:
            description["ExportManifest"] = self.result.manifest_key
            description["ItemCount"] = self.result.item_count
            description["BilledSizeBytes"] = self.result.billed_size_bytes
        return description

    def _start(self) -> Failure | None:
        try:
            Destination.open(self.request).put(f"{self._folder}_started", b"")
        except DestinationError as refusal:
            return Failure(refusal.code, refusal.message)
        return None

    def _end(self) -> None:
        snapshot = self._snapshot
        if self.failure is None and snapshot is not None:
            try:
                self.result = self._write(Destination.open(self.request), snapshot)
            except DestinationError as refusal:
                self.failure = Failure(refusal.code, refusal.message)
            except Exception as error:  # the timer's thread must not die of one export
                logger.exception("export %s failed inside the local AWS", self.arn)
                self.failure = Failure("UNKNOWN", f"local AWS: {type(error).__name__}: {error}")
        self.status = "COMPLETED" if self.failure is None else "FAILED"
        self._snapshot = None

    def _write(self, destination: Destination, snapshot: Snapshot) -> Result:
        items: list[tuple[Key, bytes]] = list(snapshot.images.items())
        processed = sum(len(image) for _, image in items)
        if snapshot.filter is not None:
            kept = ((key, snapshot.filter.apply(key, image)) for key, image in items)
            items = [(key, image) for key, image in kept if image is not None]
        files = data_files(items, snapshot.partitions)
        data_folder = f"{self._folder}data/"
        for file in files:
            destination.put(data_folder + file.name, file.body, etag=file.etag)
        result = Result(
            manifest_key=f"{self._folder}manifest-summary.json",
            item_count=len(items),
            billed_size_bytes=processed if processed >= LEAST_BILLED_BYTES else 0,
        )
        summary = Summary(
            export_arn=self.arn,
            start_micros=self.start_micros,
            end_micros=self.due_micros,
            table_arn=self.table_arn,
            table_id=self.table_id,
            export_micros=self.export_micros,
            bucket=self.request.bucket,
            prefix=self.request.sent.get("S3Prefix"),
            encryption=self.request.encryption,
            kms_key=self.request.kms_key,
            manifest_files_key=f"{self._folder}manifest-files.json",
            billed_size_bytes=result.billed_size_bytes,
            item_count=result.item_count,
            data_format=DYNAMODB_JSON,
        )
        manifests = {
            "manifest-files": manifest_files(files, data_folder),
            "manifest-summary": summary.body(),
        }
        for name, body in manifests.items():
            destination.put(f"{self._folder}{name}.json", body)
            destination.put(f"{self._folder}{name}.md5", checksum(body).encode("ascii"))
        return result
