"""Every error this package raises on purpose.

    DdbAssetsError
    ├── TerminalError                 trying again changes nothing until somebody acts
    │   ├── DeclarationError          a declared value is wrong; nothing was asked of AWS
    │   ├── TableNotFoundError        the DynamoDB table does not exist
    │   ├── TableReplacedError        deleted or re-created while its export ran
    │   ├── PitrDisabledError         point-in-time recovery is off
    │   ├── ExportTimeError           the export time cannot be restored
    │   ├── ExportFailedError         AWS ended the export as FAILED
    │   ├── ExportNotFoundError       no such export (or its metadata expired after 90 days)
    │   ├── ManifestInvalidError      the export is not whole: checksum, count or object differs
    │   ├── ExportObjectsGoneError    the data files of an export are no longer in S3
    │   ├── OlderExportError          something newer is already published
    │   ├── CatalogConflictError      the Glue table cannot be ours, or cannot hold this export
    │   ├── SchemaChangeError         queries may break: a person decides whether columns change
    │   ├── QueryFailedError          Athena ended the query as FAILED or CANCELLED
    │   ├── CopyIncompleteError       a typed copy's files do not hold exactly the export's items
    │   ├── GroupHeldBackError        another table of its consistent cut failed
    │   ├── AccessDeniedError         a permission is missing
    │   ├── CredentialsMissingError   there are no AWS credentials
    │   ├── DeadlineExceededError     the deadline the user set has passed; the export goes on
    │   ├── RequestInvalidError       AWS refused a parameter
    │   └── UnsupportedError          this SDK or this endpoint cannot do what was asked
    └── TransientError                the same call may succeed later
        ├── ThrottledError            the account's request rate is exceeded
        ├── LimitExceededError        too many exports or queries at once
        ├── ServiceUnavailableError   5xx, a timeout or no connection
        ├── CredentialsExpiredError   temporary credentials ran out
        ├── ExportNotRestorableYetError  the export time is newer than PITR's latest restorable time
        ├── ManifestMissingError      the export is completed but its manifest cannot be read yet
        ├── VersionConflictError      the Glue table changed between read and update
        ├── QueryStuckError           Athena left the query in its queue too long
        └── ExportInterruptedError    AWS ended the export for a reason of its own

Each carries the table it happened to, AWS's error code where there is one, and what to do about it.
"""

from typing import Any, ClassVar, Self


class DdbAssetsError(Exception):
    """Something went wrong with one table; says what, to which table and what to do.

    Attributes:
        cause: What happened, one sentence without the table's name.
        table: The DynamoDB table (or asset) it happened to, if it concerns one.
        code: AWS's error code, or None where the error is our own.
        remedy: What a person can do about it.
        details: Further facts for logs and metadata (ARN, key, expected and found values).
        retryable: Whether the same attempt may succeed later; fixed by the class.
    """

    retryable: ClassVar[bool] = False

    def __init__(
        self,
        cause: str,
        *,
        table: str | None = None,
        code: str | None = None,
        remedy: str | None = None,
        **details: Any,
    ) -> None:
        super().__init__(cause)
        self.cause = cause
        self.table = table
        self.code = code
        self.remedy = remedy
        self.details = details

    def __str__(self) -> str:
        """The reason first, then the table, AWS's code and the remedy."""
        where = f"{self.table}: " if self.table else ""
        code = f" ({self.code})" if self.code else ""
        remedy = f" — {self.remedy}" if self.remedy else ""
        return f"{where}{self.cause}{code}{remedy}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive the trip between processes: keyword arguments are lost by default."""
        return _rebuild, (type(self), self.cause, self.table, self.code, self.remedy, self.details)

    def for_table(self, table: str) -> Self:
        """The same error with the table named, unless it already names one."""
        if self.table is None:
            self.table = table
        return self


def _rebuild(  # noqa: PLR0917 - pickle passes arguments by position
    cls: type[DdbAssetsError],
    cause: str,
    table: str | None,
    code: str | None,
    remedy: str | None,
    details: dict[str, Any],
) -> DdbAssetsError:
    return cls(cause, table=table, code=code, remedy=remedy, **details)


class TerminalError(DdbAssetsError):
    """Trying again changes nothing until somebody acts."""


class TransientError(DdbAssetsError):
    """The same call may succeed later."""

    retryable: ClassVar[bool] = True


class DeclarationError(TerminalError):
    """A declared value is wrong; nothing was asked of AWS."""


class TableNotFoundError(TerminalError):
    """The DynamoDB table does not exist in this account and region."""


class TableReplacedError(TerminalError):
    """The table was deleted or re-created while its export ran."""


class PitrDisabledError(TerminalError):
    """Point-in-time recovery is off, so nothing can be exported."""


class ExportTimeError(TerminalError):
    """The export time lies outside what point-in-time recovery can restore."""


class ExportFailedError(TerminalError):
    """AWS ended the export as FAILED for a reason somebody has to mend."""


class ExportNotFoundError(TerminalError):
    """There is no such export, or its metadata expired after 90 days."""


class ManifestInvalidError(TerminalError):
    """The export is not whole: a checksum, a count or an object differs from its manifest."""


class ExportObjectsGoneError(TerminalError):
    """The data files of an export are no longer in S3."""


class OlderExportError(TerminalError):
    """Something newer is already published."""


class CatalogConflictError(TerminalError):
    """The Glue table is somebody else's, or cannot hold this export."""


class SchemaChangeError(TerminalError):
    """Columns would change so that queries may break; nothing moved, a person decides."""


class QueryFailedError(TerminalError):
    """Athena ended the query as FAILED or CANCELLED."""


class CopyIncompleteError(TerminalError):
    """The files of a typed copy do not hold exactly the export's items."""


class GroupHeldBackError(TerminalError):
    """Another table of the consistent cut failed, so this one was left where it was."""


class AccessDeniedError(TerminalError):
    """A permission is missing."""


class CredentialsMissingError(TerminalError):
    """No AWS credentials were found."""


class DeadlineExceededError(TerminalError):
    """The deadline that was set has passed; the export itself goes on in AWS."""


class RequestInvalidError(TerminalError):
    """AWS refused a parameter of the request."""


class UnsupportedError(TerminalError):
    """The installed SDK or the endpoint cannot do what was asked."""


class ThrottledError(TransientError):
    """The account's request rate is exceeded."""


class LimitExceededError(TransientError):
    """Too many exports or queries are active at once."""


class ServiceUnavailableError(TransientError):
    """AWS answered 5xx, timed out or could not be reached."""


class CredentialsExpiredError(TransientError):
    """Temporary credentials ran out."""


class ExportNotRestorableYetError(TransientError):
    """The export time is newer than the latest restorable time of the table."""


class ManifestMissingError(TransientError):
    """The export is completed but its manifest cannot be read yet."""


class VersionConflictError(TransientError):
    """The Glue table changed between read and update."""


class QueryStuckError(TransientError):
    """Athena left the query in its queue longer than allowed."""


class ExportInterruptedError(TransientError):
    """AWS ended the export for a reason of its own."""
