"""The four gateways of one connection."""

from collections.abc import Mapping

from ddb_assets.aws.athena import AthenaGateway
from ddb_assets.aws.dynamodb import DynamoDBGateway
from ddb_assets.aws.glue import GlueGateway
from ddb_assets.aws.s3 import S3Gateway
from ddb_assets.aws.session import AwsConnection
from ddb_assets.core.ports import Gateways


def connect(
    connection: AwsConnection,
    *,
    catalog_id: str | None = None,
    data_catalog: str | None = None,
    bucket_owners: Mapping[str, str] | None = None,
) -> Gateways:
    """Gateways over one connection; nothing is loaded or called before the first use.

    Args:
        connection: Account, region and identity.
        catalog_id: Account of the Glue catalog; None is the caller's own.
        data_catalog: Athena's name of that catalog; needed for queries where `catalog_id` is set.
        bucket_owners: Account id per bucket; S3 then refuses a bucket of anybody else.
    """
    return Gateways(
        dynamodb=DynamoDBGateway(lambda: connection.client("dynamodb")),
        objects=S3Gateway(lambda: connection.client("s3"), bucket_owners),
        catalog=GlueGateway(lambda: connection.client("glue"), catalog_id),
        queries=AthenaGateway(
            lambda: connection.client("athena"), data_catalog=data_catalog, catalog_id=catalog_id
        ),
    )
