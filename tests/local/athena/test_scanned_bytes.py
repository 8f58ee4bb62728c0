"""DataScannedInBytes: of Parquet the chunks of the columns a query names, else whole objects."""

import io
from collections import Counter
from typing import Any

import pyarrow.parquet as pq
import pytest

TEN = "abcdefghij"


def scanned(account: Any, sql: str) -> int:
    """What a query read."""
    return account.run(sql)["Statistics"]["DataScannedInBytes"]


def chunks(account: Any, prefix: str) -> Counter[str]:
    """Compressed bytes of each column below a prefix, as the files' footers have them."""
    sizes: Counter[str] = Counter()
    for key in account.keys(prefix):
        footer = pq.read_metadata(io.BytesIO(account.read(f"s3://lake/{key}")))
        for group in range(footer.num_row_groups):
            row_group = footer.row_group(group)
            for number in range(row_group.num_columns):
                column = row_group.column(number)
                sizes[column.path_in_schema.partition(".")[0]] += column.total_compressed_size
    return sizes


@pytest.fixture
def ten(account: Any) -> Counter[str]:
    """The table `ten`: ten columns of 50 rows, no two of the same size; their chunks' bytes."""
    rows = ", ".join(
        "(" + ", ".join(f"'{name * (row % (5 * at + 2))}'" for at, name in enumerate(TEN)) + ")"
        for row in range(50)
    )
    account.run(
        "CREATE TABLE ten WITH (format = 'PARQUET', external_location = 's3://lake/ten/') AS "
        f"SELECT * FROM (VALUES {rows}) AS t ({', '.join(TEN)})"
    )
    sizes = chunks(account, "ten/")
    assert len(set(sizes.values())) == len(sizes) == 10
    return sizes


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT c FROM ten", "c"),
        ("SELECT max(j) FROM ten", "j"),
        ("SELECT c, g FROM ten", "cg"),
        ("SELECT C FROM ten WHERE G = 'g'", "cg"),
        ("SELECT c FROM ten WHERE g IS NULL", "cg"),
        ("SELECT c FROM ten ORDER BY g LIMIT 1", "cg"),
        ("SELECT c, count(*) FROM ten GROUP BY c", "c"),
        ("SELECT * FROM ten", TEN),
        ("SELECT a, * FROM ten WHERE false", TEN),
        ("SELECT count(*) FROM ten", ""),
        ("SELECT 1 FROM ten", ""),
        ('SELECT DISTINCT "$path" FROM ten', ""),
        ("SELECT count(*) FROM ten WHERE d <> ''", "d"),
        ("SELECT x.c FROM (SELECT * FROM ten) AS x WHERE x.e > 'e'", "ce"),
        ("WITH q AS (SELECT * FROM ten) SELECT q.b FROM q JOIN q AS p ON q.a = p.a", "ab"),
        ("SELECT a FROM ten WHERE b IN (SELECT c FROM ten)", "abc"),
        ("SELECT a FROM ten AS o WHERE EXISTS (SELECT 1 FROM ten AS i WHERE i.h = o.h)", "ah"),
        ("SELECT a FROM ten UNION ALL SELECT b FROM ten", "ab"),
        ("SELECT u FROM ten CROSS JOIN UNNEST(split(f, 'x')) AS t (u)", "f"),
        ("SELECT row_number() OVER (ORDER BY i) FROM ten", "i"),
    ],
)
def test_parquet_is_read_by_the_columns_a_query_names(
    account: Any, ten: Counter[str], sql: str, named: str
) -> None:
    """Selected, filtered, sorted, joined: each named column once, and nothing for count(*)."""
    assert scanned(account, sql) == sum(ten[name] for name in named)


def test_a_view_reads_the_columns_that_are_asked_of_it(account: Any, ten: Counter[str]) -> None:
    """Not all that it shows; making it reads nothing."""
    made = "CREATE VIEW shown AS SELECT a, concat(b, c) AS bc, upper(d) AS d FROM ten WHERE e > ''"
    assert scanned(account, made) == 0
    assert scanned(account, "CREATE VIEW outer_view AS SELECT bc, d AS dd FROM shown") == 0
    assert scanned(account, "SELECT a FROM shown") == ten["a"] + ten["e"]
    assert scanned(account, "SELECT bc FROM shown") == ten["b"] + ten["c"] + ten["e"]
    assert scanned(account, "SELECT dd FROM outer_view") == ten["d"] + ten["e"]
    assert scanned(account, "SELECT count(*) FROM shown") == ten["e"]


