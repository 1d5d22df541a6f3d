"""How much memory the process of a test has held at most."""

import sys

import pytest


def peak_memory() -> int:
    """Return KiB; skips the test where the system does not say."""
    resource = pytest.importorskip("resource", reason="Windows does not say how much memory a process has held")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak  # a Mac counts bytes
