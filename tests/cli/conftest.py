"""A project on the core's fake AWS, and the command line as its user runs it."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from ddb_assets import build_dynamodb_assets
from ddb_assets.cli import main as root
from ddb_assets.core.outcome import Refreshed
from ddb_assets.orchestration.declared import declared_tables

DAY = 86400.0


@pytest.fixture
def project(world, world_resource, monkeypatch):
    """The module `fake_project` with two declared tables; their specs by name."""
    module = ModuleType("fake_project")
    module.defs = build_dynamodb_assets(
        tables=["Article", "legacy.Users"], database="raw", bucket="exports", aws=world_resource
    )
    monkeypatch.setitem(sys.modules, "fake_project", module)
    specs = {table.spec.name: table.spec for table in declared_tables(module.defs)}
    for name in specs:
        world.aws.create(name)
    return specs


@pytest.fixture
def refreshed(world, project):
    """Publishes one more export of a table, a day after the last one."""

    def publish(name="Article"):
        outcome = world.refresh(project[name], run=f"run-{len(world.aws.exports)}")[name]
        assert isinstance(outcome, Refreshed)
        world.clock.sleep(DAY)
        return outcome

    return publish


@pytest.fixture
def ddb_assets(monkeypatch, capsys):
    """Runs a command; its exit code and what it wrote."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ddb-assets", *arguments])
        monkeypatch.setattr(sys, "path", list(sys.path))
        with pytest.raises(SystemExit) as ended:
            root.main()
        written = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code or 0, out=written.out, err=written.err)

    return run
