"""How our classes take the place of moto's, and the parts of moto that this leans on.

moto keeps, per service, the class it makes each region's backend from. Swapping that class is the
whole registration: nothing is patched, the server and `mock_aws` both follow, and it is undone by
putting the old class back.
"""

from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

#: The versions whose internals we were written and tested against.
TESTED_MOTO = ("5", "2")


class MotoVersionError(RuntimeError):
    """The installed moto is not one that the local AWS was written for."""


def require_tested_moto() -> None:
    """Refuse a moto whose internals may have moved.

    Raises:
        MotoVersionError: Another major or minor version is installed.
    """
    found = version("moto")
    if tuple(found.split(".")[:2]) != TESTED_MOTO:
        wanted = ".".join(TESTED_MOTO)
        raise MotoVersionError(
            f"ddb_assets.local is written for moto {wanted}.x, found {found}: "
            f"pip install 'moto[server]~={wanted}.0'"
        )


def require_members(owner: object, *names: str) -> None:
    """Assert that moto still has the parts we override or call.

    Raises:
        MotoVersionError: One of them is gone.
    """
    missing = [name for name in names if not hasattr(owner, name)]
    if missing:
        raise MotoVersionError(
            f"moto {version('moto')}: {getattr(owner, '__name__', owner)!s} "
            f"has no {', '.join(missing)}; ddb_assets.local leans on it"
        )


def routed(stock_urls: Any, response_class: Any) -> SimpleNamespace:
    """Moto's URL patterns of a service, answered by our response class.

    moto finds a service's `urls` by the module name of the backend's class, so a backend that lives
    elsewhere returns this from its `_url_module` property.
    """
    paths = dict.fromkeys(stock_urls.url_paths, response_class.dispatch)
    return SimpleNamespace(url_bases=stock_urls.url_bases, url_paths=paths)
