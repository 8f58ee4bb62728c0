"""Local files of objects: made once, shared, evicted, removed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ddb_assets.local.athena.cache import FileCache


@pytest.fixture
def files() -> Iterator[FileCache]:
    """A cache of 100 bytes."""
    made = FileCache(max_bytes=100)
    yield made
    made.close()


def of_size(size: int):
    """Writes a file of this size."""
    return lambda path: path.write_bytes(b"x" * size)


def test_a_file_is_made_once_for_a_key(files: FileCache) -> None:
    """The second query does not write it again."""
    made: list[Path] = []

    def write(path: Path) -> None:
        made.append(path)
        path.write_bytes(b"x")

    with files.lease() as lease:
        first = lease.path("key", ".json", write)
    with files.lease() as lease:
        assert lease.path("key", ".json", write) == first
        assert lease.path("other", ".json", write) != first
    assert len(made) == 2


def test_the_least_recently_used_files_go_first(files: FileCache) -> None:
    """Once the cache is full."""
    paths = {}
    for key in ("a", "b", "a", "c"):
        with files.lease() as lease:
            paths[key] = lease.path(key, ".json", of_size(40))
    assert [key for key, path in paths.items() if path.exists()] == ["a", "c"]


def test_a_file_that_a_query_reads_stays(files: FileCache) -> None:
    """It goes when the query ends."""
    with files.lease() as lease:
        held = [lease.path(str(number), ".json", of_size(60)) for number in range(3)]
        assert all(path.exists() for path in held)
    assert [path.exists() for path in held] == [False, False, True]


def test_a_file_that_could_not_be_written_is_not_kept(files: FileCache) -> None:
    """The next query tries again."""

    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise ValueError("no")

    with files.lease() as lease:
        with pytest.raises(ValueError, match="no"):
            lease.path("key", ".json", fail)
        assert list(files.folder.iterdir()) == []
        assert lease.path("key", ".json", of_size(1)).read_bytes() == b"x"


def test_nothing_is_left_when_the_process_ends() -> None:
    """The folder of the process's own cache is removed."""
    code = (
        "from ddb_assets.local.athena.cache import shared\n"
        "with shared().lease() as lease:\n"
        "    path = lease.path('key', '.json', lambda path: path.write_bytes(b'x'))\n"
        "print(path.parent)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip()
    assert not Path(run.stdout.strip()).exists()
