"""Resource budget of a submission, and whether the grader can measure its use."""

from __future__ import annotations

import time
from pathlib import Path

from rsl_edu.sandbox import Tree

from .sandbox import Limits

__all__ = ["Budget", "Tree", "known"]


class Budget:
    """Resource budget of a submission, which also applies to new processes if its process ends and is started again.

    Args:
        limits: Limits of the submission; its wall-clock time starts now.

    Attributes:
        limits: The limits.
        cpu: CPU time used by processes that have ended, in seconds.
        end: Time on the monotonic clock at which the submission is given up, even if it has used little CPU time.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.cpu = 0.0
        self.end = time.monotonic() + limits.wall


def known(sandbox: str) -> bool:
    """Return whether the grader can see the processes in this sandbox; it needs ``/proc`` and no container."""
    return sandbox in ("bwrap", "unsafe") and Path("/proc/self/stat").exists()
