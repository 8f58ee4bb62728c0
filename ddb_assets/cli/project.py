"""The project a command works on: its module, loaded, and the tables it declares.

Loading runs the project's own code, as Dagster does; nothing is asked of AWS.
"""

import functools
import importlib
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import click

from ddb_assets.cli.output import busy
from ddb_assets.core.clock import Clock
from ddb_assets.core.ports import Gateways
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import (
    CredentialsExpiredError,
    CredentialsMissingError,
    DdbAssetsError,
    DeclarationError,
    ServiceUnavailableError,
)

if TYPE_CHECKING:
    import dagster as dg

    from ddb_assets.orchestration.declared import DeclaredTable

#: What is loaded where no project says otherwise: this package's own declarations.
OWN_MODULE = "ddb_assets.definitions"

#: Troubles of the account or the network; the first table's is every table's.
_EVERYBODYS = (CredentialsMissingError, CredentialsExpiredError, ServiceUnavailableError)


@dataclass
class Project:
    """A loaded project.

    Attributes:
        module: Where its definitions are.
        tables: What they declare.
    """

    module: str
    tables: "tuple[DeclaredTable, ...]"
    _gateways: dict[int, Gateways] = field(default_factory=dict[int, Gateways], repr=False)
    _answered: set[int] = field(default_factory=set[int], repr=False)

    @property
    def specs(self) -> tuple[TableSpec, ...]:
        """Every declared table."""
        return tuple(table.spec for table in self.tables)

    def chosen(self, names: Sequence[str]) -> "tuple[DeclaredTable, ...]":
        """The tables with these names; all where none is given.

        Raises:
            DeclarationError: A name is not known, or several tables'.
        """
        from ddb_assets.orchestration.declared import named_tables

        if not names:
            return self.tables
        wanted = {id(spec) for spec in named_tables(self.specs, names)}
        return tuple(table for table in self.tables if id(table.spec) in wanted)

    def gateways(self, table: "DeclaredTable") -> Gateways:
        """The services of the table's account; connected once."""
        from ddb_assets.orchestration.declared import gateways_for

        key = id(table.resource)
        if key not in self._gateways:
            self._gateways[key] = gateways_for(self.tables, table.resource)
        return self._gateways[key]

    def clock(self, table: "DeclaredTable") -> Clock:
        """Time and sleep."""
        return table.resource.clock()

    def heed(self, table: "DeclaredTable", error: DdbAssetsError | None) -> None:
        """Go on to the next table after this one's error, unless it would be the next one's, too.

        Raises:
            DdbAssetsError: The account could not be asked at all.
        """
        key = id(table.resource)
        if isinstance(error, _EVERYBODYS) and key not in self._answered:
            raise error
        self._answered.add(key)


def with_project(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `-m/--module` and its first argument, the project."""

    @click.option(
        "-m",
        "--module",
        metavar="MODULE",
        help="Python module with the Dagster definitions; by default that of the project in this "
        "folder.",
    )
    @functools.wraps(command)
    def wrapped(*arguments: Any, module: str | None, **options: Any) -> None:
        with busy("Loading the project ..."):
            project = load_project(module)
        command(project, *arguments, **options)

    return wrapped


def load_project(module: str | None = None, folder: Path | None = None) -> Project:
    """Load a module and find the tables its definitions declare.

    Args:
        module: Its dotted name; by default what the project of the folder says.
        folder: Where to look for a project; the current folder by default.

    Raises:
        DeclarationError: It cannot be found or imported, has no definitions, or declares no table.
    """
    root, said = _project_of(folder or Path.cwd())
    name = module or said or OWN_MODULE
    _importable(root)
    definitions = _definitions(_imported(name), name)
    from ddb_assets.orchestration.declared import declared_tables

    tables = declared_tables(definitions)
    if not tables:
        raise DeclarationError(
            f"{name} declares no DynamoDB table",
            remedy="name another module with -m, or declare one (docs/declaring-tables.md)",
        )
    return Project(name, tables)


def _project_of(folder: Path) -> tuple[Path, str | None]:
    """The project's folder and what it says its definitions are; the nearest one above counts."""
    for place in (folder, *folder.parents):
        for name, section in (("pyproject.toml", ("tool", "dg")), ("dg.toml", ())):
            path = place / name
            if path.is_file() and (found := _target(path, section)) is not None:
                return place, found
    return folder, None


def _target(path: Path, section: tuple[str, ...]) -> str | None:
    try:
        found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeclarationError(
            f"{path} cannot be read: {error}", remedy="mend it, or name the module with -m"
        ) from error
    for part in (*section, "project"):
        found = cast("dict[str, Any]", found).get(part) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return None
    project = cast("dict[str, str]", found)
    root = project.get("root_module")
    # The second is Dagster's own default (dagster_dg_core.context).
    said = project.get("code_location_target_module")
    return said or (f"{root}.definitions" if root else None)


def _importable(root: Path) -> None:
    """As `dagster dev` started there would find it, installed or not."""
    for place in (root / "src", root):
        if place.is_dir() and str(place) not in sys.path:
            sys.path.insert(0, str(place))


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise DeclarationError(
                f"there is no Python module {name}",
                remedy="run this in the project's folder, or name its module with -m",
            ) from error
        raise _broken(name, error) from error
    except DdbAssetsError:
        raise
    except Exception as error:
        raise _broken(name, error) from error


def _definitions(module: ModuleType, name: str) -> "dg.Definitions":
    """The module's definitions: `defs`, or the only ones it has."""
    import dagster as dg

    # What `@dg.definitions` makes; Dagster does not export the class.
    from dagster.components.definitions import LazyDefinitions

    found: dict[str, Any] = {
        attribute: value
        for attribute, value in vars(module).items()
        if isinstance(value, dg.Definitions | LazyDefinitions)
    }
    if not found:
        raise DeclarationError(
            f"the module {name} has no Dagster definitions", remedy="name another one with -m"
        )
    if len(found) > 1 and "defs" not in found:
        raise DeclarationError(
            f"the module {name} has several definitions: {', '.join(sorted(found))}",
            remedy="call one of them `defs`",
        )
    value = found["defs"] if "defs" in found else next(iter(found.values()))
    if isinstance(value, dg.Definitions):
        return value
    try:
        return value()
    except DdbAssetsError:
        raise
    except Exception as error:
        raise _broken(name, error) from error


def _broken(name: str, error: Exception) -> DeclarationError:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    said = str(cause).strip().partition("\n")[0]
    return DeclarationError(
        f"{name} cannot be loaded: {type(cause).__name__}: {said}",
        remedy="`dg check defs` shows where",
    )
