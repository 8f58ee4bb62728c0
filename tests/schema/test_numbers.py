"""The number ladder: exact on every rung, and never narrower."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddb_assets.schema.number_stats import NumberStats
from ddb_assets.schema.numbers import BIGINT, STRING, NumberType, decimal, narrowest, widen

#: DynamoDB's numbers: up to 38 digits, 1E-130 to 9.99E+125.
numbers = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(-(10**18), 10**18),
    st.sampled_from([-130, -30, -4, -2, 0, 0, 0, 1, 20, 100]),
)
rungs = st.one_of(
    st.just(BIGINT),
    st.just(STRING),
    st.integers(1, 38).flatmap(
        lambda p: st.integers(0, p).map(lambda s: NumberType("decimal", p, s))
    ),
)


def observed(found):
    """The stats of these numbers."""
    stats = NumberStats()
    for number in found:
        stats.observe(str(number))
    return stats


@given(st.lists(numbers, min_size=1, max_size=5))
def test_the_chosen_rung_holds_every_number(found):
    """No digit is lost on any rung, and bigint is chosen exactly when it can be."""
    chosen = narrowest(observed(found))
    assert all(chosen.holds(number) for number in found)
    assert (chosen == BIGINT) == all(BIGINT.holds(number) for number in found)


@given(st.lists(numbers, min_size=1, max_size=4))
def test_no_smaller_decimal_would_do(found):
    """The precision is the least; string is chosen only when 38 digits are not enough."""
    chosen = narrowest(observed(found))
    if chosen.kind == "decimal":
        for cut in (0, 1):
            p, s = chosen.precision - 1, chosen.scale - cut
            legal = p >= max(s, 1) and s >= 0
            assert not legal or not all(NumberType("decimal", p, s).holds(n) for n in found)
    if chosen == STRING:
        every = (NumberType("decimal", 38, scale) for scale in range(39))
        assert not any(all(one.holds(n) for n in found) for one in every)


@given(rungs, rungs, numbers)
def test_widening_loses_no_number(first, second, number):
    """What either type holds, the wider one holds."""
    wider = widen(first, second)
    if first.holds(number) or second.holds(number):
        assert wider.holds(number)


@given(rungs, rungs, rungs)
def test_widening_has_no_order(first, second, third):
    """Any order of refreshes ends at the same type."""
    assert widen(first, second) == widen(second, first)
    assert widen(first, first) == first
    assert widen(widen(first, second), third) == widen(first, widen(second, third))


@pytest.mark.parametrize(
    ("found", "hive", "query"),
    [
        ([], "bigint", "bigint"),
        (["0", "-5"], "bigint", "bigint"),
        (["12.50"], "decimal(3,1)", "decimal(3,1)"),
        (["0.05"], "decimal(2,2)", "decimal(2,2)"),
        (["9223372036854775808"], "decimal(19,0)", "decimal(19,0)"),
        (["9" * 38], "decimal(38,0)", "decimal(38,0)"),
        (["9" * 38, "0.1"], "string", "varchar"),
        (["1E-130"], "string", "varchar"),
        (["9.99E+125"], "string", "varchar"),
    ],
)
def test_the_rungs_of_known_numbers(found, hive, query):
    """The names both dialects give them."""
    chosen = narrowest(observed(found))
    assert (chosen.hive, chosen.query) == (hive, query)


def test_a_decimal_too_long_is_a_string():
    """Athena's limit is 38 digits."""
    assert decimal(30, 8) == NumberType("decimal", 38, 8)
    assert decimal(30, 9) == STRING
