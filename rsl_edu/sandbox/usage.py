"""CPU time and memory of a process and its descendants, as Linux reports them in ``/proc``."""

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
_FILE = 1 << 10  # bytes of kernel memory for each file in memory, even an empty one


class Tree:
    """A process and its descendants, measured repeatedly.

    When a process ends, Linux adds its CPU time to the parent that waited for it. But a program can tell Linux that it
    will not wait. So there are two sums, and each of them is at most the time that was really used: the time that Linux
    reports now, including ended children that were waited for; and the sum of the last times measured for all processes
    ever seen. The larger sum counts.

    Memory is everything resident or swapped out, the page tables, and the files in the sandbox's ``/tmp``. There is no
    other memory, because the sandbox's filter refuses memory that is shared without a file.

    Args:
        process: Id of the process.
    """

    def __init__(self, process: int) -> None:
        self._process = process
        self._own: dict[tuple[int, bytes], int] = {}  # CPU time of each process, by its id and start time
        self._ticks = 0

    def look(self, most: float = math.inf) -> tuple[float, int]:
        """Measure the CPU time and memory that the processes use.

        Args:
            most: Bytes of memory. Up to this sum, a page that several processes share counts once for each of them.
                Above it, memory is counted again with each page counted once, which takes some 10 ms per process.

        Returns:
            Seconds of CPU time until now, and bytes of memory; zeros if there is no ``/proc``.
        """
        ticks = memory = 0
        seen = self._processes()
        for current in seen:
            folder = Path(f"/proc/{current}")
            if fields := _read(folder / "stat").rpartition(b")")[2].split():  # the fields after the program's name
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
        """Return whether all threads sleep until something happens. A thread that waits for a core does not sleep."""
        threads = [task for process in self._processes() for task in _threads(process)]
        states = [_read(thread / "stat").rpartition(b")")[2].split()[:1] for thread in threads]
        return bool(states) and all(state in ([b"S"], []) for state in states)  # []: the thread has ended meanwhile

    def _processes(self) -> list[int]:
        """Return the ids, parents before children, because a parent's time includes children that it has waited for."""
        found, seen = [self._process], list[int]()
        while found:
            current = found.pop()
            if current not in seen:  # a process that got a new parent meanwhile is found twice
                seen.append(current)
                for thread in _threads(current):  # each thread has its own children
                    found += map(int, _read(thread / "children").split())
        return seen


def _threads(process: int) -> list[Path]:
    try:
        return [*Path(f"/proc/{process}/task").iterdir()]
    except OSError:  # the process has ended meanwhile, or there is no /proc
        return []


def _exact(process: int) -> int:
    """Return the bytes of memory of a process, with its share of shared pages if Linux reports it."""
    folder = Path(f"/proc/{process}")
    share = _sum(_SHARE, folder / "smaps_rollup")
    return share + _sum(_TABLES, folder / "status") if share else _sum(_RESIDENT, folder / "status")


def _files(processes: list[int]) -> int:
    """Return the bytes of the files in memory that processes have in a private ``/tmp``."""
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
    """Open a folder to keep access to it, because its path means a different folder once bubblewrap has started."""
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
    except OSError:  # the process has ended meanwhile, or there is no /proc
        return b""
