"""How this shop names and describes its tables."""

import dagster as dg

from ddb_assets import DynamoDBTableProps, DynamoDBTranslator

TEAMS = {"orders": "team:sales", "users": "team:crm"}


class ShopTranslator(DynamoDBTranslator):
    """A group of our own, and owners by table; keys stay `athena/DATABASE/TABLE`."""

    def get_asset_spec(self, props: DynamoDBTableProps) -> dg.AssetSpec:
        """The exported table."""
        spec = super().get_asset_spec(props)
        return spec.replace_attributes(
            group_name="lake", owners=[TEAMS[props.spec.table]], tags={**spec.tags, "layer": "raw"}
        )

    def get_live_spec(self, props: DynamoDBTableProps) -> dg.AssetSpec:
        """The DynamoDB table, under the key other code locations of the shop know."""
        return super().get_live_spec(props).replace_attributes(key=["shop", props.spec.name])
