"""Comparison of a checkpoint with its export: whether both return the same actions, and if not, why.

``causes`` contains the table of possible mistakes. Each row changes the checkpoint's policy as the mistake would have
changed it. The first change that reproduces the export's actions is the answer.
"""

from .comparing import compare_export
from .comparison import Comparison, Reason

__all__ = ["Comparison", "Reason", "compare_export"]
