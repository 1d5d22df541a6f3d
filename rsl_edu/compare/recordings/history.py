"""Detection of histories: which features are the values of other features some steps ago."""

from __future__ import annotations

import itertools

import numpy as np

from .data import Recording

COPIED = 0.75
"""Smallest share of a feature's changes that another feature must copy one step later to count as its past."""
ROWS = 400
"""Largest number of samples to test per feature."""
SETTLED = 8
"""Steps to skip at the start of an episode, and smallest number of changes of a feature."""


def pasts(recording: Recording) -> np.ndarray:
    """Return how often feature ``j`` copies the value that feature ``i`` changed to one step before, ``[i, j]``.

    Rows of features that hardly change are NaN. A feature that does not change copies nothing, whatever its value. Only
    observations are tested, not the recorded actions.
    """
    observed, start = recording.observed, min(SETTLED, len(recording.x) // 3)
    share = np.full((observed, observed), np.nan)
    if not recording.ordered or start < 2:
        return share
    x = recording.x[..., :observed]
    whole = (
        recording.episode[:-start] == recording.episode[start:]
    )  # at the start, a history may contain only its first frame
    earlier, before, now = (x[start - k : len(x) - k][whole] for k in (2, 1, 0))
    for feature, moves in enumerate((before != earlier).T):
        moving = np.flatnonzero(moves)
        if len(moving) >= SETTLED:
            moving = moving[:: max(1, len(moving) // ROWS)]
            fresh = now[moving] != before[moving]
            share[feature] = ((now[moving] == before[moving, feature, None]) & fresh).mean(0)
    return share


def chains(share: np.ndarray) -> list[list[int]]:
    """Return, for each feature in the newest frame, the indices of its values, newest first; without history, one."""
    features = len(share)
    older, best = np.full(features, -1), np.full(features, COPIED)
    for feature in np.flatnonzero(~np.isnan(share[:, 0])):
        past = int(share[feature].argmax())
        if past != feature and share[feature, past] > best[past]:
            older[older == past] = -1
            older[feature], best[past] = past, share[feature, past]
    found = [_chain(older, feature) for feature in range(features) if feature not in older]
    return (
        found if sum(map(len, found)) == features else [[feature] for feature in range(features)]
    )  # otherwise there is a cycle


def holds(found: list[list[int]], share: np.ndarray) -> bool:
    """Return whether the previous values are at the positions given by these chains, as far as features change."""
    links = [share[newer, older] for chain in found for newer, older in itertools.pairwise(chain)]
    return bool(np.nanmean([*links, np.nan]) > COPIED) if np.isfinite(links).any() else True


def stride(found: list[list[int]]) -> int:
    """Return the distance in columns from a value to its previous value; 0 without a history."""
    steps = [chain[1] - chain[0] for chain in found if len(chain) > 1]
    return int(np.median(steps)) if steps else 0


def frames(found: list[list[int]]) -> int:
    """Return how many steps the history of most features covers."""
    return int(np.median([len(chain) for chain in found]))


def _chain(older: np.ndarray, feature: int) -> list[int]:
    chain = [feature]
    while older[chain[-1]] >= 0:
        chain.append(int(older[chain[-1]]))
    return chain
