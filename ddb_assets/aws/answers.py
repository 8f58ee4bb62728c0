"""Reading AWS's answers: what must be there is there, and times are UTC."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ddb_assets.errors import UnsupportedError


def required(answer: Mapping[str, Any], field: str, operation: str) -> Any:
    """A field AWS always sends.

    Raises:
        UnsupportedError: An emulator left it out; nothing sound can be built without it.
    """
    value = answer.get(field)
    if value is None:
        raise impossible(f"{operation} answered without {field}", operation=operation, field=field)
    return value


def impossible(cause: str, **details: Any) -> UnsupportedError:
    """An answer AWS never gives, so that what answers is not AWS."""
    return UnsupportedError(
        f"this endpoint is not enough of AWS: {cause}",
        remedy="use AWS itself or `ddb-assets local`; check endpoint_url and AWS_ENDPOINT_URL",
        **details,
    )


def utc(value: datetime | None) -> datetime | None:
    """Botocore gives the machine's own time zone."""
    return value.astimezone(UTC) if value is not None else None
