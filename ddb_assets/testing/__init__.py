"""Test your own definitions against the local AWS: real exports, real queries, no account.

```python
from ddb_assets.testing import local_aws

from shop.definitions import defs


def test_orders_are_queryable():
    with local_aws() as aws:
        aws.create_table("orders", {"orderId": "S"}, items=[{"orderId": "1", "total": 9}])
        aws.refresh(defs)
        assert aws.query("SELECT count(*) AS n FROM raw.orders") == [{"n": "1"}]
```

As a pytest fixture: `pytest_plugins = ["ddb_assets.testing.plugin"]` in `conftest.py`, then
`def test_…(local_aws)`. Needs `pip install 'ddb-assets[local]'`.
"""

from ddb_assets.testing.local import LocalAws, LocalAwsMissingError, local_aws

__all__ = ["LocalAws", "LocalAwsMissingError", "local_aws"]
