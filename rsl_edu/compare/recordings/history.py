"""Observations with a history: which features are others of some steps ago."""

from __future__ import annotations

import itertools

import numpy as np

from .data import Recording

COPIED = 0.75
"""Share of the moves of a feature that another must make a step later, to the same value, to be its past."""
ROWS = 400
"""The most samples of a feature that are looked at."""
SETTLED = 8
"""Steps after the start of an episode that are left out, and fewest moves that a feature must make."""


def pasts(recording: Recording) -> np.ndarray:
    """Return how often feature ``j`` takes over the value to which ``i`` moved the step before, ``[i, j]``.

    NaN in the rows of features that hardly move; what stands still takes over nothing, whatever its value. Only
    observations are looked at, not the recorded actions.
    """
    observed, start = recording.observed, min(SETTLED, len(recording.x) // 3)
    share = np.full((observed, observed), np.nan)
    if not recording.ordered or start < 2:
        return share
    x = recording.x[..., :observed]
    whole = recording.episode[:-start] == recording.episode[start:]  # a history may begin with its first frame alone
    earlier, before, now = (x[start - k : len(x) - k][whole] for k in (2, 1, 0))
    for feature, moves in enumerate((before != earlier).T):
        moving = np.flatnonzero(moves)
        if len(moving) >= SETTLED:
            moving = moving[:: max(1, len(moving) // ROWS)]
            fresh = now[moving] != before[moving]
            share[feature] = ((now[moving] == before[moving, feature, None]) & fresh).mean(0)
    return share


def chains(share: np.ndarray) -> list[list[int]]:
    """Return for each feature of the newest frame the places of its values, newest first; alone without a history."""
    features = len(share)
    older, best = np.full(features, -1), np.full(features, COPIED)
    for feature in np.flatnonzero(~np.isnan(share[:, 0])):
        past = int(share[feature].argmax())
        if past != feature and share[feature, past] > best[past]:
            older[older == past] = -1
            older[feature], best[past] = past, share[feature, past]
    found = [_chain(older, feature) for feature in range(features) if feature not in older]
    return found if sum(map(len, found)) == features else [[feature] for feature in range(features)]  # no rings


def holds(found: list[list[int]], share: np.ndarray) -> bool:
    """Tell whether the values of a step ago are where these chains have them, as far as features move."""
    links = [share[newer, older] for chain in found for newer, older in itertools.pairwise(chain)]
    return bool(np.nanmean([*links, np.nan]) > COPIED) if np.isfinite(links).any() else True


def stride(found: list[list[int]]) -> int:
    """Return how many places from a value that of a step ago is; 0 without a history."""
    steps = [chain[1] - chain[0] for chain in found if len(chain) > 1]
    return int(np.median(steps)) if steps else 0


def frames(found: list[list[int]]) -> int:
    """Return of how many steps most features have their values."""
    return int(np.median([len(chain) for chain in found]))


def _chain(older: np.ndarray, feature: int) -> list[int]:
    chain = [feature]
    while older[chain[-1]] >= 0:
        chain.append(int(older[chain[-1]]))
    return chain
