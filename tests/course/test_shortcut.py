"""An answer that leaves the work to torch passes, and is told that the exercise asks for something else."""

import sys

import pytest
import torch
from course.banks import RIGHT

from rsl_edu.course import check

TAKEN = {
    "conv2d": {"of_torch": "conv2d", "by_three_dimensions": "conv3d"},
    "orthogonal_": {"of_torch": "orthogonal_"},
}


@pytest.mark.parametrize("exercise", TAKEN)
def test_right_answers_that_call_torchs_own_are_told_so_and_no_others_are(exercise):
    told = {}
    for name, answer in RIGHT[exercise].items():
        verdict = check.EXERCISES[exercise].check(answer)
        assert verdict.passed
        if "But it calls" in verdict.message:
            told[name] = verdict.message.partition("torch's ")[2].partition(",")[0]
    assert told == TAKEN[exercise]


def test_a_layer_of_torch_is_seen_too():
    def conv2d(x, weight, stride=1, padding=0):
        layer = torch.nn.Conv2d(*weight.shape[1::-1], weight.shape[-1], stride, padding, bias=False)
        layer.weight = torch.nn.Parameter(weight)
        return layer(x)

    verdict = check.conv2d(conv2d)
    assert verdict.passed
    assert "calls torch's conv2d, which does what the exercise asks you to write" in verdict.message


def test_a_name_of_the_learners_own_is_no_shortcut():
    verdict = check.conv2d(check.conv2d.reference)  # it is called conv2d as well
    assert verdict.passed
    assert "But" not in verdict.message


def test_a_profiler_goes_on():
    seen = []

    def profiler(*event):
        seen.append(event)

    before = sys.getprofile()
    sys.setprofile(profiler)
    try:
        check.conv2d(check.conv2d.reference)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(before)
    assert seen
