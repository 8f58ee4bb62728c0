"""Keep the local AWS between two runs: every backend pickled into one file of a private folder.

A pickle can run code when it is read, so only a file of our own, in a folder nobody else can write
to, is ever opened.
"""

import contextlib
import fcntl
import json
import os
import pickle
import stat
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ddb_assets.local.pickling import StateError, dump, load

STATE_FILE = "state.pickle"
STAMP_FILE = "stamp.json"
LOCK_FILE = "lock"
FOLDER_MODE = 0o700
FILE_MODE = 0o600
#: Packages whose objects stand in the file.
STAMPED = ("ddb_assets", "moto", "sqlglot")


@dataclass(frozen=True)
class Saved:
    """What was saved.

    Attributes:
        size: In bytes.
        left_out: Services whose state is not kept.
    """

    size: int
    left_out: tuple[str, ...]


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

    def save(self) -> "Saved":
        """Write everything, replacing what was there only once it is complete.

        Nothing may change a backend meanwhile.

        Raises:
            StateError: A service that matters holds something that cannot be kept.
        """
        state = dump()
        _replace(self.path / STATE_FILE, state.content)
        _replace(self.path / STAMP_FILE, (json.dumps(_stamp(), indent=2) + "\n").encode())
        return Saved(len(state.content), state.left_out)

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
