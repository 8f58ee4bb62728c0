"""Hive types: read from any spelling, written in one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddb_assets.errors import CatalogConflictError
from ddb_assets.schema.hive_types import Array, Map, Primitive, Struct, parse

words = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
types = st.recursive(
    st.sampled_from(["string", "boolean", "bigint", "decimal(38,0)", "varchar(10)"]).map(Primitive),
    lambda inner: st.one_of(
        st.builds(Array, inner),
        st.builds(Map, st.just(Primitive("string")), inner),
        st.lists(st.tuples(words, inner), min_size=1, max_size=4).map(lambda f: Struct(tuple(f))),
    ),
    max_leaves=12,
)


@given(types)
def test_text_is_read_back(type_):
    """Both the catalog's spelling and the quoted one of DDL."""
    assert parse(type_.text) == type_
    assert parse(type_.ddl) == type_


def test_other_spellings_are_the_same_type():
    """Blanks and the case of type words do not matter; names keep their spelling."""
    found = parse(" STRUCT < userId : String , `a b:c``d`: MAP<string, DECIMAL( 38 , 0 )> > ")
    assert found.text == "struct<userId:string,a b:c`d:map<string,decimal(38,0)>>"
    assert found.get("USERID") == Primitive("string")
    assert found.get("nobody") is None


def test_reserved_words_are_quoted_in_ddl():
    """`date` and `_x` as struct fields end a CREATE TABLE unless quoted."""
    assert parse("struct<date:string,_x:array<struct<timestamp:bigint>>>").ddl == (
        "struct<`date`:string,`_x`:array<struct<`timestamp`:bigint>>>"
    )


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "expected a type at character 0"),
        ("struct<>", "a field's name at character 7"),
        ("struct<a>", "':' at character 8"),
        ("struct<a:string", "',' at character 15"),
        ("array<string", "'>' at character 12"),
        ("map<string>", "',' at character 10"),
        ("string>", "the end at character 6"),
        ("decimal(,)", "a number at character 8"),
        ("struct<`a:string>", "a closing backtick"),
        ("array<" * 1_000, "at most 700 levels"),
    ],
)
def test_what_is_no_type_is_refused_with_the_place(text, where):
    """A type nobody can read must not pass for one (aws-contract: silent fallbacks)."""
    with pytest.raises(CatalogConflictError, match="not a Hive type") as refused:
        parse(text)
    assert where in str(refused.value)
