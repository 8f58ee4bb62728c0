"""Every exception of botocore as one of ours: cause, table where known, code and remedy."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from ddb_assets.aws.codes import FRESH_CREDENTIALS, USABLE_CREDENTIALS, Refusal, judge
from ddb_assets.aws.subject import NOTHING, Subject
from ddb_assets.errors import (
    AccessDeniedError,
    CredentialsExpiredError,
    CredentialsMissingError,
    DdbAssetsError,
    DeclarationError,
    RequestInvalidError,
    ServiceUnavailableError,
    UnsupportedError,
)


@contextmanager
def translated(subject: Subject = NOTHING) -> Generator[None]:
    """Run one call; whatever botocore raises becomes an error of this package.

    Args:
        subject: What the call names, for the error's text and its remedy.

    Raises:
        DdbAssetsError: The matching class; the original exception is its `__cause__`. One raised
            inside, about the answer, gets the table's name.
    """
    # Imported when the first call is made: the SDK is loaded by then, and not before.
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    try:
        yield
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        raise translate(error, subject) from error
    except DdbAssetsError as error:
        if subject.table:
            error.for_table(subject.table)
        raise


def translate(error: Exception, subject: Subject = NOTHING) -> DdbAssetsError:
    """What an exception of botocore means; see `translated`."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - see translated
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    if isinstance(error, ClientError):
        return judge(_refusal(error.response, error.operation_name, subject))
    if isinstance(error, ResponseParserError):
        return ServiceUnavailableError(
            f"the endpoint's answer is not one of AWS's: {_first_line(error)}",
            table=subject.table,
            remedy="check endpoint_url and any proxy in between",
        )
    names = {base.__name__ for base in type(error).__mro__}
    for exceptions, kind, remedy in _SDK_RULES:
        if names.intersection(exceptions.split()):
            return kind(
                _first_line(error),
                table=subject.table,
                code=type(error).__name__,
                remedy=remedy,
            )
    # What is left is a wrong setting the SDK found in a file or the environment.
    return DeclarationError(
        _first_line(error),
        table=subject.table,
        code=type(error).__name__,
        remedy="check the connection's settings, the AWS_… variables and ~/.aws/config",
    )


def refused(
    code: str, message: str, operation: str, subject: Subject, *, status: int = 0
) -> DdbAssetsError:
    """An error that came inside a successful answer, as DeleteObjects' per-key errors do."""
    return judge(Refusal(code, message, operation, status, subject, {}))


def _refusal(answer: Any, operation: str, subject: Subject) -> Refusal:
    error = answer.get("Error", {})
    return Refusal(
        code=str(error.get("Code") or "Unknown"),
        message=str(error.get("Message") or answer.get("message") or ""),
        operation=operation,
        status=int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0),
        subject=subject,
        answer=answer,
    )


def _first_line(error: Exception) -> str:
    """Botocore's texts as one line; some are multi-line reports."""
    return " ".join(str(error).split()) or type(error).__name__


_LOGIN = "log in again: `aws sso login` (or `aws login`) with the profile this runs under"
_UPGRADE = "upgrade the SDK: pip install --upgrade boto3"

# Exceptions raised before or instead of an answer, by class or base class; the first match counts.
# By name, because not every supported botocore has all of them.
_SDK_RULES: tuple[tuple[str, type[DdbAssetsError], str | None], ...] = (
    (
        "ProfileNotFound",
        CredentialsMissingError,
        "set profile (or AWS_PROFILE) to one that `aws configure list-profiles` shows",
    ),
    (
        "NoCredentialsError PartialCredentialsError UnknownCredentialError NoAuthTokenError",
        CredentialsMissingError,
        USABLE_CREDENTIALS,
    ),
    ("SSOTokenLoadError LoginTokenLoadError", CredentialsMissingError, _LOGIN),
    ("LoginInsufficientPermissions", AccessDeniedError, "allow signin:CreateOAuth2Token"),
    ("TokenRetrievalError SSOError LoginError", CredentialsExpiredError, _LOGIN),
    (
        "CredentialRetrievalError RefreshWithMFAUnsupportedError",
        CredentialsExpiredError,
        FRESH_CREDENTIALS,
    ),
    (
        "NoRegionError InvalidRegionError UnknownRegionError UnknownEndpointError",
        DeclarationError,
        "set region in the declaration, AWS_DEFAULT_REGION, or the profile's region, and "
        "credentials; or use `make dev`, which needs no AWS account",
    ),
    (
        "SSLError",
        ServiceUnavailableError,
        "check the certificate chain; AWS_CA_BUNDLE names a private one",
    ),
    (
        "ConnectionError HTTPClientError MetadataRetrievalError",
        ServiceUnavailableError,
        "check the network, the region and endpoint_url (AWS_ENDPOINT_URL)",
    ),
    (
        "IncompleteReadError ChecksumError FlexibleChecksumError CapacityNotAvailableError "
        "PaginationError",
        ServiceUnavailableError,
        None,
    ),
    (
        "UnknownClientMethodError OperationNotPageableError DataNotFoundError "
        "ApiVersionNotFoundError MissingDependencyException UnsupportedServiceProtocolsError",
        UnsupportedError,
        _UPGRADE,
    ),
    (
        "ParamValidationError ValidationError InvalidDNSNameError UnsupportedS3ArnError "
        "InvalidHostLabelError",
        RequestInvalidError,
        None,
    ),
)
