"""Tests for features that end at a limit in only one recording."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rsl_edu.number_format import short

from .data import Recording
from .evidence import Evidence, Found
from .relations import ENOUGH
from .values import HELD

CLIPPED, BEYOND = 0.02, 0.01
"""Smallest share of samples at the limit of one recording, and of samples beyond that limit in the other."""
SAME = 1.6
"""Largest ratio between the sizes of the values inside the limits that counts as unchanged."""


def clipped(evidence: Evidence) -> Iterator[Found]:
    """Find values of the second recording that pile up at a limit, while the first goes beyond it."""
    return _clipped(evidence, evidence.second, evidence.first, ("second", "first"))


def unclipped(evidence: Evidence) -> Iterator[Found]:
    """Find values of the first recording that pile up at a limit, while the second goes beyond it."""
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
            f"{evidence.names[worst]} has the limits {short(x.min())} and {short(x.max())} in the {words[0]} "
            f"recording, with {100 * cut[worst]:.0f} % of the samples at a limit; {100 * beyond:.0f} % are beyond it "
            f"in the {words[1]}"
        )
        yield Found("clipped", group, figure)


def cut_short(narrow: Recording, wide: Recording) -> np.ndarray:
    """Return the share of samples at limits that the other recording goes beyond, ``[features]``.

    The share is 0 if the other recording has limits too, or if its values inside the limits have a different size.
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
