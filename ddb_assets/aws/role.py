"""Credentials of an assumed role that renew themselves, so that waits of hours survive expiry."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)

from ddb_assets.errors import CredentialsExpiredError

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient


class _AssumedRole(CredentialProvider):
    """The only provider of the session: AssumeRole when first needed, and again before expiry."""

    METHOD = "ddb-assets-assume-role"

    def __init__(self, sts: STSClient, request: dict[str, str]) -> None:
        super().__init__()
        self._sts = sts
        self._request = request

    def load(self) -> DeferredRefreshableCredentials:
        """Credentials that ask STS on first use and 10 to 15 minutes before they expire."""
        return DeferredRefreshableCredentials(refresh_using=self._assume, method=self.METHOD)

    def _assume(self) -> dict[str, Any]:
        request: Any = self._request
        credentials = self._sts.assume_role(**request)["Credentials"]
        expiry = credentials["Expiration"]
        if expiry <= datetime.now(UTC):
            # botocore would end in a bare RuntimeError here.
            raise CredentialsExpiredError(
                f"the role's new credentials have expired at {expiry:%Y-%m-%d %H:%M:%S %Z}",
                remedy="set this machine's clock (NTP): it is ahead of AWS's",
                role=request["RoleArn"],
            )
        return {
            "access_key": credentials["AccessKeyId"],
            "secret_key": credentials["SecretAccessKey"],
            "token": credentials["SessionToken"],
            "expiry_time": expiry.isoformat(),
        }


def session_as(
    role_arn: str,
    *,
    session_name: str,
    external_id: str | None,
    source: STSClient,
    region: str | None,
    profile: str | None,
) -> boto3.Session:
    """A session with the role's credentials.

    Args:
        role_arn: The role.
        session_name: Name of the assumed session in CloudTrail.
        external_id: Sent only where one is set.
        source: STS under the identity that may assume the role; its own credentials may be
            refreshable, too.
        region: Region of the session's clients.
        profile: Profile the region and the SDK's other settings come from.
    """
    request = {"RoleArn": role_arn, "RoleSessionName": session_name}
    if external_id:
        request["ExternalId"] = external_id
    core = botocore.session.Session(profile=profile)
    resolver = CredentialResolver(providers=[_AssumedRole(source, request)])
    core.register_component("credential_provider", resolver)
    return boto3.Session(botocore_session=core, region_name=region)
