"""Interactive explorers: one a file, over one small base. Each runs live in a notebook and draws without one."""

from .adaptive import AdaptiveRate
from .base import Explorer, Frame
from .divergence import Divergence
from .features import Features
from .heteroscedastic import HeteroscedasticFit
from .memory import Memory
from .quiz import Quiz
from .rewards import Rewards
from .signal import Signal
from .space import Control, control
from .std_training import StdTraining
from .stream import Stream

__all__ = [
    "AdaptiveRate",
    "Control",
    "Divergence",
    "Explorer",
    "Features",
    "Frame",
    "HeteroscedasticFit",
    "Memory",
    "Quiz",
    "Rewards",
    "Signal",
    "StdTraining",
    "Stream",
    "control",
]
