"""Which module a command loads, and what it says when it cannot."""

import sys
from types import ModuleType, SimpleNamespace

import dagster as dg
import pytest

from ddb_assets import AwsResource, build_dynamodb_assets
from ddb_assets.cli.project import load_project
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.declared import declared_tables

SOURCE = """
from ddb_assets import build_dynamodb_assets
{name} = build_dynamodb_assets(tables=["{table}"], database="raw", bucket="exports")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project's folder; what is imported from it is forgotten again."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def module(monkeypatch):
    """Makes a module importable that has these names."""

    def make(name, **content):
        made = ModuleType(name)
        vars(made).update(content)
        monkeypatch.setitem(sys.modules, name, made)
        return name

    return make


def write(path, text):
    """A file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("settings", "source"),
    [
        ({"pyproject.toml": '[tool.dg.project]\nroot_module = "one"'}, "one/definitions.py"),
        ({"dg.toml": '[project]\nroot_module = "two"'}, "src/two/definitions.py"),
        (
            {
                "pyproject.toml": '[tool.dg.project]\nroot_module = "x"\n'
                'code_location_target_module = "three.where"'
            },
            "three/where.py",
        ),
    ],
)
def test_the_project_of_the_folder_says_its_module(folder, settings, source):
    """As Dagster finds it, also from a folder below and without being installed."""
    for name, text in settings.items():
        write(folder / name, text)
    write(folder / source, SOURCE.format(name="defs", table="orders"))
    below = folder / "deep" / "er"
    below.mkdir(parents=True)
    project = load_project(folder=below)
    assert [spec.name for spec in project.specs] == ["orders"]


# Dagster's own loader of a defs folder uses what Dagster calls preview and beta.
@pytest.mark.filterwarnings("ignore::dagster.PreviewWarning", "ignore::dagster.BetaWarning")
def test_without_a_project_the_packages_own_tables_are_meant(folder):
    """What `ddb-assets local --sample` serves."""
    project = load_project(folder=folder)
    assert project.module == "ddb_assets.definitions"
    assert "Article" in {spec.name for spec in project.specs}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise ValueError('no luck')", "broken cannot be loaded: ValueError: no luck"),
        ("import surely_not_there", "ModuleNotFoundError: No module named 'surely_not_there'"),
        ("x = 1", "the module broken has no Dagster definitions"),
        ("import dagster\ndefs = dagster.Definitions()", "broken declares no DynamoDB table"),
        (
            "from ddb_assets import build_dynamodb_assets\n"
            "defs = build_dynamodb_assets(tables=['a b'], database='raw', bucket='exports')",
            "table 'a b' is not allowed",
        ),
    ],
)
def test_a_module_that_cannot_be_used_is_one_sentence(folder, source, said):
    """The module, and what is wrong with it."""
    write(folder / "broken.py", source)
    with pytest.raises(DeclarationError) as refused:
        load_project("broken", folder=folder)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_module_that_is_not_there_and_a_file_that_is_none(folder):
    """Neither is a traceback."""
    with pytest.raises(DeclarationError, match="there is no Python module no_such"):
        load_project("no_such.definitions", folder=folder)
    write(folder / "pyproject.toml", "[project")
    with pytest.raises(DeclarationError, match=r"pyproject\.toml cannot be read"):
        load_project(folder=folder)


def test_of_several_definitions_one_must_be_called_defs(module):
    """Nobody guesses which is meant."""
    some = build_dynamodb_assets(tables=["orders"], database="raw", bucket="exports")
    with pytest.raises(DeclarationError, match="several definitions: first, second"):
        load_project(module("several", first=some, second=dg.Definitions()))
    assert load_project(module("named", defs=some, other=dg.Definitions())).specs


def test_every_declaration_has_its_own_resource(module):
    """Two accounts in one project; tables of one account share a connection."""
    defs = dg.Definitions.merge(
        build_dynamodb_assets(
            tables=["orders", "users"],
            database="raw",
            bucket="exports",
            aws=AwsResource(region="eu-west-1"),
            groups={},
        ),
        dg.Definitions(
            assets=build_dynamodb_assets(
                tables=["bills"], database="billing", bucket="exports", resource_key="bills"
            ).assets,
            resources={"bills": AwsResource(region="us-east-2")},
        ),
    )
    project = load_project(module("two_accounts", defs=defs))
    assert [table.resource.region for table in project.tables] == [
        "eu-west-1",
        "eu-west-1",
        "us-east-2",
    ]
    orders, users, bills = project.tables
    assert project.gateways(orders) is project.gateways(users)
    assert project.gateways(orders) is not project.gateways(bills)


def test_an_environment_variable_is_read_when_a_command_runs(monkeypatch):
    """Set, it is the value; not set, the error names it and the field."""
    defs = build_dynamodb_assets(
        tables=["orders"],
        database="raw",
        bucket="exports",
        aws=AwsResource(region=dg.EnvVar("MY_REGION")),
    )
    monkeypatch.delenv("MY_REGION", raising=False)
    with pytest.raises(DeclarationError, match=r"MY_REGION is not set — .* its region from it"):
        declared_tables(defs)
    monkeypatch.setenv("MY_REGION", "eu-north-1")
    (table,) = declared_tables(defs)
    assert table.resource.region == "eu-north-1"


def test_a_resource_that_is_none_of_ours_is_named():
    """Missing, or of another kind."""
    built = build_dynamodb_assets(
        tables=["orders"], database="raw", bucket="exports", resource_key="mine"
    )
    with pytest.raises(DeclarationError, match="the resource 'mine' of the definitions is missing"):
        declared_tables(built)
    other = dg.Definitions(assets=built.assets, resources={"mine": SimpleNamespace()})
    with pytest.raises(DeclarationError, match="is a SimpleNamespace"):
        declared_tables(other)


def test_a_name_of_two_tables_asks_which(ddb_assets, module, world_resource):
    """Declared in two databases, a table is named `database.table`."""
    both = [
        build_dynamodb_assets(
            tables=["Article"], database=database, bucket="exports", aws=world_resource
        )
        for database in ("one", "two")
    ]
    steps = [a for a in both[1].assets if isinstance(a, dg.AssetsDefinition)]
    defs = dg.Definitions.merge(both[0], dg.Definitions(assets=steps))
    done = ddb_assets("status", "Article", "-m", module("both", defs=defs))
    assert done.code == 2
    assert "several tables — say which: one.article, two.article" in done.err
