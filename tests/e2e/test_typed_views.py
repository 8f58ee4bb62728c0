"""The typed views of the sample tables, read through Athena's API: every value exactly."""

import base64
import time
from datetime import UTC, datetime
from decimal import Decimal

import boto3
import pytest
from moto import mock_aws

from ddb_assets import local
from ddb_assets.aws.gateways import connect
from ddb_assets.aws.session import AwsConnection
from ddb_assets.core.clock import SystemClock
from ddb_assets.core.operating.operator import NoHistory, ignore
from ddb_assets.core.outcome import Refreshed
from ddb_assets.core.ports import ExportNote
from ddb_assets.core.refreshing.refresh import refresh
from ddb_assets.core.spec import TableSpec
from ddb_assets.local import clock, samples, settings

pytestmark = pytest.mark.e2e

TABLES = {
    "Article": "article",
    "shop-orders": "shop_orders",
    "legacy.Users": "legacy_users",
    "waiting_list": "waiting_list",
}


class Notes:
    """A ledger of one run."""

    def __init__(self) -> None:
        self.notes: dict[str, ExportNote] = {}

    def find(self, table):
        """What was noted."""
        return self.notes.get(table)

    def record(self, table, note):
        """Note it."""
        self.notes[table] = note


class Views:
    """The sample tables with their views, published once."""

    def __init__(self, mixed: str) -> None:
        specs = [
            TableSpec(
                name, "ddb", table, "ddb-exports", name, typed_view=f"{table}_typed",
                mixed_types=mixed,
            )
            for name, table in TABLES.items()
        ]  # fmt: skip
        outcomes = refresh(
            specs,
            intent_id="run",
            started_at=datetime.now(UTC),
            gateways=connect(AwsConnection()),
            ledger=Notes(),
            history=NoHistory(),
            listener=ignore,
            clock=SystemClock(),
        )
        self.published = {outcome.spec.name: outcome for outcome in outcomes}
        assert all(isinstance(o, Refreshed) for o in self.published.values()), self.published

    def live(self, table: str) -> list[dict]:
        """Every item of the live table."""
        pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        return [item for page in pages for item in page["Items"]]

    def sources(self, table: str) -> dict[str, str]:
        """Attribute -> column, of those that have one."""
        return {attribute: column for column, attribute in self.published[table].view.sources}

    def types(self, table: str) -> dict[str, str]:
        """Column -> type."""
        return {name: kind for name, kind, _ in self.published[table].view.columns}

    def query(self, sql: str) -> list[list[str | None]]:
        """The rows of a query."""
        athena = boto3.client("athena")
        started = athena.start_query_execution(QueryString=sql, WorkGroup="ddb")
        query_id = started["QueryExecutionId"]
        for _ in range(1200):
            execution = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            if execution["Status"]["State"] not in {"QUEUED", "RUNNING"}:
                break
            time.sleep(0.05)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id)
        rows = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
        return [[cell.get("VarCharValue") for cell in row] for row in rows[1:]]


@pytest.fixture(scope="module")
def tables():
    """Publishes the samples; one local AWS for all tests, which only read."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        local.install()
        with mock_aws():
            clock.advance(-3600)
            samples.seed()
            clock.reset()
            yield Views("columns")
        local.uninstall()
        clock.reset()
        settings.reset()


def exact(typed):
    """A scalar or a set of DynamoDB as a value to compare; None for absent, NULL and documents."""
    ((code, value),) = typed.items() if typed else (("NULL", None),)
    if code == "N":
        return Decimal(value)
    if code in {"SS", "NS"}:
        return sorted(map(Decimal, value) if code == "NS" else value)
    if code == "BS":
        return sorted(value)
    return None if code in {"NULL", "M", "L"} else value


READERS = {
    "N": Decimal,
    "BOOL": {"true": True, "false": False}.__getitem__,
    "B": base64.b64decode,
    "SS": lambda cell: sorted(cell.split("|")),
    "NS": lambda cell: sorted(map(Decimal, cell.split("|"))),
    "BS": lambda cell: sorted(map(base64.b64decode, cell.split("|"))),
}


def answered(typed, cell):
    """Athena's text as the same kind of value."""
    code = next(iter(typed)) if typed else "NULL"
    return None if cell is None else READERS.get(code, str)(cell)


