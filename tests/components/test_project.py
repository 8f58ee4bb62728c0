"""The checkout's own project: loads anywhere, asks nobody, passes Dagster's own checks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LOAD = """
import os, socket

class Refused(socket.socket):
    def connect(self, address):
        raise SystemExit(f"the definitions connect to {address}")
    connect_ex = connect

socket.socket = Refused
before = dict(os.environ)
from ddb_assets.definitions import defs
definitions = defs()
assert "boto3" not in __import__("sys").modules, "boto3 is imported at load"
for spec in sorted(definitions.resolve_all_asset_specs(), key=lambda s: s.key):
    print(spec.key.to_user_string())
print(definitions.executor.name)
"""

EXPECTED = [
    "athena/ddb/article",
    "athena/ddb/article_typed",
    "athena/ddb/legacy_users",
    "athena/ddb/legacy_users_typed",
    "athena/ddb/shop_orders",
    "athena/ddb/shop_orders_typed",
    "athena/ddb/waiting_list",
    "athena/ddb/waiting_list_typed",
    "dynamodb/Article",
    "dynamodb/legacy.Users",
    "dynamodb/shop-orders",
    "dynamodb/waiting_list",
    "in_process",
]


def run(*command, cwd=ROOT):
    """A command with an empty environment."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "VIRTUAL_ENV": sys.prefix,
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "COLUMNS": "200",
        "HOME": "/nonexistent",
    }
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_definitions_load_without_network_and_without_environment(tmp_path):
    """From any folder, with nothing set; a connection would end the process."""
    done = run(sys.executable, "-c", LOAD, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == EXPECTED


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["dg", "check", "yaml"], "All component YAML validated successfully"),
        (["dg", "check", "defs"], "All definitions loaded successfully"),
        (["dagster", "definitions", "validate"], "All code locations passed validation"),
        (
            ["dagster", "definitions", "validate", "-w", "workspace.yaml"],
            "All code locations passed validation",
        ),
        (["dg", "list", "components"], "ddb_assets.components.DynamoDBTablesComponent"),
        (["dg", "list", "defs", "--json"], "athena/ddb/shop_orders"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_dagsters_own_commands_accept_the_project(command, said):
    """With an empty environment, in the checkout."""
    done = run(*command)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert said in output


@pytest.mark.slow
def test_dagsters_check_finds_a_misspelt_key(tmp_path):
    """`dg check yaml` points at the list that holds an unknown key, and shows it."""
    project = tmp_path / "crooked"
    folder = project / "crooked" / "defs" / "dynamodb"
    folder.mkdir(parents=True)
    for package in (project / "crooked", project / "crooked" / "defs"):
        (package / "__init__.py").touch()
    (project / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "crooked"\n'
    )
    (folder / "defs.yaml").write_text(
        "type: ddb_assets.components.DynamoDBTablesComponent\nattributes:\n"
        "  database: raw\n  bucket: my-exports\n  tables:\n    - {name: orders, colums: {a: S}}\n"
    )
    done = run("dg", "check", "yaml", cwd=project)
    assert done.returncode != 0
    assert "defs.yaml:5" in done.stdout + done.stderr
    assert "colums" in done.stdout + done.stderr
