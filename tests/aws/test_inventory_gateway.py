"""The tables of an account: paging, tags and identity at the wire."""

import pytest

from ddb_assets.aws.inventory import InventoryGateway
from ddb_assets.errors import AccessDeniedError, UnsupportedError


@pytest.fixture
def gateway(reached):
    """The gateway over the fake AWS."""
    return InventoryGateway(lambda: reached.client("dynamodb"), lambda: reached.client("sts"))


def test_all_pages_of_tables_are_read_as_they_are_needed(aws, gateway):
    """A hundred a call, from the last name on."""
    aws.json({"TableNames": ["aaa", "bbb"], "LastEvaluatedTableName": "bbb"}).json(
        {"TableNames": ["ccc"]}
    )
    names = gateway.table_names()
    assert next(names) == "aaa"
    assert len(aws.seen) == 1
    assert list(names) == ["bbb", "ccc"]
    assert [seen.json for seen in aws.seen] == [
        {"Limit": 100},
        {"Limit": 100, "ExclusiveStartTableName": "bbb"},
    ]


def test_a_page_that_repeats_itself_is_an_error_and_not_an_endless_loop(aws, gateway):
    """No AWS does that; an emulator may."""
    aws.json({"TableNames": ["aaa"], "LastEvaluatedTableName": "aaa"})
    with pytest.raises(UnsupportedError, match="LastEvaluatedTableName twice"):
        list(gateway.table_names())


def test_the_account_is_the_callers(aws, gateway):
    """From GetCallerIdentity."""
    aws.xml(
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
    assert gateway.account() == "123456789012"
    assert aws.operations == ["GetCallerIdentity"]


@pytest.mark.parametrize(
    ("call", "action"),
    [
        (lambda gateway: list(gateway.table_names()), "dynamodb:ListTables"),
        (
            lambda gateway: gateway.tags("arn:aws:dynamodb:us-east-1:123456789012:table/a"),
            "dynamodb:ListTagsOfResource",
        ),
    ],
)
def test_a_missing_permission_names_the_action(aws, gateway, call, action):
    """Even where AWS's own words do not."""
    aws.error("AccessDeniedException", "no")
    with pytest.raises(AccessDeniedError) as caught:
        call(gateway)
    assert action in str(caught.value)
