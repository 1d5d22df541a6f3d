"""Mean and std of a stream after each batch. Except for rounding, a running normalizer has the same mean and std."""

from __future__ import annotations

import numpy as np


def running_mean(batches: np.ndarray) -> np.ndarray:
    """Return the mean of all samples up to and including each batch.

    Args:
        batches: ``[updates, samples, ...]``.

    Returns:
        ``[updates, ...]``, in double precision.
    """
    start = batches[:1, :1]  # sums of differences from a sample lose no digits, and are exactly 0 if nothing varies
    mean = _mean_so_far((batches - start).sum(1, dtype=float), batches.shape[1])
    mean += start[:, 0]
    return mean


def running_std(batches: np.ndarray) -> np.ndarray:
    """Return the population std of all samples up to and including each batch; shapes as in :func:`running_mean`."""
    d = (batches - batches[:1, :1]).astype(float)
    mean, square = (_mean_so_far(sums, d.shape[1]) for sums in (d.sum(1), (d * d).sum(1)))
    std: np.ndarray = np.sqrt(np.maximum(square - mean * mean, 0))
    return std


def _mean_so_far(sums: np.ndarray, samples: int) -> np.ndarray:
    """Return the mean up to each batch from ``sums [updates, ...]``: each batch's sum of its ``samples`` samples."""
    counts = samples * np.arange(1, len(sums) + 1)
    mean: np.ndarray = np.cumsum(sums, 0)
    mean /= counts.reshape(-1, *[1] * (sums.ndim - 1))
    return mean
