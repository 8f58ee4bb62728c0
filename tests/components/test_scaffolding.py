"""What is scaffolded loads as it is written, with every comment taken away as well."""

import re

import dagster as dg
import pytest
import yaml

from ddb_assets.components import DynamoDBDiscoveryComponent, DynamoDBTablesComponent
from ddb_assets.components.scaffolders import (
    DiscoveryParams,
    DiscoveryScaffolder,
    TablesParams,
    TablesScaffolder,
)
from ddb_assets.errors import DeclarationError

BOTH = [
    (DynamoDBTablesComponent, TablesScaffolder, TablesParams),
    (DynamoDBDiscoveryComponent, DiscoveryScaffolder, DiscoveryParams),
]


def scaffold(folder, component, scaffolder, params, *, written="yaml", append=False):
    """What `dg scaffold defs` asks for."""
    scaffolder().scaffold(
        dg.ScaffoldRequest(
            type_name=f"ddb_assets.components.{component.__name__}",
            target_path=folder,
            scaffold_format=written,
            project_root=None,
            params=params,
            append=append,
        )
    )


def attributes(path):
    """The YAML's attributes as text, as the component resolves them."""
    document = yaml.safe_load(path.read_text())
    return yaml.safe_dump(document["attributes"])


@pytest.mark.parametrize(("component", "scaffolder", "params"), BOTH)
def test_the_file_without_a_parameter_is_valid(tmp_path, component, scaffolder, params):
    """Each parameter has a value that loads."""
    scaffold(tmp_path, component, scaffolder, params())
    made = component.resolve_from_yaml(attributes(tmp_path / "defs.yaml"))
    assert made.database == "raw"
    assert made.bucket == "my-exports"


def test_parameters_reach_the_file_exactly(tmp_path):
    """Names that YAML or Dagster would read as something else are quoted."""
    names = ["orders", "1e5", "null", "123", "legacy.Users", "on_"]
    params = TablesParams(database="ddb", bucket="b-1", tables=names)
    scaffold(tmp_path, DynamoDBTablesComponent, TablesScaffolder, params)
    made = DynamoDBTablesComponent.resolve_from_yaml(attributes(tmp_path / "defs.yaml"))
    assert (made.database, made.bucket, made.tables) == ("ddb", "b-1", names)


def test_globs_reach_the_file_exactly(tmp_path):
    """A lone asterisk is an alias in YAML."""
    params = DiscoveryParams(include=["*", "prod-*", "[a-c]*"])
    scaffold(tmp_path, DynamoDBDiscoveryComponent, DiscoveryScaffolder, params)
    made = DynamoDBDiscoveryComponent.resolve_from_yaml(attributes(tmp_path / "defs.yaml"))
    assert made.include == ["*", "prod-*", "[a-c]*"]


@pytest.mark.parametrize(("component", "scaffolder", "params"), BOTH)
def test_every_example_in_a_comment_is_valid_too(tmp_path, component, scaffolder, params):
    """Somebody who uncomments a line gets what it says."""
    scaffold(tmp_path, component, scaffolder, params())
    text = (tmp_path / "defs.yaml").read_text()
    commented = re.compile(r"^( *)# (?=  |- |\w+:$|\w+: [\[{\"])")
    lines = [commented.sub(r"\1", line) for line in text.splitlines()]
    document = yaml.safe_load("\n".join(lines))
    made = component.resolve_from_yaml(yaml.safe_dump(document["attributes"]))
    assert made.aws.region == "eu-central-1"
    assert len(made.tables) == (2 if component is DynamoDBTablesComponent else 1)


def test_a_second_declaration_is_appended_to_a_file(tmp_path):
    """As a document of its own."""
    scaffold(tmp_path, DynamoDBTablesComponent, TablesScaffolder, TablesParams())
    file = tmp_path / "defs.yaml"
    more = TablesParams(database="crm", tables=["users"])
    scaffold(file, DynamoDBTablesComponent, TablesScaffolder, more, append=True)
    first, second = yaml.safe_load_all(file.read_text())
    assert first["attributes"]["database"] == "raw"
    assert second["attributes"]["tables"] == ["users"]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (TablesParams(tables=["a b"]), "table 'a b' is not allowed"),
        (TablesParams(database="My DB"), "'My DB' is not one Athena allows"),
        (TablesParams(bucket="s3://x"), "bucket 's3://x' is not allowed"),
        (TablesParams(tables=["a.b", "a_b"]), "a_b"),
    ],
)
def test_what_would_not_load_is_not_written(tmp_path, params, words):
    """The error says what is allowed."""
    with pytest.raises(DeclarationError, match=re.escape(words)):
        scaffold(tmp_path, DynamoDBTablesComponent, TablesScaffolder, params)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("component", "scaffolder", "params"), BOTH)
def test_the_python_format_is_complete(tmp_path, component, scaffolder, params):
    """The component it returns is the one that YAML would give."""
    scaffold(tmp_path, component, scaffolder, params(), written="python")
    names = {}
    exec((tmp_path / "component.py").read_text(), names)
    made = names["load"](None)
    assert made.database == "raw"
    assert made == component.resolve_from_yaml(
        "database: raw\nbucket: my-exports\n"
        + ("tables: [orders]\n" if component is DynamoDBTablesComponent else 'include: ["*"]\n')
    )
