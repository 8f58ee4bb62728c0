"""Statements: every name and string quoted, nothing can break out of them."""

import re

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from ddb_assets.errors import DeclarationError
from ddb_assets.schema import ddl
from ddb_assets.schema.declaration import parse_columns
from ddb_assets.schema.layout import table_layout

printable = st.text(min_size=1, max_size=20).filter(str.isprintable)


def test_set_location_is_the_statement_of_the_athena_manual():
    """One line, names quoted."""
    assert ddl.set_location("ddb", "article", "s3://ddb-exports/Article/AWSDynamoDB/1-a/data/") == (
        "ALTER TABLE `ddb`.`article` SET LOCATION 's3://ddb-exports/Article/AWSDynamoDB/1-a/data/'"
    )


@pytest.mark.parametrize(
    "location",
    [
        "s3://bucket/x",
        "s3:///x/",
        "bucket/x/",
        "s3://b//x/",
        "s3://b/x//",
        "s3://b/\n/",
        "",
        "s3://",
    ],
)
def test_what_is_no_folder_in_s3_is_refused(location):
    """Athena reads folders; a statement with anything else is not sent."""
    with pytest.raises(DeclarationError, match="location"):
        ddl.set_location("db", "t", location)


@given(printable)
def test_a_string_ends_where_it_is_meant_to(text):
    """Hive's reader of escapes, written out, gets the text back and nothing after it."""
    quoted = ddl.string_ddl(text)
    assert re.fullmatch(r"'(?:[^'\\]|\\.)*'", quoted)
    assert re.sub(r"\\(.)", r"\1", quoted[1:-1]) == text


def test_line_breaks_are_escaped_in_strings():
    """A line break in an attribute's name does not end the statement's line."""
    assert ddl.string_ddl("a\nb\rc") == r"'a\nb\rc'"


@given(printable)
def test_a_quoted_name_is_one_identifier(name):
    """For both parsers."""
    for quoted, mark in ((ddl.quote_ddl(name), "`"), (ddl.quote_query(name), '"')):
        assert quoted[0] == quoted[-1] == mark
        inside = quoted[1:-1]
        assert mark not in inside.replace(mark * 2, "")
        assert inside.replace(mark * 2, mark) == name


def test_query_strings_and_names_are_read_back_by_another_parser():
    """Sqlglot reads Athena's query dialect."""
    text, name = ddl.string_query("'x; DROP"), ddl.quote_query('a"b')
    sql = f"SELECT {text} AS {name}"
    (select,) = sqlglot.parse(sql, dialect="trino")
    assert select.find(exp.Literal).this == "'x; DROP"
    assert select.expressions[0].alias == 'a"b'


@pytest.mark.parametrize("name", ["", "a\nb", "\0"])
def test_a_name_that_cannot_be_seen_is_refused(name):
    """Empty names and control characters."""
    for quote in (ddl.quote_ddl, ddl.quote_query):
        with pytest.raises(DeclarationError, match="cannot be the name"):
            quote(name)


def test_create_table_declares_the_layout():
    """Columns with quoted fields, SerDe, formats, location and properties."""
    layout = table_layout(parse_columns({"date": "S", "it's": "N"}), serde="auto")
    sql = ddl.create_table(
        "ddb",
        "t",
        columns=layout.columns,
        serde_library=layout.serde_library,
        serde_parameters=layout.serde_parameters,
        location="s3://b/p/",
        properties={"classification": "json"},
    )
    assert "  `item` struct<`date`:struct<`s`:string>,`it_s`:struct<`n`:string>> COMMENT '" in sql
    assert "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'" in sql
    assert r"'mapping.it_s' = 'it\'s'" in sql
    assert "LOCATION 's3://b/p/'" in sql
    assert sql.endswith("TBLPROPERTIES ('classification' = 'json')")
    parsed = sqlglot.parse_one(sql, dialect="hive")
    assert isinstance(parsed, exp.Create)
    assert parsed.this.this.sql(dialect="hive") == "`ddb`.`t`"


def test_a_statement_longer_than_athena_takes_is_refused():
    """262,144 bytes."""
    columns = [(f"c{i}", "string", "x" * 250) for i in range(1_000)]
    with pytest.raises(DeclarationError, match=r"creates db\.t has \d+ bytes, Athena takes 262144"):
        ddl.create_table(
            "db", "t", columns=columns, serde_library="x", serde_parameters={}, location="s3://b/"
        )


def test_a_view_is_replaced_in_one_statement():
    """There is no moment without the view."""
    assert ddl.create_or_replace_view("db", "t_typed", "SELECT 1 AS x") == (
        'CREATE OR REPLACE VIEW "db"."t_typed" AS\nSELECT 1 AS x'
    )
    assert ddl.create_database("db") == "CREATE DATABASE IF NOT EXISTS `db`"


def test_unload_is_the_statement_of_the_athena_manual():
    """Parquet, zstd; the folder as a string of Trino's."""
    assert ddl.unload("SELECT 1 AS x", "s3://b/it's/", of="db.t") == (
        "UNLOAD (\nSELECT 1 AS x\n)\nTO 's3://b/it''s/'\n"
        "WITH (format = 'PARQUET', compression = 'ZSTD')"
    )


def test_what_athena_cannot_unload_is_refused():
    """No folder, and a query longer than 262,144 bytes."""
    with pytest.raises(DeclarationError, match="not a folder"):
        ddl.unload("SELECT 1", "s3://b/x", of="db.t")
    with pytest.raises(DeclarationError, match=r"the typed copy of db\.t has \d+ bytes"):
        ddl.unload("x" * 262_144, "s3://b/x/", of="db.t")
