"""From declarations to complete specs: what is missing is filled in, what is wrong is refused."""

import pytest

from ddb_assets.core.spec import ExportFilter
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.declaration import RefreshGroup, Table, TableSettings
from ddb_assets.orchestration.specs import complete


def specs(*tables, groups=None, prefix=None, database="raw", **defaults):
    """The specs of these declarations."""
    settings = TableSettings(**{"bucket": "my-exports", **defaults})
    props = complete(
        tables, database=database, groups=groups or {}, defaults=settings, prefix=prefix
    )
    return [p.spec for p in props]


def test_a_name_alone_is_enough():
    """Everything else has a default, and the S3 prefix is the table's name."""
    (spec,) = specs("Orders.v1")
    assert spec.athena_name == "raw.orders_v1"
    assert (spec.bucket, spec.prefix, spec.publish_with) == ("my-exports", "Orders.v1", "glue")
    assert (spec.serde, spec.verify, spec.infer, spec.workgroup) == (
        "auto",
        "manifest",
        True,
        "primary",
    )
    assert spec.columns == ()
    assert spec.deadline_seconds is None


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("bucket", "other"),
        ("bucket_owner", "210987654321"),
        ("workgroup", "etl"),
        ("publish_with", "athena"),
        ("serde", "openx"),
        ("verify", "full"),
        ("infer", False),
        ("sse_algorithm", "AES256"),
        ("deadline_seconds", 60.0),
    ],
)
def test_each_setting_is_passed_on_from_table_and_from_defaults(setting, value):
    """A table's own setting and one said for all of them both reach the spec."""
    assert getattr(specs(Table("orders", **{setting: value}))[0], setting) == value
    assert getattr(specs("orders", **{setting: value})[0], setting) == value


def test_a_kms_key_goes_with_its_algorithm():
    """Both reach the spec; a key without the algorithm would be ignored by AWS and is refused."""
    (spec,) = specs(Table("orders", sse_algorithm="KMS", kms_key_id="alias/exports"))
    assert (spec.sse_algorithm, spec.kms_key_id) == ("KMS", "alias/exports")
    with pytest.raises(DeclarationError, match=r"orders: kms_key_id .*sse_algorithm: KMS"):
        specs(Table("orders", kms_key_id="alias/exports"))


def test_a_table_wins_over_its_group_and_the_group_over_the_defaults():
    """The nearest word counts."""
    groups = {"g": RefreshGroup(publish_with="athena")}
    a, b, c = specs(
        Table("aaa", group="g", publish_with="glue"),
        Table("bbb", group="g"),
        "ccc",
        groups=groups,
        publish_with="glue",
    )
    assert [s.publish_with for s in (a, b, c)] == ["glue", "athena", "glue"]


def test_prefixes_are_folders():
    """A declaration's prefix has a folder per table; a table's own prefix is used as it is."""
    a, b = specs("orders", Table("users", prefix="/old/place/"), prefix="dynamodb/")
    assert (a.prefix, b.prefix) == ("dynamodb/orders", "old/place")


def test_columns_and_filter_reach_the_spec():
    """Declared attributes are parsed, the filter is handed on."""
    chosen = ExportFilter(projection="id")
    (spec,) = specs(Table("orders", columns={"id": "S", "n": "N"}, filter=chosen))
    assert [a.name for a in spec.columns] == ["id", "n"]
    assert spec.filter == chosen


@pytest.mark.parametrize(
    ("tables", "settings", "said"),
    [
        ([], {}, "no tables are declared"),
        (["orders", "orders"], {}, "declared twice: orders"),
        (["ab"], {}, "table 'ab' is not allowed — allowed: 3 to 255"),
        (["arn:aws:dynamodb:eu-west-1:1:table/x"], {}, "a name, not an ARN"),
        (["Or.ders", "or-ders"], {}, "'Or.ders' and 'or-ders' are both 'or_ders'"),
        (["orders"], {"bucket": None}, "orders: no bucket is declared"),
        (["orders"], {"bucket": "s3://x/y"}, "without s3:// and path"),
        (["orders"], {"bucket_owner": "12"}, "orders: bucket_owner '12'"),
        (["orders"], {"publish_with": "hive"}, "allowed: glue or athena"),
        (["orders"], {"serde": "json"}, "auto or hive or openx"),
        (["orders"], {"verify": "none"}, "manifest or full"),
        (["orders"], {"workgroup": "a b"}, "workgroup 'a b'"),
        (["orders"], {"deadline_seconds": 0}, "more than 0 seconds"),
        (["orders"], {"deadline_seconds": float("inf")}, "more than 0 seconds"),
        (["orders"], {"deadline_seconds": "1h"}, "seconds, a number"),
        (["orders"], {"database": "Raw-DB"}, "use 'raw_db'"),
        ([Table("orders", athena_name="Orders")], {}, "use 'orders'"),
        ([Table("orders", group="dialy")], {}, "orders: group 'dialy' .*declared group: default"),
        ([Table("orders", prefix="a//b")], {}, "without empty folders"),
        ([Table("orders", prefix="")], {}, "without empty folders"),
        ([Table("orders", columns={"id": "X"})], {}, "orders: columns.id: 'X' is not allowed"),
        ([Table("orders", filter=ExportFilter())], {}, "a key_condition, a filter or a projection"),
        (["orders"], {"groups": {"idle": RefreshGroup()}}, "groups without a table: idle"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_declaration_is_refused_with_table_value_and_remedy(tables, settings, said):
    """The error names what is wrong and what is allowed."""
    with pytest.raises(DeclarationError, match=said):
        specs(*tables, **settings)
