"""The profile made of blocks, by whichever reader, is the profile made item by item."""

from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ddb_assets.core.clock import SystemClock
from ddb_assets.errors import ManifestInvalidError
from ddb_assets.reading import native
from ddb_assets.reading.blocks import Block
from ddb_assets.reading.export import Scan
from ddb_assets.reading.infer import Observer
from ddb_assets.reading.lines import observed
from ddb_assets.reading.number_texts import number_stats
from ddb_assets.reading.source import resolve
from ddb_assets.schema.number_stats import NumberStats
from ddb_assets.schema.profile import Profile

QUICK = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
THOROUGH = settings(QUICK, max_examples=1500)

DIGITS = st.text("0123456789", min_size=1, max_size=40)
NUMBERS = st.one_of(
    st.integers(-(2**63) - 2, 2**63 + 2).map(str),
    st.integers(-50, 50).map(str),
    st.builds("{}{}".format, st.sampled_from(["", "-"]), DIGITS),
    st.builds("{}{}.{}".format, st.sampled_from(["", "-"]), DIGITS, DIGITS),
    st.builds("{}E{}".format, DIGITS, st.integers(-130, 80)),
    st.sampled_from(
        ["0", "-0", "0.0", "00", ".5", "5.", "+7", "-.5", "1e5", "100", "0.10", "-10.0"]
    ),
)
CODES = {"S": "text", "N": "1", "B": "AA==", "BOOL": True, "NULL": True}
SCALARS = st.sampled_from([{code: value} for code, value in CODES.items()]) | st.sampled_from(
    [{"SS": ["a"]}, {"NS": ["1", "2.5"]}, {"BS": ["AA=="]}, {"L": []}, {"M": {}}, {"N": "1.25E9"}]
)
KEYS = st.sampled_from([f"k{n}" for n in range(150)])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda v: {"L": v})
        | st.dictionaries(KEYS, inner, max_size=40).map(lambda v: {"M": v})
    ),
    max_leaves=60,
)
ITEMS = st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), max_size=8)


def check_profile(exports, items, batches):
    """Both ways, over the same lines; the observer knows more with every batch."""
    lines = exports.lines_of(items).splitlines(keepends=True)
    observer, slow = Observer(), Profile()
    for start in range(0, len(lines), batches):
        block = Block("s3://b/k", start + 1, b"".join(lines[start : start + batches]))
        slow = slow.merge(observed(block))
        observer(block)
    assert observer.profile().to_json() == slow.to_json()


@QUICK
@given(items=ITEMS, batches=st.integers(1, 4))
def test_some_items_have_one_profile(exports, items, batches):
    """A few cases, some with maps that open their keys on the way."""
    check_profile(exports, items, batches)


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["in C"], indirect=True)
@THOROUGH
@given(items=ITEMS, batches=st.integers(1, 4))
def test_thousands_of_items_have_one_profile(exports, items, batches):
    """Types that come late, empty documents, open keys."""
    check_profile(exports, items, batches)


def observed_one_by_one(texts):
    """The reference."""
    stats = NumberStats()
    for text in texts:
        stats.observe(text)
    return stats


@QUICK
@given(texts=st.lists(NUMBERS, max_size=8))
def test_numbers_are_measured_together_as_one_by_one(texts):
    """Digits, range, and whether they are written plainly; some cases."""
    assert number_stats(pa.array([*texts, None], pa.string())) == observed_one_by_one(texts)


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["by pyarrow"], indirect=True)
@settings(max_examples=6_000, deadline=None)
@given(texts=st.lists(NUMBERS, max_size=8))
def test_thousands_of_numbers_are_measured_together_as_one_by_one(texts):
    """Digits, range, and whether they are written plainly."""
    assert number_stats(pa.array([*texts, None], pa.string())) == observed_one_by_one(texts)


@pytest.mark.parametrize("text", ["", "abc", "0x10", "1_0", " 1", "NaN", "Infinity", "1.2.3", "٣"])
def test_what_is_no_number_is_refused(text):
    """As the item-by-item profile does."""
    with pytest.raises(ValueError, match="number"):
        number_stats(pa.array(["1", text], pa.string()))


def test_inference_hardly_looks_at_items_one_by_one(exports, monkeypatch):
    """From Arrow, at the first part of the first block; in C, at none."""
    seen = SimpleNamespace(items=0)
    one_by_one = Profile.observe_line

    def counting(profile, line):
        seen.items += 1
        one_by_one(profile, line)

    monkeypatch.setattr(Profile, "observe_line", counting)
    items = [{"id": {"S": f"{n:020d}"}, "n": {"N": str(n)}} for n in range(20_000)]
    export = exports.stored(items)
    manifest = resolve(export.location, export.gateways, SystemClock())
    assert Scan(export.gateways.objects, manifest).profile().items == 20_000
    assert seen.items < 3_000
    assert bool(seen.items) == (native.extension() is None)


def test_a_late_attribute_costs_one_part_and_is_not_lost(exports):
    """One item in the middle of a block has an attribute nobody else has."""
    items = [{"id": {"S": f"{n:020d}"}} for n in range(20_000)]
    items[15_000]["late"] = {"N": "1.5"}
    export = exports.stored(items, files=1)
    manifest = resolve(export.location, export.gateways, SystemClock())
    profile = Scan(export.gateways.objects, manifest).profile()
    assert [a.name for a in profile.attributes()] == ["id", "late"]
    assert profile.items == 20_000


@pytest.mark.parametrize(
    "bad", [b'{"Item":{"a":{"N":"x"}}}', b'{"Item":{"a":{"S":null}}}', b'{"Item":{"a":{}}}', b"{"]
)
def test_a_bad_line_is_named_by_inference(bad):
    """With the file and the number of the line in it."""
    observer = Observer()
    observer(Block("s3://b/k", 1, b'{"Item":{"a":{"N":"1"}}}\n' * 10))
    good = b'{"Item":{"a":{"N":"1"}}}\n' * 5_000
    with pytest.raises(ManifestInvalidError, match=r"s3://b/k, line 5011") as raised:
        observer(Block("s3://b/k", 11, good + bad + b"\n" + good))
    assert raised.value.details["line_number"] == 5011
