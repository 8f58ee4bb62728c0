"""The YAML form: every field reaches the definitions, every mistake is an error."""

import dataclasses
import inspect

import dagster as dg
import pytest
import yaml
from dagster.components.core.component_tree import ComponentTree

from ddb_assets.components import DynamoDBTablesComponent
from ddb_assets.components.models import (
    AwsModel,
    FilterModel,
    GroupModel,
    SettingsModel,
    TableModel,
)
from ddb_assets.core.spec import ExportFilter
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration import builder
from ddb_assets.orchestration.declaration import RefreshGroup, Table, TableSettings
from ddb_assets.orchestration.resources import AwsResource

FULL = """
database: raw
bucket: my-exports
prefix: dynamodb
workgroup: etl
aws: {region: eu-central-1, profile: production}
defaults: {publish_with: athena, owners: ["team:data"], tags: {layer: raw}}
groups:
  nightly: {cron: "0 3 * * *", timezone: Europe/Berlin, running: true}
tables:
  - orders
  - name: legacy.Users
    athena_name: users
    group: nightly
    columns: {id: S, address: {M: {zip: N}}}
    publish_with: glue
    deadline_seconds: 3600
    filter: {projection: "id, #a", names: {"#a": address}}
    tags: {domain: crm}
"""


def load(text, cls=DynamoDBTablesComponent):
    """The component of these attributes, as Dagster loads it from YAML."""
    return cls.resolve_from_yaml(text)


def definitions(component):
    """What Dagster makes of it."""
    return component.build_defs(ComponentTree.for_test().load_context)


@pytest.fixture
def declared(monkeypatch):
    """What the component asks the Python builder for."""
    calls = []

    def spy(**given):
        calls.append(given)
        return builder.build_dynamodb_assets(**given)

    monkeypatch.setattr("ddb_assets.components.dynamodb_tables.build_dynamodb_assets", spy)
    return calls


def test_everything_declared_reaches_the_builder(declared):
    """YAML and Python say the same thing."""
    definitions(load(FULL))
    (given,) = declared
    assert given["tables"] == [
        "orders",
        Table(
            "legacy.Users",
            athena_name="users",
            group="nightly",
            columns={"id": "S", "address": {"M": {"zip": "N"}}},
            publish_with="glue",
            deadline_seconds=3600.0,
            filter=ExportFilter(projection="id, #a", names=(("#a", "address"),)),
            tags={"domain": "crm"},
        ),
    ]
    assert given["groups"] == {
        "nightly": RefreshGroup(cron="0 3 * * *", timezone="Europe/Berlin", running=True)
    }
    assert given["aws"] == AwsResource(region="eu-central-1", profile="production")
    expected = {
        "database": "raw",
        "bucket": "my-exports",
        "prefix": "dynamodb",
        "workgroup": "etl",
        "publish_with": "athena",
        "owners": ["team:data"],
        "tags": {"layer": "raw"},
    }
    assert {name: given[name] for name in expected} == expected


