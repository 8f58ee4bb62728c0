"""Processes the end-to-end tests start: clean environments, and none left behind."""

import os
import time
import uuid
from pathlib import Path

MARK = "DDB_ASSETS_TEST_MARK"


class Marked:
    """An environment of a new user, with a mark by which every process started from it is found."""

    def __init__(self) -> None:
        self.value = uuid.uuid4().hex
        kept = {n: os.environ[n] for n in ("PATH", "HOME", "LANG", "TMPDIR") if n in os.environ}
        self.env = {**kept, MARK: self.value, "COLUMNS": "160", "DAGSTER_DISABLE_TELEMETRY": "1"}

    def processes(self) -> dict[int, str]:
        """Pid and command line of every running process that inherited the mark."""
        found: dict[int, str] = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                if f"{MARK}={self.value}".encode() in (folder / "environ").read_bytes():
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if command:
                        found[int(folder.name)] = command
            except (OSError, ValueError):
                continue
        return found

    def gone(self, seconds: float = 10.0) -> dict[int, str]:
        """What is still running after this long; empty when all ended."""
        deadline = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return left


def until(condition, seconds, what):
    """The condition's first true value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:.0f} s: {what() if callable(what) else what}")
