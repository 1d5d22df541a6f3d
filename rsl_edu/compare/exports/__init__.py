"""A checkpoint and an export of it: the same actions? If not, why?

``causes`` has the table of what may be wrong; each row changes the checkpoint's policy as a mistake would, and the
first change with which it does what the export does is the answer.
"""

from .comparing import compare_export
from .comparison import Comparison, Reason

__all__ = ["Comparison", "Reason", "compare_export"]
