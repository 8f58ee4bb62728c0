"""Items of every kind DynamoDB takes, drawn by Hypothesis: a table's worth at a time.

Hypothesis draws a table's vocabulary (names, values, a seed); the items are dealt from it, each
with attributes of its own. So thousands of items cost some dozens of examples, and a failing table
still shrinks to few names and values.
"""

import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

Item = dict[str, dict[str, Any]]

PLAIN = ("id", "a", "A", "Name", "createdAt", "userId", "user_id", "USERID", "items", "count")
#: What others are called: type codes, columns of mixed types, words of SerDes and of SQL.
BORROWED = (
    "s", "S", "n", "m", "M", "l", "NULL", "null", "BOOL", "bool", "ss", "item", "Item", "a_s",
    "a_n",
    "a_S_", "name_", "$path", "$Path", "mapping.a", "key", "value", "element", "entry_", "e0", "k0",
    "v0", "raw", "select", "SELECT", "from", "order", "group", "table", "end", "date", "timestamp",
    "row", "map", "array", "cast", "field0", "typeof", "current_date", "user", "*", "\\*", "_",
    "__",
)  # fmt: skip
ODD = (
    "a.b", "a b", " ", " a", "a ", "a-b", "1st", "007", "1", "é", "É", "日本", "\U0001f600", "ß",
    'q"uote', "q'uote", "back`tick", "back\\slash", "a:b", "a,b", "a<b>", "a(b)", "a=b", "{a}",
    "[0]",
    "a/*b*/", "--", ";", "%s", "a\tb", "new\nline", "\x00", "\x7f", "\u2028", "a\u0301", "x" * 255,
    "X" * 255, "y" * 300, "ünïcödé", "İ", "ı", "ẞ",
)  # fmt: skip
NAMES = st.sampled_from(PLAIN) | st.sampled_from(BORROWED) | st.sampled_from(ODD) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6
)  # fmt: skip

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "", " ", "null", "NULL", "true", "0", "1", '"', "'", "\\", "\\u0000", "\x00", "a\x00b",
        "\n", "\r\n",
        "\t", "\x1b", "\u2028", "\ufeff", "\ufffd", "\U0010ffff", "\U0001f469\u200d\U0001f680",
        "{a=b, c=d}",
        "[1, 2]", '{"S":"x"}', "2019-01-01T12:34:56.123456789Z", "a, b", "=", "x" * 5000, "\xa0",
        "\u0085",
    ]
)  # fmt: skip
BINARY = st.binary(max_size=12) | st.sampled_from([b"", b"\x00", bytes(range(256)), b"\xff\xfe"])
#: The ends of the range, and spellings: DynamoDB keeps the value, not the text.
EDGES = (
    "0", "-0", "0.0", "-0.00", "1E-130", "-1E-130", "9." + "9" * 37 + "E+125",
    "-9." + "9" * 37 + "E+125",
    "1E+125", "1E3", "1.0", "0.10", "100", "1.5E1", ".5", "+7", "-0.50", "0.000001",
    "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "9" * 38, "-" + "9" * 38,
    "0." + "1" * 38, "1" + "0" * 37, "1E37", "1E38", "123456789012345678901234567890.12345678",
)  # fmt: skip
FAMILIES = ("small", "bigint", "money", "wide", "any", "edge")


@st.composite
def number(draw: st.DrawFn, families: tuple[str, ...] = FAMILIES) -> str:
    """A number in one of the ways of writing it; at most 38 digits, 1E-130 to 9.99E+125."""
    family = draw(st.sampled_from(families))
    if family == "small":
        return str(draw(st.integers(-1000, 1000)))
    if family == "bigint":
        return str(draw(st.integers(-(2**63), 2**63 - 1)))
    if family == "money":
        return f"{draw(st.integers(-(10**7), 10**7))}.{draw(st.integers(0, 99)):02d}"
    if family == "wide":
        digits = str(draw(st.integers(1, 10**38 - 1)))
        point = draw(st.integers(0, len(digits)))
        return f"{digits[:point] or '0'}.{digits[point:] or '0'}"
    if family == "edge":
        return draw(st.sampled_from(EDGES))
    digits = str(draw(st.integers(1, 10**38 - 1)))
    exponent = draw(st.integers(-130, 126 - len(digits)))
    return f"{draw(st.sampled_from(['', '-']))}{digits}E{exponent}"


def _distinct(texts: list[str]) -> list[str]:
    """No number twice in a set, however it is written."""
    return list({Decimal(text): text for text in texts}.values())


def scalars(families: tuple[str, ...] = FAMILIES) -> st.SearchStrategy[dict[str, Any]]:
    """Every type but maps and lists."""
    numbers = number(families)
    return st.one_of(
        TEXTS.map(lambda s: {"S": s}),
        numbers.map(lambda n: {"N": n}),
        BINARY.map(lambda b: {"B": b}),
        st.booleans().map(lambda b: {"BOOL": b}),
        st.just({"NULL": True}),
        st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(lambda s: {"SS": s}),
        st.lists(numbers, min_size=1, max_size=3).map(lambda s: {"NS": _distinct(s)}),
        st.lists(BINARY, min_size=1, max_size=3, unique=True).map(lambda s: {"BS": s}),
    )


def values(families: tuple[str, ...] = FAMILIES) -> st.SearchStrategy[dict[str, Any]]:
    """Scalars, sets, and documents of them."""
    return st.recursive(
        scalars(families),
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda v: {"L": v})
            | st.dictionaries(NAMES, inner, max_size=3).map(lambda v: {"M": v})
        ),
        max_leaves=6,
    )


@dataclass
class Table:
    """What a table's items are dealt from, each with a `pk` of its own.

    Attributes:
        pools: Attribute -> values to choose from.
        seed: Of the dealing.
        size: How many items.
    """

    pools: dict[str, list[dict[str, Any]]]
    seed: int
    size: int

    @property
    def items(self) -> list[Item]:
        """The items: most have only some of the attributes."""
        dice = random.Random(self.seed)
        items: list[Item] = []
        for at in range(self.size):
            chosen = [name for name in self.pools if dice.random() < 0.6]
            dealt = {name: dice.choice(self.pools[name]) for name in chosen}
            items.append({"pk": {"S": f"{at}"}, **dealt})
        return items


@st.composite
def tables(draw: st.DrawFn, size: int) -> Table:
    """A table of so many items.

    Some attributes have values of one type, others of several; some tables have numbers that fit a
    bigint, others a decimal, others only text.
    """
    families = draw(
        st.sampled_from([("small",), ("small", "bigint"), ("money", "small"), ("wide",), FAMILIES])
    )
    names = draw(st.lists(NAMES.filter(lambda n: n != "pk"), min_size=1, max_size=8, unique=True))
    pools: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        if draw(st.booleans()):
            pools[name] = draw(st.lists(values(families), min_size=1, max_size=4))
        else:
            first = draw(values(families))
            code = next(iter(first))
            same = scalars(families).filter(lambda v, c=code: next(iter(v)) == c)
            more = [] if code in {"M", "L"} else draw(st.lists(same, max_size=2))
            pools[name] = [first, *more]
    return Table(pools, draw(st.integers(0, 2**32)), size)
