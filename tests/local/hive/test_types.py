"""Hive's type language."""

import duckdb
import pytest

from ddb_assets.local.hive.types import (
    HiveTypeError,
    Primitive,
    Struct,
    duckdb_type,
    from_duckdb,
    parse,
)


@pytest.mark.parametrize(
    "text",
    [
        "string",
        "varchar(3)",
        "decimal(38,18)",
        "array<array<int>>",
        "map<string,struct<s:string,n:string>>",
        "struct<userid:struct<s:string>,order:array<struct<m:map<string,string>>>,1st:bigint>",
    ],
)
def test_a_type_is_read_and_written_unchanged(text: str) -> None:
    """Parsing and printing are inverse."""
    assert parse(text).text == text


def test_a_bare_decimal_has_ten_digits() -> None:
    """Hive's decimal without parameters is (10,0)."""
    assert parse("decimal") == Primitive("decimal", (10, 0))


def test_field_names_keep_their_case_and_are_shown_lower_case() -> None:
    """Glue keeps what it was given; rows have lower-case fields."""
    parsed = parse("struct<userId:string>")
    assert parsed == Struct((("userId", Primitive("string")),))
    assert duckdb_type(parsed) == 'STRUCT("userid" VARCHAR)'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "struct<my-attr:string>",
            "Error: : expected at the position 9 of 'struct<my-attr:string>' but '-' is found.",
        ),
        ("struct<a b:string>", "Error: : expected at the position 8 of"),
        ("struct<a.b:string>", "Error: : expected at the position 8 of"),
        ("struct<é:string>", "Error: name expected at the position 7 of"),
        ("struct<`a`:string>", "Error: name expected at the position 7 of"),
        ("struct<>", "Error: name expected at the position 7 of"),
        ("struct<a:string", "Error: > expected at the end of"),
        ("struct<a: string>", "Error: type expected at the position 9 of"),
        ("array<string>>", "Error: end of type expected at the position 13 of"),
        ("varchar", "wrong parameters"),
        ("int(3)", "wrong parameters"),
        ("decimal(39,0)", "out of range"),
        ("decimal(3,x)", "Error: number expected at the position 10 of"),
        ("map<array<int>,int>", "map key must be a primitive"),
        ("text", "Error: type expected at the position 0 of 'text' but 'text' is found."),
        ("", "Error: type expected at the end of ''"),
    ],
)
def test_what_hive_does_not_take_is_refused_with_its_words(text: str, message: str) -> None:
    """A type that Athena would choke on fails here too."""
    with pytest.raises(HiveTypeError) as caught:
        parse(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "boolean",
        "tinyint",
        "smallint",
        "int",
        "bigint",
        "float",
        "double",
        "string",
        "date",
        "timestamp",
        "binary",
        "decimal(12,2)",
        "array<struct<a:map<string,bigint>>>",
    ],
)
def test_a_duckdb_type_leads_back_to_the_hive_type(text: str) -> None:
    """CTAS declares the types a query answered."""
    assert from_duckdb(duckdb.sqltype(duckdb_type(parse(text)))).text == text


def test_a_type_that_hive_lacks_is_refused() -> None:
    """Hive has no interval."""
    with pytest.raises(HiveTypeError):
        from_duckdb(duckdb.sqltype("INTERVAL"))
