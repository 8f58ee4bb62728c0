"""DynamoDB tables under names of our own, and a report over them."""

import dagster as dg

from ddb_assets import Table, build_dynamodb_assets
from shop_translator.revenue import revenue_by_country
from shop_translator.translator import ShopTranslator

defs = dg.Definitions.merge(
    build_dynamodb_assets(
        database="raw",
        bucket="shop-exports",
        tables=["orders", Table("legacy.Users", athena_name="users")],
        translator=ShopTranslator(),
    ),
    dg.Definitions(assets=[revenue_by_country]),
)
