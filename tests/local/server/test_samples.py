"""The sample tables hold what they promise, through the API a client uses."""

import base64
import gzip
import json
from collections import Counter
from decimal import Decimal

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from ddb_assets.local.samples import TABLES, shop_orders, users


@pytest.fixture(scope="module")
def sampled(start):
    """A server with the samples."""
    with start(sample=True) as server:
        yield server


def scan(server, table):
    """Every item of a table."""
    pages = server.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return [item for page in pages for item in page["Items"]]


def test_the_four_tables_the_bucket_and_the_workgroup_are_there(sampled):
    """With point-in-time recovery on, and an output location that queries cannot override."""
    dynamodb = sampled.client("dynamodb")
    names = {"Article", "shop-orders", "legacy.Users", "waiting_list"}
    assert set(dynamodb.list_tables()["TableNames"]) == names
    for name in names:
        backups = dynamodb.describe_continuous_backups(TableName=name)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
        assert dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE"
    assert sampled.client("s3").head_bucket(Bucket="ddb-exports")
    group = sampled.client("athena").get_work_group(WorkGroup="ddb")["WorkGroup"]
    assert group["State"] == "ENABLED"
    assert group["Configuration"]["EnforceWorkGroupConfiguration"] is True
    location = group["Configuration"]["ResultConfiguration"]["OutputLocation"]
    assert location == "s3://ddb-exports/athena-results/"


def test_article_holds_exactly_two_items(sampled):
    """The two of the first example, value for value."""
    user = {"S": "7155dc64-982a-4559-9f94-5320dc4d003d"}
    items = sorted(scan(sampled, "Article"), key=lambda item: item["articleId"]["S"])
    assert items == [
        {
            "userId": user,
            "articleId": {"S": "XXXXXXX"},
            "content": {"S": "hoge"},
            "createAt": {"N": "1577804400"},
        },
        {
            "userId": user,
            "articleId": {"S": "YYYYYY"},
            "content": {"S": "foo"},
            "createAt": {"N": "1577804401"},
        },
    ]


def test_shop_orders_come_back_as_they_were_made(sampled):
    """Three thousand orders, each under a key of its own, every value as it went in."""
    made = {json.dumps([i["customer"], i["order"]]): i for i in shop_orders.items()}
    # Read behind the API: moto takes seconds to page through a scan of this size.
    table = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables["shop-orders"]
    stored = [item.to_json()["Attributes"] for item in table.all_items()]
    found = {json.dumps([i["customer"], i["order"]]): i for i in stored}
    assert len(found) == 3000
    assert comparable(found) == comparable(made)


@pytest.mark.slow
def test_an_export_of_the_shop_orders_holds_every_value(sampled):
    """From seed to S3: what the seed puts in goes through journal and export unchanged."""
    dynamodb, s3 = sampled.client("dynamodb"), sampled.client("s3")
    arn = dynamodb.describe_table(TableName="shop-orders")["Table"]["TableArn"]
    export = dynamodb.export_table_to_point_in_time(
        TableArn=arn, S3Bucket="ddb-exports", S3Prefix="proof"
    )["ExportDescription"]["ExportArn"]
    done = dynamodb.describe_export(ExportArn=export)["ExportDescription"]
    assert (done["ExportStatus"], done["ItemCount"]) == ("COMPLETED", 3000)
    folder = done["ExportManifest"].rpartition("/")[0] + "/data/"
    found = {}
    for entry in s3.list_objects_v2(Bucket="ddb-exports", Prefix=folder)["Contents"]:
        body = s3.get_object(Bucket="ddb-exports", Key=entry["Key"])["Body"].read()
        for line in gzip.decompress(body).splitlines():
            item = json.loads(line)["Item"]
            found[json.dumps([item["customer"], item["order"]])] = item
    made = {json.dumps([i["customer"], i["order"]]): i for i in shop_orders.items()}
    assert comparable(found) == comparable(made)


def test_shop_orders_are_the_same_each_time():
    """A second generation gives the same bytes: counts and queries in docs stay true."""
    first = json.dumps(list(shop_orders.items()))
    assert first == json.dumps(list(shop_orders.items()))


