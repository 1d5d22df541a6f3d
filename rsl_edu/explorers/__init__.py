"""Interactive explorers: one a file, over one small base. Each runs live in a notebook and draws without one."""

from typing import Any

from .adaptive import AdaptiveRate
from .bench.controls import Control, control
from .bench.explorer import Explorer, Frame
from .bench.quiz import Quiz
from .divergence import Divergence
from .features import Features
from .heteroscedastic import HeteroscedasticFit
from .memory import Memory
from .rewards import Rewards
from .signal import Signal
from .std_training import StdTraining
from .stick_figure import StickFigure
from .stream import Stream
from .xray import XRay

__all__ = [
    "EXPLORERS",
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
    "StickFigure",
    "Stream",
    "XRay",
    "control",
]

EXPLORERS: dict[str, type[Explorer[Any, Any]]] = {
    explorer.__name__: explorer
    for explorer in (
        Signal,
        Features,
        Memory,
        Stream,
        Rewards,
        Divergence,
        StdTraining,
        HeteroscedasticFit,
        AdaptiveRate,
        StickFigure,
        XRay,
    )
}
"""All explorers by their names, in the order of the lessons."""
