"""FilterSpecification: what is exported, and which specifications are refused."""

# ruff: noqa: E501 - expressions and texts, one a line

import pytest
from botocore.exceptions import ClientError

REFUSED = "Invalid Request: Invalid FilterSpecification: "


@pytest.fixture
def orders(aws):
    """Orders of two customers: a partition key, a numeric sort key, nested attributes."""
    arn = aws.table("orders", customer="S", at="N")
    aws.bucket()
    for customer in ("ann", "bob"):
        for at in range(5):
            item = {
                "customer": {"S": customer},
                "at": {"N": str(at)},
                "status": {"S": "open" if at % 2 else "closed"},
                "sp ace": {"N": str(at * 10)},
                "raw_bytes": {"B": bytes([at])},
                "entries": {
                    "L": [{"M": {"sku": {"S": f"s{n}"}, "n": {"N": str(n)}}} for n in range(3)]
                },
                "m": {"M": {"x": {"N": "1.5"}, "y": {"SS": ["a"]}}},
            }
            if at == 4:
                item["status"] = {"N": "4"}
            aws.dynamodb.put_item(TableName="orders", Item=item)

    def export(**specification):
        return aws.exported(arn, FilterSpecification=specification)

    export.aws, export.arn = aws, arn
    return export


def keys(items):
    """Customer and time of each item, in order."""
    return sorted((item["customer"]["S"], int(item["at"]["N"])) for item in items)


@pytest.mark.parametrize(
    ("condition", "values", "times"),
    [
        ("customer = :c", {}, [0, 1, 2, 3, 4]),
        ("customer = :c AND #at = :a", {":a": {"N": "3.0"}}, [3]),
        ("customer = :c AND #at >= :a", {":a": {"N": "3"}}, [3, 4]),
        ("customer = :c AND #at < :a", {":a": {"N": "1"}}, [0]),
        (
            "customer = :c\n AND #at BETWEEN :a AND :b",
            {":a": {"N": "1"}, ":b": {"N": "3"}},
            [1, 2, 3],
        ),
    ],
)
def test_a_key_condition_selects_one_partition_and_a_range(orders, condition, values, times):
    """Numbers compare as numbers, whatever their spelling."""
    names = {"#at": "at"} if "#at" in condition else {}
    more = {"ExpressionAttributeNames": names} if names else {}
    items = orders(
        KeyConditionExpression=condition,
        ExpressionAttributeValues={":c": {"S": "ann"}, **values},
        **more,
    )
    assert keys(items) == [("ann", at) for at in times]


def test_begins_with_on_a_text_sort_key(in_process):
    """The one function a key condition may have."""
    arn = in_process.table(id="S", day="S")
    in_process.bucket()
    for day in ("2026-01-01", "2026-02-01", "2025-01-01"):
        in_process.put("Article", id="x", day=day)
    items = in_process.exported(
        arn,
        FilterSpecification={
            "KeyConditionExpression": "id = :id AND begins_with(#day, :day)",
            "ExpressionAttributeNames": {"#day": "day"},
            "ExpressionAttributeValues": {":id": {"S": "x"}, ":day": {"S": "2026-"}},
        },
    )
    assert sorted(item["day"]["S"] for item in items) == ["2026-01-01", "2026-02-01"]


@pytest.mark.parametrize(
    ("expression", "names", "values", "times"),
    [
        ("#s = :open", {"#s": "status"}, {":open": {"S": "open"}}, [1, 3]),
        ("#s = :open AND NOT #a = :one", {"#s": "status", "#a": "at"}, {":open": {"S": "open"}, ":one": {"N": "1"}}, [3]),
        ("#p > :p", {"#p": "sp ace"}, {":p": {"N": "25"}}, [3, 4]),
        ("#b = :b", {"#b": "raw_bytes"}, {":b": {"B": b"\x02"}}, [2]),
        ("#s < :z", {"#s": "status"}, {":z": {"S": "z"}}, [0, 1, 2, 3]),
        ("attribute_not_exists(nothing)", {}, {}, [0, 1, 2, 3, 4]),
        ("m.x = :x AND contains(m.y, :a)", {}, {":x": {"N": "1.50"}, ":a": {"S": "a"}}, [0, 1, 2, 3, 4]),
        ("entries[1].sku = :s", {}, {":s": {"S": "s2"}}, []),
        ("entries[2].sku = :s", {}, {":s": {"S": "s2"}}, [0, 1, 2, 3, 4]),
        ("attribute_type(#s, :n)", {"#s": "status"}, {":n": {"S": "N"}}, [4]),
    ],
)  # fmt: skip
def test_a_filter_expression_selects_items(orders, expression, names, values, times):
    """By value, by type, nested; values of two types compare false."""
    specification = {"FilterExpression": expression}
    if names:
        specification["ExpressionAttributeNames"] = names
    if values:
        specification["ExpressionAttributeValues"] = values
    items = orders(**specification)
    assert keys(items) == [(who, at) for who in ("ann", "bob") for at in times]


