"""The C extension and pyarrow's way, on the same bytes: whole, damaged, and of every plan."""

import base64
import json

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ddb_assets.errors import DdbAssetsError
from ddb_assets.reading import native
from ddb_assets.reading.blocks import Block
from ddb_assets.reading.convert_block import BlockConverter, ItemTexts
from ddb_assets.reading.infer import Names, Observer
from ddb_assets.reading.lines import observed
from ddb_assets.reading.plan import Options, item_plan, raw_plan
from ddb_assets.schema.profile import Profile

QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
THOROUGH = settings(QUICK, max_examples=1_500)

NAMES = st.sampled_from(["id", "a", "b", "é", 'q"', "\\", "\U0001f600", "a name of many letters"])
NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.builds("{}.{}".format, st.integers(-(10**9), 10**9), st.integers(0, 10**9)),
    st.builds("{}E{}".format, st.integers(0, 10**38 - 1), st.integers(-130, 80)),
    st.sampled_from(["0", "-0", "00", "0.0", "0E9", ".5", "5.", "+7", "1e2", str(-(2**63))]),
    st.sampled_from(["9223372036854775807", "9223372036854775808", "9" * 38, "9" * 38 + "E38"]),
)
BINARY = st.binary(max_size=9).map(lambda b: base64.b64encode(b).decode())
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["", '"', "\\", "\x00", "x" * 15, "x" * 16, "x" * 17, "é" * 9, "\U0001f600", "{}[],:", "\n"]
)
SCALARS = st.one_of(
    TEXTS.map(lambda v: {"S": v}),
    NUMBERS.map(lambda v: {"N": v}),
    BINARY.map(lambda v: {"B": v}),
    st.booleans().map(lambda v: {"BOOL": v}),
    st.just({"NULL": True}),
    st.lists(TEXTS, max_size=3).map(lambda v: {"SS": v}),
    st.lists(NUMBERS, max_size=3).map(lambda v: {"NS": v}),
    st.lists(BINARY, max_size=3).map(lambda v: {"BS": v}),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda v: {"L": v})
        | st.dictionaries(NAMES, inner, max_size=3).map(lambda v: {"M": v})
    ),
    max_leaves=8,
)
ITEMS = st.lists(st.dictionaries(NAMES, VALUES, max_size=4), min_size=1, max_size=5)
WRITTEN = st.fixed_dictionaries(
    {
        "ensure_ascii": st.booleans(),
        "separators": st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :\r")]),
    }
)
NUMBER_TYPES = [None, pa.string(), pa.decimal256(76, 38), pa.int64(), pa.float64()]
OPTIONS = st.builds(
    Options,
    numbers=st.sampled_from(NUMBER_TYPES),
    mixed=st.sampled_from(["columns", "json"]),
    null_flags=st.booleans(),
    wide_decimals=st.booleans(),
    strict=st.booleans(),
)
#: What to do to a byte: (where it is, as a share of all; what comes there; how many it replaces).
SPLICES = [
    b"",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"true",
    b"1",
    b"\n",
    b" ",
]
SPLICES += [
    b" ",
    b"\x00",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80",
    b"\\ud83d",
    b"\\u00e9",
]
SPLICES += [b'"S":"x",', b'"NULL":true', b'"a":{"S":"y"},', b"=", b"0", b"E", b".", b"-", b"\\/"]
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(SPLICES) | st.binary(max_size=3), st.integers(0, 3)),
    max_size=3,
)
CASES = st.tuples(ITEMS, WRITTEN, DAMAGE, st.integers(0, 5), OPTIONS)


def written(items, how):
    """Items as lines."""
    lines = [json.dumps({"Item": item}, **how).encode() + b"\n" for item in items]
    return b"".join(lines)


def damaged(lines, damage):
    """The same with some bytes exchanged."""
    for share, splice, gone in damage:
        at = int(share * len(lines))
        lines = lines[:at] + splice + lines[at + gone :]
    return lines


def outcome(convert, block):
    """What comes of it: a batch or profile, or an error and what it says."""
    try:
        return convert(block)
    except DdbAssetsError as error:
        return type(error), str(error), error.details


def ways(items, plan_of, options):
    """Converters to compare, each made with and without the extension."""
    profile = Profile()
    for item in items[:plan_of]:
        profile.observe_item(item)
    attributes = profile.attributes()
    yield lambda: BlockConverter(item_plan(attributes, profile, options), strict=options.strict)
    yield lambda: BlockConverter(raw_plan([a.name for a in attributes]), strict=options.strict)
    yield ItemTexts


def without_extension(monkeypatch, make):
    """Made as if the extension had not been built."""
    with monkeypatch.context() as patch:
        patch.setattr(native, "extension", lambda: None)
        return make()


def check_same(monkeypatch, lines, items, plan_of, options):
    """Both readers, every form."""
    block = Block("s3://b/k", 1, lines)
    for make in ways(items, plan_of, options):
        ours = outcome(make(), block)
        theirs = outcome(without_extension(monkeypatch, make), block)
        if isinstance(ours, pa.RecordBatch) and isinstance(theirs, pa.RecordBatch):
            ours.validate(full=True)
            assert ours.schema.equals(theirs.schema, check_metadata=True)
            assert ours.to_pylist() == theirs.to_pylist()
            assert ours.equals(theirs)
        else:
            assert ours == theirs


def check_same_profile(lines):
    """Both observers against the reference, line by line; and the names of the attributes."""
    block = Block("s3://b/k", 1, lines)
    observer, names = Observer(), Names()
    expected = outcome(observed, block)
    found = outcome(observer, block)
    if not isinstance(expected, Profile):
        assert found == expected
        return
    assert observer.profile().to_json() == expected.to_json()
    assert {*names(block), *(names.rest() or ())} == set(expected.item.children or ())


@QUICK
@given(CASES)
def test_damaged_lines_come_to_the_same_by_both_readers(monkeypatch, case):
    """The same values, or the same error with the same file and line; some cases."""
    items, how, damage, plan_of, options = case
    lines = damaged(written(items, how), damage)
    check_same(monkeypatch, lines, items, plan_of, options)
    check_same_profile(lines)


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["in C"], indirect=True)
@THOROUGH
@given(CASES)
def test_thousands_of_damaged_lines_come_to_the_same_by_both_readers(monkeypatch, case):
    """The same values, or the same error with the same file and line."""
    items, how, damage, plan_of, options = case
    lines = damaged(written(items, how), damage)
    check_same(monkeypatch, lines, items, plan_of, options)
    check_same_profile(lines)


@pytest.mark.parametrize("reader", ["in C"], indirect=True)
@QUICK
@given(ITEMS, WRITTEN)
def test_the_extension_reads_every_item_itself(items, how):
    """It declines nothing that is as an export writes it."""
    lines = written(items, how)
    profile = Profile()
    for item in items:
        profile.observe_item(item)
    plan = item_plan(profile.attributes(), profile, Options(strict=True))
    converter = BlockConverter(plan, strict=True)
    assert converter.native is not None
    assert converter.native.columns(lines) is not None
    assert not list(Observer().native.observe(lines))
