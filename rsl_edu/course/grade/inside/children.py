"""Ends processes that a failed cell leaves behind, because they would use up the CPU time of the following cells."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from pathlib import Path

_ADOPT = 36  # PR_SET_CHILD_SUBREAPER
_ROUNDS = 100  # a limit is needed, because code that forks forever may be faster


def adopt() -> None:
    """Let processes whose parent has ended become children of this process, on Linux."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_ADOPT, 1, 0, 0, 0)


def children() -> set[int]:
    """Return the ids of all processes that this process has started, directly or indirectly."""
    found: set[int] = set()
    to_do = [os.getpid()]
    while to_do:
        with contextlib.suppress(OSError):  # the process has ended, or there is no /proc
            for task in Path(f"/proc/{to_do.pop()}/task").iterdir():
                new = {*map(int, (task / "children").read_text().split())} - found
                found |= new
                to_do += new
    return found


def end_children(but: set[int]) -> None:
    """End all child processes.

    Args:
        but: Ids of processes to keep.
    """
    for _ in range(_ROUNDS):
        new = children() - but
        if not new:
            return
        for process in new:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        for process in new:
            with contextlib.suppress(OSError):  # it is the child of another process until that one has ended
                os.waitpid(process, 0)
