"""Values and names at the ends of what DynamoDB takes, one by one, on every surface."""

import re

import pytest
from ddb_round_trip.items import BORROWED, EDGES, ODD, PLAIN
from ddb_round_trip.surfaces import Surfaces

#: What moto takes of the 400 KB that an item may have (AWS page "Service quotas"), and of binary,
#: which it counts as base64.
ITEM_BYTES, BINARY_BYTES = 404_000, 300_000
#: AWS page "Constraints": nested attributes go 32 levels deep.
DEPTH = 32


@pytest.fixture
def checked(aws, request):
    """A table of these items, published and compared on every surface."""
    made = iter(range(10))

    def check(items, *, json=True, **how) -> Surfaces:
        called = re.sub(r"[^a-z0-9]+", "_", request.node.name.lower())
        name = f"{called[:60]}-{next(made)}"
        whole = [{"pk": {"S": str(at)}, **item} for at, item in enumerate(items)]
        aws.put(name, whole)
        surfaces = Surfaces(aws, aws.publish([name], **how)[name], whole)
        surfaces.check_all(json=json)
        return surfaces

    return check


@pytest.mark.slow
def test_numbers_at_the_ends_of_the_range(checked):
    """1E-130, 9.99E+125, 38 digits, -0, 0.10, 1E3: as text, decimal and bigint."""
    small = [n for n in EDGES if "E" not in n.upper() and len(n) < 12]
    whole = [n for n in EDGES if n.lstrip("-").isdigit() and len(n) < 20]
    checked(
        [
            {
                "any": {"N": number},
                "all": {"NS": [number]},
                "point": {"N": small[at % len(small)]},
                "bigint": {"N": whole[at % len(whole)]},
                "listed": {"L": [{"N": number}, {"M": {"n": {"N": small[at % len(small)]}}}]},
            }
            for at, number in enumerate(EDGES)
        ]
    )


@pytest.mark.slow
def test_numbers_at_the_ends_of_decimal(checked):
    """38 digits all before the point, all behind it, and in between."""
    checked([{"whole": {"N": "9" * 38}, "part": {"N": "0." + "9" * 38}, "both": {"N": "12.5"}}])
    checked([{"both": {"N": f"{'9' * 19}.{'9' * 19}"}, "rest": {"N": "-" + "9" * 38}}])
    # One digit more than a decimal has, in two numbers that each fit one.
    checked([{"n": {"N": "9" * 38}}, {"n": {"N": "0.1"}}])


@pytest.mark.slow
def test_texts_of_every_kind(checked):
    """Every character up to U+00FF, the plane's ends, separators, quotes, and none at all."""
    texts = [chr(code) for code in range(256)] + ["", "\ud7ff", "\ue000", "\uffff", "\U0010ffff"]
    texts += ['","', "\r\n\\n", "NULL", "\\N", "a=b, c=d", "\x00\x01", "x" * 70_000]
    items = [
        {"s": {"S": t}, "ss": {"SS": [t, f"{t}!"]}, "m": {"M": {"k": {"S": t}}}} for t in texts
    ]
    checked([*items, {"l": {"L": [{"S": text} for text in texts]}}])


@pytest.mark.slow
def test_binary_of_every_byte(checked):
    """All bytes, none, and sets and lists of such."""
    every = [bytes([byte]) for byte in range(256)]
    checked(
        [{"b": {"B": one}, "l": {"L": [{"B": one}]}} for one in (b"", bytes(range(256)), *every)]
        + [{"bs": {"BS": every}, "m": {"M": {"b": {"B": b""}}}}, {"bs": {"BS": [b""]}}]
    )


@pytest.mark.slow
def test_what_is_empty(checked):
    """Empty lists, maps and texts: beside full ones, alone, inside one another, and NULL."""
    forms = [{"L": []}, {"M": {}}, {"S": ""}, {"B": b""}, {"NULL": True}, {"L": [{"L": []}]}]
    forms += [{"L": [{"M": {}}]}, {"M": {"m": {"M": {}}, "l": {"L": []}, "n": {"NULL": True}}}]
    checked([{f"a{at}": form} for at, form in enumerate(forms)])
    checked([{"a": form} for form in forms])
    checked([{"l": {"L": [{"NULL": True}, {"S": "x"}]}}, {"m": {"M": {"x": {"N": "1"}}}}, {}])


