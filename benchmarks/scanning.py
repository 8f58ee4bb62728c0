"""How many bytes a query reads: one column of ten, from the raw table and from its typed copy.

    python benchmarks/scanning.py [--items 60000]

Ten attributes as an order has them, exported by the local AWS, published, and copied by UNLOAD.
Of the raw table Athena reads every byte of the export, gzip as it is, whatever is asked for. Of
Parquet it reads the column chunks a query names: their sizes are in the files' footers. Beside them
stands what Athena's API says of each query, on the local AWS.
"""

import argparse
import datetime as dt
import os
import random
import time
from collections import Counter
from decimal import Decimal
from statistics import median

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import report
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.dynamodb.models import dynamodb_backends

from ddb_assets import local
from ddb_assets.aws.gateways import connect
from ddb_assets.aws.session import AwsConnection
from ddb_assets.core.clock import SystemClock
from ddb_assets.core.operating.operator import NoHistory, ignore
from ddb_assets.core.outcome import Copied
from ddb_assets.core.ports import ExportNote
from ddb_assets.core.refreshing.refresh import refresh
from ddb_assets.core.spec import TableSpec
from ddb_assets.local import clock

TABLE = "orders"
TARGET = 0.2
#: USD per TB scanned in us-east-1 (AWS page "Amazon Athena Pricing").
PRICE = 5.0
#: The rows of the report that are no column.
ALL, ROWS = "all ten", "`count(*)`"
WORDS = ["the", "order", "is", "to", "be", "sent", "before", "noon", "please", "ring", "twice"]
WORDS += ["gift", "wrap", "blue", "red", "green"]
CITIES = ["Berlin", "Hamburg", "Munich", "Cologne", "Bremen", "Leipzig", "Dresden", "Essen"]


class Notes:
    """A ledger of one run."""

    def __init__(self) -> None:
        self.notes: dict[str, ExportNote] = {}

    def find(self, table: str) -> ExportNote | None:
        """What was noted."""
        return self.notes.get(table)

    def record(self, table: str, note: ExportNote) -> None:
        """Note it."""
        self.notes[table] = note


