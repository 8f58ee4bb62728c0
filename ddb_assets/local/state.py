"""Keep the local AWS between two runs: every backend pickled into one file of a private folder.

A pickle can run code when it is read, so only a file of our own, in a folder nobody else can write
to, is ever opened.
"""

import contextlib
import fcntl
import io
import json
import os
import pickle
import stat
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from moto.core.base_backend import BackendDict, BaseBackend
from moto.moto_api import state_manager

from ddb_assets.local import clock

STATE_FILE = "state.pickle"
STAMP_FILE = "stamp.json"
LOCK_FILE = "lock"
FOLDER_MODE = 0o700
FILE_MODE = 0o600
#: Packages whose objects stand in the file.
STAMPED = ("ddb_assets", "moto")

#: What every BackendDict has; anything else in one (S3's map of bucket owners) is state.
_PLUMBING = frozenset(
    {"backend", "service_name", "_use_boto3_regions", "_additional_regions", "_id"}
)


class StateError(RuntimeError):
    """The state folder cannot be used, or what is in it cannot be read here."""


@dataclass(frozen=True)
class Address:
    """Where a backend lives: the registry that holds it, its account and its region."""

    module: str
    registry: str
    account: str
    region: str


class StateFolder:
    """A folder that holds the state of one server at a time.

    Args:
        path: The folder; created with mode 0700 if it is missing.

    Raises:
        StateError: It belongs to someone else, is used for something else, or another server
            uses it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        _refuse_foreign(path)
        if any(path.iterdir()) and not (path / LOCK_FILE).exists():
            # Its mode is about to change; a home or project folder must not lose its own.
            raise StateError(f"{path} is not empty and holds no state of a local AWS")
        path.chmod(FOLDER_MODE)
        self._lock = (path / LOCK_FILE).open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise StateError(f"{path} is in use by another local AWS") from None

    def close(self) -> None:
        """Let another server use the folder."""
        self._lock.close()

    def save(self) -> int:
        """Write everything, replacing what was there only once it is complete.

        Nothing may change a backend meanwhile.

        Returns:
            The number of bytes written.

        Raises:
            StateError: A backend holds something that cannot be kept.
        """
        content = dump()
        _replace(self.path / STATE_FILE, content)
        _replace(self.path / STAMP_FILE, (json.dumps(_stamp(), indent=2) + "\n").encode())
        return len(content)

    def restore(self) -> bool:
        """Read back what was saved.

        Returns:
            Whether there was anything.

        Raises:
            StateError: It was written by other versions, or by someone else, or is damaged.
        """
        file = self.path / STATE_FILE
        if not file.exists():
            return False
        for path in (file, self.path / STAMP_FILE):
            _refuse_foreign(path)
        found = json.loads((self.path / STAMP_FILE).read_text())
        if found != _stamp():
            raise StateError(
                f"{self.path} was written by {_words(found)} and this is {_words(_stamp())}; "
                "use another folder, or delete it to start afresh"
            )
        try:
            load(file.read_bytes())
        except (pickle.UnpicklingError, EOFError, AttributeError, ImportError) as error:
            raise StateError(
                f"{file} cannot be read ({error}); delete {self.path} to start afresh"
            ) from error
        return True


def dump() -> bytes:
    """Every backend in use, and what moto keeps beside them, as bytes."""
    document = {
        "registries": {
            _address_of(registry): {
                name: value for name, value in vars(registry).items() if name not in _PLUMBING
            }
            for registry in _registries()
        },
        "backends": [(address, vars(backend)) for address, backend in _backends()],
        "clock_offset_seconds": clock.offset_seconds(),
        "transitions": state_manager._transitions,  # pyright: ignore[reportPrivateUsage] - moto gives no way to list them
    }
    buffer = io.BytesIO()
    try:
        _Pickler(buffer, _backends()).dump(document)
    except (TypeError, pickle.PicklingError, AttributeError) as error:
        raise StateError(f"the state cannot be kept: {error}") from error
    return buffer.getvalue()


def load(content: bytes) -> None:
    """Fill the backends with what `dump` returned."""
    document = _Unpickler(io.BytesIO(content)).load()
    for (module, name), extra in document["registries"].items():
        vars(_registry(module, name)).update(extra)
    for address, state in document["backends"]:
        backend = vars(_backend(address))
        backend.clear()
        backend.update(state)
    clock.reset()
    clock.advance(document["clock_offset_seconds"])
    for model, transition in document["transitions"].items():
        state_manager.set_transition(model, transition)


class _Pickler(pickle.Pickler):
    """Writes live plumbing by name: backends by address, locks as new locks."""

    def __init__(self, file: io.BytesIO, backends: Iterator[tuple[Address, BaseBackend]]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._addresses = {id(backend): address for address, backend in backends}

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, BaseBackend):
            if id(obj) not in self._addresses:
                raise StateError(f"{type(obj).__name__} is in use but in no registry of moto")
            return ("backend", self._addresses[id(obj)])
        if isinstance(obj, BackendDict):
            return ("registry", _address_of(cast("BackendDict[BaseBackend]", obj)))
        return None

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) in _LOCKS:
            return _LOCKS[type(obj)], ()
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> Any:
        kind, where = pid
        return _backend(where) if kind == "backend" else _registry(*where)


#: A lock is recreated, free: whoever held it is gone.
_LOCKS: dict[type, Any] = {
    type(threading.Lock()): threading.Lock,
    type(threading.RLock()): threading.RLock,
}


def _registries() -> list["BackendDict[BaseBackend]"]:
    # moto's only list of what is in use; its type has no parameter, and it is a class variable.
    instances: Any = vars(BackendDict)["_instances"]
    return list(instances)


def _backends() -> Iterator[tuple[Address, BaseBackend]]:
    for registry in _registries():
        module, name = _address_of(registry)
        for account, region, backend in registry.iter_backends():
            yield Address(module, name, account, region), backend


def _address_of(registry: "BackendDict[BaseBackend]") -> tuple[str, str]:
    """The module variable that holds the registry; service names are not unique in moto."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("moto.") and module_name.endswith("models"):
            for name, value in vars(module).items():
                if value is registry:
                    return module_name, name
    raise StateError(f"no module of moto holds the backends of {registry.service_name}")


def _registry(module: str, name: str) -> "BackendDict[BaseBackend]":
    __import__(module)
    return getattr(sys.modules[module], name)


def _backend(address: Address) -> BaseBackend:
    return _registry(address.module, address.registry)[address.account][address.region]


def _stamp() -> dict[str, str]:
    return {name: version(name) for name in STAMPED}


def _words(stamp: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(stamp.items()))


def _refuse_foreign(path: Path) -> None:
    status = path.stat()
    if status.st_uid != os.geteuid():
        raise StateError(f"{path} belongs to another user and is not read")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not path.is_dir():
        raise StateError(f"{path} can be written by others and is not read")


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        beside.unlink()
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
