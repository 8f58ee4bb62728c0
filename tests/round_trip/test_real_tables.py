"""Tables of real users, exact on every surface; and the documentation's queries, run on them."""

import re
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from ddb_round_trip.real import attendance, lasting_powers, shop
from ddb_round_trip.surfaces import Surfaces

PAGE = Path(__file__).parents[2] / "docs" / "typed-views.md"
TABLES = {**lasting_powers(), "shop": shop(), "attendance": attendance()}
QUERIES = dict(re.findall(r"<!-- query: (\w+) -->\n```sql\n(.*?)```", PAGE.read_text(), re.DOTALL))


@pytest.fixture(scope="module")
def published(aws):
    """All of them in one refresh."""
    for name, (keys, items) in TABLES.items():
        aws.put(name, items, keys)
    return aws.publish(list(TABLES))


def values(table, *names):
    """Attributes of each item as plain values; None where there is none."""
    for item in TABLES[table][1]:
        yield [None if n not in item else next(iter(item[n].values())) for n in names]


def moment(text):
    """An ISO date; Python has no nanoseconds."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))


def months():
    """Codes, users, views and cancelled codes by the month they were added."""
    user = dict(values("user_lpa_actor_map", "Id", "UserId"))
    used = [code for (code,) in values("viewer_activity", "ViewerCode")]
    found = defaultdict(lambda: [0, set(), 0, 0])
    names = ("ViewerCode", "Added", "UserLpaActor", "Cancelled")
    for code, added, actor, cancelled in values("viewer_codes", *names):
        row = found[moment(added).astimezone(UTC).strftime("%Y-%m")]
        row[0] += 1
        row[1].add(user[actor])
        row[2] += used.count(code)
        row[3] += cancelled is not None
    assert len(found) == 4
    return [[m, str(c), str(len(u)), str(v), str(x)] for m, (c, u, v, x) in sorted(found.items())]


def expired():
    """Uses after the end."""
    ends = dict(values("viewer_codes", "ViewerCode", "Expires"))
    late = [
        (code, viewed, by)
        for code, viewed, by in values("viewer_activity", "ViewerCode", "Viewed", "ViewedBy")
        if moment(viewed) > moment(ends[code])
    ]
    assert 10 < len(late) < 80
    return [[code, by] for code, _, by in sorted(late)]


def waiting():
    """Whoever has to activate something, and until when."""
    found = [
        [actor, datetime.fromtimestamp(int(until), UTC).strftime("%Y-%m-%d")]
        for actor, until in values("user_lpa_actor_map", "ActorId", "ActivateBy")
        if until is not None
    ]
    return sorted(found)


def orders():
    """Orders of each customer."""
    name = {pk: called for pk, called in values("shop", "PK", "Name") if called}
    found = defaultdict(lambda: [0, Decimal(0), 0])
    for pk, sk, total, lines in values("shop", "PK", "SK", "total", "lines"):
        if sk.startswith("ORDER#"):
            row = found[name[pk]]
            row[0] += 1
            row[1] += Decimal(total)
            row[2] += len(lines)
    return [
        [called, str(n), str(total), str(ls)] for called, (n, total, ls) in sorted(found.items())
    ]


def data():
    """Texts, the sum of the numbers, maps with a true in them."""
    every = [item["data"] for item in TABLES["shop"][1]]
    paid = sum(Decimal(one["N"]) for one in every if "N" in one)
    gifts = sum(one["M"]["gift"]["BOOL"] for one in every if "M" in one)
    return [[str(sum("S" in one for one in every)), str(paid), str(gifts)]]


def lines():
    """Quantity and revenue by SKU."""
    found = defaultdict(lambda: [0, Decimal(0)])
    for (listed,) in values("shop", "lines"):
        for line in listed or ():
            quantity = int(line["M"]["quantity"]["N"])
            row = found[line["M"]["sku"]["S"]]
            row[0] += quantity
            row[1] += quantity * Decimal(line["M"]["price"]["N"])
    return [
        [sku, str(quantity), str(revenue)] for sku, (quantity, revenue) in sorted(found.items())
    ]


def people():
    """The five with the most minutes."""
    found = defaultdict(lambda: [0, 0])
    for (here,) in values("attendance", "people"):
        for person, day in here.items():
            found[person][0] += 1
            found[person][1] += int(day["M"]["minutes"]["N"])
    first = sorted(found.items(), key=lambda pair: (-pair[1][1], pair[0]))[:5]
    return [[person, str(days), str(minutes)] for person, (days, minutes) in first]


def price():
    """Rooms with a price above 20.5 that day."""
    found = [
        (room, Decimal(prices["2026-01-07"]["N"]))
        for room, prices in values("attendance", "Room", "prices")
        if "2026-01-07" in prices
    ]
    return [[room, f"{one:.2f}"] for room, one in sorted(found) if one > Decimal("20.5")]


EXPECTED = {
    one.__name__: one for one in (months, expired, waiting, orders, data, lines, people, price)
}


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_a_real_table_is_exact_on_every_surface(aws, published, table):
    """Raw table, view, Parquet and read_export, as for random items."""
    keys, items = TABLES[table]
    Surfaces(aws, published[table], items, tuple(keys)).check_all()


@pytest.mark.slow
@pytest.mark.parametrize("name", QUERIES)
def test_a_query_of_the_documentation_answers_right(aws, published, name):
    """As Python counts over the items that were put."""
    expected = EXPECTED[name]()
    assert expected
    assert aws.query(QUERIES[name]) == expected


def test_every_query_of_the_documentation_is_run():
    """No SQL block without a name, no name without an answer."""
    assert set(QUERIES) == set(EXPECTED)
    assert PAGE.read_text().count("```sql") == len(QUERIES)


@pytest.mark.slow
def test_keys_that_are_data_are_maps(published):
    """And the attribute of two types is two columns, under the names the page gives."""
    kinds = {name: of for name, of, _ in published["attendance"].view.columns}
    assert kinds["people"] == 'map(varchar, row("in" varchar, "minutes" bigint))'
    assert kinds["prices"] == "map(varchar, decimal(4,2))"
    kinds = {name: of for name, of, _ in published["user_lpa_actor_map"].view.columns}
    assert (kinds["actorid_s"], kinds["actorid_n"]) == ("varchar", "bigint")
    assert published["user_lpa_actor_map"].view.notes == (
        "Comment: NULL and absent both read as NULL",
    )