def order(number: int, rng: random.Random) -> dict[str, object]:
    """An item with ten attributes, in DynamoDB JSON."""
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    moment += dt.timedelta(seconds=number * 37)
    price = Decimal(rng.randrange(100, 100_000)) / 100
    return {
        "orderId": {"S": f"{rng.getrandbits(64):016x}"},
        "customerId": {"S": f"c-{rng.randrange(20_000):05d}"},
        "createdAt": {"S": moment.isoformat()},
        "status": {"S": rng.choice(("open", "paid", "sent", "back"))},
        "total": {"N": str(price)},
        "quantity": {"N": str(rng.randrange(1, 9))},
        "gift": {"BOOL": rng.random() < 0.1},
        "note": {"S": " ".join(rng.choices(WORDS, k=16))},
        "tags": {"SS": sorted(rng.sample(WORDS, 3))},
        "address": {
            "M": {
                "city": {"S": rng.choice(CITIES)},
                "zip": {"N": str(rng.randrange(10_000, 99_999))},
                "street": {"S": f"{rng.choice(WORDS)}street {rng.randrange(200)}"},
            }
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=60_000)
    items = parser.parse_args().items
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        os.environ.pop(name, None)
    os.environ |= {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    local.install()
    with mock_aws():
        measure(items)


def measure(items: int) -> None:
    """Fill, refresh, ask, print."""
    account(items)
    spec = TableSpec(
        TABLE, "ddb", "orders", "exports", TABLE, typed_view="orders_typed",
        typed_copy="orders_parquet", workgroup="bench",
    )  # fmt: skip
    outcomes = refresh(
        [spec],
        intent_id="bench",
        started_at=dt.datetime.now(dt.UTC),
        gateways=connect(AwsConnection()),
        ledger=Notes(),
        history=NoHistory(),
        listener=ignore,
        clock=SystemClock(),
    )
    *_, copied = outcomes
    if not isinstance(copied, Copied):
        raise SystemExit(f"no copy: {copied}")
    raw = copied.refreshed.manifest.stored_bytes
    chunks, footers = column_bytes(copied)
    of_raw, of_copy = f"FROM ddb.{spec.table}", f"FROM ddb.{spec.typed_copy}"
    asked = {
        name: (scanned(f"SELECT count(item.{name}) {of_raw}"),
               scanned(f"SELECT count({name}) {of_copy}"))
        for name in chunks
    }  # fmt: skip
    every = ", ".join(f"count({name})" for name in chunks)
    raw_every = ", ".join(f"count(item.{name})" for name in chunks)
    asked[ALL] = scanned(f"SELECT {raw_every} {of_raw}"), scanned(f"SELECT {every} {of_copy}")
    asked[ROWS] = scanned(f"SELECT count(*) {of_raw}"), scanned(f"SELECT count(*) {of_copy}")
    write(copied, raw, chunks, footers, asked)


def account(items: int) -> None:
    """The live table, its bucket and a workgroup."""
    rng = random.Random(7)
    s3, athena, dynamodb = (boto3.client(name) for name in ("s3", "athena", "dynamodb"))
    s3.create_bucket(Bucket="exports")
    athena.create_work_group(
        Name="bench",
        Configuration={"ResultConfiguration": {"OutputLocation": "s3://exports/athena/"}},
    )
    clock.advance(-3600)
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "orderId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "orderId", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    # Through moto's own backend: through the API it would take ten times as long.
    backend = dynamodb_backends[ACCOUNT]["us-east-1"]
    for number in range(items):
        backend.put_item(TABLE, order(number, rng))
    clock.reset()


def column_bytes(copied: Copied) -> tuple[Counter[str], int]:
    """Compressed bytes of each column's chunks, and of the footers every reader needs."""
    chunks: Counter[str] = Counter()
    footers = 0
    s3 = boto3.client("s3")
    prefix = copied.copy.location.removeprefix("s3://exports/")
    for found in s3.list_objects_v2(Bucket="exports", Prefix=prefix)["Contents"]:
        body = s3.get_object(Bucket="exports", Key=found["Key"])["Body"].read()
        metadata = pq.read_metadata(pa.BufferReader(body))
        footers += metadata.serialized_size + 8
        for group in range(metadata.num_row_groups):
            row_group = metadata.row_group(group)
            for number in range(row_group.num_columns):
                column = row_group.column(number)
                chunks[column.path_in_schema.partition(".")[0]] += column.total_compressed_size
    return chunks, footers


def scanned(sql: str) -> int:
    """What Athena's API says the query read."""
    athena = boto3.client("athena")
    query = athena.start_query_execution(QueryString=sql, WorkGroup="bench")["QueryExecutionId"]
    while True:
        execution = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        if execution["Status"]["State"] not in {"QUEUED", "RUNNING"}:
            break
        time.sleep(0.05)
    if execution["Status"]["State"] != "SUCCEEDED":
        raise SystemExit(f"{sql}: {execution['Status']}")
    return execution["Statistics"]["DataScannedInBytes"]


def write(
    copied: Copied,
    raw: int,
    chunks: Counter[str],
    footers: int,
    asked: dict[str, tuple[int, int]],
) -> None:
    """The report."""
    copy = copied.copy
    total = sum(chunks.values())
    print(
        f"{copy.rows:,} items of ten attributes. The export has {raw:,} bytes of gzip, the copy "
        f"{copy.stored_bytes:,} bytes of Parquet ({copy.stored_bytes / raw:.0%}), of which "
        f"{footers:,} are footers. Every query of the raw table reads all of the export.\n"
    )
    sizes = dict(chunks.most_common()) | {ALL: total, ROWS: 0}
    rows = [
        (
            f"`{name}`" if name in chunks else name,
            f"{size:,}",
            *(f"{read:,}" for read in reversed(asked[name])),
            f"{size / raw:.1%}",
            f"{raw / size:,.0f}" if size else "-",
        )
        for name, size in sizes.items()
    ]
    header = (
        "Column asked for", "bytes of its chunks", "Athena: copy", "Athena: raw",
        "of the raw table's bytes", "times less",
    )  # fmt: skip
    print(report.table(header, rows))
    shares = [size / raw for size in chunks.values()]
    mean, middle = total / len(chunks) / raw, median(shares)
    print(
        f"\nA column of ten is {middle:.1%} of what the raw table costs (median), {mean:.1%} on "
        f"average; all ten are {total / raw:.0%}. A terabyte of export, asked for one column, "
        f"costs ${PRICE:.2f} from the raw table and ${PRICE * mean:.2f} from the copy.\n"
    )
    print(
        report.verdict(
            "One column of ten, mean share of the raw table's bytes", mean, TARGET, "", 3
        )
    )
    off = max(
        max(abs(of_raw - raw), abs(of_copy - sizes[name]))
        for name, (of_raw, of_copy) in asked.items()
    )
    print(
        report.verdict(
            "Athena's figure (`DataScannedInBytes`, local AWS) off the files' sizes, at most",
            off,
            0,
            " bytes",
            0,
        )
    )


if __name__ == "__main__":
    main()
