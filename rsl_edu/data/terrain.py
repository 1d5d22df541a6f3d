"""Height scans from real terrain: a survey of the Jacksboro fault, Tennessee, that Matplotlib ships."""

from __future__ import annotations

import numpy as np
import torch

from rsl_edu.modules.validate import positive, whole

SURVEY_SPACING = 90.0
"""Metres between neighbouring heights of the survey."""


def height_scans(count: int = 256, size: int = 64, spacing: float = 0.05, seed: int = 0) -> torch.Tensor:
    """Cut square height scans out of the survey, shrunk to the size of a robot.

    Mountains and rubble look alike but for their scale, so heights shrink with distances: by ``spacing`` over
    :data:`~rsl_edu.data.terrain.SURVEY_SPACING`. With 0.05 m the scans hold slopes and steps of centimetres to
    decimetres.

    Args:
        count: Number of scans; their places are drawn at random and may overlap.
        size: Points along each side.
        spacing: Metres between neighbouring points of a scan.
        seed: Seed of the places.

    Returns:
        Heights in metres above the centre of each scan, ``[count, 1, size, size]``, float32.

    Raises:
        ValueError: An argument that is not allowed; the message names it.
    """
    from matplotlib.cbook import get_sample_data

    count, size, seed = whole("count", count), whole("size", size), whole("seed", seed, minimum=0)
    with np.load(get_sample_data("jacksboro_fault_dem.npz", asfileobj=False)) as survey:
        heights = torch.as_tensor(survey["elevation"]).float() * (positive("spacing", spacing) / SURVEY_SPACING)
    room = [side - size + 1 for side in heights.shape]
    if min(room) < 1:
        raise ValueError(f"size: expected at most {min(heights.shape)} points, the survey's shorter side; got {size}")
    draw = torch.Generator().manual_seed(seed)
    rows, columns = (torch.randint(r, (count, 1, 1), generator=draw) for r in room)
    window = torch.arange(size)
    scans = heights[rows + window[:, None], columns + window]  # [count, size, size]
    return (scans - scans[:, size // 2, size // 2, None, None]).unsqueeze(1)
