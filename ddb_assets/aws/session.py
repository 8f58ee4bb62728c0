"""How AWS is reached: one frozen value that holds every setting, and the clients made from it."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, overload

from ddb_assets.aws.errors import translated
from ddb_assets.errors import DeclarationError
from ddb_assets.version import __version__

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

Service = Literal["dynamodb", "s3", "glue", "athena", "sts", "cloudwatch"]
RetryMode = Literal["standard", "adaptive"]

DEFAULT_ROLE_SESSION_NAME = "ddb_assets"
# AWS page AssumeRole (STS API Reference).
_ROLE_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}")
_ENDPOINT = re.compile(r"https?://[^/\s]+")
_ROLE_ARN = re.compile(r"arn:[\w-]+:iam::\d{12}:role/.+")


class _Clients:
    """The clients of one connection, each made when it is first asked for.

    boto3's sessions are not thread-safe while they make clients; finished clients are.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.session: boto3.Session | None = None
        self.made: dict[str, Any] = {}

    def __reduce__(self) -> tuple[type[_Clients], tuple[()]]:
        """A copy in another process begins without clients."""
        return _Clients, ()

    def __deepcopy__(self, memo: dict[int, Any]) -> _Clients:
        return _Clients()


@dataclass(frozen=True)
class AwsConnection:
    """Where AWS is and who asks. What is None is left to the SDK's own chain.

    That chain is environment variables (AWS_PROFILE, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL, …),
    ~/.aws/config and the machine's role. Making a connection reads nothing and calls nobody.

    Attributes:
        region: AWS region; it decides which tables and which catalog are meant.
        profile: A profile of ~/.aws/config; its credentials come before the environment's.
        role_arn: A role to assume with whatever credentials were found. Its credentials are
            renewed before they expire, so a wait may last longer than a session.
        role_session_name: Name of the assumed session in CloudTrail.
        external_id: What the role's trust policy may ask for.
        endpoint_url: One endpoint for every service, STS included, instead of AWS's.
        access_key_id: Static keys; together with `secret_access_key`.
        session_token: Of temporary static keys.
        max_attempts: Tries per call, the first included.
        retry_mode: `standard`, or `adaptive` with a client-side rate limit.
        connect_timeout: Seconds to wait for a connection.
        read_timeout: Seconds to wait for the next piece of an answer.
        user_agent_extra: Added to the User-Agent of every call, so CloudTrail shows the caller.

    Raises:
        DeclarationError: Settings that contradict each other or would be ignored.
    """

    region: str | None = None
    profile: str | None = None
    role_arn: str | None = None
    role_session_name: str | None = None
    external_id: str | None = field(default=None, repr=False)
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    max_attempts: int | None = None
    retry_mode: RetryMode | None = None
    connect_timeout: float | None = 10.0
    read_timeout: float | None = 60.0
    user_agent_extra: str | None = f"ddb_assets/{__version__}"
    _clients: _Clients = field(default_factory=_Clients, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what would otherwise be silently ignored by the SDK."""
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise _wrong("access_key_id and secret_access_key go together: one is missing")
        if self.session_token and not self.access_key_id:
            raise _wrong("session_token needs access_key_id and secret_access_key")
        if self.profile and self.access_key_id:
            raise _wrong("profile and access_key_id exclude each other: choose one identity")
        if self.role_arn is None and (self.role_session_name or self.external_id):
            raise _wrong("role_session_name and external_id mean nothing without role_arn")
        if self.role_arn is not None and not _ROLE_ARN.fullmatch(self.role_arn):
            raise _wrong(f"role_arn {self.role_arn!r} is not arn:aws:iam::ACCOUNT:role/NAME")
        if self.role_session_name and not _ROLE_SESSION_NAME.fullmatch(self.role_session_name):
            raise _wrong(
                f"role_session_name {self.role_session_name!r}: 2 to 64 letters, digits or +=,.@-_"
            )
        if self.endpoint_url is not None and not _ENDPOINT.match(self.endpoint_url):
            raise _wrong(f"endpoint_url {self.endpoint_url!r} is not http://HOST or https://HOST")
        if self.max_attempts is not None and self.max_attempts < 1:
            raise _wrong(f"max_attempts is {self.max_attempts}: at least 1, the call itself")
        for name in ("connect_timeout", "read_timeout"):
            seconds = getattr(self, name)
            if seconds is not None and seconds <= 0:
                raise _wrong(f"{name} is {seconds}: seconds, more than 0")

    @overload
    def client(self, service: Literal["dynamodb"]) -> DynamoDBClient: ...
    @overload
    def client(self, service: Literal["s3"]) -> S3Client: ...
    @overload
    def client(self, service: Literal["glue"]) -> GlueClient: ...
    @overload
    def client(self, service: Literal["athena"]) -> AthenaClient: ...
    @overload
    def client(self, service: Literal["sts"]) -> STSClient: ...
    @overload
    def client(self, service: Literal["cloudwatch"]) -> CloudWatchClient: ...

    def client(self, service: Service) -> Any:
        """The boto3 client for a service; made once per connection, when first asked for.

        Raises:
            CredentialsMissingError: The profile does not exist.
            DeclarationError: There is no region, or a setting of the SDK is wrong.
        """
        try:
            with self._clients.lock, translated():
                if service not in self._clients.made:
                    if self._clients.session is None:
                        self._clients.session = self._session()
                    self._clients.made[service] = self._make(self._clients.session, service)
                return self._clients.made[service]
        except ValueError as error:
            # What the SDK says of a bad AWS_ENDPOINT_URL is no exception class of its own.
            raise _wrong(f"no {service} client can be made: {error}") from error

    @property
    def region_name(self) -> str | None:
        """The region in effect: the one set here, else what the SDK's chain finds."""
        return self.region or self.client("dynamodb").meta.region_name

    def _session(self) -> boto3.Session:
        # boto3 takes 0.2 s to import and a first client 0.2 s more; the CLI's help and the loading
        # of definitions need neither.
        import boto3  # noqa: PLC0415

        session = boto3.Session(
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            aws_session_token=self.session_token,
            region_name=self.region,
            profile_name=self.profile,
        )
        if self.role_arn is None:
            return session
        from ddb_assets.aws.role import session_as  # noqa: PLC0415 - imports botocore

        return session_as(
            self.role_arn,
            session_name=self.role_session_name or DEFAULT_ROLE_SESSION_NAME,
            external_id=self.external_id,
            source=self._make(session, "sts"),
            region=self.region,
            profile=self.profile,
        )

    def _make(self, session: Any, service: Service) -> Any:
        return session.client(service, endpoint_url=self.endpoint_url, config=self._config())

    def _config(self) -> Config:
        from botocore.config import Config  # noqa: PLC0415 - see _session

        settings: dict[str, Any] = {}
        # None would mean "wait for ever" here, and "what the environment says" when left out.
        if self.connect_timeout is not None:
            settings["connect_timeout"] = self.connect_timeout
        if self.read_timeout is not None:
            settings["read_timeout"] = self.read_timeout
        if self.user_agent_extra is not None:
            settings["user_agent_extra"] = self.user_agent_extra
        # total_max_attempts counts the first try; botocore's max_attempts does not.
        retries = {"total_max_attempts": self.max_attempts, "mode": self.retry_mode}
        if any(value is not None for value in retries.values()):
            settings["retries"] = {k: v for k, v in retries.items() if v is not None}
        if self.endpoint_url is not None:
            # BUCKET.localhost and the like seldom resolve; a path always does.
            settings["s3"] = {"addressing_style": "path"}
        return Config(**settings)


def _wrong(cause: str) -> DeclarationError:
    return DeclarationError(
        cause, remedy="correct the connection's settings or the AWS_… variables"
    )
