"""A connection as a whole: refused settings, secrets, clients, what is missing."""

import copy
import pickle
import subprocess
import sys

import pytest

from ddb_assets.aws.gateways import connect
from ddb_assets.aws.session import AwsConnection
from ddb_assets.errors import (
    CredentialsMissingError,
    DeclarationError,
)

ROLE = "arn:aws:iam::210987654321:role/exporter"


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"access_key_id": "A"}, "secret_access_key"),
        ({"secret_access_key": "s"}, "access_key_id"),
        ({"session_token": "t"}, "session_token"),
        ({"profile": "p", "access_key_id": "A", "secret_access_key": "s"}, "profile"),
        ({"external_id": "x"}, "role_arn"),
        ({"role_session_name": "n"}, "role_arn"),
        ({"role_arn": "exporter"}, "exporter"),
        ({"role_arn": ROLE, "role_session_name": "a b"}, "a b"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"endpoint_url": "localhost:4566"}, "localhost:4566"),
        ({"endpoint_url": "http://"}, "endpoint_url"),
        ({"connect_timeout": 0}, "connect_timeout"),
        ({"read_timeout": -1}, "read_timeout"),
    ],
)
def test_what_would_be_ignored_is_refused(settings, named):
    """A setting without effect is an error, not a surprise at night."""
    with pytest.raises(DeclarationError, match=named):
        AwsConnection(**settings)


def test_secrets_are_not_in_the_text_of_a_connection():
    """A connection may end up in a log."""
    text = repr(
        AwsConnection(
            access_key_id="AKIA",
            secret_access_key="hush1",
            session_token="hush2",
            role_arn=ROLE,
            external_id="hush3",
        )
    )
    assert "hush" not in text


def test_clients_are_made_once_per_connection(connection):
    """One connection, one client of a kind; another connection shares nothing."""
    first, second = connection(), connection()
    assert first.client("s3") is first.client("s3")
    assert first.client("s3") is not second.client("s3")
    assert first == second


def test_a_connection_travels_between_processes(connection):
    """A copy has the same settings and makes its own clients."""
    original = connection()
    client = original.client("s3")
    for twin in (pickle.loads(pickle.dumps(original)), copy.deepcopy(original)):
        assert twin == original
        assert twin.client("s3") is not client


def test_importing_the_gateways_does_not_import_the_sdk():
    """boto3 costs 0.2 s and more; definitions load without it."""
    code = (
        "import sys, ddb_assets.aws.gateways as g; from ddb_assets.aws.session import "
        "AwsConnection as C; g.connect(C(region='us-east-1')); "
        "assert not {'boto3', 'botocore'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_an_unknown_profile_is_named(connection):
    """The remedy says how to list them."""
    reached = AwsConnection(profile="nobody", region="us-east-1")
    with pytest.raises(CredentialsMissingError, match="nobody") as caught:
        reached.client("s3")
    assert "list-profiles" in caught.value.remedy


def test_a_missing_region_is_said_before_any_call():
    """There is no default region in AWS."""
    with pytest.raises(DeclarationError, match="region") as caught:
        AwsConnection().client("dynamodb")
    assert "AWS_DEFAULT_REGION" in caught.value.remedy


def test_without_credentials_the_error_says_what_to_set():
    """The first thing a newcomer sees on a laptop without AWS."""
    with pytest.raises(CredentialsMissingError) as caught:
        connect(AwsConnection(region="us-east-1")).dynamodb.describe_table("Article")
    assert "AWS_ACCESS_KEY_ID" in str(caught.value)
    assert "make dev" in str(caught.value)
