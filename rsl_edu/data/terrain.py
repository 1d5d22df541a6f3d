"""Height scans from real terrain: a survey of the Jacksboro fault, Tennessee, which comes with Matplotlib."""

from __future__ import annotations

import numpy as np
import torch

from rsl_edu.modules.validate import positive, whole

SURVEY_SPACING = 90.0
"""Distance between neighbouring points of the survey, in metres."""


def height_scans(count: int = 256, size: int = 64, spacing: float = 0.05, seed: int = 0) -> torch.Tensor:
    """Cut square height scans out of the survey, and scale them down to the size of a robot.

    Except for their scale, mountains and rubble look similar. So heights and distances are scaled by the same factor,
    ``spacing`` divided by :data:`~rsl_edu.data.terrain.SURVEY_SPACING`. With 0.05 m, the scans contain slopes and steps
    of centimetres to decimetres.

    Args:
        count: Number of scans; their positions are random and may overlap.
        size: Number of points along each side.
        spacing: Distance between neighbouring points of a scan, in metres.
        seed: Seed of the positions.

    Returns:
        Heights in metres relative to the centre of each scan, ``[count, 1, size, size]``, float32.

    Raises:
        ValueError: An argument is invalid; the message names it.
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
