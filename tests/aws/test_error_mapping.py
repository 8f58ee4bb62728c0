"""Every exception of botocore becomes one of ours, with cause, code, table and remedy."""

import inspect

import botocore.exceptions as sdk
import pytest
from botocore.parsers import ResponseParserError

from ddb_assets import errors
from ddb_assets.aws import dynamodb
from ddb_assets.aws.codes import _RULES
from ddb_assets.aws.errors import translate, translated
from ddb_assets.aws.subject import Subject

USERS = Subject.of_arn("arn:aws:dynamodb:eu-west-1:123456789012:table/legacy.Users/export/1-a")


def refusal(code, message="", operation="AnyOperation", status=400, **answer):
    """A ClientError as botocore makes it."""
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "REQ1"},
        **answer,
    }
    return sdk.ClientError(response, operation)


def made(kind):
    """An instance of an SDK exception, whatever its text needs."""

    class Anything(dict):
        def __missing__(self, key):
            return key

    error = kind.__new__(kind)
    Exception.__init__(error, kind.fmt.format_map(Anything()))
    return error


SDK_EXCEPTIONS = [
    kind
    for _, kind in inspect.getmembers(sdk, inspect.isclass)
    if issubclass(kind, sdk.BotoCoreError)
]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ThrottlingException", errors.ThrottledError),
        ("Throttling", errors.ThrottledError),
        ("TooManyRequestsException", errors.ThrottledError),
        ("SlowDown", errors.ThrottledError),
        ("RequestLimitExceeded", errors.ThrottledError),
        ("ProvisionedThroughputExceededException", errors.ThrottledError),
        ("LimitExceededException", errors.LimitExceededError),
        ("InternalServerError", errors.ServiceUnavailableError),
        ("InternalServiceException", errors.ServiceUnavailableError),
        ("ServiceUnavailable", errors.ServiceUnavailableError),
        ("OperationTimeoutException", errors.ServiceUnavailableError),
        ("ExpiredToken", errors.CredentialsExpiredError),
        ("ExpiredTokenException", errors.CredentialsExpiredError),
        ("UnrecognizedClientException", errors.CredentialsMissingError),
        ("InvalidClientTokenId", errors.CredentialsMissingError),
        ("InvalidAccessKeyId", errors.CredentialsMissingError),
        ("SignatureDoesNotMatch", errors.CredentialsMissingError),
        ("RequestTimeTooSkewed", errors.RequestInvalidError),
        ("AccessDenied", errors.AccessDeniedError),
        ("AccessDeniedException", errors.AccessDeniedError),
        ("KMS.AccessDeniedException", errors.AccessDeniedError),
        ("KMS.DisabledException", errors.RequestInvalidError),
        ("TableNotFoundException", errors.TableNotFoundError),
        ("ResourceNotFoundException", errors.TableNotFoundError),
        ("PointInTimeRecoveryUnavailableException", errors.PitrDisabledError),
        ("InvalidExportTimeException", errors.ExportTimeError),
        ("ExportConflictException", errors.RequestInvalidError),
        ("ExportNotFoundException", errors.ExportNotFoundError),
        ("ValidationException", errors.RequestInvalidError),
        ("NoSuchBucket", errors.ExportObjectsGoneError),
        ("NoSuchKey", errors.ExportObjectsGoneError),
        ("ConcurrentModificationException", errors.VersionConflictError),
        ("ResourceNumberLimitExceededException", errors.CatalogConflictError),
        ("UnknownOperationException", errors.UnsupportedError),
        ("SomethingNobodyKnows", errors.RequestInvalidError),
    ],
)
def test_a_code_has_its_error(code, kind):
    """The table of AWS's codes, one by one; the code stays readable."""
    error = translate(refusal(code, "words"))
    assert type(error) is kind
    assert error.code == code


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, errors.ServiceUnavailableError),
        (503, errors.ServiceUnavailableError),
        (501, errors.UnsupportedError),
        (429, errors.ThrottledError),
        (403, errors.AccessDeniedError),
        (400, errors.RequestInvalidError),
    ],
)
def test_a_code_nobody_knows_is_judged_by_its_status(status, kind):
    """AWS adds codes; a 5xx stays worth another try."""
    assert type(translate(refusal("Novelty", status=status))) is kind


