"""The folder of a run: which checkpoints it has, and what is written beside them. Imports no torch, to fail fast."""

from .agent import agent_config
from .errors import CheckpointError, reason
from .files import NUMBERED, checkpoint_files
from .foreign import what_is
from .libraries import whose
from .settings import RunSettings, run_settings

__all__ = [
    "NUMBERED",
    "CheckpointError",
    "RunSettings",
    "agent_config",
    "checkpoint_files",
    "reason",
    "run_settings",
    "what_is",
    "whose",
]
