"""Owners, group, kinds, tags and the place of the declaration are on each asset of a table."""

import inspect

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTree

from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.builder import build_dynamodb_assets
from ddb_assets.orchestration.declaration import RefreshGroup, Table
from ddb_assets.orchestration.translator import DynamoDBTranslator

LIVE, RAW = ("dynamodb", "Orders"), ("athena", "ddb", "orders")
VIEW, COPY = ("athena", "ddb", "orders_typed"), ("athena", "ddb", "orders_parquet")
EACH = pytest.mark.parametrize("key", [LIVE, RAW, VIEW, COPY], ids=["live", "raw", "view", "copy"])


def build(**settings):
    """A table of four assets with everything declared."""
    table = Table(
        "Orders",
        group="nightly",
        typed_copy=True,
        owners=["team:sales", "jane@example.com"],
        tags={"domain": "sales"},
    )
    return build_dynamodb_assets(
        tables=[table],
        database="ddb",
        bucket="exports",
        workgroup="etl",
        groups={"nightly": RefreshGroup()},
        **settings,
    )


def node(definitions, key):
    """The asset as Dagster's graph has it."""
    return definitions.resolve_asset_graph().get(dg.AssetKey(key))


def references(definitions, key):
    """Where the UI says the asset is declared."""
    value = node(definitions, key).metadata["dagster/code_references"]
    return [(ref.file_path, ref.line_number) for ref in value.code_references]


@EACH
def test_owners_group_and_tags_are_on_each_asset_of_a_table(key):
    """Whoever looks at any of them knows whom to ask."""
    asset = node(build(), key)
    assert list(asset.owners) == ["team:sales", "jane@example.com"]
    assert asset.group_name == "nightly"
    assert asset.tags["domain"] == "sales"


def test_kinds_say_what_each_asset_is():
    """They are the icons in the lineage graph."""
    definitions = build()
    kinds = {key: set(node(definitions, key).kinds) for key in (LIVE, RAW, VIEW, COPY)}
    assert kinds == {
        LIVE: {"dynamodb"},
        RAW: {"athena", "s3", "json"},
        VIEW: {"athena", "view"},
        COPY: {"athena", "s3", "parquet"},
    }


@EACH
def test_code_references_name_the_line_that_declares_the_table_in_python(key):
    """The file of the call and its line, not the library's."""
    first = inspect.currentframe().f_lineno + 1
    definitions = build_dynamodb_assets(
        tables=[Table("Orders", typed_copy=True)], database="ddb", bucket="exports", workgroup="etl"
    )
    ((file, line),) = references(definitions, key)
    assert file == __file__
    assert first <= line <= first + 2


def test_a_translators_own_code_references_stay():
    """A generator of declarations may know better."""
    value = dg.MetadataValue.text("elsewhere")

    class Elsewhere(DynamoDBTranslator):
        def get_asset_spec(self, props):
            spec = super().get_asset_spec(props)
            return spec.merge_attributes(metadata={"dagster/code_references": value})

    definitions = build(translator=Elsewhere())
    assert node(definitions, RAW).metadata["dagster/code_references"] == value
    assert references(definitions, VIEW)


def test_an_owner_that_dagster_does_not_take_is_refused_at_load():
    """With the table's name."""
    with pytest.raises(DeclarationError, match="Orders: Invalid owner 'jane'"):
        build_dynamodb_assets(
            tables=[Table("Orders", owners=["jane"])], database="ddb", bucket="exports"
        )


def test_code_references_name_the_line_that_declares_the_table_in_yaml(tmp_path, monkeypatch):
    """The line of the component's type, and nothing of the library."""
    folder = tmp_path / "yaml_shop" / "defs" / "lake"
    folder.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "yaml_shop"\n'
    )
    yaml = folder / "defs.yaml"
    yaml.write_text(
        "# The lake.\n"
        "type: ddb_assets.DynamoDBTablesComponent\n"
        "attributes:\n"
        "  database: ddb\n"
        "  bucket: exports\n"
        "  workgroup: etl\n"
        "  tables: [{name: Orders, typed_copy: true, owners: ['team:sales']}]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    definitions = ComponentTree.for_project(tmp_path).build_defs()
    for key in (LIVE, RAW, VIEW, COPY):
        assert references(definitions, key) == [(str(yaml), 2)]
        assert list(node(definitions, key).owners) == ["team:sales"]
