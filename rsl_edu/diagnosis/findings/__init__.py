"""Findings: what in the measures of a run is likely wrong, with its figure, its threshold and what to change.

``network``, ``inputs``, ``noise`` and ``actions`` hold the findings about one subject each: their thresholds, a
function for each that looks for it, and their rows of the table. To add a finding, add a function and a row there.

The thresholds leave room. In trainings that went well (rsl_rl on Gymnasium's InvertedPendulum and Hopper, MLP and GRU)
no figure comes within a factor of two of them, with two exceptions: the std grew up to 1.0 of the first, and up to 44 %
of the units of small relu layers were dead. In one of five trainings of Genesis' drones that went well, one std of four
ended at 2 % of its first.
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
