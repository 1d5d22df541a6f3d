"""Reading the checkpoints of all releases of rsl_rl as plain data, and rebuilding their policies from our modules."""

from rsl_edu.run_folder import CheckpointError

from .contents import Contents, read_contents
from .critic import Critic
from .optimizer import AdamState
from .policy import Policy
from .reader import Checkpoint, Run, read, read_run

__all__ = [
    "AdamState",
    "Checkpoint",
    "CheckpointError",
    "Contents",
    "Critic",
    "Policy",
    "Run",
    "read",
    "read_contents",
    "read_run",
]
