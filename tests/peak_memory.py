"""The peak memory of a test's process."""

import sys

import pytest


def peak_memory() -> int:
    """Return the peak memory in KiB, or skip the test if the system does not provide it."""
    resource = pytest.importorskip("resource", reason="Windows does not provide the peak memory of a process")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak  # macOS counts bytes