def test_a_projection_keeps_parts_with_their_exact_text(orders):
    """Names, placeholders, nested members and list positions; nothing else."""
    items = orders(
        KeyConditionExpression="customer = :c AND #at = :a",
        ProjectionExpression="customer, #p, m.x, entries[2].sku, entries[0].n, gone.deeper, raw_bytes",
        ExpressionAttributeNames={"#at": "at", "#p": "sp ace"},
        ExpressionAttributeValues={":c": {"S": "bob"}, ":a": {"N": "2"}},
    )
    assert items == [
        {
            "customer": {"S": "bob"},
            "sp ace": {"N": "20"},
            "m": {"M": {"x": {"N": "1.5"}}},
            "entries": {"L": [{"M": {"n": {"N": "0"}}}, {"M": {"sku": {"S": "s2"}}}]},
            "raw_bytes": {"B": "Ag=="},
        }
    ]


def test_the_description_repeats_the_specification(orders):
    """And ItemCount is what was exported."""
    specification = {
        "FilterExpression": "#s = :open",
        "ExpressionAttributeNames": {"#s": "status"},
        "ExpressionAttributeValues": {":open": {"S": "open"}},
    }
    described = orders.aws.describe(
        orders.aws.export(orders.arn, FilterSpecification=specification)
    )
    assert described["FilterSpecification"] == specification
    assert described["ItemCount"] == 4


V, A = {":v": {"S": "x"}}, {"#a": "status"}


@pytest.mark.parametrize(
    ("specification", "message"),
    [
        ({"FilterExpression": "#s = :v", "ExpressionAttributeValues": V}, "Invalid FilterExpression: An expression attribute name used in the document path is not defined; attribute name: #s"),
        ({"FilterExpression": "a = :w"}, "Invalid FilterExpression: An expression attribute value used in expression is not defined; attribute value: :w"),
        ({"FilterExpression": "a = :v", "ExpressionAttributeValues": {**V, ":w": {"S": "y"}}}, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"),
        ({"FilterExpression": "a = :v", "ExpressionAttributeValues": V, "ExpressionAttributeNames": A}, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}"),
        ({"FilterExpression": "a = = :v", "ExpressionAttributeValues": V}, "Invalid FilterExpression: Syntax error"),
        ({"FilterExpression": "status = :v", "ExpressionAttributeValues": V}, "Invalid FilterExpression: Attribute name is a reserved keyword; reserved keyword: status"),
        ({"FilterExpression": "  "}, "Invalid FilterExpression: The expression can not be empty;"),
        ({"FilterExpression": "a = :v" + " " * 4091, "ExpressionAttributeValues": V}, "Invalid FilterExpression: Expression size has exceeded the maximum allowed size; expression size: 4097"),
        ({"FilterExpression": " OR ".join(["a=:v"] * 151), "ExpressionAttributeValues": V}, "Invalid FilterExpression: The expression contains too many operators; operator count: 301"),
        ({"FilterExpression": "#a = :v", "ExpressionAttributeValues": V, "ExpressionAttributeNames": {"#a": "n" * 251}}, "ExpressionAttributeNames contains a name that is too long: 251 bytes, at most 250"),
        ({"FilterExpression": "a = :v", "ExpressionAttributeValues": {":v": {"S": "x" * 2_097_152}}}, "ExpressionAttributeValues exceeds max size"),
        ({"KeyConditionExpression": "#a = :v", "ExpressionAttributeNames": {"#a": "at"}, "ExpressionAttributeValues": {":v": {"N": "1"}}}, "Invalid KeyConditionExpression: Query condition missed key schema element: customer"),
        ({"KeyConditionExpression": "customer > :v", "ExpressionAttributeValues": V}, "Invalid KeyConditionExpression: Query key condition not supported"),
        ({"KeyConditionExpression": "customer = :v", "ExpressionAttributeValues": {":v": {"N": "1"}}}, "Invalid KeyConditionExpression: Condition parameter type does not match schema type"),
        ({"ProjectionExpression": "a, status"}, "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: status"),
        ({"ProjectionExpression": "a.b, a"}, "Invalid ProjectionExpression: Two document paths overlap with each other"),
        ({"ProjectionExpression": "a,,b"}, "Invalid ProjectionExpression: Syntax error"),
        ({"ProjectionExpression": "a[x]"}, "Invalid ProjectionExpression: Syntax error"),
        ({"ProjectionExpression": "a."}, "Invalid ProjectionExpression: Syntax error"),
    ],
)  # fmt: skip
def test_a_bad_specification_is_refused_at_once(orders, specification, message):
    """A ValidationException that names the expression; no export is started."""
    with pytest.raises(ClientError) as refused:
        orders(**specification)
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith(REFUSED + message)
    assert orders.aws.dynamodb.list_exports()["ExportSummaries"] == []
