"""Test for features that jump from step to step."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from .data import Recording
from .evidence import Evidence, Found

NOISE = 0.05
"""Smallest increase of the share of the variance that is noise."""


def noise(evidence: Evidence) -> Iterator[Found]:
    """Find values that jump more from step to step than in the first recording, although the robot does not."""
    evidence.require_length()
    evidence.require_time()
    first, second = _jumps(evidence.first, evidence.second)
    more = second - first
    noisy = _noisier(evidence, own=False) & _noisier(evidence, own=True)
    noisy &= evidence.unexplained & ~evidence.free & ~evidence.first.rarely_move()
    for group in evidence.by_term(np.flatnonzero(noisy)):
        if evidence.named and 3 * len(group) < len(evidence.block_of(group[0]).columns):
            continue
        worst = max(group, key=lambda feature: more[feature])
        shares = (
            f"{100 * second[worst]:.0f} % of its variance is noise ({100 * first[worst]:.0f} % in the first recording)"
        )
        yield Found("noise", group, f"{evidence.names[worst]} jumps from step to step: {shares}")


def _noisier(evidence: Evidence, own: bool) -> np.ndarray:
    """Return features that jump more than in the first although the robot does not, ``[features]``, bool."""
    first, second = _jumps(evidence.first, evidence.second, own)
    more = second - first
    acts = evidence.acts & evidence.open
    calm = bool(acts.any() and (more[acts] < 2 * NOISE).all())  # rough actions shake the robot
    noisy = (more > 2 * NOISE) & (first < NOISE) & calm
    steps = _jumps(_steps(evidence.first), _steps(evidence.second), own)
    for change in evidence.changes:  # a jerky motion shows in position and velocity
        p, v = change.pair.position, change.pair.velocity
        rough = (float(steps[1][p] - steps[0][p]), float(more[v]))
        lost = change.pair.fit**2 - change.fits.max() ** 2 > NOISE / 2 and not change.pair.copied
        noisy[p] = lost and rough[0] > NOISE and rough[1] < rough[0] / 3 and more[p] > NOISE / 2
        noisy[v] = lost and rough[1] > NOISE and rough[0] < rough[1] / 3
    return np.asarray(noisy)


def _steps(recording: Recording) -> Recording:
    """Return the change from step to step; changes across the end of an episode are too few to matter."""
    return dataclasses.replace(recording, x=np.diff(recording.x, axis=0), episode=recording.episode[1:])


def _jumps(first: Recording, second: Recording, own: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return for both recordings the share of a feature's variance that is not smooth from step to step.

    The noise is divided by the first recording's variance, because a robot that stands still has the usual sensor
    noise but little other variance. If the second recording varies more, or with ``own``, the noise is divided by the
    second recording's variance. Impacts do not count.
    """
    variance = [each.flat.var(0).clip(1e-24) for each in (first, second)]
    return _white(first) / variance[0], _white(second) / (variance[1] if own else np.maximum(*variance))


def _white(recording: Recording) -> np.ndarray:
    x = recording.x
    whole = recording.episode[2:] == recording.episode[:-2]
    bend = (x[2:] - 2 * x[1:-1] + x[:-2])[whole]
    if not len(bend):
        return np.zeros(x.shape[2])
    return np.asarray(np.median(bend**2, axis=0) / (6 * 0.4549))  # scaled to give the variance of a normal distribution
