"""Mean, size and speed of each feature, and how much they may differ between two recordings of the same policy."""

from __future__ import annotations

import dataclasses

import numpy as np

from .data import SPAN, Recording
from .relations import GAP

LEAST = 1e-9
"""Smallest variation, relative to a feature's size, that does not count as constant."""


@dataclasses.dataclass(frozen=True)
class Statistics:
    """Statistics of the second recording relative to the first, each ``[features]``.

    Attributes:
        mean: Mean in the first recording.
        std: Std in the first recording.
        constant: Whether a feature is constant in the first and in the second recording, ``[2, features]``.
        shift: Mean of the second minus mean of the first, in std of the first.
        shift_error: Standard error of ``shift``, from parts of the recordings as long as the shorter one.
        spread: Logarithm of the ratio of the stds, second to first.
        spread_error: Standard error of ``spread``.
        size: Logarithm of the ratio of the root mean squares.
        speed: Logarithm of the ratio of the stds of the change over some steps.
    """

    mean: np.ndarray
    std: np.ndarray
    constant: np.ndarray
    shift: np.ndarray
    shift_error: np.ndarray
    spread: np.ndarray
    spread_error: np.ndarray
    size: np.ndarray
    speed: np.ndarray


def statistics(first: Recording, second: Recording) -> Statistics:
    """Compute the statistics of the second recording relative to the first."""
    both = (first, second)
    flats = [each.flat for each in both]
    means, stds = [x.mean(0) for x in flats], [x.std(0) for x in flats]
    constant = np.array([x.max(0) - x.min(0) <= LEAST * np.abs(x).max(0) for x in flats])
    length = max(1, min(len(each.x) for each in both))
    length = length if length < 2 * SPAN or max(each.x.shape[1] for each in both) >= 4 else length // 4
    chunks = [_chunks(each, length) for each in both]
    shares = [max(each.x.shape[1], len(chunk) / 2) for each, chunk in zip(both, chunks, strict=True)]
    share = np.sqrt(sum(1 / each for each in shares))
    scale = _positive(stds[0])
    within = [np.sqrt((chunk.var(1) + 1e-300).mean(0)) for chunk in chunks]
    return Statistics(
        mean=means[0],
        std=stds[0],
        constant=constant,
        shift=(means[1] - means[0]) / scale,
        shift_error=share * _largest([chunk.mean(1) for chunk in chunks]) / scale,
        spread=_log_ratio(within),
        spread_error=share * _largest([np.log(_positive(chunk.std(1))) for chunk in chunks]),
        size=_log_ratio([np.sqrt((x**2).mean(0)) for x in flats]),
        speed=_log_ratio([_speed(each) for each in both]),
    )


def _chunks(recording: Recording, length: int) -> np.ndarray:
    """Return stretches of single robots, ``[stretches, length, features]``."""
    x = recording.x
    number = len(x) // length
    cut = x[: number * length].reshape(number, length, *x.shape[1:])
    return np.asarray(cut.transpose(2, 0, 1, 3).reshape(-1, length, x.shape[2]))


def _largest(values: list[np.ndarray]) -> np.ndarray:
    """Return the std between stretches. If both recordings have enough stretches, return the larger std."""
    enough = [each.std(0, ddof=1) for each in values if len(each) >= 4]
    return np.asarray(np.max(enough, axis=0) if enough else np.full(values[0].shape[1], np.inf))


def _speed(recording: Recording) -> np.ndarray:
    x = recording.x
    if not recording.ordered or len(x) <= GAP:
        return np.asarray(recording.flat.std(0))
    whole = recording.episode[:-GAP] == recording.episode[GAP:]
    change = (x[GAP:] - x[:-GAP])[whole]
    return np.asarray(change.std(0)) if len(change) else np.asarray(recording.flat.std(0))


def _positive(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 1.0)


def _log_ratio(values: list[np.ndarray]) -> np.ndarray:
    """Return the logarithm of the ratio of two values, second to first; 0 where one of them is 0."""
    first, second = values
    known = (first > 1e-100) & (second > 1e-100)
    return np.asarray(np.where(known, np.log(np.where(known, second, 1) / np.where(known, first, 1)), 0.0))