def test_the_definitions_load_in_dagster():
    """Assets, a schedule and the resource; no executor, which is the project's choice."""
    made = definitions(load(FULL))
    dg.Definitions.validate_loadable(made)
    keys = {spec.key.to_user_string() for spec in made.resolve_all_asset_specs()}
    assert keys == {
        "dynamodb/orders",
        "dynamodb/legacy.Users",
        "athena/raw/orders",
        "athena/raw/orders_typed",
        "athena/raw/users",
        "athena/raw/users_typed",
    }
    assert [schedule.cron_schedule for schedule in made.schedules] == ["0 3 * * *"]
    assert made.executor is None


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"bukket": "x"}, "bukket"),
        ({"aws": {"regoin": "x"}}, r"aws\..*regoin"),
        ({"defaults": {"publish": "glue"}}, r"defaults\..*publish"),
        ({"groups": {"nightly": {"crom": "x"}}}, r"groups\..*nightly\.crom"),
        ({"tables": ["orders", {"name": "users", "colums": {}}]}, r"tables\..*\.1\..*colums"),
        ({"tables": [{"name": "users", "filter": {"filtre": "x"}}]}, "filtre"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_it(change, key):
    """At every level."""
    attributes = {**yaml.safe_load(FULL), **change}
    with pytest.raises(Exception, match=rf"{key}(?s:.*)Extra inputs are not permitted"):
        load(yaml.safe_dump(attributes))


def test_a_table_without_a_name_is_an_error_about_that_table():
    """And about nothing else."""
    attributes = {**yaml.safe_load(FULL), "tables": ["orders", {"athena_name": "x"}]}
    with pytest.raises(Exception, match=r"tables\..*\.1\.table\.name(?s:.*)Field required"):
        load(yaml.safe_dump(attributes))


def test_what_the_builder_refuses_names_the_table():
    """Values are checked where Python's are."""
    attributes = {**yaml.safe_load(FULL), "tables": ["orders", {"name": "ab"}], "groups": {}}
    with pytest.raises(DeclarationError, match="table 'ab' is not allowed"):
        definitions(load(yaml.safe_dump(attributes)))


def test_templates_are_rendered_in_names_and_mappings(declared, monkeypatch):
    """Dagster's own template variables work in both forms of a table."""
    monkeypatch.setenv("STAGE", "prod")
    text = """
database: raw
bucket: "{{ env('STAGE') }}-exports"
tables: ["{{ env('STAGE') }}-orders", {name: "{{ env('STAGE') }}-users", group: default}]
"""
    definitions(load(text))
    assert declared[0]["bucket"] == "prod-exports"
    names = [t if isinstance(t, str) else t.name for t in declared[0]["tables"]]
    assert names == ["prod-orders", "prod-users"]


def test_the_translation_changes_exported_assets():
    """With the table's own facts at hand."""
    text = FULL + 'translation: {key: "lake/{{ table.table }}", group_name: lake}\n'
    made = definitions(load(text))
    specs = {spec.key.to_user_string(): spec for spec in made.resolve_all_asset_specs()}
    assert specs["lake/users"].group_name == "lake"
    assert "dynamodb/orders" in specs


class Ours(DynamoDBTablesComponent):
    """A project's own component."""

    def get_asset_spec(self, props):
        """Under a key of its own."""
        return super().get_asset_spec(props).replace_attributes(key=["mine", props.spec.table])


def test_a_subclass_overrides_the_hooks():
    """`get_asset_spec` of the component is the translator's."""
    made = definitions(load(FULL, Ours))
    keys = {spec.key.to_user_string() for spec in made.resolve_all_asset_specs()}
    assert {"mine/orders", "mine/users"} <= keys


def test_two_components_of_one_account_live_in_one_project():
    """Equal settings are one resource; Dagster would refuse two equal ones."""
    other = FULL.replace("database: raw", "database: crm").replace("- orders", "- carts")
    other = other.replace("legacy.Users", "legacy.People")
    merged = dg.Definitions.merge(definitions(load(FULL)), definitions(load(other)))
    dg.Definitions.validate_loadable(merged)
    assert merged.resources == {"aws": AwsResource(region="eu-central-1", profile="production")}


def test_a_resource_of_the_project_is_left_to_it():
    """With a key of one's own and no `aws`, nothing is provided."""
    attributes = {**yaml.safe_load(FULL), "resource_key": "shared"}
    del attributes["aws"]
    assert definitions(load(yaml.safe_dump(attributes))).resources == {}


@pytest.mark.parametrize(
    ("model", "declaration", "more"),
    [
        (SettingsModel, TableSettings, {"bucket", "workgroup"}),
        (TableModel, Table, set()),
        (GroupModel, RefreshGroup, set()),
    ],
)
def test_yaml_has_every_setting_python_has(model, declaration, more):
    """A declaration cannot have a setting that YAML lacks; bucket and workgroup are on top."""
    fields = {field.name for field in dataclasses.fields(declaration)}
    assert set(model.model_fields) | more == fields


def test_yaml_has_every_setting_of_the_filter_and_the_resource():
    """Likewise."""
    assert set(FilterModel.model_fields) == {f.name for f in dataclasses.fields(ExportFilter)}
    assert set(AwsModel.model_fields) == set(AwsResource.model_fields)


def test_the_component_has_every_parameter_of_the_builder():
    """But for those that are values of Python, and those that `defaults` holds."""
    parameters = set(inspect.signature(builder.build_dynamodb_assets).parameters)
    python_only = {"translator", "retry_policy", "max_in_flight", "max_queries", "cut_lag_seconds"}
    in_yaml = set(DynamoDBTablesComponent.model_fields) - {"translation", "defaults"}
    assert parameters - python_only - set(SettingsModel.model_fields) == in_yaml


@pytest.mark.parametrize(
    "model",
    [DynamoDBTablesComponent, AwsModel, SettingsModel, TableModel, GroupModel, FilterModel],
)
def test_every_field_has_a_description_and_an_example_in_the_schema(model):
    """`dg list components` and editors show what Dagster's schema says."""
    properties = model.model().model_json_schema()["properties"]
    assert properties
    for name, shown in properties.items():
        assert shown.get("description"), name
        assert shown.get("examples"), name
