"""A fresh environment with the built wheel in it: what a user of the package has."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EXAMPLES = ("python", "yaml", "translator")
#: What setuptools needs to build; nothing else of the checkout is near the installed package.
SOURCES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "ddb_assets")
INSTALL_SECONDS = 900


def _call(*command, cwd, env, seconds):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    done.output = done.stdout + done.stderr
    return done


class Installed:
    """A virtual environment with the wheel, and folders in it that are no checkout.

    Attributes:
        wheel: The wheel that is installed.
        projects: The examples, installed as well.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "venv" / "bin" / "python"
        self.projects = {name: folder / "examples" / name for name in EXAMPLES}
        # pip's own settings (an index, a proxy) are the machine's; Python's are not.
        self._pip_env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "VIRTUAL_ENV", "AWS_", "DAGSTER_"))
        }
        self.wheel = self._build()
        self._install()

    def run(self, *command, cwd=None, seconds=300, **variables):
        """A command of the environment with hardly a variable set; its output in `output`."""
        env = {
            "PATH": f"{self.python.parent}{os.pathsep}{os.defpath}",
            "VIRTUAL_ENV": str(self.folder / "venv"),
            "HOME": str(self.folder),
            "COLUMNS": "160",
            "DAGSTER_DISABLE_TELEMETRY": "1",
            **variables,
        }
        command = (shutil.which(command[0], path=env["PATH"]) or command[0], *command[1:])
        return _call(*command, cwd=cwd or self.folder, env=env, seconds=seconds)

    def files(self) -> set[str]:
        """Every file in the wheel."""
        with zipfile.ZipFile(self.wheel) as archive:
            return set(archive.namelist())

    def _build(self) -> Path:
        source = self.folder / "source"
        source.mkdir()
        for name in SOURCES:
            if (ROOT / name).is_dir():
                leave = shutil.ignore_patterns("__pycache__", ".local_defs_state")
                shutil.copytree(ROOT / name, source / name, ignore=leave)
            else:
                shutil.copy(ROOT / name, source / name)
        wheels = self.folder / "wheels"
        self._pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", wheels, source)
        shutil.rmtree(source)
        (wheel,) = wheels.glob("*.whl")
        return wheel

    def _install(self) -> None:
        _call(
            *(sys.executable, "-m", "venv", self.folder / "venv"),
            cwd=self.folder,
            env=self._pip_env,
            seconds=INSTALL_SECONDS,
        )
        constraints = ROOT / "constraints.txt"
        self._pip(self.python, "install", "-c", constraints, f"{self.wheel}[ui,local]", "pytest")
        leave = shutil.ignore_patterns("__pycache__", ".local_defs_state", "*.egg-info", ".pytest*")
        shutil.copytree(ROOT / "examples", self.folder / "examples", ignore=leave)
        for project in self.projects.values():
            self._pip(self.python, "install", "--no-deps", "--editable", project)

    def _pip(self, python, *arguments) -> None:
        done = _call(
            *(python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments),
            cwd=self.folder,
            env=self._pip_env,
            seconds=INSTALL_SECONDS,
        )
        assert done.returncode == 0, done.output


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """One environment for the whole session: it takes a minute to make."""
    return Installed(tmp_path_factory.mktemp("installed"))
