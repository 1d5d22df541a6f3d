"""Pairs of features that stay related wherever the robot goes: a position and its velocity, or copies."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from .data import Block, Recording
from .relations import ENOUGH

SURE, EVERYWHERE, COPY = 0.85, 0.7, 0.99
"""Smallest correlation of a pair in the entire first recording, of a pair in each part of it, and of two copies."""
COPIED = 0.98
"""Copies whose correlation is below this are no longer copies."""
SHIFTS = (-3, -2, -1, 0, 1, 2, 3)
"""Steps by which a velocity may be late (positive) or its position may be late (negative)."""
PARTS = 4
SMOOTH = 4
"""Number of steps to average if noise hides a velocity."""


@dataclasses.dataclass(frozen=True)
class Pair:
    """A position and its velocity, or two copies of one feature.

    Attributes:
        position: Index of the position, or of the first copy.
        velocity: Index of the velocity, or of the second copy.
        copied: Whether the two are copies, such as the last action in the observations and the recorded action.
        slope: Change of the position in a step at a velocity of 1.
        fit: Correlation of the position's change with the velocity.
        usual: Smallest correlation in a part of the recording.
    """

    position: int
    velocity: int
    copied: bool
    slope: float
    fit: float
    usual: float


@dataclasses.dataclass(frozen=True)
class Change:
    """A pair in the second recording, relative to the first.

    Attributes:
        pair: The pair in the first recording.
        fits: Correlation of change and velocity for each of :data:`SHIFTS`.
        factor: Ratio of the slope at the best shift to the first recording's slope.
    """

    pair: Pair
    fits: np.ndarray
    factor: float

    @property
    def late(self) -> int:
        """Number of steps by which the velocity is late; 0 unless it explains most of the mismatch (all for copies)."""
        if self.pair.copied and self.fits.max() < COPIED:
            return 0
        here, best = self.fits[len(SHIFTS) // 2], int(self.fits.argmax())
        gap = 1 - here
        explained = 1 - self.fits[best] < 0.4 * gap and self.fits.max() > -self.fits.min()
        return SHIFTS[best] if explained and gap > 3 * (1 - self.pair.usual) + 0.003 else 0


def find_pairs(first: Recording) -> tuple[Pair, ...]:
    """Return the pairs that are related in all parts of the first recording."""
    if not first.ordered:
        return ()
    found: list[Pair] = []
    parts = first.parts(PARTS)
    for copied, sure, at_least in ((True, COPY, COPY), (False, SURE, EVERYWHERE)):
        whole = _correlations(first, copied)
        everywhere = [each for part in parts if (each := _correlations(part, copied)) is not None]
        if whole is None or not everywhere:
            return ()
        fit = np.abs(whole)
        least = np.min(np.sign(whole) * np.array(everywhere), axis=0)
        for position, velocity in enumerate(fit.argmax(1)):
            mutual = fit[:, velocity].argmax() == position and (not copied or position < velocity)
            if not mutual or fit[position, velocity] < sure or least[position, velocity] < at_least:
                continue
            pair = Pair(position, int(velocity), copied, float(np.sign(whole[position, velocity])), 0.0, 0.0)
            fits, slope = _shifted(first, pair)
            middle = float(fits[len(SHIFTS) // 2])
            if fits.max() <= middle + 1e-9:
                usual = min(middle, float(least[position, velocity]))
                found.append(dataclasses.replace(pair, slope=slope, fit=middle, usual=usual))
    return tuple(found)


def changes(pairs: tuple[Pair, ...], second: Recording) -> tuple[Change, ...]:
    """Return the pairs in the second recording, without pairs that are constant in this recording."""
    found = []
    for pair in pairs if second.ordered else ():
        fits, slope = _shifted(second, pair)
        if np.isfinite(fits).all():
            found.append(Change(pair, fits, abs(slope / pair.slope)))
    return tuple(found)


def smoothed(recording: Recording, steps: int = SMOOTH) -> Recording:
    """Return averages over some steps, in which positions and velocities correlate despite noise."""
    x, episode = recording.x, recording.episode
    count = len(x) - steps + 1
    if not recording.ordered or count < 2:
        return recording
    level = x.mean(0)  # subtracted and added back, so that the sums stay small
    sums = np.concatenate([np.zeros((1, *x.shape[1:])), np.cumsum(x - level, 0)])
    whole = episode[:count] == episode[steps - 1 :]
    apart = -1 - np.arange(count)[:, None]  # averages across the end of an episode belong to no episode
    mean = (sums[steps:] - sums[:-steps]) / steps + level
    return dataclasses.replace(recording, x=mean, episode=np.where(whole, episode[:count], apart))


def copies(recording: Recording) -> np.ndarray:
    """Return the index of each feature's copy, -1 if it has none, ``[features]``."""
    same = _correlations(recording, True) if recording.ordered else None
    if same is None:
        return np.full(recording.x.shape[2], -1)
    return np.where(same.max(1) > COPY, same.argmax(1), -1)


