"""Whatever an item holds, it is read back as boto3's deserializer reads it, value for value."""

import base64
import json
from collections import Counter
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ddb_assets import read_export_table
from ddb_assets.schema.attributes import Shape
from ddb_assets.schema.declaration import format_columns
from ddb_assets.schema.profile import Profile
from ddb_assets.schema.shapes import item_attributes, item_shape, open_keys

PLAIN_NAMES = ("id", "a", "A", "a.b", "a_S", "a_N", "a_NULL", "a_S_", "S", "M", "NULL", "Item")
ODD_NAMES = ("*", "\\*", "é", "日本", "\U0001f600", "with space", 'q"uote', "back\\slash")
BAD_NAMES = ("new\nline", "\x00", "\x7f", "null", "x:null", "key", "value", "element")
NAMES = st.sampled_from([*PLAIN_NAMES, *ODD_NAMES, *BAD_NAMES]) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8
)
EDGES = ("0", "-0", "0.0", "1E-130", "-1E-130", "9." + "9" * 37 + "E+125", "-" + "9" * 38, ".5")
FORMS = ("1E+125", "1E3", "1.0", "100", "1.5E1", "0.000001", "9223372036854775808", "+7", "-0.50")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["null", '":null', '{"S":null}', "\\", '"', "0x10", "\x00", "\u2028", "a" * 3000]
)


@st.composite
def numbers(draw):
    """Numbers as DynamoDB has them: 38 digits, 1E-130 to 9.99…E+125, in any way of writing."""
    kind = draw(st.sampled_from(["small", "bigint", "point", "any", "edge"]))
    if kind == "small":
        return str(draw(st.integers(-1000, 1000)))
    if kind == "bigint":
        return str(draw(st.integers(-(2**63) - 2, 2**63 + 2)))
    if kind == "point":
        fraction = draw(st.text("0123456789", min_size=1, max_size=9))
        return f"{draw(st.integers(-(10**9), 10**9))}.{fraction}"
    if kind == "edge":
        return draw(st.sampled_from([*EDGES, *FORMS]))
    digits = draw(st.integers(1, 10**38 - 1))
    exponent = draw(st.integers(-130, 125 - (len(str(digits)) - 1)))
    return f"{draw(st.sampled_from(['', '-']))}{digits}E{exponent}"


def distinct_numbers(texts):
    """No number twice in a set, however it is written."""
    return list({Decimal(text): text for text in texts}.values())


BINARY = st.binary(max_size=20).map(lambda b: base64.b64encode(b).decode())
SCALARS = st.one_of(
    TEXTS.map(lambda s: {"S": s}),
    numbers().map(lambda n: {"N": n}),
    BINARY.map(lambda b: {"B": b}),
    st.booleans().map(lambda b: {"BOOL": b}),
    st.just({"NULL": True}),
    st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(lambda s: {"SS": s}),
    st.lists(numbers(), min_size=1, max_size=3).map(lambda s: {"NS": distinct_numbers(s)}),
    st.lists(BINARY, min_size=1, max_size=3, unique=True).map(lambda s: {"BS": s}),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda v: {"L": v})
        | st.dictionaries(NAMES, inner, max_size=3).map(lambda v: {"M": v})
    ),
    max_leaves=8,
)
ITEMS = st.lists(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4), max_size=8)
HOW = st.fixed_dictionaries(
    {"batch_bytes": st.sampled_from([1, 200, 1 << 20]), "workers": st.sampled_from([1, 2])}
)


def deeply_open(shape):
    """The same with the keys of every map open."""
    shape = open_keys(shape)
    return Shape(
        shape.scalars,
        None,
        None if shape.values is None else deeply_open(shape.values),
        None if shape.element is None else deeply_open(shape.element),
    )


def counted(items):
    """A bag of items: an export has no order."""
    return Counter(repr(sorted(freeze(item).items())) for item in items)


def freeze(value):
    """The same, comparable by its repr."""
    if isinstance(value, dict):
        return {k: freeze(v) for k, v in sorted(value.items())}
    if isinstance(value, list):
        return [freeze(v) for v in value]
    if isinstance(value, set):
        return ("set", sorted(map(repr, map(freeze, value))))
    if isinstance(value, Decimal):
        # Equal numbers in one spelling, without rounding: normalize() rounds.
        sign, digits, exponent = value.as_tuple()
        text = "".join(map(str, digits)).lstrip("0")
        bare = text.rstrip("0")
        return ("number", bare and sign, bare, bare and exponent + len(text) - len(bare))
    return (type(value).__name__, value)


