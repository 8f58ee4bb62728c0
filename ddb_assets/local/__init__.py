"""AWS in a box: moto's server with the missing half added.

`install()` makes moto answer for DynamoDB exports, the Glue catalog and Athena as AWS does, under
`mock_aws()` and in moto's server alike. A server must be installed before its first request: moto
builds a service's application then and keeps it.
"""

import threading
from collections.abc import Iterable
from importlib import import_module
from typing import Any, cast

from ddb_assets.local.plumbing import require_members, require_tested_moto

#: Modules that replace a service; each has `overrides()`.
SERVICES = ("dynamodb", "glue", "athena", "cloudwatch")

#: One override: moto's registry of a service's backends, and our backend class.
Override = tuple[Any, type[Any]]

_lock = threading.Lock()
_replaced: list[Override] = []


def overrides(services: Iterable[str] = SERVICES) -> list[Override]:
    """Every registry of moto's that we take over, with the class that goes there."""
    return [
        override
        for service in services
        for override in cast("list[Override]", import_module(f"{__name__}.{service}").overrides())
    ]


def install(services: Iterable[str] = SERVICES) -> None:
    """Put our backends in the place of moto's and forget what moto has made so far. Idempotent.

    Args:
        services: Which of `SERVICES`; a test of one need not load the others.

    Raises:
        MotoVersionError: The installed moto is not the one this was written for.
    """
    require_tested_moto()
    from moto.core.base_backend import BackendDict, BaseBackend  # noqa: PLC0415 - costs 0.5 s

    require_members(BackendDict, "reset", "_instances")
    require_members(BaseBackend, "_url_module", "reset")
    with _lock:
        for backends, ours in overrides(services):
            require_members(backends, "backend", "service_name")
            if backends.backend is not ours:
                _replaced.append((backends, backends.backend))
                backends.backend = ours
        # Regions already made from moto's own classes are made anew.
        BackendDict.reset()


def uninstall() -> None:
    """Put moto's own backends back and forget what ours held."""
    from moto.core.base_backend import BackendDict  # noqa: PLC0415 - costs 0.5 s

    with _lock:
        while _replaced:
            backends, stock = _replaced.pop()
            backends.backend = stock
        BackendDict.reset()
