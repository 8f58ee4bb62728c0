"""Every field of a connection arrives at the wire, or where the SDK keeps it."""

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ddb_assets.aws.gateways import connect
from ddb_assets.aws.session import AwsConnection
from ddb_assets.errors import (
    AccessDeniedError,
    CredentialsExpiredError,
    DeclarationError,
    ServiceUnavailableError,
)

ROLE = "arn:aws:iam::210987654321:role/exporter"


def assumed(key, expires_in=3600.0):
    """STS's answer to AssumeRole."""
    expiry = (datetime.now(UTC) + timedelta(seconds=expires_in)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
        f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
        f"<SessionToken>token-of-{key}</SessionToken><Expiration>{expiry}</Expiration>"
        "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )


def list_tables(connection):
    """Any call."""
    return connection.client("dynamodb").list_tables()


def test_every_field_has_a_test_here():
    """A field added later without a test of its own is found."""
    text = Path(__file__).read_text(encoding="utf-8")
    for field in dataclasses.fields(AwsConnection):
        if not field.name.startswith("_"):
            assert f"def test_field_{field.name}_" in text, field.name


def test_field_region_is_the_signature_s_region(aws, connection):
    """The region decides what the signature is for."""
    aws.json({"TableNames": []})
    list_tables(connection(region="eu-north-1"))
    assert aws.last.credential[2:] == ["eu-north-1", "dynamodb"]


def test_field_region_comes_before_the_environment(monkeypatch, connection):
    """A declared region wins; without one the SDK's chain decides."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    assert connection(region="eu-north-1").region_name == "eu-north-1"
    assert connection(region=None).region_name == "ap-south-1"


def test_field_profile_gives_its_keys_and_its_region(aws, tmp_path, monkeypatch):
    """A named profile comes before the environment's keys."""
    (tmp_path / "credentials").write_text(
        "[team]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n"
    )
    (tmp_path / "config").write_text("[profile team]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    aws.json({"TableNames": []})
    list_tables(AwsConnection(profile="team", endpoint_url=aws.url))
    key, _, region, _ = aws.last.credential
    assert (key, region) == ("AKIAPROFILE", "eu-central-1")


def test_field_role_arn_is_assumed_and_its_credentials_sign(aws, connection):
    """The role's temporary keys and token sign the call; the static keys sign AssumeRole."""
    aws.xml(assumed("ASIAROLE")).json({"TableNames": []})
    list_tables(connection(role_arn=ROLE))
    assume, call = aws.seen
    assert assume.form["RoleArn"] == ROLE
    assert assume.credential[0] == "AKIASTATIC"
    assert call.credential[0] == "ASIAROLE"
    assert call.headers["x-amz-security-token"] == "token-of-ASIAROLE"


def test_field_role_arn_is_assumed_again_before_its_session_ends(aws, connection):
    """A session about to expire is renewed by the call that needs it: waits outlive sessions."""
    numbers = itertools.count()
    aws.json({"TableNames": []})
    aws.routes["AssumeRole"] = lambda: assumed(f"ASIA{next(numbers)}", 300)
    reached = connection(role_arn=ROLE)
    for _ in range(3):
        list_tables(reached)
    keys = [seen.credential[0] for seen in aws.seen if seen.operation == "ListTables"]
    assert len(set(keys)) == 3


def test_field_role_arn_is_not_assumed_again_while_its_session_lasts(aws, connection):
    """A fresh session serves many calls."""
    aws.json({"TableNames": []})
    aws.routes["AssumeRole"] = lambda: assumed("ASIA", 3600)
    reached = connection(role_arn=ROLE)
    for _ in range(3):
        list_tables(reached)
    assert aws.operations == ["AssumeRole", *["ListTables"] * 3]


def test_field_role_arn_serves_all_clients_with_one_session(aws, connection):
    """Four gateways do not assume the role four times."""
    aws.xml(assumed("ASIAROLE")).json()
    reached = connection(role_arn=ROLE)
    list_tables(reached)
    reached.client("glue").get_databases()
    reached.client("athena").list_work_groups()
    assert aws.operations.count("AssumeRole") == 1


def test_field_role_arn_refused_names_the_role(aws, connection):
    """The refusal says which action on which role."""
    message = (
        f"User: arn:aws:iam::123456789012:user/me is not authorized to perform: sts:AssumeRole "
        f"on resource: {ROLE}"
    )
    aws.xml(
        f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"
        "</ErrorResponse>",
        403,
    )
    with pytest.raises(AccessDeniedError, match="sts:AssumeRole") as caught:
        connect(connection(role_arn=ROLE)).dynamodb.describe_table("Article")
    assert ROLE in caught.value.remedy
    assert "trust policy" in caught.value.remedy


def test_field_role_arn_whose_session_is_over_at_once_blames_the_clock(aws, connection):
    """A clock that is hours ahead; a bare RuntimeError would name neither table nor remedy."""
    aws.xml(assumed("A", -60))
    with pytest.raises(CredentialsExpiredError, match="clock") as caught:
        connect(connection(role_arn=ROLE)).dynamodb.describe_table("Article")
    assert caught.value.table == "Article"


def test_field_role_session_name_is_sent(aws, connection):
    """CloudTrail shows it; there is a default."""
    aws.xml(assumed("A")).json().xml(assumed("A")).json()
    list_tables(connection(role_arn=ROLE, role_session_name="nightly"))
    list_tables(connection(role_arn=ROLE))
    assert aws.seen[0].form["RoleSessionName"] == "nightly"
    assert aws.seen[2].form["RoleSessionName"] == "ddb_assets"


def test_field_external_id_is_sent_only_where_set(aws, connection):
    """A trust policy may ask for it."""
    aws.xml(assumed("A")).json().xml(assumed("A")).json()
    list_tables(connection(role_arn=ROLE, external_id="x-1"))
    list_tables(connection(role_arn=ROLE))
    assert aws.seen[0].form["ExternalId"] == "x-1"
    assert "ExternalId" not in aws.seen[2].form


def test_field_endpoint_url_is_where_every_service_goes(aws, connection):
    """One endpoint for all; S3 addresses its buckets by path there."""
    aws.json().json().json()
    aws.xml("<ListBucketResult></ListBucketResult>")
    reached = connection()
    list_tables(reached)
    reached.client("glue").get_databases()
    reached.client("athena").list_work_groups()
    reached.client("s3").list_objects_v2(Bucket="my-bucket")
    assert [seen.credential[3] for seen in aws.seen] == ["dynamodb", "glue", "athena", "s3"]
    assert aws.last.path.startswith("/my-bucket?")


def test_field_endpoint_url_addresses_buckets_by_path_on_a_named_host(connection):
    """BUCKET.localhost does not resolve everywhere."""
    client = connection(endpoint_url="http://localhost:4566").client("s3")
    url = client.generate_presigned_url("get_object", Params={"Bucket": "b-1", "Key": "k"})
    assert url.startswith("http://localhost:4566/b-1/k?")


def test_field_endpoint_url_left_out_means_the_environment_s(aws, monkeypatch, connection):
    """AWS_ENDPOINT_URL works without any setting of ours."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    aws.json({"TableNames": []})
    list_tables(connection(endpoint_url=None))
    assert aws.operations == ["ListTables"]


def test_field_endpoint_url_of_the_environment_is_checked_too(monkeypatch, connection):
    """AWS_ENDPOINT_URL without a scheme is a mistake everybody makes once."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:4566")
    with pytest.raises(DeclarationError, match="Invalid endpoint"):
        connection(endpoint_url=None).client("dynamodb")


def test_field_access_key_id_signs(aws, connection):
    """Static keys come before the environment's."""
    aws.json({"TableNames": []})
    list_tables(connection(access_key_id="AKIAOTHER"))
    assert aws.last.credential[0] == "AKIAOTHER"


def test_field_secret_access_key_changes_the_signature(connection):
    """The secret never travels; two secrets sign the same request differently."""

    def signature(secret):
        client = connection(secret_access_key=secret).client("s3")
        url = client.generate_presigned_url("get_object", Params={"Bucket": "b-1", "Key": "k"})
        return url.rpartition("Signature=")[2]

    assert signature("one") != signature("two")


def test_field_session_token_is_sent(aws, connection):
    """Temporary static keys need it."""
    aws.json({"TableNames": []})
    list_tables(connection(session_token="temporary"))
    assert aws.last.headers["x-amz-security-token"] == "temporary"


@pytest.mark.parametrize("tries", [1, 2])
def test_field_max_attempts_counts_the_first_try(aws, connection, tries):
    """A 500 is asked for exactly that often."""
    aws.error("InternalServerError", status=500)
    with pytest.raises(ServiceUnavailableError):
        connect(connection(max_attempts=tries)).dynamodb.describe_table("Article")
    assert len(aws.seen) == tries


@pytest.mark.parametrize("mode", ["standard", "adaptive"])
def test_field_retry_mode_reaches_the_client(connection, mode):
    """The User-Agent's feature list and the client's configuration carry it."""
    retries = connection(retry_mode=mode, max_attempts=7).client("s3").meta.config.retries
    assert retries["mode"] == mode
    assert retries["total_max_attempts"] == 7


def test_field_retry_mode_left_out_is_the_environment_s(monkeypatch, connection):
    """AWS_RETRY_MODE and AWS_MAX_ATTEMPTS go on working."""
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")
    retries = connection(max_attempts=None).client("s3").meta.config.retries
    assert (retries["mode"], retries["total_max_attempts"]) == ("adaptive", 9)


def test_field_connect_timeout_reaches_the_client(connection):
    """Seconds; left out it is ten, not the SDK's sixty."""
    assert connection(connect_timeout=1.5).client("s3").meta.config.connect_timeout == 1.5
    assert connection().client("s3").meta.config.connect_timeout == 10
    assert connection(connect_timeout=None).client("s3").meta.config.connect_timeout == 60


def test_field_read_timeout_ends_a_call_that_hangs(aws, connection):
    """A silent server costs the timeout, not for ever."""
    aws.json({"TableNames": []}, delay=0.6)
    with pytest.raises(ServiceUnavailableError, match="Read timeout"):
        connect(connection(read_timeout=0.2)).dynamodb.describe_table("Article")


def test_field_user_agent_extra_is_in_every_call(aws, connection):
    """CloudTrail shows who called."""
    aws.json({"TableNames": []})
    list_tables(connection(user_agent_extra="team-x/1"))
    assert "team-x/1" in aws.last.headers["user-agent"]
    list_tables(connection())
    assert "ddb_assets/" in aws.last.headers["user-agent"]
