"""Checkpoints that rsl_rl saved: read as data, in the layouts of all its releases, and rebuilt from our modules."""

from rsl_edu.run_folder import CheckpointError

from .policy import Policy
from .reader import Checkpoint, Run, read, read_run

__all__ = ["Checkpoint", "CheckpointError", "Policy", "Run", "read", "read_run"]