def check_typed(exports, items, how, *, ascii_only=False):
    """Inferred, both ways of mixed types, and with every key open."""
    export = exports.stored(items, ascii_only=ascii_only)
    expected = counted(map(exports.by_boto3, items))
    profile = Profile()
    for item in items:
        profile.observe_item(item)
    attributes = profile.attributes()
    opened = item_attributes(deeply_open(item_shape(attributes)))
    some_open = [type(a)(a.name, deeply_open(a.shape)) for a in attributes]
    ways = [{}, {"mixed": "json"}, {"profile": profile}]
    if attributes:
        ways += [{"columns": format_columns(c)} for c in (attributes, opened, some_open)]
    for way in ways:
        table = read_export_table(export.location, gateways=export.gateways, **how, **way)
        table.validate(full=True)
        assert len(set(table.column_names)) == table.num_columns
        assert table.num_rows == len(items)
        assert counted(exports.items_of(table)) == expected, way


def check_raw(exports, items, how):
    """Descriptors as text, and items as text."""
    export = exports.stored(items)
    table = read_export_table(export.location, gateways=export.gateways, form="raw", **how)
    names = table.column_names
    assert sorted({name for item in items for name in item}) == names
    rows = [
        {n: json.loads(t) for n, t in zip(names, row, strict=True) if t is not None}
        for row in zip(*(c.to_pylist() for c in table.columns), strict=True)
    ]
    if names:
        assert Counter(map(repr_sorted, rows)) == Counter(map(repr_sorted, items))
    table = read_export_table(export.location, gateways=export.gateways, form="item", **how)
    found = [json.loads(text) for text in table["Item"].to_pylist()]
    assert Counter(map(repr_sorted, found)) == Counter(map(repr_sorted, items))


def repr_sorted(item):
    """Its canonical text."""
    return json.dumps(item, sort_keys=True)


QUICK = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
THOROUGH = settings(QUICK, max_examples=500)


@QUICK
@given(items=ITEMS, how=HOW)
def test_some_items_are_read_back_exactly(exports, items, how):
    """Typed and raw, a few cases."""
    check_typed(exports, items, how)
    check_raw(exports, items, how)


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["in C"], indirect=True)
@THOROUGH
@given(items=ITEMS, how=HOW, ascii_only=st.booleans())
def test_thousands_of_items_are_read_back_exactly_with_types(exports, items, how, ascii_only):
    """Every attribute type, nested, odd names, extreme numbers."""
    check_typed(exports, items, how, ascii_only=ascii_only)


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["in C"], indirect=True)
@THOROUGH
@given(items=ITEMS, how=HOW)
def test_thousands_of_items_are_read_back_exactly_as_text(exports, items, how):
    """A column per attribute, and one for the item."""
    check_raw(exports, items, how)


def test_the_deepest_and_the_largest_item_are_read_back(exports):
    """32 levels of lists and maps, and 400 KB in one string and in one binary."""
    deep = {"S": "down here"}
    for level in range(31):
        deep = {"M": {"k": deep}} if level % 2 else {"L": [deep, {"NULL": True}]}
    large = base64.b64encode(bytes(range(256)) * 1500).decode()
    items = [{"id": {"S": "\x01" * 400_000}}, {"id": {"S": "x"}, "deep": deep, "b": {"B": large}}]
    check_typed(exports, items, {"batch_bytes": 1 << 16, "workers": 2})
    check_raw(exports, items, {"batch_bytes": 1 << 16, "workers": 2})


def test_a_map_with_hundreds_of_keys_is_read_as_a_map(exports):
    """Open keys, as in a map of prices by day, with several types of value and maps inside."""
    items = [
        {
            "id": {"N": str(n)},
            "prices": {"M": {f"2026-{n:03d}": {"N": f"{n}.5"}, "last": {"NULL": True}}},
            "log": {"M": {f"k{n}": {"M": {f"x{n}": {"S": "1"}}} if n % 2 else {"L": [{"S": "y"}]}}},
        }
        for n in range(300)
    ]
    export = exports.stored(items)
    table = read_export_table(export.location, gateways=export.gateways)
    assert pa.types.is_map(table.schema.field("prices").type)
    assert pa.types.is_decimal(table.schema.field("prices").type.item_type)
    check_typed(exports, items, {"workers": 2})
