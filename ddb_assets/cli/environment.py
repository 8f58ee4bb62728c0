"""The environment in which nothing can reach a real AWS account by accident."""

from collections.abc import Mapping

#: Settings that would win over, or be mixed with, the local AWS's own.
_AWS_SETTINGS = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)


def offline_aws_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """A copy of the environment without the user's own AWS identity.

    Service-specific endpoints (`AWS_ENDPOINT_URL_S3` and the like) would bypass the local AWS, and
    the instance metadata service would be asked for credentials; neither is left.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name not in _AWS_SETTINGS and not name.startswith("AWS_ENDPOINT_URL")
    }
    return {
        **kept,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
