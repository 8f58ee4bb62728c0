"""AWS's error codes and what each means for a refresh: one table from code to error class.

Codes are AWS's own (SDK models of DynamoDB, Glue, Athena; S3's page "Error responses"; "Common
Errors"), plus texts quoted in the docs or seen in AWS-run tests where one code has two meanings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ddb_assets.aws.denied import access_denied
from ddb_assets.aws.subject import Subject
from ddb_assets.core.waiting.failures import enable_pitr
from ddb_assets.errors import (
    CatalogConflictError,
    CredentialsExpiredError,
    CredentialsMissingError,
    DdbAssetsError,
    ExportNotFoundError,
    ExportNotRestorableYetError,
    ExportObjectsGoneError,
    ExportTimeError,
    LimitExceededError,
    PitrDisabledError,
    RequestInvalidError,
    ServiceUnavailableError,
    TableNotFoundError,
    ThrottledError,
    UnsupportedError,
    VersionConflictError,
)

FRESH_CREDENTIALS = (
    "renew them (`aws sso login`, a new session token, …); a role in role_arn is renewed by itself"
)
USABLE_CREDENTIALS = (
    "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the connection's own "
    "fields; `make dev` needs no AWS account at all"
)


@dataclass(frozen=True)
class Refusal:
    """One error answer of AWS."""

    code: str
    message: str
    operation: str
    status: int
    subject: Subject
    answer: Mapping[str, Any]

    def error(
        self, kind: type[DdbAssetsError], cause: str | None = None, remedy: str | None = None
    ) -> DdbAssetsError:
        """This refusal as one of our errors; AWS's own words unless a cause is given."""
        metadata = self.answer.get("ResponseMetadata", {})
        return kind(
            cause or f"{self.operation}: {self.message or 'no message'}",
            table=self.subject.table,
            code=self.code,
            remedy=remedy,
            operation=self.operation,
            message=self.message,
            http_status=self.status,
            request_id=metadata.get("RequestId"),
        )


def judge(refusal: Refusal) -> DdbAssetsError:
    """The error a refusal is; an unknown code is judged by its HTTP status."""
    rule = _RULES.get(refusal.code) or _BY_STATUS.get(refusal.status)
    if rule:
        return rule(refusal)
    if refusal.code.startswith("KMS"):
        return _kms(refusal)
    return _unavailable(refusal) if refusal.status >= 500 else refusal.error(RequestInvalidError)


def _throttled(refusal: Refusal) -> DdbAssetsError:
    # Athena has one exception for two limits (SDK model: TooManyRequestsException.Reason).
    reason = str(refusal.answer.get("Reason") or "")
    if "CONCURRENT_QUERY" in reason or "concurrent" in refusal.message.lower():
        return refusal.error(
            LimitExceededError,
            "too many Athena queries are active",
            "wait for some to end, or ask for a higher quota (20 active DDL queries per region)",
        )
    return refusal.error(
        ThrottledError,
        f"{refusal.operation} is called too often in this account and region",
        "it will be tried again more slowly",
    )


def _unavailable(refusal: Refusal) -> DdbAssetsError:
    cause = f"AWS failed at {refusal.operation}: {refusal.message or refusal.status}"
    return refusal.error(ServiceUnavailableError, cause)


def _unsupported(refusal: Refusal) -> DdbAssetsError:
    return refusal.error(
        UnsupportedError,
        f"the endpoint does not know {refusal.operation}: {refusal.message}",
        "AWS itself and `ddb-assets local` do; check endpoint_url or AWS_ENDPOINT_URL",
    )


def _denied(refusal: Refusal) -> DdbAssetsError:
    return access_denied(refusal.code, refusal.message, refusal.operation, refusal.subject)


def _kms(refusal: Refusal) -> DdbAssetsError:
    if "AccessDenied" in refusal.code:
        return _denied(refusal)
    return refusal.error(
        RequestInvalidError, remedy="check the KMS key: it must exist, be enabled and be usable"
    )


def _expired(refusal: Refusal) -> DdbAssetsError:
    return refusal.error(
        CredentialsExpiredError, "the AWS credentials have expired", FRESH_CREDENTIALS
    )