def shown(column: str, kind: str) -> str:
    """A column as text that loses nothing."""
    if kind == "varbinary":
        return f'to_base64("{column}")'
    if kind == "array(varbinary)":
        return f"array_join(transform(\"{column}\", e -> to_base64(e)), '|')"
    if kind.startswith("array("):
        return f"array_join(\"{column}\", '|')"
    return f'CAST("{column}" AS varchar)'


@pytest.mark.parametrize("table", TABLES)
def test_every_scalar_and_set_of_every_item_is_exact(tables, table):
    """38 digits, 1E-130, emoji, binary, sets, booleans; NULL and absent are NULL."""
    types = tables.types(table)
    attributes = {
        attribute: column
        for attribute, column in tables.sources(table).items()
        if "row(" not in types[column] and "map(" not in types[column]
    }
    wanted = [a for a in attributes if sum(a == s for _, s in _sources(tables, table)) == 1]
    columns = ", ".join(shown(attributes[a], types[attributes[a]]) for a in wanted)
    keys = [name for name, _ in tables.published[table].description.keys]
    rows = tables.query(f'SELECT {columns} FROM "ddb"."{TABLES[table]}_typed"')
    live = {tuple(exact(item[key]) for key in keys): item for item in tables.live(table)}
    assert len(rows) == len(live)
    places = {attribute: number for number, attribute in enumerate(wanted)}
    for row in rows:
        found = tuple(
            answered({code: None}, row[places[key]])
            for key, (_, code) in zip(keys, tables.published[table].description.keys, strict=True)
        )
        item = live.pop(found)
        for attribute, cell in zip(wanted, row, strict=True):
            typed = item.get(attribute)
            if not typed or next(iter(typed)) not in {"L", "M"}:
                assert answered(typed, cell) == exact(typed), (attribute, typed)
    assert not live


def _sources(tables, table):
    return tables.published[table].view.sources


def test_extreme_numbers_are_text_with_every_digit(tables):
    """No decimal of Athena's holds 1E-130 and 38 digits at once."""
    assert tables.types("shop-orders")["exact"] == "varchar"
    column = {
        Decimal(cell)
        for (cell,) in tables.query('SELECT exact FROM "ddb"."shop_orders_typed"')
        if cell is not None
    }
    live = {Decimal(i["exact"]["N"]) for i in tables.live("shop-orders") if "exact" in i}
    assert column == live
    assert {Decimal("1E-130"), Decimal("12345678901234567890123456789012345678")} <= column


def test_documents_read_by_their_fields(tables):
    """A row's field, a list's elements and an open map's key, against the live items."""
    rows = tables.query(
        'SELECT customer, CAST("order" AS varchar), CAST(ship_to.geo.lat AS varchar), '
        "ship_to.name, "
        "array_join(transform(lines, l -> CAST(l.price AS varchar)), '|'), cardinality(discounts) "
        'FROM "ddb"."shop_orders_typed"'
    )
    live = {(i["customer"]["S"], i["order"].get("N", i["order"].get("S"))): i
            for i in tables.live("shop-orders")}  # fmt: skip
    assert len(rows) == len(live) == 3000
    for customer, order, latitude, name, prices, discounts in rows:
        item = live.get((customer, order)) or next(
            i for (c, o), i in live.items() if c == customer and Decimal(o) == Decimal(order)
        )
        address = item.get("ship.to", {}).get("M", {})
        geo = address.get("geo", {}).get("M", {})
        assert (latitude and Decimal(latitude)) == (Decimal(geo["lat"]["N"]) if geo else None)
        assert name == address.get("name", {}).get("S")
        lines = item.get("lines", {}).get("L")
        expected = None if lines is None else [line["M"]["price"]["N"] for line in lines]
        assert [Decimal(p) for p in (prices or "").split("|") if p] == [
            Decimal(price) for price in expected or []
        ]
        found = item.get("discounts", {}).get("M")
        assert discounts == (None if found is None else str(len(found)))


def test_an_attribute_of_two_types_has_two_columns(tables):
    """Each value is in the column of its type, and in no other."""
    rows = tables.query(
        'SELECT reference_s, CAST(reference_n AS varchar) FROM "ddb"."shop_orders_typed" '
        "WHERE reference_s IS NOT NULL OR reference_n IS NOT NULL"
    )
    live = [i["reference"] for i in tables.live("shop-orders") if "reference" in i]
    assert sorted(map(str, rows)) == sorted(str([v.get("S"), v.get("N")]) for v in live)
