"""Every number is counted once; numbers beyond the edges are in the outermost bins."""

import itertools

import numpy as np
import pytest

from rsl_edu.histogram import clipped_histogram

EVEN, UNEVEN = np.linspace(-3, 3, 62), np.geomspace(1e-3, 1e3, 37)


@pytest.mark.parametrize("edges", [EVEN, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_counts_include_numbers_beyond_the_edges(edges, dtype):
    drawn = np.random.default_rng(0).normal(size=(100, 80)) * 4
    values = np.concatenate([drawn.ravel(), edges, np.nextafter(edges, -9), np.nextafter(edges, 9)]).astype(dtype)
    counts = clipped_histogram(values, edges)
    assert counts.sum() == len(values)
    for i, (low, high) in enumerate(itertools.pairwise(edges)):
        above = values >= low if i > 0 else True
        below = values < high if i < len(counts) - 1 else True
        assert counts[i] == np.sum(above & below)


@pytest.mark.parametrize("edges", [EVEN, UNEVEN], ids=["even", "uneven"])
def test_infinite_values_are_counted_and_nan_is_not(edges):
    counts = clipped_histogram(np.array([np.nan, np.inf, -np.inf, np.inf]), edges)
    assert (counts[0], counts[-1], counts.sum()) == (1, 2, 3)
