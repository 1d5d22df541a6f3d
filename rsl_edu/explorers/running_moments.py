"""Mean and std of a stream after each of its batches; equal to a running normalizer's, up to rounding."""

from __future__ import annotations

import numpy as np


def running_mean(batches: np.ndarray) -> np.ndarray:
    """Return the mean of all samples up to and including each batch.

    Args:
        batches: ``[updates, samples, ...]``.

    Returns:
        ``[updates, ...]``, in double precision.
    """
    start = batches[:1, :1]  # differences from a sample lose no digits in sums, and are exactly 0 if nothing varies
    mean = _mean_so_far((batches - start).sum(1, dtype=float), batches.shape[1])
    mean += start[:, 0]
    return mean


def running_std(batches: np.ndarray) -> np.ndarray:
    """Return the population std up to and including each batch; arguments and result as for :func:`running_mean`."""
    d = (batches - batches[:1, :1]).astype(float)
    mean, square = (_mean_so_far(sums, d.shape[1]) for sums in (d.sum(1), (d * d).sum(1)))
    std: np.ndarray = np.sqrt(np.maximum(square - mean * mean, 0))
    return std


def _mean_so_far(sums: np.ndarray, samples: int) -> np.ndarray:
    """Return the mean up to each batch, from each batch's sum over its ``samples`` samples, ``[updates, ...]``."""
    counts = samples * np.arange(1, len(sums) + 1)
    mean: np.ndarray = np.cumsum(sums, 0)
    mean /= counts.reshape(-1, *[1] * (sums.ndim - 1))
    return mean