@pytest.mark.parametrize("code", sorted(_RULES))
def test_every_known_code_makes_a_whole_sentence(code):
    """Whatever is known of the subject, or not: no None, no empty braces, a table where given."""
    for subject in (Subject(), USERS, Subject(bucket="b", key="k", catalog_table="d.t")):
        error = translate(refusal(code, "words of AWS", "GetObject"), subject)
        assert error.table == subject.table
        assert "words of AWS" in str(error) + str(error.details)
        assert "None" not in f"{error.cause} {error.remedy or ''}"


def test_every_modelled_error_of_the_operations_in_use_is_known():
    """The SDK's own list of what these calls may answer has no hole."""
    import boto3  # noqa: PLC0415 - only here

    used = {
        "dynamodb": (
            "DescribeTable",
            "DescribeContinuousBackups",
            "ExportTableToPointInTime",
            "DescribeExport",
            "ListExports",
        ),
        "glue": ("GetTable", "CreateTable", "UpdateTable", "GetDatabase", "CreateDatabase"),
        "athena": ("StartQueryExecution", "BatchGetQueryExecution", "GetQueryResults"),
        "s3": ("GetObject", "ListObjectsV2", "PutObject", "DeleteObjects"),
    }
    # What has no meaning of its own here is judged by its status: a request AWS refused.
    plain = {
        "InvalidInputException",
        "FederatedResourceAlreadyExistsException",
        "FederationSourceException",
        # Of writing at an offset, or in parts.
        "EncryptionTypeMismatch",
        "InvalidRequest",
        "InvalidWriteOffset",
        "TooManyParts",
    }
    for service, operations in used.items():
        model = boto3.client(service, region_name="us-east-1").meta.service_model
        for operation in operations:
            for shape in model.operation_model(operation).error_shapes:
                code = shape.metadata.get("error", {}).get("code") or shape.name
                assert code in _RULES or code in plain, f"{service} {operation} {code}"


def test_pitr_off_gives_the_exact_call():
    """Copy, paste, done."""
    error = translate(refusal("PointInTimeRecoveryUnavailableException"), USERS)
    assert str(error) == (
        "legacy.Users: point-in-time recovery is off (PointInTimeRecoveryUnavailableException) — "
        "aws dynamodb update-continuous-backups --table-name legacy.Users "
        "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true --region eu-west-1"
    )


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Export Time is invalid", errors.ExportTimeError),
        (
            "Point in Time Recovery is not available for specified export time",
            errors.ExportNotRestorableYetError,
        ),
    ],
)
def test_an_export_time_is_too_early_or_impossible(message, kind):
    """Only what becomes restorable is worth waiting for."""
    assert type(translate(refusal("InvalidExportTimeException", message), USERS)) is kind


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        (
            "User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: "
            "dynamodb:ExportTableToPointInTime on resource: "
            "arn:aws:dynamodb:eu-west-1:123456789012:table/legacy.Users because no identity-based "
            "policy allows the dynamodb:ExportTableToPointInTime action",
            "allow dynamodb:ExportTableToPointInTime on "
            "arn:aws:dynamodb:eu-west-1:123456789012:table/legacy.Users to "
            "arn:aws:sts::123456789012:assumed-role/r/s",
        ),
        (
            "User: arn:aws:iam::123456789012:user/me is not authorized to perform: s3:GetObject on "
            'resource: "arn:aws:s3:::b/k" with an explicit deny in a resource-based policy',
            "allow s3:GetObject on arn:aws:s3:::b/k to arn:aws:iam::123456789012:user/me; without "
            "s3:ListBucket S3 says the same of an object that is not there",
        ),
        (
            "User: u is not authorized to perform: glue:GetTable because an explicit deny in a "
            "service control policy.",
            "an explicit deny in a service control policy: lift that deny of glue:GetTable; no "
            "allow beats it",
        ),
    ],
)
def test_the_missing_permission_is_read_from_the_refusal(message, remedy):
    """Action, resource and principal, ready for a policy."""
    assert translate(refusal("AccessDeniedException", message, "Whatever")).remedy == remedy


@pytest.mark.parametrize(
    ("operation", "subject", "remedy"),
    [
        ("DescribeExport", USERS, f"allow dynamodb:DescribeExport on {USERS.arn}"),
        ("DescribeTable", Subject(table="t"), "allow dynamodb:DescribeTable"),
        ("DeleteObjects", Subject(bucket="b"), "allow s3:DeleteObject on arn:aws:s3:::b/*"),
        ("StartQueryExecution", Subject(), "allow athena:StartQueryExecution"),
        ("NewOperation", Subject(), "look at the IAM policies of the identity this runs as"),
    ],
)
def test_a_silent_refusal_is_explained_by_the_call(operation, subject, remedy):
    """`Access Denied` alone: the operation says which action it needs."""
    assert translate(refusal("AccessDenied", "Access Denied", operation), subject).remedy == remedy


