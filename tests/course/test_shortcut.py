"""An answer that leaves the work to torch passes, with a note that the exercise asks for something else."""

import sys

import pytest
import torch
from course.banks import RIGHT

from rsl_edu.course import check

TAKEN = {
    "conv2d": {"of_torch": "conv2d", "by_three_dimensions": "conv3d"},
    "gaussian_entropy": {"by_torch": "Normal.entropy", "of_joint": "Normal.entropy"},
    "gaussian_kl": {"by_torch": "kl_divergence", "of_covariances": "kl_divergence"},
    "gaussian_log_prob": {
        "by_torch": "Normal.log_prob",
        "by_covariance": "MultivariateNormal.log_prob",
        "by_loss": "gaussian_nll_loss",
    },
    "gru_step": {"by_torch": "gru_cell"},
    "orthogonal_": {"of_torch": "orthogonal_"},
    "unpad": {},
}


@pytest.mark.parametrize("exercise", TAKEN)
def test_only_right_answers_that_call_torchs_function_get_the_note(exercise):
    told = {}
    for name, answer in RIGHT[exercise].items():
        verdict = check.EXERCISES[exercise].check(answer)
        assert verdict.passed
        if "But it calls" in verdict.message:
            told[name] = verdict.message.partition("torch's ")[2].partition(",")[0]
    assert told == TAKEN[exercise]


def test_a_torch_layer_is_detected():
    def conv2d(x, weight, stride=1, padding=0):
        layer = torch.nn.Conv2d(*weight.shape[1::-1], weight.shape[-1], stride, padding, bias=False)
        layer.weight = torch.nn.Parameter(weight)
        return layer(x)

    verdict = check.conv2d(conv2d)
    assert verdict.passed
    assert "calls torch's conv2d, which is what the exercise asks you to write" in verdict.message


def test_torchs_unpad_sequence_is_detected():
    def unpad(padded, mask, time):
        steps = torch.cat(
            torch.nn.utils.rnn.unpad_sequence(padded.clone(), mask.sum(0))
        )  # unpad_sequence transposes its input in place
        return steps.reshape(-1, time, padded.shape[-1]).transpose(0, 1)

    verdict = check.unpad(unpad)
    assert verdict.passed
    assert "calls torch's unpad_sequence" in verdict.message


def test_every_exercise_with_shortcuts_is_tested():
    assert {name for name, exercise in check.EXERCISES.items() if exercise.shortcuts} == set(TAKEN)


def test_the_learners_own_function_with_torchs_name_is_not_a_shortcut():
    verdict = check.conv2d(check.conv2d.reference)  # its name is conv2d, too
    assert verdict.passed
    assert "But" not in verdict.message


def test_a_profiler_keeps_running():
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
