"""Findings: what in the measures of a run is likely wrong, with its figure, its threshold and what to change.

Each file has the findings of one subject: their thresholds, a function for each that looks for it, and their rows of
the table :data:`.FINDINGS`. The thresholds leave room: of trainings that went well (rsl_rl on Gymnasium's
InvertedPendulum and Hopper, MLP and GRU) no figure comes within a factor of two of them, but for two: the std grew up
to 1.0 of the first, and of small relu layers up to 44 % of the units were dead.
"""

from .inputs import STALE
from .kinds import Evidence, Finding, FindingKind, UncheckedError
from .network import ASLEEP
from .table import CONFIG_FIELDS, FINDINGS, LESSON_TITLES, fill_in, findings_of

__all__ = [
    "ASLEEP",
    "CONFIG_FIELDS",
    "FINDINGS",
    "LESSON_TITLES",
    "STALE",
    "Evidence",
    "Finding",
    "FindingKind",
    "UncheckedError",
    "fill_in",
    "findings_of",
]
