"""What a process and all that it has started use: CPU time and memory, as Linux reports them in ``/proc``."""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_RESIDENT = re.compile(rb"^(?:VmRSS|VmSwap|VmPTE):\s+(\d+) kB", re.MULTILINE)
_SHARE = re.compile(rb"^(?:Pss|SwapPss):\s+(\d+) kB", re.MULTILINE)
_TABLES = re.compile(rb"^VmPTE:\s+(\d+) kB", re.MULTILINE)
_FILE = 1 << 10  # bytes of the kernel's memory for each file in memory, however empty


class Tree:
    """A process and all that it has started, looked at again and again.

    The CPU time of a process that has ended is in the account of the one that waited for it; but nobody has to wait: a
    program can tell Linux that it will not. So there are two sums, each of them at most what was used: of the accounts
    now, and of all processes that were seen, as they were when last seen. The larger one counts.

    Memory is what is resident or swapped out, with the page tables, and the files in the sandbox's ``/tmp``. There is
    no other: the sandbox's filter refuses memory that is shared without a file.

    Args:
        process: Its id.
    """

    def __init__(self, process: int) -> None:
        self._process = process
        self._own: dict[tuple[int, bytes], int] = {}  # time of each process, by its id and the time of its start
        self._ticks = 0

    def look(self, most: float = math.inf) -> tuple[float, int]:
        """Return what they use.

        Args:
            most: Bytes of memory up to which a page that several processes share may count once for each of them.
                Above, it is counted once in all: that takes longer, some 10 ms for each process.

        Returns:
            Seconds of CPU time until now, and bytes of memory; zeros where there is no ``/proc``.
        """
        ticks = memory = 0
        seen = self._processes()
        for current in seen:
            folder = Path(f"/proc/{current}")
            if fields := _read(folder / "stat").rpartition(b")")[2].split():  # what follows the program's name
                own, children = (sum(map(int, fields[place : place + 2])) for place in (11, 13))
                ticks += own + children
                self._own[current, fields[19]] = own
            memory += _sum(_RESIDENT, folder / "status")
        self._ticks = max(self._ticks, ticks, sum(self._own.values()))
        files = _files(seen)
        if memory + files > most:
            memory = sum(map(_exact, seen))
        return self._ticks / _TICKS, memory + files

    def asleep(self) -> bool:
        """Return whether all their threads sleep until something happens; one that waits for a core does not sleep."""
        threads = [task for process in self._processes() for task in _threads(process)]
        states = [_read(thread / "stat").rpartition(b")")[2].split()[:1] for thread in threads]
        return bool(states) and all(state in ([b"S"], []) for state in states)  # [] has ended meanwhile

    def _processes(self) -> list[int]:
        """A parent before its children: what it has waited for is in its own account."""
        found, seen = [self._process], list[int]()
        while found:
            current = found.pop()
            if current not in seen:  # else it got a new parent meanwhile
                seen.append(current)
                for thread in _threads(current):  # each has children of its own
                    found += map(int, _read(thread / "children").split())
        return seen


def _threads(process: int) -> list[Path]:
    try:
        return [*Path(f"/proc/{process}/task").iterdir()]
    except OSError:  # it ended meanwhile, or there is no /proc
        return []


def _exact(process: int) -> int:
    """Bytes of memory of a process, with its share of what it shares; the plain sum where Linux does not tell."""
    folder = Path(f"/proc/{process}")
    share = _sum(_SHARE, folder / "smaps_rollup")
    return share + _sum(_TABLES, folder / "status") if share else _sum(_RESIDENT, folder / "status")


def _files(processes: list[int]) -> int:
    """Bytes of the files in memory that processes see in a ``/tmp`` of their own."""
    seen = {Path("/tmp").stat().st_dev}
    used = 0
    for process in processes:
        with contextlib.suppress(OSError), _folder(f"/proc/{process}/root/tmp") as folder:
            if (device := os.fstat(folder).st_dev) not in seen:
                seen.add(device)
                system = os.fstatvfs(folder)
                used += (system.f_blocks - system.f_bfree) * system.f_frsize
                used += (system.f_files - system.f_ffree) * _FILE
    return used


@contextlib.contextmanager
def _folder(path: str) -> Iterator[int]:
    """Open a folder, so that it stays the same: while bubblewrap starts, its path leads elsewhere from time to time."""
    folder = os.open(path, getattr(os, "O_PATH", 0) | os.O_DIRECTORY)  # O_PATH: whatever its permissions
    try:
        yield folder
    finally:
        os.close(folder)


def _sum(pattern: re.Pattern[bytes], path: Path) -> int:
    return sum(map(int, pattern.findall(_read(path)))) << 10


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended meanwhile, or there is no /proc
        return b""
