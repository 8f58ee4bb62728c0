"""How a run reaches AWS: one Dagster resource whose every setting is really passed on."""

from collections.abc import Mapping
from typing import Any, get_args

import dagster as dg
from pydantic import ConfigDict, Field

from ddb_assets.aws.cloudwatch import CloudWatchGateway
from ddb_assets.aws.gateways import connect
from ddb_assets.aws.session import AwsConnection, RetryMode
from ddb_assets.core.clock import Clock, SystemClock
from ddb_assets.core.operating.changes import WriteMetrics
from ddb_assets.core.ports import Gateways
from ddb_assets.errors import DeclarationError

RETRY_MODES: tuple[RetryMode, ...] = get_args(RetryMode)
#: Settings of the catalog, not of the connection.
_CATALOG_FIELDS = frozenset({"catalog_id", "data_catalog"})


_shared: list["AwsResource"] = []


def shared(resource: "AwsResource") -> "AwsResource":
    """The first resource with the same settings: Dagster refuses two objects under one key.

    A subclass may carry more than its settings and stays what it is.
    """
    if type(resource) is not AwsResource:
        return resource
    found = next((one for one in _shared if one == resource), None)
    if found is None:
        _shared.append(resource)
    return found or resource


class AwsResource(dg.ConfigurableResource[Any]):
    """Account, region and identity for DynamoDB, S3, Glue and Athena.

    Every field is optional: what is not given is left to the AWS SDK's own chain (environment
    variables such as AWS_PROFILE, AWS_DEFAULT_REGION and AWS_ENDPOINT_URL, ~/.aws/config, the
    machine's role). Unknown fields are errors. Values may be `dg.EnvVar("NAME")`, which is read
    when a run starts, not when the definitions are loaded.

    Override `gateways` to test your own definitions without AWS.

    Examples:
        ```python
        AwsResource(region="eu-central-1", role_arn="arn:aws:iam::123456789012:role/exporter")
        ```
    """

    # Dagster's own base class drops arguments it does not know, silently.
    model_config = ConfigDict(extra="forbid")

    region: str | None = Field(
        default=None, description="AWS region of the tables, e.g. eu-central-1."
    )
    profile: str | None = Field(default=None, description="A profile of ~/.aws/config.")
    role_arn: str | None = Field(
        default=None, description="Role to assume; its credentials are renewed while waiting."
    )
    role_session_name: str | None = Field(
        default=None, description="Name of the assumed role's session in CloudTrail."
    )
    external_id: str | None = Field(
        default=None, description="External id the role's trust policy asks for."
    )
    endpoint_url: str | None = Field(
        default=None, description="One endpoint for every service instead of AWS's own."
    )
    access_key_id: str | None = Field(
        default=None, description="Static access key; better left to the SDK's chain."
    )
    secret_access_key: str | None = Field(default=None, description="Its secret; use an EnvVar.")
    session_token: str | None = Field(
        default=None, description="Session token of temporary static keys; use an EnvVar."
    )
    max_attempts: int | None = Field(
        default=None, description="Tries per AWS call, the first included."
    )
    retry_mode: str | None = Field(
        default=None, description="The SDK's retry mode: standard or adaptive."
    )
    connect_timeout: float | None = Field(
        default=None, description="Seconds to wait for a connection (10 where not given)."
    )
    read_timeout: float | None = Field(
        default=None, description="Seconds to wait for an answer (60 where not given)."
    )
    catalog_id: str | None = Field(
        default=None, description="Account of the Glue catalog where it is not the caller's."
    )
    data_catalog: str | None = Field(
        default=None, description="Athena's name of that catalog; needed with catalog_id."
    )

    def connection(self) -> AwsConnection:
        """The settings as one frozen value; asks nobody.

        Raises:
            DeclarationError: Settings that contradict each other.
        """
        if self.retry_mode is not None and self.retry_mode not in RETRY_MODES:
            raise DeclarationError(
                f"retry_mode is {self.retry_mode!r}", remedy=f"use {' or '.join(RETRY_MODES)}"
            )
        settings: dict[str, Any] = {
            name: value
            for name in AwsResource.model_fields
            if name not in _CATALOG_FIELDS and (value := getattr(self, name)) is not None
        }
        return AwsConnection(**settings)

    def gateways(self, *, bucket_owners: Mapping[str, str] | None = None) -> Gateways:
        """The four services over this connection; override it to test without AWS.

        Args:
            bucket_owners: Account id per bucket, where a table declares one.
        """
        return connect(
            self.connection(),
            catalog_id=self.catalog_id,
            data_catalog=self.data_catalog,
            bucket_owners=bucket_owners,
        )

    def write_metrics(self) -> WriteMetrics:
        """CloudWatch's metrics of writes to tables; override it to test without AWS."""
        connection = self.connection()
        return CloudWatchGateway(lambda: connection.client("cloudwatch"))

    def clock(self) -> Clock:
        """Time and sleep; override it to test hours in milliseconds."""
        return SystemClock()

    def check(self) -> None:
        """Refuse settings that contradict each other, at load, without reading the environment.

        What comes from an `EnvVar` is known only when a run starts and is checked there.

        Raises:
            DeclarationError: Settings that contradict each other.
        """
        values = (getattr(self, name) for name in AwsResource.model_fields)
        if not any(isinstance(value, dg.EnvVar) for value in values):
            self.connection()
