"""The built wheel in a fresh environment: examples, a scaffolded project, the sample project."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[3]

PYPROJECT = '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "fresh"\n'
DEFINITIONS = """
from pathlib import Path
import dagster as dg

@dg.definitions
def defs():
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
"""
KEYS = """
from ddb_assets.definitions import defs
for key in sorted(defs().resolve_all_asset_keys()):
    print(key.to_user_string())
"""


@pytest.fixture
def fresh(tmp_path):
    """A Dagster project that declares nothing yet."""
    package = tmp_path / "fresh"
    (package / "defs").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "defs" / "__init__.py").touch()
    (package / "definitions.py").write_text(DEFINITIONS)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    return tmp_path


def test_the_wheel_holds_the_types_and_the_sample_declaration_and_nothing_beside(installed):
    """`py.typed` and the YAML are there; tests, examples and docs are not."""
    files = installed.files()
    assert {"ddb_assets/py.typed", "ddb_assets/defs/dynamodb/defs.yaml"} <= files
    tops = {name.split("/")[0] for name in files}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ddb_assets"}


def test_what_is_imported_is_the_wheel_and_not_the_checkout(installed):
    """Otherwise nothing here would prove anything."""
    done = installed.run("python", "-c", "import ddb_assets; print(ddb_assets.__file__)")
    assert Path(done.stdout.strip()).is_relative_to(installed.folder / "venv"), done.output


@pytest.mark.parametrize("name", ["python", "yaml", "translator"])
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("dg", "check", "yaml"), "All component YAML validated successfully"),
        (("dg", "check", "defs"), "All definitions loaded successfully"),
        (("python", "-m", "pytest", "-p", "no:cacheprovider"), " passed"),
    ],
    ids=["check-yaml", "check-defs", "pytest"],
)
def test_an_example_project_loads_and_its_tests_pass(installed, name, command, said):
    """With hardly a variable set, and no AWS but the local one."""
    done = installed.run(*command, cwd=installed.projects[name])
    assert done.returncode == 0, done.output
    assert said in done.output


def test_a_scaffolded_declaration_loads_as_it_is_written(installed, fresh):
    """YAML with comments, for both components; names that YAML would misread are quoted."""
    scaffold = ("dg", "scaffold", "defs")
    component = "ddb_assets.components.DynamoDBTablesComponent"
    options = (
        "--tables",
        "orders",
        "--tables",
        "1e5",
        "--database",
        "raw",
        "--bucket",
        "my-exports",
    )
    done = installed.run(*scaffold, component, "orders", *options, cwd=fresh)
    assert done.returncode == 0, done.output
    discovery = "ddb_assets.components.DynamoDBDiscoveryComponent"
    done = installed.run(*scaffold, discovery, "found", "--include", "prod-*", cwd=fresh)
    assert done.returncode == 0, done.output
    for command in (("dg", "check", "yaml"), ("dg", "check", "defs")):
        done = installed.run(*command, cwd=fresh)
        assert done.returncode == 0, done.output
    done = installed.run("dg", "list", "defs", "--json", cwd=fresh)
    assert "athena/raw/orders" in done.output
    assert "athena/raw/1e5" in done.output


def test_a_scaffolded_python_declaration_loads_as_it_is_written(installed, fresh):
    """`--format python` writes a component that is complete."""
    component = "ddb_assets.components.DynamoDBTablesComponent"
    done = installed.run(
        *("dg", "scaffold", "defs", component, "carts", "--format", "python", "--tables", "carts"),
        cwd=fresh,
    )
    assert done.returncode == 0, done.output
    done = installed.run("dg", "list", "defs", "--json", cwd=fresh)
    assert "athena/raw/carts" in done.output


def test_a_name_aws_does_not_allow_is_not_scaffolded(installed, fresh):
    """Said at once, and nothing is written."""
    component = "ddb_assets.components.DynamoDBTablesComponent"
    done = installed.run("dg", "scaffold", "defs", component, "x", "--tables", "a b", cwd=fresh)
    assert done.returncode != 0
    assert "table 'a b' is not allowed" in done.output
    assert not (fresh / "fresh" / "defs" / "x" / "defs.yaml").exists()


def test_the_components_are_listed_with_their_words(installed, fresh):
    """`dg list components` finds them by their entry point."""
    done = installed.run("dg", "list", "components", "--json", cwd=fresh)
    assert done.returncode == 0, done.output
    assert "ddb_assets.components.DynamoDBTablesComponent" in done.output
    assert "Keeps DynamoDB tables queryable in Athena." in done.output
    assert "ddb_assets.components.DynamoDBDiscoveryComponent" in done.output
    assert "Finds DynamoDB tables by name, tag and account" in done.output


def test_the_sample_project_loads_from_the_wheel(installed, fresh):
    """Even inside another project: that one's declarations are not taken for ours."""
    done = installed.run("python", "-c", KEYS, cwd=fresh)
    assert done.returncode == 0, done.output
    checkout = subprocess.run(
        [sys.executable, "-c", KEYS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "athena/ddb/article" in checkout.stdout.split()
    assert done.stdout.split() == checkout.stdout.split()
    done = installed.run("dagster", "definitions", "validate", "-m", "ddb_assets.definitions")
    assert done.returncode == 0, done.output


def test_the_demo_runs_from_the_wheel(installed, tmp_path):
    """Local AWS, definitions and queries, without a checkout."""
    done = installed.run("ddb-assets", "demo", "--export-seconds", "0", cwd=tmp_path)
    assert done.returncode == 0, done.output
    assert "ddb.article" in done.output


def test_a_type_checker_sees_the_types_of_the_installed_package(installed, tmp_path):
    """`py.typed` works: a wrong argument is an error in a user's own code."""
    (tmp_path / "shop.py").write_text(
        "import ddb_assets\n"
        "ddb_assets.build_dynamodb_assets(database='raw', bucket='b', tables=['orders'])\n"
        "ddb_assets.build_dynamodb_assets(database=1, bucket='b', tables=['orders'])\n"
    )
    pyright = shutil.which("pyright", path=str(Path(sys.executable).parent))
    assert pyright is not None
    done = installed.run(pyright, "--pythonpath", installed.python, "shop.py", cwd=tmp_path)
    assert "shop.py:3:" in done.output
    assert "1 error" in done.output, done.output
