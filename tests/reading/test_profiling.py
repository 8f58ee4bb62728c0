"""What a refresh counts items with: as fast as it can, and with one result."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ddb_assets.errors import ManifestInvalidError
from ddb_assets.reading.native_profile import NativeProfiler
from ddb_assets.reading.profiling import fastest_profiling
from ddb_assets.schema.profile import Profile, profile_of_lines

#: One that only the reference understands is among them: a key that comes twice.
LINES = st.lists(
    st.sampled_from(
        [
            b'{"Item":{"a":{"S":"x"}}}',
            b'{"Item":{"a":{"N":"1.5"},"b":{"M":{"c":{"L":[{"NULL":true}]}}}}}',
            b'{"Item":{"a":{"S":"x"},"a":{"N":"7"}}}',
            b'{"Item":{}}',
        ]
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(LINES, st.booleans())
def test_lines_have_the_profile_they_have_item_by_item(lines, ended):
    """With and without a line feed at the end, and with lines that are written oddly."""
    text = b"\n".join(lines) + b"\n" * ended
    assert fastest_profiling()(text) == profile_of_lines(text)


def test_a_line_that_is_no_item_is_an_error():
    """As it is item by item."""
    with pytest.raises(ManifestInvalidError, match="not an item"):
        fastest_profiling()(b'{"Item":{}}\n{"Item":{"a":{"N":"x"}}}\n')


def test_a_refresh_counts_in_c_where_it_can(reader):
    """Item by item only where there is no extension."""
    assert (fastest_profiling() is profile_of_lines) == (reader == "by pyarrow")


@pytest.mark.parametrize("reader", ["in C"], indirect=True)
def test_odd_lines_are_named_and_the_others_are_counted_once():
    """Also the first, the last, and two in a row."""
    odd, fine = b'{"Item":{"a":{"S":"x","S":"y"}}}\n', b'{"Item":{"a":{"S":"x"}}}\n'
    text = b"".join([odd, fine, odd, odd, fine, fine, odd])
    profiler = NativeProfiler()
    found = [text[start:end] for start, end in profiler.observe(text)]
    assert found == [odd] * 4
    expected = Profile()
    for _ in range(3):
        expected.observe_line(fine)
    assert profiler.profile() == expected
