"""Findings: what is likely wrong with a run, judging by its measures, and what to change.

Each module here is about one subject, such as ``network``, ``inputs``, ``noise`` or ``actions``. It contains the
thresholds, one function per finding that looks for it, and the rows of the table. To add a finding, add a function and
a row to one of them.

The thresholds leave a margin. In runs that went well (rsl_rl on Gymnasium's InvertedPendulum and Hopper, MLP and
GRU), no value came within a factor of two of its threshold, with two exceptions: the std ended at up to 1.0 times its
initial value, and up to 44 % of the units of small relu layers were dead. In one of five runs of Genesis' drones
that went well, one of four stds ended at 2 % of its initial value.
"""

from .inputs import STALE
from .kinds import Evidence, Finding
from .network import ASLEEP
from .table import FINDINGS, fill_in, findings_of

__all__ = [
    "ASLEEP",
    "FINDINGS",
    "STALE",
    "Evidence",
    "Finding",
    "fill_in",
    "findings_of",
]