def test_a_nested_column_counts_with_all_its_leaves(account: Any) -> None:
    """A field of a struct, an element of a list; a column may be named as a path is written."""
    account.run(
        "CREATE TABLE t WITH (format = 'PARQUET', external_location = 's3://lake/t/') AS SELECT "
        "CAST(row(1, 'x') AS row(p int, q varchar)) AS s, array[1, 2] AS l, "
        "map(array['k'], array[2]) AS m, 'value' AS s_p, 7 AS \"x, y\""
    )
    sizes = chunks(account, "t/")
    assert set(sizes) == {"s", "l", "m", "s_p", "x, y"}
    for sql, name in [
        ("SELECT s.p FROM t", "s"),
        ("SELECT l[1] FROM t", "l"),
        ("SELECT m['k'] FROM t", "m"),
        ("SELECT s_p FROM t", "s_p"),
        ('SELECT "x, y" FROM t', "x, y"),
    ]:
        assert scanned(account, sql) == sizes[name], sql


def test_every_partitions_files_count_and_a_key_costs_nothing(account: Any) -> None:
    """A key's value is in the catalog, not in the files."""
    account.run(
        "CREATE TABLE t WITH (external_location = 's3://lake/t/', partitioned_by = ARRAY['p']) AS "
        "SELECT * FROM (VALUES (1, 'one', 'x'), (2, 'two', 'y'), (3, 'six', 'x')) AS v (a, b, p)"
    )
    sizes = chunks(account, "t/")
    assert len(account.keys("t/")) == 2
    assert scanned(account, "SELECT a FROM t") == sizes["a"]
    assert scanned(account, "SELECT b, p FROM t") == sizes["b"]
    assert scanned(account, "SELECT p, count(*) FROM t GROUP BY p") == 0
    assert scanned(account, "SELECT * FROM t") == sizes["a"] + sizes["b"]


def test_a_column_that_files_lack_costs_nothing(account: Any, ten: Counter[str]) -> None:
    """It was added to the table later."""
    account.run("ALTER TABLE ten ADD COLUMNS (k string)")
    assert scanned(account, "SELECT k FROM ten") == 0
    assert scanned(account, "SELECT k, b FROM ten") == ten["b"]


def test_an_empty_parquet_table_reads_nothing(account: Any) -> None:
    """No files, no bytes."""
    account.run("CREATE TABLE t WITH (format = 'PARQUET') AS SELECT 1 AS x WITH NO DATA")
    assert scanned(account, "SELECT * FROM t") == 0


def test_writing_reads_what_its_query_names(account: Any, ten: Counter[str]) -> None:
    """CTAS, INSERT INTO and UNLOAD."""
    assert scanned(account, "CREATE TABLE u AS SELECT b FROM ten") == ten["b"]
    assert scanned(account, "INSERT INTO u SELECT c FROM ten WHERE d > 'd'") == ten["c"] + ten["d"]
    unload = "UNLOAD (SELECT e FROM ten) TO 's3://lake/out/' WITH (format = 'PARQUET')"
    assert scanned(account, unload) == ten["e"]


def test_a_failed_query_names_the_column_it_lacks(account: Any, ten: Counter[str]) -> None:
    """Over Parquet as over JSON."""
    assert "COLUMN_NOT_FOUND: line 1:8: Column 'nope'" in account.reason("SELECT nope FROM ten")


@pytest.mark.parametrize("sql", ["SELECT a FROM t", "SELECT count(*) FROM t", "SELECT * FROM t"])
def test_row_formats_are_read_whole(account: Any, ten: Counter[str], sql: str) -> None:
    """Gzip JSON as it is stored, whatever is asked; a join adds only Parquet's columns."""
    account.put("j/x.json.gz", {"a": "1", "b": "2"}, {"a": "3", "b": "4"})
    account.put("j/y.json", {"a": "5", "b": "6"})
    account.run(
        "CREATE EXTERNAL TABLE t (a string, b string) "
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/j/'"
    )
    stored = sum(len(account.read(f"s3://lake/{key}")) for key in account.keys("j/"))
    assert scanned(account, sql) == stored
    joined = "SELECT t.a FROM t JOIN ten ON t.a = ten.b"
    assert scanned(account, joined) == stored + ten["b"]
