"""All tables of one account and region, their tags, and who asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ddb_assets.aws.answers import impossible, required
from ddb_assets.aws.dynamodb import DynamoDBGateway
from ddb_assets.aws.errors import translated
from ddb_assets.aws.session import AwsConnection
from ddb_assets.aws.subject import Subject

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sts import STSClient

# API page ListTables: Limit is 1 to 100.
LIST_TABLES_PAGE = 100


class InventoryGateway(DynamoDBGateway):
    """`core.operating.inventory.TableInventory` over boto3."""

    def __init__(
        self, client: Callable[[], DynamoDBClient], identity: Callable[[], STSClient]
    ) -> None:
        """Make the gateway; the clients are asked for at each call and may be made then."""
        super().__init__(client)
        self._identity = identity

    def account(self) -> str:
        """The caller's account id; GetCallerIdentity needs no permission."""
        with translated(Subject()):
            answer: Any = self._identity().get_caller_identity()
            return required(answer, "Account", "GetCallerIdentity")

    def table_names(self) -> Iterator[str]:
        """Every table, a page per call, asked for as they are read."""
        request: dict[str, Any] = {"Limit": LIST_TABLES_PAGE}
        while True:
            with translated(Subject()):
                page: Any = self._client().list_tables(**request)
            yield from page.get("TableNames", ())
            last = page.get("LastEvaluatedTableName")
            if not last:
                return
            if last == request.get("ExclusiveStartTableName"):
                raise impossible("ListTables gave the same LastEvaluatedTableName twice")
            request["ExclusiveStartTableName"] = last


def connect_inventory(connection: AwsConnection) -> InventoryGateway:
    """The gateway over a connection; nothing is loaded or called before the first use."""
    return InventoryGateway(lambda: connection.client("dynamodb"), lambda: connection.client("sts"))