@pytest.mark.slow
@pytest.mark.parametrize("names", [PLAIN, (*PLAIN, *BORROWED, *ODD)], ids=len)
def test_names_of_every_kind(checked, names):
    """As attributes, as keys of a map, and as attributes of several types."""
    names = [name for name in dict.fromkeys(names) if name != "pk"]
    flat = {name: {"S": name} for name in names}
    mixed = {name: {"N": str(at)} for at, name in enumerate(names)}
    checked([flat, mixed, {"inside": {"M": flat}}, {"inside": {"M": mixed}}])


@pytest.mark.slow
def test_names_of_255_characters(checked):
    """Alike but for the last character, case or an odd one in them."""
    base = "n" * 254
    names = [base + "a", base + "A", base + "b", base + "é", base + ".", "9" * 255, "_" * 255]
    checked([{name: {"N": "1.5"}} for name in names] + [{"m": {"M": {n: {"S": n} for n in names}}}])


@pytest.mark.slow
def test_the_deepest_maps(checked):
    """32 levels of them, on every surface."""
    deep = {"S": "down here"}
    for _ in range(DEPTH - 1):
        deep = {"M": {"k": deep}}
    made = checked([{"deep": deep}, {"other": {"S": "x"}}], json=False)
    assert len(made.columns) == 3


@pytest.mark.slow
def test_the_deepest_lists(aws):
    """32 levels of lists and maps; the local engine executes a view of no more than ten lists."""
    deep = {"S": "down here"}
    for level in range(DEPTH - 1):
        deep = {"M": {"k": deep}} if level % 2 else {"L": [deep, {"NULL": True}]}
    items = [{"pk": {"S": "1"}, "deep": deep}, {"pk": {"S": "2"}}]
    aws.put("deepest-lists", items)
    made = Surfaces(aws, aws.publish(["deepest-lists"], copies=False)["deepest-lists"], items)
    made.check_raw()
    made.check_read_export()


@pytest.mark.slow
def test_lists_in_lists(checked):
    """Six levels with maps between them, on every surface."""
    deep = {"S": "down here"}
    for level in range(6):
        deep = {"M": {"k": deep}} if level % 2 else {"L": [deep, {"NULL": True}]}
    checked([{"deep": deep}, {"other": {"S": "x"}}])


@pytest.mark.slow
def test_the_largest_items(checked):
    """400 KB in one text, in one binary, in a list and in many attributes."""
    binary = bytes(range(256)) * (BINARY_BYTES // 256)
    checked([{"s": {"S": "\x01" * ITEM_BYTES}}, {"b": {"B": binary}}, {"s": {"S": "é" * 202_000}}])
    checked([{"l": {"L": [{"N": "1"}] * 5_000}}, {f"a{at}": {"S": "x" * 900} for at in range(40)}])


@pytest.mark.slow
def test_maps_with_open_keys(checked):
    """Hundreds of keys, odd ones too: a map, with rows, lists and several types as its values."""
    keys = [*ODD, *BORROWED, *(f"2026-{n:03d}" for n in range(300))]
    items = [
        {
            "plain": {"M": {key: {"N": f"{at}.5"}, "last": {"NULL": True}}},
            "rows": {"M": {key: {"M": {"at": {"S": key}, "n": {"N": str(at)}}}}},
            "mixed": {"M": {key: {"S": key} if at % 2 else {"L": [{"N": "1"}]}}},
            "deep": {"M": {key: {"M": {key: {"SS": [key]}}}}},
        }
        for at, key in enumerate(keys)
    ]
    made = checked(items)
    kinds = {name: of.name for name, of, _ in made.columns}
    assert kinds["plain"] == kinds["rows"] == kinds["mixed"] == kinds["deep"] == "map"


@pytest.mark.slow
def test_a_wide_table(checked):
    """A hundred and fifty attributes, each of another name and some of several types."""
    checked(
        [
            {f"attribute_{at}": {"N": str(at)} if at % 7 else {"S": str(at)} for at in range(150)},
            {f"attribute_{at}": {"N": "1.25"} for at in range(0, 150, 3)},
        ]
    )
