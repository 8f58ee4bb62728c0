"""Which moments and windows of a table's past can be exported."""

from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.exceptions import PointInTimeRecoveryUnavailable

from ddb_assets.local import clock
from ddb_assets.local.dynamodb.errors import error
from ddb_assets.local.dynamodb.tables import JournaledTable

#: An incremental export's window (AWS page S3DataExport_Requesting).
SHORTEST_WINDOW = timedelta(minutes=15)
LONGEST_WINDOW = timedelta(hours=24)


def check_export_time(moment: datetime, table: JournaledTable) -> None:
    """Refuse a moment that is not, not yet or no longer restorable.

    Raises:
        JsonRESTError: InvalidExportTimeException.
    """
    micros = clock.to_micros(moment)
    if micros > clock.now_micros() or micros < table.recovery.earliest_micros():
        raise _invalid("Export Time is invalid")
    if micros > table.recovery.latest_micros():
        raise _invalid("Point in Time Recovery is not available for specified export time")


def check_window(specification: dict[str, Any], table: JournaledTable) -> None:
    """Refuse a window no incremental export can have.

    Recovery is looked at last: with it off, a young table was refused for its window.

    Args:
        specification: The IncrementalExportSpecification.
        table: The table.

    Raises:
        JsonRESTError: InvalidExportTimeException or PointInTimeRecoveryUnavailableException.
    """
    start = utc(specification["ExportFromTime"])
    end = utc(specification.get("ExportToTime") or clock.now())
    if start < utc(table.created_at).replace(microsecond=0):
        raise _invalid(
            "Incremental export period from time cannot be less than the table creation time : "
            f"{start:%Y-%m-%dT%H:%M:%SZ}"
        )
    if end > clock.now():
        raise _invalid(
            "Incremental export period to time cannot be greater than the current time : "
            f"{end:%Y-%m-%dT%H:%M:%SZ}"
        )
    if end - start < SHORTEST_WINDOW:
        raise _invalid(
            "Difference between export period from time and export period to time is less than "
            "15 minutes"
        )
    if end - start > LONGEST_WINDOW:
        raise _invalid(
            "Difference between export period from time and export period to time is greater than "
            "24 hours"
        )
    require_recovery(table)


def require_recovery(table: JournaledTable) -> None:
    """Refuse a table without point-in-time recovery.

    Raises:
        JsonRESTError: PointInTimeRecoveryUnavailableException.
    """
    if not table.recovery.enabled:
        raise PointInTimeRecoveryUnavailable(name=table.name)


def utc(moment: datetime) -> datetime:
    """Moto's times have no zone; they are UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _invalid(message: str) -> JsonRESTError:
    return error("InvalidExportTimeException", message)
