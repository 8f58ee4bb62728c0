"""Every backend of moto that is in use as bytes, and back again.

One pickle holds them all, so that what they share stays shared. Live plumbing is written by name:
a backend by its address, a lock as a new lock.
"""

import io
import logging
import pickle
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from moto.core.base_backend import BackendDict, BaseBackend
from moto.moto_api import state_manager
from moto.s3.utils import _VersionedKeyStore  # pyright: ignore[reportPrivateUsage] - what holds the objects

from ddb_assets.local import clock

logger = logging.getLogger(__name__)

#: What the local AWS is for; without one of these a state would be of no use.
ESSENTIAL = ("athena", "dynamodb", "glue", "s3")

#: What every BackendDict has; anything else in one (S3's map of bucket owners) is state.
_PLUMBING = frozenset(
    {"backend", "service_name", "_use_boto3_regions", "_additional_regions", "_id"}
)


class StateError(RuntimeError):
    """The state folder cannot be used, or a state cannot be written or read."""


@dataclass(frozen=True)
class Address:
    """Where a backend lives: the registry that holds it, its account and its region."""

    module: str
    registry: str
    account: str
    region: str

    @property
    def service(self) -> str:
        """Moto's name of the service."""
        return self.module.removeprefix("moto.").partition(".")[0]


@dataclass(frozen=True)
class State:
    """What was written down.

    Attributes:
        content: The bytes.
        left_out: The services that hold something which cannot be kept.
    """

    content: bytes
    left_out: tuple[str, ...]


def dump() -> State:
    """Every backend in use, and what moto keeps beside them.

    A service beside the four this is about may hold what cannot be written down (a socket, a
    process); it is left out with a warning, so that the others are kept.

    Raises:
        StateError: One of the four holds such a thing.
    """
    backends = list(_backends())
    try:
        return State(_pickled(backends, backends), ())
    except _UNKEPT as error:
        left_out = {a: str(e) for a, e in _unkept(backends)}
        if not left_out:
            raise StateError(f"the state cannot be kept: {error}") from error
    for address, reason in left_out.items():
        if address.service in ESSENTIAL:
            raise StateError(f"the state of {address.service} cannot be kept: {reason}")
        logger.warning("the state of %s is not kept: %s", address.service, reason)
    kept = [(address, backend) for address, backend in backends if address not in left_out]
    return State(_pickled(kept, backends), tuple(sorted({a.service for a in left_out})))


#: What pickle raises for something it cannot write.
_UNKEPT = (TypeError, AttributeError, pickle.PicklingError)

_Backends = Sequence[tuple["Address", BaseBackend]]


def _unkept(backends: _Backends) -> Iterator[tuple["Address", Exception]]:
    for address, backend in backends:
        try:
            _pickled([(address, backend)], backends)
        except _UNKEPT as error:
            yield address, error


def _pickled(chosen: _Backends, in_use: _Backends) -> bytes:
    document = {
        "registries": {
            _address_of(registry): {
                name: value for name, value in vars(registry).items() if name not in _PLUMBING
            }
            for registry in _registries()
        },
        "backends": [(address, vars(backend)) for address, backend in chosen],
        "clock_offset_seconds": clock.offset_seconds(),
        "transitions": state_manager._transitions,  # pyright: ignore[reportPrivateUsage] - moto gives no way to list them
    }
    buffer = io.BytesIO()
    _Pickler(buffer, in_use).dump(document)
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

    def __init__(self, file: io.BytesIO, backends: Iterable[tuple[Address, BaseBackend]]) -> None:
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
        if isinstance(obj, _VersionedKeyStore):
            # Its items() shows pickle the newest version of an object only.
            versions = list(cast("Any", obj).lists())
            return _VersionedKeyStore, (), versions, None, None, _set_versions
        if type(obj).__module__.startswith("cryptography.") and hasattr(obj, "private_bytes"):
            return _private_key, (_private_bytes(obj),)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> Any:
        kind, where = pid
        return _backend(where) if kind == "backend" else _registry(*where)


def _set_versions(store: Any, versions: list[tuple[str, list[Any]]]) -> None:
    for key, objects in versions:
        store.setlist(key, objects)


def _private_bytes(key: Any) -> bytes:
    """A key of KMS."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - loaded if there is one

    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _private_key(der: bytes) -> Any:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - loaded if there is one

    return serialization.load_der_private_key(der, None)


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
