"""3,000 orders that use everything DynamoDB allows, the same ones each time.

The first orders are the hard ones, each for one reason; the rest are ordinary and drawn from a
seeded generator.
"""

import random
from collections.abc import Iterator
from decimal import Decimal

from ddb_assets.local.samples.values import (
    NULL,
    Item,
    Value,
    binaries,
    binary,
    boolean,
    listing,
    mapping,
    number,
    numbers,
    string,
    strings,
)

ORDERS = 3_000
CUSTOMERS = 400
SEED = 20_200_101
#: 2020-01-01T00:00:00Z; orders come one every few minutes from then on.
FIRST_TIMESTAMP = 1_577_836_800

# copy_negate and literals below, because arithmetic on a Decimal rounds it to 28 digits.
# The ends of what a number can be (DynamoDB Developer Guide, "Supported data types": 38 significant
# digits, magnitude from 1E-130 to 9.9999999999999999999999999999999999999E+125).
SMALLEST = Decimal("1E-130")
LARGEST = Decimal("9.9999999999999999999999999999999999999E+125")
DIGITS_38 = Decimal("12345678901234567890123456789012345678")
FRACTION_38 = Decimal("0.12345678901234567890123456789012345678")

NAMES = ["Ada", "Björk", "Chloé", "Đặng", "Ewa", "Françoise", "Giovanni", "花子", "Игорь", "O'Hara"]
STREETS = ["Rue de l'Église", "High Street", "Straße des 17. Juni", "中央通り", 'Calle "Ancha"']
NOTES = [
    "Happy birthday! 🎂",
    "Leave it\nbehind the door",
    "tab\there, back\\slash, \"quotes\", comma, and 'apostrophe'",
    "",
    "Für dich 💚\r\n— Opa",
    "👩‍👩‍👧‍👦 family",
    "null",
    "  leading and trailing  ",
]
COLOURS = ["red", "green", "blue", "ultra-violet", "noir"]
CAMPAIGNS = [f"campaign {year}-{month:02}" for year in (2019, 2020) for month in range(1, 13)]


def items() -> Iterator[Item]:
    """Every order."""
    edge = list(edge_items())
    yield from edge
    rng = random.Random(SEED)  # noqa: S311 - the point is that it repeats
    for index in range(len(edge), ORDERS):
        yield ordinary_order(rng, index)


def key(customer: str, order: int | str | Decimal) -> Item:
    """The composite key: a string and a numeric sort key whose name is a reserved word."""
    return {"customer": string(customer), "order": number(order)}


def edge_items() -> Iterator[Item]:
    """One order per peculiarity."""
    who = "edge"
    yield key(who, 1)  # nothing but its key
    yield key(who, 2) | {"exact": number(DIGITS_38), "total": number("0.1")}
    yield key(who, 3) | {"exact": number(SMALLEST)}
    yield key(who, 4) | {"exact": number(SMALLEST.copy_negate()), "total": number("-0.01")}
    yield key(who, 5) | {"exact": number(LARGEST)}
    yield key(who, 6) | {"exact": number(LARGEST.copy_negate()), "total": number(0)}
    yield key(who, 7) | {"exact": number(FRACTION_38), "sizes": numbers([SMALLEST, LARGEST, 0])}
    yield key(who, "8.5") | {"gift-note": string("a sort key with a fraction")}
    yield key(who, -9) | {"gift-note": string("a negative sort key")}
    yield key(who, DIGITS_38) | {"gift-note": string("a sort key of 38 digits")}
    yield key(who, 11) | {"gift-note": string(""), "signature": binary(b"")}
    yield key(who, 12) | {"gift-note": string("\n\r\t\u2028 🙂 \u0001 </script> ' \" \\ \\n")}
    yield key(who, 13) | {"lines": listing([]), "discounts": mapping({}), "ship.to": mapping({})}
    yield key(who, 14) | {"cancelled": NULL, "select": NULL, "ship.to": NULL, "lines": NULL}
    yield key(who, 15) | {"extras": listing([NULL, listing([]), mapping({}), string("")])}
    yield key(who, 16) | {"reference": number(2020), "extras": listing([listing([listing([])])])}
    yield key(who, 17) | {"reference": string("2020"), "signature": binary(bytes(range(256)))}
    yield key(who, 18) | {"chips": binaries([b"\x00", b"\xff\xfe", b"text"])}
    yield key(who, 19) | {"discounts": mapping({"key with spaces": number(1), "ключ": number(2)})}
    yield key(who, 20) | {"ship.to": mapping({"geo": mapping({"lat": number("-90")})})}
    yield key("客 👤", 1) | {"gift-note": string("a partition key beyond ASCII")}
    yield key("edge/../%2F key?", 1) | {"tags": strings(["a,b", "c d", "é", '"'])}


