"""How a query fails: StateChangeReason and AthenaError (Athena page error-reference)."""

from typing import Literal

from moto.core.exceptions import JsonRESTError

from ddb_assets.local.hive.errors import UNSUPPORTED

#: AthenaError.ErrorCategory: 1 system, 2 user, 3 other (SDK model).
Category = Literal[1, 2, 3]

#: AthenaError.ErrorType by the code a reason starts with. Only the numbers' existence is AWS's
#: promise; which one goes with which code is from memory.
ERROR_TYPES = {
    "TABLE_NOT_FOUND": 1006,
    "SCHEMA_NOT_FOUND": 1006,
    "COLUMN_NOT_FOUND": 1006,
    "SYNTAX_ERROR": 1006,
    "HIVE_CURSOR_ERROR": 1100,
    "HIVE_BAD_DATA": 1100,
    "HIVE_METASTORE_ERROR": 200,
    "HIVE_PATH_ALREADY_EXISTS": 1006,
    "GENERIC_INTERNAL_ERROR": 1001,
    "QUERY_FAULT": 1001,
}
#: A Hive DDL statement that failed.
HIVE_DDL_ERROR = 1302
OTHER_USER_ERROR = 1006


class QueryFailedError(Exception):
    """A query ends FAILED for this reason."""

    def __init__(
        self,
        reason: str,
        *,
        category: Category = 2,
        retryable: bool = False,
        kind: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.category: Category = category
        self.retryable = retryable
        self.kind = kind if kind is not None else _kind(reason)


def _kind(reason: str) -> int:
    if reason.startswith("FAILED:"):
        return HIVE_DDL_ERROR
    return ERROR_TYPES.get(reason.partition(":")[0], OTHER_USER_ERROR)


def unsupported(what: str) -> QueryFailedError:
    """A failure that says it is this engine's, not Athena's."""
    return QueryFailedError(f"{UNSUPPORTED}: {what}", category=3)


def semantic(number: int, message: str) -> QueryFailedError:
    """A failure of Hive's analysis of a DDL statement."""
    return QueryFailedError(f"FAILED: SemanticException [Error {number}]: {message}")


def ddl_task(message: str) -> QueryFailedError:
    """A failure of Hive's execution of a DDL statement."""
    return QueryFailedError(
        "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
        + message
    )


def parse_error(message: str) -> QueryFailedError:
    """A DDL statement that Hive's parser does not take."""
    return QueryFailedError(f"FAILED: ParseException {message}")


def invalid_request(message: str) -> JsonRESTError:
    """A call that is refused before a query exists."""
    return JsonRESTError("InvalidRequestException", message)


def too_many_requests(message: str) -> JsonRESTError:
    """A call that is refused because a quota is used up."""
    return JsonRESTError("TooManyRequestsException", message)
