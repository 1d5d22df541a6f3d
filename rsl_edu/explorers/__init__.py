"""Interactive explorers: one a file, over one small base. Each runs live in a notebook and draws without one."""

from .base import Explorer, Frame
from .space import Control, control
from .stream import Stream

__all__ = ["Control", "Explorer", "Frame", "Stream", "control"]
