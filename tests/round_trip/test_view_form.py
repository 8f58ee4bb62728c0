"""The view in Glue, held to what Trino's own code asks of one, which neither side here wrote.

Sources (trinodb/trino): ViewReaderUtil.isTrinoView and PrestoViewReader.decodeViewData,
ConnectorViewDefinition, GlueConverter.fromGlueTable, TypeInfoUtils (Hive types) and the view checks
of StatementAnalyzer; docs/adr/0007.
"""

import base64
import json
import re

import pytest
from ddb_round_trip import types
from ddb_round_trip.account import DATABASE
from ddb_round_trip.items import BORROWED, ODD, PLAIN

PREFIX, SUFFIX = "/* Presto View: ", " */"
#: What Trino calls a Hive type.
TRINO_NAMES = {"string": "varchar", "binary": "varbinary", "struct": "row"}


@pytest.fixture(scope="module")
def tables(aws):
    """Two published tables, one refreshed twice: plain ones, and every odd name."""
    names = [name for name in dict.fromkeys((*PLAIN, *BORROWED, *ODD)) if name != "pk"]
    odd = {"pk": {"S": "1"}, **{name: {"N": f"{at}.5"} for at, name in enumerate(names)}}
    nested = {"M": {"a": {"L": [{"BS": [b"x"]}]}, "b": {"SS": ["y"]}, "c": {"BOOL": True}}}
    plain = {"pk": {"S": "1"}, "Nested": nested, "n": {"N": "1"}, "b": {"B": b""}}
    aws.put("form-odd", [odd, {"pk": {"S": "2"}, **{name: {"S": name} for name in names}}])
    aws.put("form-plain", [plain])
    aws.publish(["form-odd", "form-plain"])
    return aws.publish(["form-odd", "form-plain"])


@pytest.fixture(params=["form_odd", "form_plain"])
def view(request, aws, tables):
    """GetTable of one of the views."""
    return aws.glue(f"{request.param}_typed")


def definition(view):
    """PrestoViewReader.decodeViewData."""
    text = view["ViewOriginalText"]
    assert text.startswith(PREFIX)
    assert text.endswith(SUFFIX)
    return json.loads(base64.b64decode(text[len(PREFIX) : -len(SUFFIX)], validate=True))


def parameters(view):
    """GlueConverter.fromGlueTable: a description takes the comment's place."""
    described = {"comment": view["Description"]} if view.get("Description") is not None else {}
    return {**view["Parameters"], **described}


def test_trino_sees_a_view(view):
    """ViewReaderUtil.isTrinoView."""
    assert view["TableType"] == "VIRTUAL_VIEW"
    assert parameters(view)["presto_view"] == "true"
    assert parameters(view)["comment"].lower() == "presto view"
    assert view["ViewExpandedText"] == "/* Presto View */"


def test_trino_reads_its_definition(view):
    """ConnectorViewDefinition: what its constructor refuses, and nothing it does not know."""
    found = definition(view)
    required, optional = {"originalSql", "columns"}, {"catalog", "schema", "comment", "owner"}
    assert required <= found.keys() <= required | optional | {"runAsInvoker", "path"}
    assert isinstance(found["originalSql"], str)
    assert found["columns"]
    assert all(
        one.keys() in ({"name", "type"}, {"name", "type", "comment"}) for one in found["columns"]
    )
    assert (found["catalog"], found["schema"]) == ("awsdatacatalog", DATABASE)
    assert not (found["runAsInvoker"] and found.get("owner"))


def test_trino_reads_its_storage(view):
    """GlueConverter.fromGlueStorage wants SerdeInfo; TrinoViewHiveMetastore writes no location."""
    storage = view["StorageDescriptor"]
    assert storage["SerdeInfo"] is not None
    assert storage.get("Location", "") == ""
    assert not storage.get("NumberOfBuckets")
    assert view.get("PartitionKeys", []) == []


def test_its_columns_are_those_of_its_definition(view):
    """Same names, same order, the same type in Hive's words; each name once, in lower case."""
    found = definition(view)["columns"]
    columns = view["StorageDescriptor"]["Columns"]
    names = [one["Name"] for one in columns]
    assert names == [one["name"] for one in found]
    assert names == [name.lower() for name in names]
    assert len(set(names)) == len(names)
    for one, kept in zip(columns, found, strict=True):
        assert hive(one["Type"]) == types.parse(kept["type"]), one["Name"]


def test_its_query_has_the_columns_it_keeps(aws, view):
    """StatementAnalyzer: else the view is stale. Asked of the query, not through the view."""
    found = definition(view)
    answer = aws.described(found["originalSql"])
    kept = [(one["name"], re.sub(r"[( ].*", "", one["type"])) for one in found["columns"]]
    assert answer == kept


def hive(text):
    """A Hive type as Trino's; TypeInfoUtils knows no quotes and no blanks."""
    assert re.fullmatch(r"[a-z0-9_<>,:()]+", text), text
    found, rest = _hive(text)
    assert not rest
    return found


def _hive(text):
    name, rest = re.match(r"([a-z0-9_]+)(.*)", text).groups()
    if name == "decimal":
        size, rest = re.match(r"(\(\d+,\d+\))(.*)", rest).groups()
        return types.Type(name + size), rest
    inside, fields = [], []
    if rest.startswith("<"):
        while not rest.startswith(">"):
            rest = rest[1:]
            if name == "struct":
                field, rest = rest.split(":", 1)
                fields.append(field)
            one, rest = _hive(rest)
            inside.append(one)
        rest = rest[1:]
    return types.Type(TRINO_NAMES.get(name, name), tuple(inside), tuple(fields)), rest
