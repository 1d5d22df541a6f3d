"""Histograms that also count values beyond the outer edges."""

from __future__ import annotations

import numpy as np


def clipped_histogram(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Count the values in each bin; values beyond the outer edges count in the outermost bins.

    Args:
        values: Values in any shape; infinite values count, NaN does not.
        edges: Edges of the bins, ascending, ``[bins + 1]``.

    Returns:
        The counts, ``[bins]``.
    """
    low, high = edges[0], edges[-1]
    clipped = np.clip(values, low, high)
    if np.array_equal(edges, np.linspace(low, high, len(edges))):  # for equal bins, NumPy is faster: it need not sort
        return np.histogram(clipped, len(edges) - 1, (low, high))[0]
    return np.histogram(clipped, edges)[0]