def ordinary_order(rng: random.Random, index: int) -> Item:
    """An order as a shop would store it; attributes that do not apply are absent."""
    lines = [order_line(rng) for _ in range(rng.randint(1, 4))]
    timestamp = FIRST_TIMESTAMP + 300 * index + rng.randrange(300)
    order = key(f"c-{rng.randrange(CUSTOMERS):04}", 10_000 + index) | {
        "timestamp": number(timestamp),
        "end": string(f"2020-{1 + index % 12:02}-{1 + index % 28:02}"),
        "select": boolean(rng.random() < 0.5),
        "unit price": number(Decimal(rng.randrange(100, 99_999)) / 100),
        "total": number(Decimal(rng.randrange(1, 10_000_000)) / 100),
        "ship.to": address(rng),
        "lines": listing(lines),
    }
    optional: list[tuple[str, float, Value]] = [
        ("gift-note", 0.3, string(rng.choice(NOTES))),
        ("exact", 0.1, number(f"{rng.randrange(10**37, 10**38)}E-{rng.randrange(120)}")),
        ("tags", 0.5, strings(sorted(rng.sample(COLOURS, rng.randint(1, 3))))),
        ("sizes", 0.2, numbers(sorted(rng.sample(range(30, 50), 3)))),
        ("chips", 0.1, binaries([rng.randbytes(3), rng.randbytes(5)])),
        ("signature", 0.2, binary(rng.randbytes(rng.randint(1, 40)))),
        ("cancelled", 0.1, NULL),
        ("discounts", 0.4, discounts(rng)),
        ("extras", 0.2, extras(rng)),
        ("reference", 0.3, string(f"R{index}") if index % 3 else number(index)),
    ]
    for name, share, value in optional:
        if rng.random() < share:
            order[name] = value
    return order


def order_line(rng: random.Random) -> Value:
    """One position of an order."""
    line: Item = {
        "sku": string(f"SKU-{rng.randrange(500):03}"),
        "quantity": number(rng.randint(1, 9)),
        "price": number(Decimal(rng.randrange(1, 50_000)) / 100),
    }
    if rng.random() < 0.3:
        line["options"] = mapping({"colour": string(rng.choice(COLOURS)), "gift": boolean(True)})
    return mapping(line)


def address(rng: random.Random) -> Value:
    """A nested map, one name of which holds a hyphen."""
    place: Item = {
        "name": string(rng.choice(NAMES)),
        "street": string(f"{rng.choice(STREETS)} {rng.randint(1, 99)}"),
        "post-code": string(f"{rng.randrange(100_000):05}"),
    }
    if rng.random() < 0.5:
        place["geo"] = mapping(
            {
                "lat": number(Decimal(rng.randrange(-900_000, 900_001)) / 10_000),
                "lon": number(Decimal(rng.randrange(-1_800_000, 1_800_001)) / 10_000),
            }
        )
    return mapping(place)


def discounts(rng: random.Random) -> Value:
    """A map whose keys are data, not names."""
    names = rng.sample(CAMPAIGNS, rng.randint(1, 3))
    return mapping({name: number(Decimal(rng.randrange(1, 500)) / 10) for name in names})


def extras(rng: random.Random) -> Value:
    """A list of mixed types."""
    choices = [
        string(rng.choice(NOTES)),
        number(rng.randrange(1000)),
        boolean(False),
        NULL,
        listing([number(1), string("two")]),
        mapping({"kind": string("voucher")}),
    ]
    return listing(rng.sample(choices, rng.randint(1, len(choices))))
