"""The layout is the architecture: imports go one way, files stay small, imports stay cheap."""

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ddb_assets"
MOST_LINES = 350


def test_every_import_arrow_of_the_design_is_kept(monkeypatch, capsys):
    """The contracts in pyproject.toml hold for the code as it stands."""
    monkeypatch.chdir(ROOT)
    failed = lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None)
    assert not failed, capsys.readouterr().out


def test_an_import_against_the_arrows_is_caught(tmp_path, monkeypatch, capsys):
    """A house in which core imports dagster fails the same kind of contract: the check can fail."""
    core = tmp_path / "crooked_house" / "core"
    core.mkdir(parents=True)
    (core.parent / "__init__.py").touch()
    (core / "__init__.py").write_text("import dagster\n")
    config = tmp_path / "importlinter.toml"
    config.write_text(
        "[tool.importlinter]\nroot_package = 'crooked_house'\ninclude_external_packages = true\n"
        "[[tool.importlinter.contracts]]\nname = 'core'\ntype = 'forbidden'\n"
        "source_modules = ['crooked_house.core']\nforbidden_modules = ['dagster']\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert lint_imports(config_filename=str(config), cache_dir=None)
    assert "core" in capsys.readouterr().out


@pytest.mark.parametrize("folder", ["ddb_assets", "tests", "benchmarks", "docs", "examples"])
def test_a_file_has_one_job_and_stays_short(folder):
    """No module and no test outgrows 350 lines."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in (ROOT / folder).rglob("*.py")
    }
    assert lengths
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("ddb_assets", ("dagster", "boto3", "moto", "rich")),
        ("ddb_assets.errors", ("dagster", "boto3")),
        ("ddb_assets.core.refreshing.refresh", ("dagster", "boto3", "moto")),
        ("ddb_assets.cli.main", ("dagster", "boto3", "moto", "duckdb")),
        ("ddb_assets.cli.local", ("dagster",)),
        ("ddb_assets.definitions", ("moto", "duckdb", "dagster_aws")),
    ],
)
def test_importing_a_module_does_not_pay_for_what_it_does_not_use(module, absent):
    """A fresh interpreter that imports the module has not loaded the heavy packages."""
    code = f"import sys, {module}\nprint([name for name in {absent!r} if name in sys.modules])\n"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.strip() == "[]"
