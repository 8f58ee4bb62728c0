"""A process and everything below it: peak memory of each, CPU seconds of all."""

import os
import threading
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class Watched(threading.Thread):
    """Looks ten times a second: what a process uses in its last tenth is not seen."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._root = pid
        self._over = threading.Event()
        self._kilobytes: dict[int, int] = {}
        self._ticks: dict[int, int] = {}

    def run(self) -> None:
        """Look until told to stop."""
        while not self._over.wait(0.1):
            parents, used = _processes()
            below = {self._root}
            while more := {p for p, parent in parents.items() if parent in below} - below:
                below |= more
            for pid in below & used.keys():
                self._ticks[pid] = used[pid]
                self._kilobytes[pid] = max(self._kilobytes.get(pid, 0), _peak(pid))

    def stop(self) -> None:
        """No more looking."""
        self._over.set()
        self.join()

    @property
    def cpu(self) -> float:
        """Seconds of all."""
        return sum(self._ticks.values()) / TICKS

    @property
    def megabytes(self) -> float:
        """Peak of the largest."""
        return max(self._kilobytes.values()) / 1024

    @property
    def number(self) -> int:
        """How many there were."""
        return len(self._kilobytes)


def _processes() -> tuple[dict[int, int], dict[int, int]]:
    parents: dict[int, int] = {}
    used: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(fields[1])
        used[int(folder.name)] = int(fields[11]) + int(fields[12])
    return parents, used


def _peak(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
