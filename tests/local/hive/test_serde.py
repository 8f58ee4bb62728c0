"""The JSON SerDes, line by line."""

import json
from typing import Any

import pytest

from ddb_assets.local.hive.errors import ReadError
from ddb_assets.local.hive.serde import OPENX_JSON, PARQUET, rows, serde_of
from ddb_assets.local.hive.types import parse

HIVE_JSON = "org.apache.hive.hcatalog.data.JsonSerDe"
DIGITS = "12345678901234567890123456789012345678"


def read(
    hive_type: str,
    *lines: Any,
    library: str = HIVE_JSON,
    column: str = "item",
    **parameters: str,
) -> list[Any]:
    """The values of one column; parameters are written with _ for dots."""
    given = {key.replace("__", "."): value for key, value in parameters.items()}
    raw = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines]
    found = rows(raw, ((column, parse(hive_type)),), serde_of(library, given), "s3://lake/f.json")
    return [json.loads(row).get(column) for row in found]


def code(hive_type: str, *lines: Any, **given: Any) -> str:
    """The code a read fails with."""
    with pytest.raises(ReadError) as caught:
        read(hive_type, *lines, **given)
    assert "s3://lake/f.json" in str(caught.value) or "UNSUPPORTED" in caught.value.code
    return caught.value.code


@pytest.mark.parametrize("library", [HIVE_JSON, OPENX_JSON])
def test_keys_are_matched_without_case_at_every_depth(library: str) -> None:
    """`{"Item":{"userId":{"S":…}}}` fills item.userid.s."""
    value = read(
        "struct<userid:struct<s:string>>", {"Item": {"userId": {"S": "u"}}}, library=library
    )
    assert value == [{"userid": {"s": "u"}}]


def test_one_key_in_two_spellings_in_different_rows_is_one_field() -> None:
    """Both rows are read."""
    lines = [{"item": {"Id": "1"}}, {"ITEM": {"iD": "2"}}]
    assert read("struct<id:string>", *lines) == [{"id": "1"}, {"id": "2"}]


@pytest.mark.parametrize("library", [HIVE_JSON, OPENX_JSON])
@pytest.mark.parametrize("field", ["id", "other"])
def test_one_key_in_two_spellings_in_one_row_is_an_error(library: str, field: str) -> None:
    """A duplicate key fails the query, whether the key is declared or not."""
    line = {"item": {"Id": "1", "iD": "2"}}
    assert code(f"struct<{field}:string>", line, library=library) == "HIVE_CURSOR_ERROR"


def test_openx_that_minds_case_reads_exact_spellings_only() -> None:
    """Type letters too: S is not s."""
    line = {"item": {"userId": {"S": "u"}, "userid": {"s": "v"}}}
    shape = "struct<userid:struct<s:string>>"
    assert read(shape, line, library=OPENX_JSON, case__insensitive="false") == [
        {"userid": {"s": "v"}}
    ]
    assert read(shape, {"Item": {}}, library=OPENX_JSON, case__insensitive="false") == [None]


def test_openx_mapping_acts_at_every_depth() -> None:
    """mapping.s=S, mapping.item=Item and mapping.userid_2=userID together read a case clash."""
    line = {"Item": {"userId": {"S": "u"}, "userID": {"S": "v"}}}
    mapping = {
        "mapping__item": "Item",
        "mapping__s": "S",
        "mapping__userid": "userId",
        "mapping__userid_2": "userID",
    }
    shape = "struct<userid:struct<s:string>,userid_2:struct<s:string>>"
    assert read(shape, line, library=OPENX_JSON, case__insensitive="FALSE", **mapping) == [
        {"userid": {"s": "u"}, "userid_2": {"s": "v"}}
    ]


def test_the_hive_serde_has_no_mapping() -> None:
    """A property of OpenX means nothing to it."""
    assert read("struct<a:string>", {"item": {"b": "x"}}, mapping__a="b") == [{}]


@pytest.mark.parametrize("name", ["my-attr", "a.b", "sp ace", "é", "a:b", "😀"])
def test_a_mapping_reaches_a_name_hive_cannot_spell(name: str) -> None:
    """Names beyond letters, digits and underscore need OpenX."""
    line = {"item": {name: {"S": "x"}}}
    value = read("struct<odd:struct<s:string>>", line, library=OPENX_JSON, mapping__odd=name)
    assert value == [{"odd": {"s": "x"}}]


