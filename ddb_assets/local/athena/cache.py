"""Files that DuckDB reads, made once per content and shared by all queries of the process."""

import atexit
import hashlib
import shutil
import tempfile
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

#: What the files may take together before the least recently used go, in bytes.
MAX_BYTES = 512 * 1024 * 1024


class FileCache:
    """Files by a key that names their content.

    Args:
        max_bytes: What they may take together; files that a query reads are never evicted.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ddb-assets-athena-"))
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._sizes: OrderedDict[Path, int] = OrderedDict()
        self._readers: dict[Path, int] = {}

    @contextmanager
    def lease(self) -> Generator["Lease"]:
        """Files asked for through the lease stay until it ends."""
        lease = Lease(self)
        try:
            yield lease
        finally:
            with self._lock:
                for path in lease.held:
                    self._readers[path] -= 1
                self._evict()

    def hold(self, key: str, suffix: str, write: Callable[[Path], None]) -> Path:
        """The file for `key`, written by `write` if it is not there; counted as being read."""
        path = self.folder / (hashlib.md5(key.encode()).hexdigest() + suffix)
        with self._lock:
            self._readers[path] = self._readers.get(path, 0) + 1
            known = path in self._sizes
            if known:
                self._sizes.move_to_end(path)
        if known:
            return path
        beside = path.with_name(f".{uuid.uuid4().hex}{suffix}")
        try:
            write(beside)
        except BaseException:
            beside.unlink(missing_ok=True)
            with self._lock:
                self._readers[path] -= 1
            raise
        size = beside.stat().st_size
        beside.replace(path)
        with self._lock:
            self._sizes[path] = size
            self._evict()
        return path

    def scratch(self, suffix: str) -> Path:
        """A path nobody uses, for a file its owner deletes."""
        return self.folder / f"{uuid.uuid4().hex}{suffix}"

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _evict(self) -> None:
        """Called with the lock held."""
        total = sum(self._sizes.values())
        for path in list(self._sizes):
            if total <= self._max_bytes:
                break
            if not self._readers.get(path):
                total -= self._sizes.pop(path)
                self._readers.pop(path, None)
                path.unlink(missing_ok=True)


class Lease:
    """What one query reads."""

    def __init__(self, files: FileCache) -> None:
        self._files = files
        self.held: list[Path] = []

    def path(self, key: str, suffix: str, write: Callable[[Path], None]) -> Path:
        """The file for `key`, kept until the lease ends."""
        path = self._files.hold(key, suffix, write)
        self.held.append(path)
        return path

    def scratch(self, suffix: str) -> Path:
        """A path nobody uses, for a file its owner deletes."""
        return self._files.scratch(suffix)


@cache
def shared() -> FileCache:
    """The process's cache; removed when the process ends, after its worker threads."""
    files = FileCache()
    atexit.register(files.close)
    return files