def _correlations(recording: Recording, copied: bool) -> np.ndarray | None:
    """Correlate each feature or its change (rows) with the mean of each feature over the same two steps (columns)."""
    whole = recording.episode[1:] == recording.episode[:-1]
    value = ((recording.x[1:] + recording.x[:-1]) / 2)[whole]
    change = value if copied else (recording.x[1:] - recording.x[:-1])[whole]
    if len(change) < ENOUGH:
        return None
    correlations = _unit(change).T @ _unit(value) / len(change)
    np.fill_diagonal(correlations, 0)
    return np.asarray(correlations)


def _unit(x: np.ndarray) -> np.ndarray:
    std = x.std(0)
    moves = std > 1e-9 * (np.abs(x).max(0) + 1e-12)
    return np.asarray(np.where(moves, (x - x.mean(0)) / np.where(moves, std, 1), 0.0))


def _shifted(recording: Recording, pair: Pair) -> tuple[np.ndarray, float]:
    """Return the correlations for all shifts, and the slope at the best shift; NaN if a feature is constant."""
    most = SHIFTS[-1]
    x, episode = recording.x, recording.episode
    before, after = x[:-1, :, pair.position], x[1:, :, pair.position]
    change = (after + before) / 2 if pair.copied else after - before
    value = (x[1:, :, pair.velocity] + x[:-1, :, pair.velocity]) / 2
    sign = np.sign(pair.slope)
    count = len(change) - 2 * most
    if count < 1:
        return np.full(len(SHIFTS), np.nan), np.nan
    whole = episode[:count] == episode[2 * most + 1 :]
    change = change[most : most + count][whole]
    values = [value[most + shift : most + shift + count][whole] for shift in SHIFTS]
    if len(change) < ENOUGH or not change.std() or not min(each.std() for each in values):
        return np.full(len(SHIFTS), np.nan), np.nan
    fits = np.array([np.corrcoef(change, each)[0, 1] for each in values]) * sign
    best = values[int(fits.argmax())]
    return fits, float(sign * change.std() / best.std())


def paired_blocks(pairs: tuple[Pair, ...], names: Sequence[str]) -> tuple[Block, ...]:
    """Group features without names into terms of neighbours whose velocities or copies are neighbours, too."""
    runs: list[list[Pair]] = []
    for pair in sorted(pairs, key=lambda each: (each.copied, each.position)):
        last = runs[-1][-1] if runs else None
        follows = last is not None and (pair.copied, pair.position) == (last.copied, last.position + 1)
        if last is not None and follows and pair.velocity == last.velocity + 1:
            runs[-1].append(pair)
        else:
            runs.append([pair])
    left = set(range(len(names)))
    found = []
    for run in runs:
        for columns in (tuple(pair.position for pair in run), tuple(pair.velocity for pair in run)):
            if len(run) > 1 and left >= set(columns):
                left -= set(columns)
                found.append(Block(names[columns[0]], columns))
    return tuple(sorted((*found, *(Block(names[i], (i,)) for i in left)), key=lambda block: block.columns))
