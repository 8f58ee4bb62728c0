"""The profile that a refresh left beside an export saves its reader a pass over the data."""

import json

import pytest

from ddb_assets import read_export_table
from ddb_assets.core.clock import SystemClock
from ddb_assets.errors import DeclarationError
from ddb_assets.reading.export import Scan
from ddb_assets.reading.source import resolve

ITEMS = [
    {"id": {"N": str(n)}, "price": {"N": f"{n}.50"}, "tags": {"SS": ["a", "b"]}} for n in range(100)
]


@pytest.fixture
def export(exports):
    """An export in two files."""
    return exports.stored(ITEMS)


def profile_of(export):
    """The profile of all its items."""
    return Scan(export, resolve(export.arn, export.gateways, SystemClock())).profile()


def keep(export, *, profile=None, arn=None, items=None):
    """Put a profile where a refresh puts it."""
    profile = profile or profile_of(export)
    content = {
        "format": 1,
        "export_arn": arn or export.arn,
        "items": profile.items if items is None else items,
        "profile": profile.to_dict(),
    }
    folder = export.location.partition("//")[2].partition("/")[2].removesuffix("data/")
    export.objects[f"{folder}ddb_assets-profile.json"] = json.dumps(content).encode()
    export.streamed.clear()


def read(export, **how):
    """The whole export."""
    return read_export_table(export.location, gateways=export.gateways, **how)


@pytest.mark.parametrize("how", [{}, {"form": "raw"}, {"columns": {"price": "N"}}])
def test_what_a_refresh_counted_is_not_counted_again(export, how):
    """Each data file is read once instead of twice, and the table is the same."""
    twice = read(export, **how)
    assert len(export.streamed) == 4
    keep(export)
    assert read(export, **how).equals(twice)
    assert len(export.streamed) == 2


def test_it_can_be_left_out(export):
    """`stored_profile=False` counts the items itself."""
    keep(export)
    read(export, stored_profile=False)
    assert len(export.streamed) == 4


def test_a_given_profile_comes_first(export):
    """Whoever hands one in is not asked which."""
    mine = profile_of(export)
    keep(export, items=0)
    read(export, profile=mine)
    assert len(export.streamed) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"arn": "arn:aws:dynamodb:us-east-1:123456789012:table/Article/export/01-other"},
        {"items": 99},
    ],
)
def test_one_that_is_not_of_this_export_is_passed_over(export, other):
    """Another export's, or one of fewer items: the items themselves still tell."""
    twice = read(export)
    keep(export, **other)
    assert read(export).equals(twice)
    assert len(export.streamed) == 4


def test_one_that_cannot_be_read_is_passed_over(export):
    """Half an object, or no JSON at all."""
    twice = read(export)
    keep(export)
    (key,) = (key for key in export.objects if key.endswith("-profile.json"))
    export.objects[key] = export.objects[key][:-10]
    assert read(export).equals(twice)


def test_one_that_lies_is_an_error_not_another_value(exports, export):
    """A number the profile has no room for is neither rounded nor made null."""
    whole = [{**item, "price": {"N": "1"}} for item in ITEMS]
    keep(export, profile=profile_of(exports.stored(whole)))
    with pytest.raises(DeclarationError, match=r"profile.*line 1") as told:
        read(export)
    assert "stored_profile=False" in told.value.remedy
    assert sum(read(export, stored_profile=False)["price"].to_pylist()) == 5000
