"""What a process and all that it has started use: CPU time and memory, as Linux reports them in ``/proc``."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def of_tree(process: int) -> tuple[float, int]:
    """Return what a process and all that it has started use.

    The CPU time of a process that has ended is in the account of the process that waited for it. If none did, it is
    lost, and the sum falls: keep the largest one seen.

    Args:
        process: Its id.

    Returns:
        Seconds of CPU time and bytes of memory; zeros where there is no ``/proc``.
    """
    ticks = pages = 0
    found, seen = [process], set()
    while found:
        current = found.pop()
        if current in seen:  # it got a new parent meanwhile
            continue
        seen.add(current)
        folder = Path(f"/proc/{current}")
        if fields := _read(folder / "stat").rpartition(b")")[2].split():  # what follows the program's name
            ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
            pages += int(fields[21])  # rss
        with contextlib.suppress(OSError):
            for task in (folder / "task").iterdir():  # each thread has children of its own
                found += map(int, _read(task / "children").split())
    return ticks / _TICKS, pages * _PAGE


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended meanwhile, or there is no /proc
        return b""
