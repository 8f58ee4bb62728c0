"""Numbers are values: one spelling, 38 digits, and a refusal before anything has changed."""

from decimal import Decimal

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto.core.exceptions import JsonRESTError

from ddb_assets.local.dynamodb.numbers import canonical, normalise_request

MANY = "Attempting to store more than 38 significant digits in a Number"
OVER = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDER = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
NONE = "The parameter cannot be converted to a numeric value"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("1.50", "1.5"),
        ("1E2", "100"),
        ("+007", "7"),
        ("-0", "0"),
        ("0.000", "0"),
        ("0E500", "0"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-1e-3", "-0.001"),
        ("9" * 38, "9" * 38),
        ("9" * 38 + "000", "9" * 38 + "000"),
        ("1" + "0" * 60, "1" + "0" * 60),
        ("9.9999999999999999999999999999999999999E+125", "9" * 38 + "0" * 88),
        ("1E-130", "0." + "0" * 129 + "1"),
    ],
)
def test_a_number_has_one_spelling(text, stored):
    """Plain digits without zeros to trim."""
    assert canonical(text) == stored
    assert canonical(stored) == stored


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1" * 39, MANY),
        ("1." + "0" * 37 + "1", MANY),
        ("1E126", OVER),
        ("-1E126", OVER),
        ("1E99999999999999999999", OVER),
        ("1E-131", UNDER),
        ("1E-99999999999999999999", UNDER),
        ("", NONE),
        ("a", f"{NONE}: a"),
        (" 1", f"{NONE}:  1"),
        ("1_0", f"{NONE}: 1_0"),
        ("NaN", f"{NONE}: NaN"),
        ("Infinity", f"{NONE}: Infinity"),
        ("0x1", f"{NONE}: 0x1"),
        ("١", f"{NONE}: ١"),
    ],
)
def test_what_is_no_number_or_too_long_is_refused(text, message):
    """With DynamoDB's words."""
    with pytest.raises(JsonRESTError) as refused:
        canonical(text)
    assert refused.value.message == message


@given(
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.integers(-130, 87),
)
def test_the_value_never_changes(digits, exponent):
    """Whatever the spelling, the stored text is equal in value and contains no exponent."""
    number = Decimal(digits).scaleb(exponent)
    if number and number.adjusted() < -130:
        number = Decimal(0)
    stored = canonical(str(number))
    assert Decimal(stored) == number
    assert "E" not in stored
    assert stored == canonical(f"{number:E}")


def test_only_values_are_rewritten(in_process):
    """A map attribute named N, a table named N and names of placeholders are left alone."""
    request = {
        "RequestItems": {
            "N": [{"PutRequest": {"Item": {"N": {"S": "1.0"}, "NS": {"NS": ["1.0"]}}}}]
        },
        "ExpressionAttributeNames": {"#n": "1.0"},
        "Item": {"N": {"M": {"N": {"N": "1.0"}}}, "L": {"L": [{"N": "2.0"}]}},
    }
    normalise_request(request)
    assert request == {
        "RequestItems": {"N": [{"PutRequest": {"Item": {"N": {"S": "1.0"}, "NS": {"NS": ["1"]}}}}]},
        "ExpressionAttributeNames": {"#n": "1.0"},
        "Item": {"N": {"M": {"N": {"N": "1"}}}, "L": {"L": [{"N": "2"}]}},
    }


@pytest.mark.parametrize(
    "value",
    [
        {"N": "1" * 39},
        {"NS": ["1", "1" * 39]},
        {"M": {"deep": {"L": [{"N": "1" * 39}]}}},
    ],
    ids=["top", "in a set", "nested"],
)
def test_39_digits_are_refused_wherever_they_are(aws, value):
    """PutItem and UpdateItem; nothing is stored."""
    aws.table()
    with pytest.raises(ClientError) as refused:
        aws.put("Article", id="one", v=value)
    assert refused.value.response["Error"] == {"Code": "ValidationException", "Message": MANY}
    with pytest.raises(ClientError, match=MANY):
        aws.dynamodb.update_item(
            TableName="Article",
            Key={"id": {"S": "one"}},
            UpdateExpression="SET v = :v",
            ExpressionAttributeValues={":v": value},
        )
    assert aws.dynamodb.scan(TableName="Article")["Count"] == 0


def test_numbers_come_back_in_one_spelling(aws):
    """From GetItem, Query by a key in another spelling, and the export."""
    arn = aws.table(id="N")
    aws.bucket()
    aws.put("Article", id={"N": "1.00"}, n={"M": {"x": {"NS": ["1E2", "2.50"]}}})
    wanted = {"id": {"N": "1"}, "n": {"M": {"x": {"NS": ["100", "2.5"]}}}}
    got = aws.dynamodb.get_item(TableName="Article", Key={"id": {"N": "1e0"}})["Item"]
    queried = aws.dynamodb.query(
        TableName="Article",
        KeyConditionExpression="id = :id",
        ExpressionAttributeValues={":id": {"N": "01"}},
    )
    assert got == queried["Items"][0] == aws.exported(arn)[0] == wanted


def test_arithmetic_is_exact_and_in_one_spelling(aws):
    """ADD and SET with 38 digits, nested too; 1.5 and .5 are 2."""
    aws.table()
    aws.put(
        "Article", id="one", n={"N": "1.5"}, big={"N": "1" * 37 + ".1"}, m={"M": {"n": {"N": "1"}}}
    )
    changed = aws.dynamodb.update_item(
        TableName="Article",
        Key={"id": {"S": "one"}},
        UpdateExpression="SET m.n = m.n + :half, big = big + :tenth ADD n :half",
        ExpressionAttributeValues={":half": {"N": ".5"}, ":tenth": {"N": "0.1"}},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    assert changed["n"] == {"N": "2"}
    assert changed["m"] == {"M": {"n": {"N": "1.5"}}}
    assert changed["big"] == {"N": "1" * 37 + ".2"}


def test_a_set_with_a_number_twice_is_refused(aws):
    """1 and 1.0 are one value."""
    aws.table()
    with pytest.raises(ClientError, match="Input collection contains duplicates"):
        aws.put("Article", id="one", n={"NS": ["1", "1.0"]})