def test_shop_orders_use_every_attribute_type_and_every_kind_of_name():
    """Types at top level and nested; reserved words, spaces, dots, hyphens; absent attributes."""
    top, nested, names = Counter(), Counter(), Counter()
    for item in shop_orders.items():
        names.update(list(item))
        for value in item.values():
            [(kind, content)] = value.items()
            top[kind] += 1
            nested.update(kinds_inside(content))
    assert set(top) == {"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "M", "L"}
    assert {"S", "N", "BOOL", "NULL", "M", "L"} <= set(nested)
    assert {"order", "end", "select", "timestamp", "unit price", "ship.to", "gift-note"} <= set(
        names
    )
    assert names["order"] == 3000
    assert all(count < 3000 for name, count in names.items() if name not in ("order", "customer"))


def test_shop_orders_hold_the_hard_values():
    """Extremes of numbers, empty strings, maps and lists, emoji and newlines."""
    items = list(shop_orders.items())
    exact = {Decimal(item["exact"]["N"]) for item in items if "exact" in item}
    largest = "9.9999999999999999999999999999999999999E+125"
    assert {
        Decimal("1E-130"),
        Decimal("-1E-130"),
        Decimal(largest),
        Decimal(f"-{largest}"),
    } <= exact
    assert sum(len(number.as_tuple().digits) >= 37 for number in exact) > 100
    assert Decimal("12345678901234567890123456789012345678") in exact
    assert not any("e" in item["exact"]["N"].lower() for item in items if "exact" in item)
    notes = [item["gift-note"]["S"] for item in items if "gift-note" in item]
    assert "" in notes
    assert any("\n" in note for note in notes)
    assert any(ord(letter) > 0xFFFF for note in notes for letter in note)
    assert {"M": {}} in [item.get("discounts") for item in items]
    assert {"L": []} in [item.get("lines") for item in items]
    keys = {key for item in items for key in item.get("discounts", {}).get("M", {})}
    assert len(keys) > 20


def test_users_have_names_that_differ_only_by_case(sampled):
    """Within one item, with different values, at top level and inside a map."""
    items = scan(sampled, "legacy.Users")
    assert len(items) == users.USERS
    for item in items:
        folded = Counter(name.lower() for name in item)
        assert folded["userid"] >= 3
        assert folded["email"] == 2
        assert set(item["profile"]["M"]) == {"Name", "name"}
    assert comparable({i["UserId"]["S"]: i for i in items}) == comparable(
        {i["UserId"]["S"]: i for i in users.items()}
    )


def test_the_waiting_list_is_empty(sampled):
    """A table without items is a table too."""
    assert scan(sampled, "waiting_list") == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_item_carries_its_key_and_each_key_once(table):
    """Otherwise an item would replace another without a word."""
    keys = [json.dumps([item[name] for name, _ in table.key]) for item in table.items()]
    assert len(keys) == len(set(keys))
    for item in table.items():
        for name, letter in table.key:
            assert set(item[name]) == {letter}


def kinds_inside(content):
    """The types of nested values."""
    values = content.values() if isinstance(content, dict) else content
    if isinstance(content, str | bool):
        return
    for value in values:
        if isinstance(value, dict):
            [(kind, inner)] = value.items()
            yield kind
            yield from kinds_inside(inner)


def comparable(items):
    """Sets without order, and binary as botocore gives it."""

    def plain(value):
        [(kind, content)] = value.items()
        if kind == "M":
            return kind, {name: plain(inner) for name, inner in content.items()}
        if kind == "L":
            return kind, [plain(inner) for inner in content]
        if kind == "B":
            return kind, base64.b64decode(content) if isinstance(content, str) else content
        if kind == "BS":
            return kind, {base64.b64decode(b) if isinstance(b, str) else b for b in content}
        return kind, set(content) if kind in ("SS", "NS") else content

    return {
        key: {name: plain(value) for name, value in item.items()} for key, item in items.items()
    }
