"""Detection of missing or swapped terms from the statistics of single features."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from .data import Block, Recording
from .relations import fast_part, relations

MOST_TERMS = 14
"""Up to this many terms, every combination of missing terms is tried."""
APART, CLOSE = 4.0, 2.5
"""Smallest ratio of the sizes of swapped terms as recorded, and largest ratio after swapping them back."""
FITS, CLEAR = 0.45, 0.6
"""Largest difference between the statistics of equal features, and the share of the cost that a swap must save."""


def looks(first: Recording, second: Recording) -> np.ndarray:
    """Return the difference in statistics between features of the first and the second, ``[features, features]``.

    The difference is a sum: mean and size (at most 1 together), speed, and 1 if only one of the two features keeps its
    value for long.
    """
    (m, s), (n, t) = ((each.flat.mean(0), each.flat.std(0)) for each in (first, second))
    least = 1e-6 * max(s.max(), t.max(), 1e-12)
    s, t = np.maximum(s, least), np.maximum(t, least)
    away = np.minimum(1, np.abs(m[:, None] - n) / (2 * np.maximum(s[:, None], t)))
    wider = np.minimum(1, np.abs(np.log(s[:, None] / t)) / np.log(4))
    pace = [np.diagonal(relations(fast_part(each)).r, axis1=1, axis2=2) for each in (first, second)]
    speed = np.abs(pace[0][:, :, None] - pace[1][:, None, :]).mean(0) if len(pace[0]) == len(pace[1]) else 0.0
    rare = first.rarely_move()[:, None] != second.rarely_move()
    return np.asarray((away + wider) / 2 + speed + rare)


def swapped(first: Recording, second: Recording, blocks: Sequence[Block]) -> np.ndarray | None:
    """Return the order of the second recording's features if two terms are swapped; None if no terms are."""
    cost = looks(first, second)
    sizes = [np.log(np.sqrt((each.flat**2).mean(0)).clip(1e-12)) for each in (first, second)]
    features = np.arange(len(cost))
    best: tuple[float, np.ndarray] = (np.inf, features)
    for a, b in itertools.combinations(range(len(blocks)), 2):
        terms = [list(block.columns) for block in blocks]
        terms[a], terms[b] = terms[b], terms[a]
        order = np.empty(len(features), int)  # indices in the second of the first recording's features
        order[np.concatenate(terms)] = features
        moved = order != features
        grown = [np.abs(sizes[1][at[moved]] - sizes[0][moved]) for at in (features, order)]
        if len(terms[a]) == len(terms[b]) and np.min(grown[0]) > np.log(APART) and np.median(grown[1]) < np.log(CLOSE):
            return order
        best = min(best, (float(cost[features, order].sum()), order), key=lambda each: each[0])
    order = best[1]
    moved = order != features
    if not moved.any():
        return None
    before, after = cost[features, features][moved], cost[features, order][moved]
    same = after.mean() < FITS and after.mean() < (1 - CLEAR) * before.mean()
    return order if same and (before > 2 * FITS).mean() > CLEAR else None


def kept(first: Recording, second: Recording, blocks: Sequence[Block]) -> Iterator[tuple[float, np.ndarray]]:
    """Yield sets of the longer recording's features that the shorter one may have, and the mean difference of each set.

    Args:
        first: The longer recording.
        second: The shorter recording.
        blocks: The terms of the longer recording.
    """
    cost = looks(first, second)
    features, left = len(cost), cost.shape[1]
    candidates: dict[tuple[int, ...], None] = {}
    for some in _subsets(blocks):
        if sum(len(block.columns) for block in some) == left:
            candidates[tuple(column for block in some for column in block.columns)] = None
    for start in range(left + 1):  # a run of features is missing
        candidates[tuple(np.delete(np.arange(features), slice(start, start + features - left)).tolist())] = None
    for columns in candidates:
        yield float(cost[list(columns), range(left)].mean()), np.array(columns)


def _subsets(blocks: Sequence[Block]) -> Iterator[tuple[Block, ...]]:
    if len(blocks) <= MOST_TERMS:
        for number in range(1, len(blocks)):
            yield from itertools.combinations(blocks, number)
