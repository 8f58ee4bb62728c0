"""Two DynamoDB tables, kept queryable in Athena."""

from ddb_assets import RefreshGroup, Table, build_dynamodb_assets

defs = build_dynamodb_assets(
    database="raw",
    bucket="shop-exports",
    tables=[
        "orders",
        Table(
            "legacy.Users",
            athena_name="users",
            columns={"userId": "S", "email": "S"},
            group="nightly",
        ),
    ],
    groups={"nightly": RefreshGroup(cron="0 3 * * *", timezone="Europe/Berlin")},
)
