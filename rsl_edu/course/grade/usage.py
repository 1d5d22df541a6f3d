"""What one submission may use, and whether the grader can see how much it uses."""

from __future__ import annotations

import time
from pathlib import Path

from rsl_edu.sandbox import Tree

from .sandbox import Limits

__all__ = ["Budget", "Tree", "known"]


class Budget:
    """What one submission may use. Its process may end and be started again: all its lives share one budget.

    Args:
        limits: What it may use from now on.

    Attributes:
        limits: What it may use.
        cpu: Seconds of CPU time that the lives which have ended have used.
        end: Time of the monotonic clock when it is given up, whatever it has used.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.cpu = 0.0
        self.end = time.monotonic() + limits.wall


def known(sandbox: str) -> bool:
    """Whether the grader sees the processes in this sandbox: not those in a container, and none without ``/proc``."""
    return sandbox in ("bwrap", "unsafe") and Path("/proc/self/stat").exists()
