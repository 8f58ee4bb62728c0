"""What is put into DynamoDB is read back from every surface, value for value.

Put -> export -> publish -> raw table, typed view and Parquet through Athena's API, and
`read_export`. What a surface does not tell apart stands in the product's report, or the test fails.
"""

import itertools

import pytest
from ddb_round_trip.items import Table, tables
from ddb_round_trip.surfaces import Surfaces
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

#: Items of a table, tables of a refresh, refreshes: 5,400 items are the cases.
SIZE, TABLES, REFRESHES = 150, 3, 12
# Nothing is shrunk: an example is three refreshed tables. What fails is shown as it was drawn.
QUICK = settings(
    max_examples=1,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
THOROUGH = settings(QUICK, max_examples=REFRESHES)

_numbers = itertools.count()


def check(aws, drawn: list[Table], **how) -> None:
    """All tables in one refresh, each through every surface."""
    named = {f"t{next(_numbers)}": table.items for table in drawn}
    for name, items in named.items():
        aws.put(name, items)
    published = aws.publish(list(named), **how)
    for name, items in named.items():
        Surfaces(aws, published[name], items).check_all()


@QUICK
@given(drawn=st.lists(tables(10), min_size=1, max_size=1))
def test_a_few_items_are_exact_on_every_surface(aws, drawn):
    """One small table, in every run of the suite."""
    check(aws, drawn)


@QUICK
@given(drawn=st.lists(tables(10), min_size=1, max_size=1))
def test_a_few_items_are_exact_where_several_types_are_json(aws, drawn):
    """The value's own DynamoDB JSON; what its nested keys are spelled as is reported."""
    check(aws, drawn, mixed_types="json")


@pytest.mark.slow
@THOROUGH
@given(drawn=st.lists(tables(SIZE), min_size=TABLES, max_size=TABLES))
def test_thousands_of_items_are_exact_on_every_surface(aws, drawn):
    """Every attribute type, nested, odd names, extreme numbers; what is lost is reported."""
    check(aws, drawn)


@pytest.mark.slow
@settings(THOROUGH, max_examples=REFRESHES // 3)
@given(drawn=st.lists(tables(SIZE), min_size=TABLES, max_size=TABLES))
def test_thousands_of_items_are_exact_where_several_types_are_json(aws, drawn):
    """All of it again with one column for an attribute of several types."""
    check(aws, drawn, mixed_types="json")
