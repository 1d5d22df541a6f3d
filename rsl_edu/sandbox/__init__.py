"""Runs what strangers wrote: in a process that sees the system and the Python environment, and can harm nothing."""

from .bwrap import BOX, bubblewrap
from .error import SandboxError
from .once import Limits, StoppedError, run_once
from .usage import Tree

__all__ = ["BOX", "Limits", "SandboxError", "StoppedError", "Tree", "bubblewrap", "run_once"]
