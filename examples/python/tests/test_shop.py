"""The shop's definitions against the local AWS."""

from decimal import Decimal

from shop_python.definitions import defs

ORDERS = [
    {"orderId": f"o-{n}", "total": Decimal("9.90"), "lines": [{"sku": "a"}]} for n in range(30)
]
USERS = [{"userId": "u-1", "email": "jane@example.com"}]


def test_both_tables_are_queryable(local_aws):
    """Every item arrives, with its exact value."""
    local_aws.create_table("orders", {"orderId": "S"}, items=ORDERS)
    local_aws.create_table("legacy.Users", {"userId": "S"}, items=USERS)
    assert local_aws.refresh(defs).success
    rows = local_aws.query(
        "SELECT count(*) AS orders, sum(CAST(item.total.n AS DECIMAL(10, 2))) AS total "
        "FROM raw.orders"
    )
    assert rows == [{"orders": "30", "total": "297.00"}]
    assert local_aws.query("SELECT item.email.s AS email FROM raw.users") == [
        {"email": "jane@example.com"}
    ]


def test_one_table_is_refreshed_alone(local_aws):
    """The other one need not even exist."""
    local_aws.create_table("orders", {"orderId": "S"}, items=ORDERS)
    result = local_aws.refresh(defs, [["athena", "raw", "orders"]])
    assert result.success


def test_a_table_without_point_in_time_recovery_fails_with_the_remedy(local_aws):
    """The error says what to do."""
    local_aws.create_table("orders", {"orderId": "S"}, pitr=False)
    result = local_aws.refresh(defs, [["athena", "raw", "orders"]], raise_on_error=False)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "update-continuous-backups --table-name orders" in str(failure.event_specific_data)
