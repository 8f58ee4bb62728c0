"""Views as other tools write them into Glue: read by Trino's rules, refused when stale."""

import base64
import json
from typing import Any

import pytest

from ddb_assets.local.athena.views import View, stale

COLUMNS = [{"name": "x", "type": "bigint"}, {"name": "y", "type": 'row("a" varchar, "b" bigint)'}]
QUERY = "SELECT CAST(1 AS bigint) AS x, CAST(ROW('t', 2) AS row(a varchar, b bigint)) AS y"


def view(account: Any, text: str | None = None, **document: Any) -> None:
    """A view as Terraform modules have it: the form of Trino's ViewReaderUtil."""
    held = {"originalSql": QUERY, "catalog": "awsdatacatalog", "schema": "ddb", "columns": COLUMNS}
    encoded = base64.b64encode(json.dumps({**held, **document}).encode()).decode()
    account.glue.create_table(
        DatabaseName="ddb",
        TableInput={
            "Name": "v",
            "TableType": "VIRTUAL_VIEW",
            "ViewOriginalText": f"/* Presto View: {encoded} */" if text is None else text,
            "ViewExpandedText": "/* Presto View */",
            "Parameters": {"presto_view": "true", "comment": "Presto View"},
            "StorageDescriptor": {"Columns": [{"Name": "x", "Type": "bigint"}], "SerdeInfo": {}},
        },
    )


@pytest.mark.parametrize(
    "types",
    [
        ("bigint", 'row("a" varchar, "b" bigint)'),
        ("bigint", 'row("A" varchar,"B" bigint)'),
        ("decimal(19,0)", "row(p varchar(5), q double)"),
        ("BIGINT", "row(varchar, bigint)"),
    ],
)
def test_a_view_with_the_columns_of_its_query_is_read(account: Any, types: tuple[str, str]) -> None:
    """Types are coerced where Trino coerces them; names of fields do not count."""
    view(account, columns=[{"name": n, "type": t} for n, t in zip("Xy", types, strict=True)])
    assert account.rows("SELECT * FROM v") == [["1", "{a=t, b=2}"]]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (COLUMNS[:1], "stored view column count (1) does not match column count derived from the "
         "view query analysis (2)"),
        ([{"name": "z", "type": "bigint"}, COLUMNS[1]],
         "column [x] of type bigint projected from query view at position 0 has a different name "
         "from column [z] of type bigint stored in view definition"),
        ([{"name": "x", "type": "varchar"}, COLUMNS[1]],
         "column [x] of type bigint projected from query view at position 0 cannot be coerced to "
         "column [x] of type varchar stored in view definition"),
        ([COLUMNS[0], {"name": "y", "type": "row(varchar, boolean)"}], "cannot be coerced"),
        ([COLUMNS[0], {"name": "y", "type": "row(varchar)"}], "cannot be coerced"),
        ([COLUMNS[0], {"name": "y", "type": "array(varchar)"}], "cannot be coerced"),
    ],
)  # fmt: skip
def test_a_view_with_other_columns_is_stale(account: Any, columns: Any, reason: str) -> None:
    """As when a column was added to the table below a `SELECT *`."""
    view(account, columns=columns)
    said = account.reason("SELECT x FROM v")
    assert said.startswith("VIEW_IS_STALE: line 1:15: View 'awsdatacatalog.ddb.v' is stale or in ")
    assert reason in said


@pytest.mark.parametrize(
    ("given", "wanted", "fits"),
    [
        ("decimal(10,2)", "decimal(12,2)", True),
        ("decimal(10,2)", "decimal(12,3)", True),
        ("decimal(10,2)", "decimal(10,3)", False),
        ("decimal(10,2)", "bigint", False),
        ("integer", "bigint", True),
        ("map(varchar, array(bigint))", "map(varchar,array(bigint))", True),
        ("map(varchar, array(bigint))", "map(varchar,array(varchar))", False),
        ("timestamp(3) with time zone", "timestamp(6) with time zone", True),
        ("timestamp(3) with time zone", "timestamp(3)", False),
        ('row("a b" varchar, "c(" row("d" bigint))', 'row("x" varchar, "y" row("z" bigint))', True),
        ("unknown", "varchar", True),
    ],
)
def test_types_coerce_as_in_trino(given: str, wanted: str, fits: bool) -> None:
    """Nothing is lost on the way from the query's type to the view's."""
    assert (stale(View("", "ddb", (("x", wanted),)), [("x", given)]) is None) == fits


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "/* Presto View: e30= */",
        "/* Presto View: e30=*/",
        "x /* Presto View: e30= */",
        "/* Presto View: !!! */",
    ],
)
def test_a_text_that_is_no_view_is_refused(account: Any, text: str) -> None:
    """ViewReaderUtil wants prefix and suffix, base64 between them, and a whole document."""
    view(account, text)
    assert account.reason("SELECT * FROM v") == "INVALID_VIEW: Invalid view text: v"


@pytest.mark.parametrize("document", [{"columns": []}, {"catalog": None}, {"originalSql": None}])
def test_a_document_trino_does_not_take_is_refused(account: Any, document: Any) -> None:
    """ConnectorViewDefinition: columns there are, and no schema without a catalog."""
    view(account, **document)
    assert account.reason("SELECT * FROM v") == "INVALID_VIEW: Invalid view text: v"
