"""The first items of an export, exact and cheap."""

import pytest

from ddb_assets.core.operating.preview import first_items, plain
from ddb_assets.errors import ExportObjectsGoneError

ITEMS = [{"userId": {"S": f"user {number}"}} for number in range(9)]


@pytest.fixture
def manifest(world):
    """Of nine items in three files, the last of them empty."""
    spec = world.table("orders", ITEMS)
    return world.refresh(spec)["orders"].manifest


@pytest.mark.parametrize(("rows", "found"), [(1, 1), (5, 5), (6, 6), (100, 9)])
def test_the_first_rows_are_read_in_the_files_order(world, manifest, rows, found):
    """From the second file on where the first has too few; all of a small table."""
    items = first_items(world.aws, manifest, rows)
    assert items == [*ITEMS[::2], *ITEMS[1::2]][:found]


def test_no_more_is_read_than_is_shown(world, manifest):
    """The download of a large file ends with the last row that is wanted."""
    world.aws.calls.clear()
    first_items(world.aws, manifest, 2)
    assert world.aws.count("stream") == 1
    assert world.aws.count("stream", "part1.json.gz") == 0


def test_a_file_that_is_gone_is_an_error(world, manifest):
    """The caller decides what it means."""
    world.aws.objects.clear()
    with pytest.raises(ExportObjectsGoneError):
        first_items(world.aws, manifest, 1)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ({"S": "text"}, "text"),
        ({"N": "12345678901234567890123456789012345678"}, "12345678901234567890123456789012345678"),
        ({"BOOL": False}, False),
        ({"NULL": True}, None),
        ({"B": "AAE="}, "AAE="),
        ({"SS": ["a", "ä"]}, '["a", "ä"]'),
        (
            {"M": {"n": {"N": "1.50"}, "l": {"L": [{"S": "x"}, {"NULL": True}]}}},
            '{"n": "1.50", "l": ["x", null]}',
        ),
    ],
)
def test_a_value_is_a_cell_without_losing_a_digit(value, cell):
    """Numbers stay text; what is nested is JSON."""
    assert plain(value) == cell
