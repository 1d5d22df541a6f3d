"""Run untrusted code in a process that sees only the system and the Python environment and cannot do any harm."""

from .bwrap import BOX, bubblewrap
from .error import SandboxError
from .once import Limits, StoppedError, run_once
from .usage import Tree

__all__ = ["BOX", "Limits", "SandboxError", "StoppedError", "Tree", "bubblewrap", "run_once"]