def _unusable_credentials(refusal: Refusal) -> DdbAssetsError:
    return refusal.error(
        CredentialsMissingError,
        f"AWS does not accept the credentials: {refusal.message}",
        USABLE_CREDENTIALS,
    )


def _signature(refusal: Refusal) -> DdbAssetsError:
    # "Signature expired: … is now earlier than …" and "… not yet current" are clocks, not keys.
    if "Signature expired" in refusal.message or "not yet current" in refusal.message:
        return _clock(refusal)
    return _unusable_credentials(refusal)


def _clock(refusal: Refusal) -> DdbAssetsError:
    return refusal.error(
        RequestInvalidError,
        f"this machine's clock differs from AWS's: {refusal.message}",
        "set the clock (NTP); AWS accepts a few minutes of difference",
    )


def _table_missing(refusal: Refusal) -> DdbAssetsError:
    subject = refusal.subject
    where = f" in {subject.region}" if subject.region else ""
    return refusal.error(
        TableNotFoundError,
        f"the DynamoDB table does not exist{where}",
        "check its name, the region and the account this runs in",
    )


def _pitr_off(refusal: Refusal) -> DdbAssetsError:
    subject = refusal.subject
    return refusal.error(
        PitrDisabledError,
        "point-in-time recovery is off",
        enable_pitr(subject.table, subject.region) if subject.table else None,
    )


def _export_time(refusal: Refusal) -> DdbAssetsError:
    # The text for a second too near to now (seen against AWS); the other is "Export Time is
    # invalid", for the future and for what lies before the recovery window.
    if "not available for specified export time" in refusal.message:
        return refusal.error(
            ExportNotRestorableYetError,
            "the export time is newer than what can be restored yet",
            "the latest restorable time is usually five minutes ago",
        )
    return refusal.error(
        ExportTimeError,
        f"the export time cannot be restored: {refusal.message}",
        "choose one between the earliest and the latest restorable time of the table "
        "(aws dynamodb describe-continuous-backups)",
    )


def _export_conflict(refusal: Refusal) -> DdbAssetsError:
    return refusal.error(
        RequestInvalidError,
        f"the client token was already used with other parameters: {refusal.message}",
        "the declaration changed since this run began: start a new run instead of retrying it",
    )


def _export_limit(refusal: Refusal) -> DdbAssetsError:
    return refusal.error(
        LimitExceededError,
        f"too many exports at once: {refusal.message}",
        "300 exports or 100 TB may be in flight per account and region; wait for some to end",
    )


def _export_missing(refusal: Refusal) -> DdbAssetsError:
    return refusal.error(
        ExportNotFoundError,
        f"there is no such export: {refusal.message}",
        "AWS forgets exports after 90 days; their objects in S3 stay",
    )


def _bucket_missing(refusal: Refusal) -> DdbAssetsError:
    return refusal.error(
        ExportObjectsGoneError,
        f"{refusal.subject.bucket_text} does not exist",
        "create it again or correct its name, then refresh",
    )


def _object_missing(refusal: Refusal) -> DdbAssetsError:
    return refusal.error(
        ExportObjectsGoneError,
        f"{refusal.subject.object_text} does not exist",
        "the export was deleted or expired by a lifecycle rule; refresh the table",
    )


def _object_archived(refusal: Refusal) -> DdbAssetsError:
    return refusal.error(
        ExportObjectsGoneError,
        f"{refusal.subject.object_text} is archived",
        "restore it from its storage class, or exclude the export's prefix from lifecycle rules",
    )


def _object_changed(refusal: Refusal) -> DdbAssetsError:
    return refusal.error(
        ExportObjectsGoneError,
        f"{refusal.subject.object_text} was replaced while it was read",
        "nothing but DynamoDB should write below an export's prefix",
    )


def _bucket_elsewhere(refusal: Refusal) -> DdbAssetsError:
    return refusal.error(
        RequestInvalidError,
        remedy=f"{refusal.subject.bucket_text} is in another region or behind another "
        "endpoint: set region, or leave endpoint_url out",
    )