@pytest.mark.parametrize("name", ["order", "end", "1st", "s", "n", "_x"])
def test_reserved_and_short_names_are_plain_fields(name: str) -> None:
    """An attribute may be called s or n; its type letter is another depth."""
    value = read(f"struct<{name}:struct<s:string>>", {"Item": {name: {"S": "x"}}})
    assert value == [{name: {"s": "x"}}]


def test_a_map_reaches_any_name_and_keeps_its_case() -> None:
    """map<string,struct<…>> needs no declaration of names."""
    line = {"Item": {"a b": {"S": "1"}, "A B": {"S": "2"}, "é": {"N": "3"}}}
    assert read("map<string,struct<s:string,n:string>>", line) == [
        {"a b": {"s": "1"}, "A B": {"s": "2"}, "é": {"n": "3"}}
    ]


def test_nested_values_empty_values_null_and_missing_attributes_are_told_apart() -> None:
    """{} and [] are not NULL; what is not there is."""
    shape = (
        "struct<l:struct<l:array<struct<m:map<string,struct<s:string>>>>>,m:struct<m:map<string,"
        "struct<s:string>>>,z:struct<null:boolean>,e:struct<s:string>,b:struct<bool:boolean>>"
    )
    full = {
        "L": {"L": [{"M": {"k": {"S": "z"}}}, {"M": {}}]},
        "m": {"M": {}},
        "z": {"NULL": True},
        "e": {"S": ""},
        "b": {"BOOL": False},
    }
    assert read(shape, {"Item": full}, {"Item": {"l": {"L": []}}}, {"Item": {}}, {}) == [
        {
            "l": {"l": [{"m": {"k": {"s": "z"}}}, {"m": {}}]},
            "m": {"m": {}},
            "z": {"null": True},
            "e": {"s": ""},
            "b": {"bool": False},
        },
        {"l": {"l": []}},
        {},
        None,
    ]


def test_sets_and_binaries_are_arrays_and_base64_text() -> None:
    """Sets keep their stored order."""
    line = {"Item": {"ss": {"SS": ["b", "a"]}, "b": {"B": "AAE="}, "bs": {"BS": ["AA=="]}}}
    shape = "struct<ss:struct<ss:array<string>>,b:struct<b:string>,bs:struct<bs:array<string>>>"
    assert read(shape, line) == [
        {"ss": {"ss": ["b", "a"]}, "b": {"b": "AAE="}, "bs": {"bs": ["AA=="]}}
    ]


@pytest.mark.parametrize(
    "number",
    [
        "12345678901234567890123456789012345678",
        "0.12345678901234567890123456789012345678",
        "-1",
        "1E-130",
        "9.9999999999999999999999999999999999999E+125",
    ],
)
@pytest.mark.parametrize("quoted", [True, False])
def test_numbers_are_exact_as_text(number: str, quoted: bool) -> None:
    """Whether the file has a JSON number or a string, the text stays."""
    spelled = f'"{number}"' if quoted else number
    line = f'{{"item":{{"n":{spelled}}}}}'.encode()
    assert read("struct<n:string>", line) == [{"n": number}]


@pytest.mark.parametrize(
    ("hive_type", "value", "read_as"),
    [
        (
            "decimal(38,0)",
            "12345678901234567890123456789012345678",
            "12345678901234567890123456789012345678",
        ),
        (
            "decimal(38,0)",
            "-99999999999999999999999999999999999999",
            "-99999999999999999999999999999999999999",
        ),
        ("decimal(5,2)", "1.5", "1.50"),
        ("decimal(5,2)", "1.005", "1.01"),
        ("bigint", "9223372036854775807", "9223372036854775807"),
        ("int", 7, "7"),
        ("double", "1E-130", "1E-130"),
        ("double", "9.99E125", "9.99E125"),
        ("boolean", "TRUE", True),
        ("boolean", False, False),
        ("date", "2020-02-29", "2020-02-29"),
        ("timestamp", "2020-01-01 10:00:00.1234", "2020-01-01 10:00:00.123"),
        ("varchar(2)", "abc", "ab"),
        ("string", True, "true"),
        ("string", 1.50, "1.5"),
        ("string", {"S": ["a", 1, None]}, '{"S":["a",1,null]}'),
    ],
)
def test_a_value_fits_its_declared_type(hive_type: str, value: Any, read_as: Any) -> None:
    """A column declared string shows the JSON text of whatever it finds."""
    assert read(hive_type, {"c": value}, column="c") == [read_as]


