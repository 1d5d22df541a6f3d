"""Height scans are cut from the survey and scaled down correctly."""

import numpy as np
import pytest
import torch
from matplotlib.cbook import get_sample_data

from rsl_edu import data
from rsl_edu.data.terrain import SURVEY_SPACING


def test_scans_have_the_shape_and_scale_of_terrain_around_a_robot():
    scans = data.height_scans(count=32, size=48)
    assert scans.shape == (32, 1, 48, 48)
    assert scans.dtype == torch.float32
    assert torch.equal(scans[:, 0, 24, 24], torch.zeros(32))
    assert 0.02 < scans.std() < 0.3  # metres


def test_scan_is_a_scaled_part_of_the_survey():
    with np.load(get_sample_data("jacksboro_fault_dem.npz", asfileobj=False)) as survey:
        heights = torch.as_tensor(survey["elevation"]).float() * (0.05 / SURVEY_SPACING)
    patch = data.height_scans(count=1, size=8)[0, 0]
    windows = heights.unfold(0, 8, 1).unfold(1, 8, 1)  # [rows, columns, 8, 8]
    distance = (windows - windows[..., 4, 4][..., None, None] - patch).abs().amax((2, 3))
    assert distance.min() < 1e-6 < distance.median()


def test_heights_scale_with_distances():
    coarse, fine = data.height_scans(4, 32, spacing=0.1), data.height_scans(4, 32, spacing=0.05)
    torch.testing.assert_close(coarse, 2 * fine)


def test_seed_determines_the_positions():
    assert torch.equal(data.height_scans(4, seed=3), data.height_scans(4, seed=3))
    assert not torch.equal(data.height_scans(4, seed=3), data.height_scans(4, seed=4))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 345}, "size: expected at most 344 points.* got 345"),
        ({"count": 0}, "count: expected a whole number of at least 1, got 0"),
        ({"spacing": 0}, "spacing: expected a finite number above 0, got 0"),
    ],
)
def test_bad_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        data.height_scans(**arguments)