def _version_conflict(refusal: Refusal) -> DdbAssetsError:
    return refusal.error(
        VersionConflictError,
        f"{refusal.subject.catalog_table or 'the Glue table'} changed between read and "
        f"{refusal.operation}",
        "it is read again before the next attempt",
    )


def _catalog_full(refusal: Refusal) -> DdbAssetsError:
    return refusal.error(
        CatalogConflictError,
        f"the Glue catalog's quota is used up: {refusal.message}",
        "delete old table versions (aws glue batch-delete-table-version) or raise the quota",
    )


def _invalid_query(refusal: Refusal) -> DdbAssetsError:
    group, text = refusal.subject.workgroup or "primary", refusal.message.lower()
    remedy = None
    if "output location" in text or "output bucket" in text:
        remedy = (
            f"give the workgroup a result location: aws athena update-work-group --work-group "
            f"{group} --configuration-updates "
            "ResultConfigurationUpdates={OutputLocation=s3://BUCKET/PREFIX/}"
        )
    elif "workgroup" in text and "not found" in text:
        remedy = f"create it (aws athena create-work-group --name {group}) or declare another one"
    return refusal.error(RequestInvalidError, remedy=remedy)


Rule = Callable[[Refusal], DdbAssetsError]


def _table(rules: Mapping[Rule, str]) -> dict[str, Rule]:
    return {code: rule for rule, codes in rules.items() for code in codes.split()}


_RULES = _table(
    {
        _throttled: """
            BandwidthLimitExceeded PriorRequestNotComplete ProvisionedThroughputExceededException
            RequestLimitExceeded RequestThrottled RequestThrottledException SlowDown Throttling
            ThrottledException ThrottlingException TooManyRequests TooManyRequestsException""",
        _unavailable: """
            InternalError InternalFailure InternalServerError InternalServerException
            InternalServiceException FederationSourceRetryableException OperationAborted
            OperationTimeoutException RequestTimeout RequestTimeoutException
            ResourceNotReadyException ServiceUnavailable ServiceUnavailableException""",
        _unsupported: """
            LocalNotImplemented MethodNotAllowed NotImplemented UnknownOperationException
            UnsupportedOperation UnsupportedOperationException""",
        _denied: """
            AccessDenied AccessDeniedException AllAccessDisabled Forbidden NotAuthorized
            NotAuthorizedException UnauthorizedException UnauthorizedOperation
            GlueEncryptionException""",
        _expired: """
            ExpiredToken ExpiredTokenException TokenRefreshRequired""",
        _unusable_credentials: """
            AuthFailure IncompleteSignature IncompleteSignatureException InvalidAccessKeyId
            InvalidClientTokenId InvalidToken MissingAuthenticationToken
            MissingAuthenticationTokenException NotSignedUp OptInRequired
            SubscriptionRequiredException UnrecognizedClientException""",
        _signature: "InvalidSignatureException SignatureDoesNotMatch",
        _clock: "RequestExpired RequestInTheFuture RequestTimeTooSkewed",
        _table_missing: "ResourceNotFoundException TableNotFoundException",
        _pitr_off: """
            ContinuousBackupsUnavailableException PointInTimeRecoveryUnavailableException""",
        _export_time: "InvalidExportTimeException",
        _export_conflict: "ExportConflictException",
        _export_limit: "LimitExceededException",
        _export_missing: "ExportNotFoundException",
        _bucket_missing: "NoSuchBucket",
        _object_missing: "NoSuchKey NoSuchVersion 404",
        _object_archived: "InvalidObjectState",
        _object_changed: "PreconditionFailed 412",
        _bucket_elsewhere: """
            301 307 AuthorizationHeaderMalformed IllegalLocationConstraintException
            PermanentRedirect TemporaryRedirect""",
        _version_conflict: """
            AlreadyExistsException ConcurrentModificationException EntityNotFoundException
            VersionMismatchException""",
        _catalog_full: "ResourceNumberLimitExceededException",
        _invalid_query: "InvalidRequestException",
        _kms: "KmsNotFoundException",
    }
)

_BY_STATUS: dict[int, Rule] = {403: _denied, 429: _throttled, 501: _unsupported}
