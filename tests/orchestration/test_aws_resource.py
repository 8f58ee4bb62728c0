"""Every setting of the AWS resource is passed on; none is dropped in silence."""

import dataclasses

import dagster as dg
import pytest
from pydantic import ValidationError

from ddb_assets.aws.session import AwsConnection
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration import resources
from ddb_assets.orchestration.resources import AwsResource

VALUES = {
    "region": {"region": "eu-central-1"},
    "profile": {"profile": "production"},
    "role_arn": {"role_arn": "arn:aws:iam::123456789012:role/exporter"},
    "role_session_name": {
        "role_session_name": "nightly",
        "role_arn": "arn:aws:iam::123456789012:role/exporter",
    },
    "external_id": {
        "external_id": "x-42",
        "role_arn": "arn:aws:iam::123456789012:role/exporter",
    },
    "endpoint_url": {"endpoint_url": "http://127.0.0.1:5000"},
    "access_key_id": {"access_key_id": "AKIA", "secret_access_key": "s"},
    "secret_access_key": {"access_key_id": "AKIA", "secret_access_key": "s"},
    "session_token": {"access_key_id": "AKIA", "secret_access_key": "s", "session_token": "t"},
    "max_attempts": {"max_attempts": 7},
    "retry_mode": {"retry_mode": "adaptive"},
    "connect_timeout": {"connect_timeout": 3.5},
    "read_timeout": {"read_timeout": 12.0},
}


@pytest.mark.parametrize("field", sorted(VALUES))
def test_each_field_reaches_the_connection(field):
    """What is set on the resource is set on the connection, and nothing else is."""
    given = VALUES[field]
    connection = AwsResource(**given).connection()
    assert getattr(connection, field) == given[field]
    assert connection == AwsConnection(**given)


def test_the_resource_has_every_field_of_the_connection():
    """A setting the connection learns cannot be missing here; the User-Agent is ours to set."""
    connection = {f.name for f in dataclasses.fields(AwsConnection) if f.init}
    ours = set(AwsResource.model_fields) - {"catalog_id", "data_catalog"}
    assert ours == connection - {"user_agent_extra"}
    assert set(VALUES) == ours


@pytest.mark.parametrize("field", ["catalog_id", "data_catalog"])
def test_catalog_settings_reach_the_gateways(field, monkeypatch):
    """The Glue catalog of another account is asked for by its id and Athena's name for it."""
    seen = {}
    monkeypatch.setattr(resources, "connect", lambda connection, **given: seen.update(given))
    AwsResource(**{field: "123456789012"}).gateways(bucket_owners={"b": "210987654321"})
    assert seen[field] == "123456789012"
    assert seen["bucket_owners"] == {"b": "210987654321"}


def test_an_unknown_field_is_an_error():
    """Dagster's own resources drop it in silence."""
    with pytest.raises(ValidationError, match="regoin"):
        AwsResource(regoin="eu-central-1")


def test_contradicting_settings_are_refused_at_load():
    """A key without its secret is known to be wrong before any run."""
    with pytest.raises(DeclarationError, match="secret_access_key"):
        AwsResource(access_key_id="AKIA").check()
    with pytest.raises(DeclarationError, match="standard or adaptive"):
        AwsResource(retry_mode="legacy").check()


def test_an_environment_variable_is_read_when_a_run_starts(monkeypatch):
    """Checking at load does not read it; a run sees the value it then has."""
    monkeypatch.delenv("EXPORT_REGION", raising=False)
    resource = AwsResource(region=dg.EnvVar("EXPORT_REGION"))
    resource.check()
    seen = []

    @dg.asset(required_resource_keys={"aws"})
    def probe(context) -> None:
        seen.append(context.resources.aws.connection().region)

    monkeypatch.setenv("EXPORT_REGION", "eu-north-1")
    assert dg.materialize([probe], resources={"aws": resource}).success
    assert seen == ["eu-north-1"]
