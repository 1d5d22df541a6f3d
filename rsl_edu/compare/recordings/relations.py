"""Correlations between the features of a recording, up to a few steps apart."""

from __future__ import annotations

import dataclasses

import numpy as np

from .data import Recording

NEAR, FAR = 3, 6
"""Largest number of steps between correlated features, in the first recording and in the second."""
GAP = 4
"""Number of steps over which a feature's change is its fast part."""
RIDGE = 1e-3
"""Ridge term for predicting the next step, relative to the variances."""
ENOUGH = 30
"""Fewest samples for a correlation."""


@dataclasses.dataclass(frozen=True)
class Relations:
    """Correlations between all features.

    Attributes:
        r: Correlation of feature ``i`` with feature ``j`` at ``k - apart`` steps later, indexed ``[k, i, j]``, of shape
            ``[2 * apart + 1, features, features]``.
        samples: Number of samples.
    """

    r: np.ndarray
    samples: int

    @property
    def apart(self) -> int:
        """Largest number of steps between correlated features."""
        return len(self.r) // 2


def fast_part(recording: Recording) -> Recording:
    """Return the change of each feature over some steps, which contains neither drift nor offset."""
    x, episode = recording.x, recording.episode
    if not recording.ordered or len(x) <= GAP:
        return recording
    whole = episode[:-GAP] == episode[GAP:]
    return dataclasses.replace(recording, x=x[GAP:] - x[:-GAP], episode=_broken(episode[GAP:], whole))


def surprises(recording: Recording) -> Recording:
    """Return the part of each feature that the previous step does not predict.

    This part is the noise of the policy and the environment, and its effect on the robot. The policy's reaction to the
    observations is predictable, so a different behaviour does not change this part.
    """
    x, episode = recording.x, recording.episode
    whole = episode[1:] == episode[:-1]
    if whole.sum() < ENOUGH:
        return recording
    before, after = x[:-1][whole], x[1:][whole]
    mean, std = before.mean(0), before.std(0) + 1e-12
    unit = (before - mean) / std
    expected = after.mean(0)
    covariance = unit.T @ unit + RIDGE * len(unit) * np.eye(x.shape[2])
    weights = np.linalg.solve(covariance, unit.T @ (after - expected))
    return dataclasses.replace(
        recording, x=x[1:] - expected - (x[:-1] - mean) / std @ weights, episode=_broken(episode[1:], whole)
    )


def relations(recording: Recording, apart: int = NEAR) -> Relations:
    """Correlate all features up to some steps apart; 0 where a feature is constant or there are too few samples."""
    x, episode = recording.x, recording.episode
    apart = apart if recording.ordered else 0
    count, features = len(x) - apart, x.shape[2]
    whole = (episode[:count] == episode[apart:]) & (episode[:count] >= 0) if count > 0 else np.zeros((0, 0), bool)
    samples = int(whole.sum())
    if samples < ENOUGH:
        return Relations(np.zeros((2 * apart + 1, features, features)), samples)
    parts = [x[k : k + count][whole] for k in range(apart + 1)]
    mean, std = parts[0].mean(0), parts[0].std(0)
    moves = std > 1e-9 * (np.abs(mean) + np.abs(x).max((0, 1)))
    unit = [np.where(moves, (part - mean) / np.where(moves, std, 1), 0.0) for part in parts]
    later = np.stack([unit[0].T @ part / samples for part in unit])
    return Relations(np.concatenate([later[:0:-1].transpose(0, 2, 1), later]).clip(-1, 1), samples)


def _broken(episode: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return the episode of each row, and -1 for rows that span the end of an episode."""
    return np.where(whole, episode, -1)
