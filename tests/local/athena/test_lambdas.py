"""What a name means inside a lambda, as Trino has it."""

from collections.abc import Iterator

import pytest

from ddb_assets.local.athena import cache
from ddb_assets.local.athena.catalog import Catalog
from ddb_assets.local.athena.engine import Engine
from ddb_assets.local.athena.lake import Lake
from ddb_assets.local.athena.router import parse_query


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine that meets no table."""
    files = cache.FileCache()
    with files.lease() as lease:
        made = Engine(Catalog("1" * 12, "us-east-1"), Lake("1" * 12, "aws"), lease, "default")
        yield made
        made.close()
    files.close()


def value(engine: Engine, expression: str) -> str | None:
    """The text of `SELECT expression`."""
    query = f"SELECT {expression}"
    return engine.select(parse_query(query), query).rows[0][0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # The column of the same name is hidden.
        ("transform(a, tag -> tag + 1) FROM (SELECT array[1, 2] a, 100 tag)", "[2, 3]"),
        ("filter(a, TAG -> Tag > 1) FROM (SELECT array[1, 2] a, 100 tag)", "[2]"),
        # With its table before it the column is meant.
        ("transform(a, tag -> tag + t.tag) FROM (SELECT array[1, 2] a, 100 tag) t", "[101, 102]"),
        # A column that no parameter hides is read.
        ("transform(a, x -> x + tag) FROM (SELECT array[1, 2] a, 100 tag)", "[101, 102]"),
        # An inner parameter hides the outer one of its name, and only there.
        (
            "transform(array[array[1], array[2]], x -> transform(x, x -> x * 10)[1] + x[1])",
            "[11, 22]",
        ),
        # A field is a field, whatever the parameter is called.
        ("transform(array[cast(row(7) as row(x int))], x -> x.x)", "[7]"),
        ("transform(array[5], x -> cast(row(x) as row(x int)).x)", "[5]"),
        (
            "map_values(transform_values(map(array['a'], array[1]), (k, v) -> v + k1)) "
            "FROM (SELECT 1 k1, 9 k, 9 v)",
            "[2]",
        ),
    ],
)
def test_a_parameter_hides_a_column_of_its_name(
    engine: Engine, expression: str, expected: str
) -> None:
    """Trino looks for a name among the parameters first, the innermost first of all."""
    assert value(engine, expression) == expected
