"""Features that end at a limit in one recording only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rsl_edu.number_format import short

from .data import Recording
from .evidence import Evidence, Found
from .relations import ENOUGH
from .values import HELD

CLIPPED, BEYOND = 0.02, 0.01
"""Share of samples at the largest or smallest value of one recording, and beyond it in the other."""
SAME = 1.6
"""Ratio of what lies inside the limits, up to which it counts as unchanged."""


def clipped(evidence: Evidence) -> Iterator[Found]:
    """Look for values of the second recording that pile up at a limit which the first goes beyond."""
    return _clipped(evidence, evidence.second, evidence.first, ("second", "first"))


def unclipped(evidence: Evidence) -> Iterator[Found]:
    """Look for values of the first recording that pile up at a limit which the second goes beyond."""
    return _clipped(evidence, evidence.first, evidence.second, ("first", "second"))


def _clipped(evidence: Evidence, narrow: Recording, wide: Recording, words: tuple[str, str]) -> Iterator[Found]:
    evidence.require_length()
    cut = cut_short(narrow, wide)
    piled = np.flatnonzero(evidence.unexplained & ~wide.rarely_move() & (narrow.repeats() < HELD) & (cut > CLIPPED))
    for group in evidence.by_term(piled):
        worst = max(group, key=lambda feature: cut[feature])
        x, other = narrow.flat[:, worst], wide.flat[:, worst]
        beyond = ((other < x.min()) | (other > x.max())).mean()
        figure = (
            f"{evidence.names[worst]} ends at {short(x.min())} and {short(x.max())} in the {words[0]}, where "
            f"{100 * cut[worst]:.0f} % of the samples are; {100 * beyond:.0f} % lie beyond in the {words[1]}"
        )
        yield Found("clipped", group, figure)


def cut_short(narrow: Recording, wide: Recording) -> np.ndarray:
    """Return the share of samples at limits that the other recording goes beyond.

    0 where that one ends at limits itself, or where what lies inside the limits has another size.
    """
    x, other = narrow.flat, wide.flat
    low, high, margin = x.min(0), x.max(0), 0.02 * x.std(0)
    below = (x == low).mean(0) * ((other < low - margin).mean(0) > BEYOND)
    above = (x == high).mean(0) * ((other > high + margin).mean(0) > BEYOND)
    limited = (other == other.min(0)).mean(0) + (other == other.max(0)).mean(0) > CLIPPED
    cut = np.where(limited, 0.0, below + above)
    for feature in np.flatnonzero(cut > CLIPPED):
        inside = [each[(each > low[feature]) & (each < high[feature])] for each in (x[:, feature], other[:, feature])]
        if min(map(len, inside)) < ENOUGH:
            cut[feature] = 0
            continue
        sizes = [max(float(np.median(np.abs(each - np.median(each)))), 1e-12) for each in inside]
        if abs(np.log(sizes[0] / sizes[1])) > np.log(SAME):
            cut[feature] = 0
    return np.asarray(cut)