def test_a_wrong_clock_is_no_wrong_key():
    """Signature expired: the machine slept or its clock is off."""
    message = "Signature expired: 20260101T000000Z is now earlier than 20260102T000000Z"
    error = translate(refusal("InvalidSignatureException", message))
    assert type(error) is errors.RequestInvalidError
    assert "clock" in error.cause


@pytest.mark.parametrize("kind", SDK_EXCEPTIONS, ids=lambda kind: kind.__name__)
def test_every_sdk_exception_is_translated(kind):
    """No class of botocore.exceptions gets through, and its text stays one line."""
    error = translate(made(kind), USERS)
    assert isinstance(error, errors.DdbAssetsError)
    assert type(error) not in {errors.DdbAssetsError, errors.TerminalError, errors.TransientError}
    assert error.code == kind.__name__
    assert error.table == "legacy.Users"
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (sdk.NoCredentialsError, errors.CredentialsMissingError),
        (sdk.PartialCredentialsError, errors.CredentialsMissingError),
        (sdk.ProfileNotFound, errors.CredentialsMissingError),
        (sdk.SSOTokenLoadError, errors.CredentialsMissingError),
        (sdk.UnauthorizedSSOTokenError, errors.CredentialsExpiredError),
        (sdk.TokenRetrievalError, errors.CredentialsExpiredError),
        (sdk.CredentialRetrievalError, errors.CredentialsExpiredError),
        (sdk.NoRegionError, errors.DeclarationError),
        (sdk.InvalidRegionError, errors.DeclarationError),
        (sdk.EndpointConnectionError, errors.ServiceUnavailableError),
        (sdk.ConnectTimeoutError, errors.ServiceUnavailableError),
        (sdk.ReadTimeoutError, errors.ServiceUnavailableError),
        (sdk.ConnectionClosedError, errors.ServiceUnavailableError),
        (sdk.ProxyConnectionError, errors.ServiceUnavailableError),
        (sdk.SSLError, errors.ServiceUnavailableError),
        (sdk.ResponseStreamingError, errors.ServiceUnavailableError),
        (sdk.IncompleteReadError, errors.ServiceUnavailableError),
        (sdk.ParamValidationError, errors.RequestInvalidError),
        (sdk.UnknownServiceError, errors.UnsupportedError),
        (sdk.ConfigParseError, errors.DeclarationError),
    ],
)
def test_an_sdk_exception_has_its_error(kind, expected):
    """Those a person meets, one by one."""
    assert type(translate(made(kind))) is expected


def test_an_expired_sso_session_says_how_to_log_in():
    """The most frequent error on a laptop in the morning."""
    assert "aws sso login" in translate(made(sdk.UnauthorizedSSOTokenError)).remedy


def test_an_answer_that_is_not_aws_s_is_said():
    """A proxy's HTML page."""
    error = translate(ResponseParserError("Unable to parse response"), USERS)
    assert type(error) is errors.ServiceUnavailableError
    assert "endpoint_url" in error.remedy


def test_the_original_exception_is_the_cause():
    """A traceback shows both; facts for the log are kept."""
    original = refusal("ValidationException", "words", "ListExports")
    with pytest.raises(errors.RequestInvalidError) as caught, translated(USERS):
        raise original
    assert caught.value.__cause__ is original
    assert caught.value.details["request_id"] == "REQ1"
    assert caught.value.details["operation"] == "ListExports"


def test_what_is_not_the_sdk_s_passes_through():
    """A bug of ours stays a bug, our own errors stay themselves."""
    for mine in (KeyError("x"), errors.UnsupportedError("x")):
        with pytest.raises(type(mine)) as caught, translated(USERS):
            raise mine
        assert caught.value is mine


def test_nobody_listens_is_unavailable_and_names_the_endpoint(connection):
    """Port 1 on this machine: connection refused, at once."""
    reached = connection(endpoint_url="http://127.0.0.1:1")
    gateway = dynamodb.DynamoDBGateway(lambda: reached.client("dynamodb"))
    with pytest.raises(errors.ServiceUnavailableError, match=r"127\.0\.0\.1:1") as caught:
        gateway.describe_table("Article")
    assert caught.value.table == "Article"
    assert "endpoint_url" in caught.value.remedy