@pytest.mark.parametrize(
    ("hive_type", "value"),
    [
        ("bigint", "1.10"),
        ("bigint", "9223372036854775808"),
        ("tinyint", "128"),
        ("int", " x"),
        ("int", {"N": "1"}),
        ("decimal(3,0)", "1000"),
        ("decimal(38,0)", "1E38"),
        ("double", "abc"),
        ("boolean", "yes"),
        ("date", "2020-02-30"),
        ("timestamp", "yesterday"),
        ("struct<a:int>", "text"),
        ("array<int>", {"0": 1}),
        ("map<string,int>", [1]),
    ],
)
def test_a_value_that_does_not_fit_is_bad_data(hive_type: str, value: Any) -> None:
    """HIVE_BAD_DATA names the file and the line."""
    assert code(hive_type, {"item": value}) == "HIVE_BAD_DATA"


def test_openx_can_read_an_invalid_value_as_null() -> None:
    """use.null.for.invalid.data."""
    given = {"library": OPENX_JSON, "use__null__for__invalid__data": "true"}
    assert read("struct<n:bigint>", {"item": {"n": "x"}}, **given) == [{"n": None}]


def test_one_attribute_in_several_types_fills_each_field() -> None:
    """A union: struct<s,n,ss,m:…>, each row fills its own."""
    shape = "struct<v:struct<s:string,n:string,ss:array<string>,m:string>>"
    lines = [
        {"Item": {"v": {"S": "x"}}},
        {"Item": {"v": {"N": "1"}}},
        {"Item": {"v": {"SS": ["a"]}}},
        {"Item": {"v": {"M": {"k": {"S": "y"}}}}},
    ]
    assert read(shape, *lines) == [
        {"v": {"s": "x"}},
        {"v": {"n": "1"}},
        {"v": {"ss": ["a"]}},
        {"v": {"m": '{"k":{"S":"y"}}'}},
    ]


@pytest.mark.parametrize("line", [b"{", b"", b"[1]", b"NaN", b'{"a":NaN}', b"\xff", b"{} {}"])
def test_a_malformed_line_fails_the_query_or_is_a_row_of_nulls(line: bytes) -> None:
    """ignore.malformed.json is OpenX's choice."""
    assert code("struct<a:string>", line) == "HIVE_CURSOR_ERROR"
    assert code("struct<a:string>", line, library=OPENX_JSON) == "HIVE_CURSOR_ERROR"
    given = {"library": OPENX_JSON, "ignore__malformed__json": "true"}
    assert read("struct<a:string>", line, {"item": {"a": "x"}}, **given) == [None, {"a": "x"}]


def test_every_text_survives() -> None:
    """Emoji, line breaks, quotes, control characters and NUL."""
    text = "é😀\n\r\t\"'\\\u0000\u2028\ud7ff{}[]=,"
    assert read("struct<s:string>", {"item": {"s": text}}) == [{"s": text}]


def test_two_fields_that_athena_cannot_tell_apart_are_refused() -> None:
    """Rows have lower-case names."""
    assert "UNSUPPORTED" in code("struct<a:string,A:string>", {"item": {}})


def test_binary_is_read_at_the_top_only() -> None:
    """Inside a struct it is refused, not misread."""
    assert read("binary", {"item": "AAE="}) == ["AAE="]
    assert "UNSUPPORTED" in code("struct<b:binary>", {"item": {"b": "AAE="}})


@pytest.mark.parametrize(
    ("library", "parameters"),
    [
        ("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", {}),
        ("org.apache.hadoop.hive.serde2.OpenCSVSerde", {}),
        ("com.amazon.ionhiveserde.IonHiveSerDe", {}),
        ("org.apache.hadoop.hive.ql.io.orc.OrcSerde", {}),
        ("", {}),
        (OPENX_JSON, {"dots.in.keys": "true"}),
        (HIVE_JSON, {"timestamp.formats": "yyyy"}),
    ],
)
def test_what_is_not_read_here_is_refused_by_name(library: str, parameters: dict[str, str]) -> None:
    """Nothing is read as if it were JSON."""
    with pytest.raises(ReadError, match="LOCAL_ENGINE_UNSUPPORTED"):
        serde_of(library, parameters)


def test_parquet_is_told_by_its_serde() -> None:
    """The class names the format."""
    assert serde_of(PARQUET, {}).form == "parquet"
